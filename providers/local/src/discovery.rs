//! What this machine has: CPU, memory, disk and GPUs.
//!
//! No GPU library is a normal answer: the machine then has no GPUs.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::LocalError;

const GIB: u64 = 1 << 30;

/// The parts of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Hardware threads that this process may use.
    pub vcpus: u64,
    /// Memory in MiB; a control group's limit counts.
    pub memory_mib: u64,
    /// Free space where the home folder lies, in GiB, rounded down.
    pub disk_free_gib: u64,
    /// GPUs in the order of their index.
    pub gpus: Vec<Gpu>,
}

/// One GPU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gpu {
    /// Its lasting name, `GPU-…`.
    pub uuid: String,
    /// What it is sold as.
    pub model: String,
    /// Memory in MiB.
    pub memory_mib: u64,
}

impl Machine {
    /// Looks at this machine. `home` is where volumes will lie.
    ///
    /// # Errors
    ///
    /// When `/proc/meminfo` cannot be read, which Linux alone has, or the home folder has no file system.
    pub(crate) fn discover(home: &Path) -> Result<Self, LocalError> {
        Ok(Self {
            vcpus: vcpus(),
            memory_mib: memory_mib()?,
            disk_free_gib: disk_free_gib(home)?,
            gpus: gpus(),
        })
    }
}

fn vcpus() -> u64 {
    std::thread::available_parallelism().map_or(1, |count| u64::try_from(count.get()).unwrap_or(1))
}

fn memory_mib() -> Result<u64, LocalError> {
    let path = Path::new("/proc/meminfo");
    let text = fs::read_to_string(path)
        .map_err(LocalError::file("read (local backends need Linux)", path))?;
    let total = total_kib(&text).ok_or_else(|| LocalError::Damaged {
        path: path.to_owned(),
        detail: "it has no `MemTotal`".to_owned(),
    })? / 1024;
    // `max`, or nothing at all, sets no limit.
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = limit.and_then(|text| text.trim().parse::<u64>().ok()).map(|bytes| bytes >> 20);
    Ok(limit.map_or(total, |limit| total.min(limit)))
}

fn total_kib(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

fn disk_free_gib(home: &Path) -> Result<u64, LocalError> {
    // The home may not be there yet; the nearest folder above it lies on the same file system.
    let nearest = home.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    let found = rustix::fs::statvfs(nearest)
        .map_err(|error| LocalError::file("measure free space of", nearest)(error.into()))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize) / GIB)
}

fn gpus() -> Vec<Gpu> {
    let library = std::ffi::OsStr::new("libnvidia-ml.so.1");
    let Ok(nvml) = nvml_wrapper::Nvml::builder().lib_path(library).init() else {
        return Vec::new();
    };
    let count = nvml.device_count().unwrap_or(0);
    let gpu = |index| {
        let device = nvml.device_by_index(index).ok()?;
        Some(Gpu {
            uuid: device.uuid().ok()?,
            model: device.name().ok()?,
            memory_mib: device.memory_info().ok()?.total >> 20,
        })
    };
    (0..count).filter_map(gpu).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_kernels_words() {
        assert_eq!(total_kib("MemTotal:       16384 kB\nMemFree: 1 kB\n"), Some(16384));
        assert_eq!(total_kib("MemFree: 1 kB\n"), None);
    }

    #[test]
    fn every_machine_has_a_cpu_and_memory() {
        let machine = Machine::discover(Path::new("/no/such/home")).expect("discovered");
        assert!(machine.vcpus >= 1 && machine.memory_mib > 0, "{machine:?}");
    }
}
