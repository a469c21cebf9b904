//! The world as it is: files, clock, random source; and the embedded standard library.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lang::{DirEntry, World};

/// The real world. The plan's time is taken once.
pub(crate) struct RealWorld {
    plan_time: u128,
    /// A file of the working folder that is being made: its name and what will be in it.
    draft: Mutex<Option<(String, String)>>,
    set_back: SetBack,
}

const LIBRARY: &str = "stratiform:modules";

fn now() -> u128 {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the clock comes in")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// `STRATIFORM_TEST_CLOCK=SECONDS:READINGS` sets the clock back by so much after so many readings. Tests of what a clock
/// that goes backwards does use it.
#[derive(Debug, Default)]
struct SetBack {
    nanos: u128,
    readings: AtomicU64,
}

impl SetBack {
    fn from_environment() -> Self {
        let wanted = crate::store::env("STRATIFORM_TEST_CLOCK");
        let parsed = wanted.as_deref().and_then(|text| {
            let (seconds, readings) = text.split_once(':')?;
            Some((seconds.parse::<u64>().ok()?, readings.parse::<u64>().ok()?))
        });
        let (seconds, readings) = parsed.unwrap_or_default();
        Self { nanos: u128::from(seconds) * 1_000_000_000, readings: AtomicU64::new(readings) }
    }

    fn apply(&self, now: u128) -> u128 {
        if self.nanos == 0 {
            return now;
        }
        let left = self.readings.load(Ordering::Relaxed);
        self.readings.store(left.saturating_sub(1), Ordering::Relaxed);
        if left == 0 { now.saturating_sub(self.nanos) } else { now }
    }
}

impl RealWorld {
    pub(crate) fn new() -> Self {
        let set_back = SetBack::from_environment();
        Self { plan_time: set_back.apply(now()), draft: Mutex::default(), set_back }
    }

    /// From now on a file seems to be in the working folder.
    pub(crate) fn set_draft(&self, name: &str, text: String) {
        let mut draft = self.draft.lock().unwrap_or_else(PoisonError::into_inner);
        *draft = Some((name.to_owned(), text));
    }

    /// The draft, if the path is its own.
    fn draft(&self, path: &Path) -> Option<String> {
        let draft = self.draft.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, text) = draft.as_ref()?;
        (plain(path) == Path::new(name)).then(|| text.clone())
    }
}

/// The path within the standard library; `None` for paths of the file system.
fn library(path: &Path) -> Option<&str> {
    Some(path.to_str()?.strip_prefix(LIBRARY)?.trim_start_matches('/'))
}

impl World for RealWorld {
    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        match library(path) {
            Some(inner) => {
                let found = modules::files().iter().find(|(name, _)| *name == inner);
                found.map(|(_, bytes)| bytes.to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
            }
            None => match self.draft(path) {
                Some(text) => Ok(text.into_bytes()),
                None => std::fs::read(path),
            },
        }
    }

    fn exists(&self, path: &Path) -> bool {
        library(path).map_or_else(
            || path.is_file() || self.draft(path).is_some(),
            |inner| modules::files().iter().any(|(name, _)| *name == inner),
        )
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut found = Vec::new();
        match library(path) {
            Some(inner) => {
                let prefix = if inner.is_empty() { String::new() } else { format!("{inner}/") };
                for (name, _) in modules::files() {
                    let Some(rest) = name.strip_prefix(&prefix) else { continue };
                    let (name, is_dir) =
                        rest.split_once('/').map_or((rest, false), |(dir, _)| (dir, true));
                    let entry = DirEntry { name: name.to_owned(), is_dir };
                    if !found.contains(&entry) {
                        found.push(entry);
                    }
                }
                if found.is_empty() {
                    return Err(io::ErrorKind::NotFound.into());
                }
            }
            None => {
                for entry in std::fs::read_dir(path)? {
                    let entry = entry?;
                    let is_dir = entry.path().is_dir();
                    found.push(DirEntry {
                        name: entry.file_name().to_string_lossy().into_owned(),
                        is_dir,
                    });
                }
            }
        }
        let draft = self.draft.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, _)) = draft.as_ref().filter(|_| plain(path) == Path::new("")) {
            found.push(DirEntry { name: name.clone(), is_dir: false });
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn working_dir(&self) -> PathBuf {
        std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
    }

    fn home_dir(&self) -> Option<PathBuf> {
        std::env::home_dir()
    }

    fn now_unix_nanos(&self) -> u128 {
        self.set_back.apply(now())
    }

    fn plan_time_unix_nanos(&self) -> u128 {
        self.plan_time
    }

    fn random_bytes(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("every system that this runs on has a random source");
    }
}

/// The configuration of a plan file in the place of the working folder's: its files and the folders of its modules.
/// The standard library, the clock and the random source are the real ones.
pub(crate) struct SavedFiles {
    files: BTreeMap<PathBuf, String>,
    /// Folders of modules from elsewhere, by the keys of their calls.
    modules: BTreeMap<String, PathBuf>,
    real: Arc<RealWorld>,
}

impl SavedFiles {
    pub(crate) fn new(
        files: &BTreeMap<String, String>,
        modules: &BTreeMap<String, String>,
        real: Arc<RealWorld>,
    ) -> Self {
        let files = files.iter().map(|(path, text)| (plain(Path::new(path)), text.clone()));
        let modules = modules.iter().map(|(key, dir)| (key.clone(), PathBuf::from(dir)));
        Self { files: files.collect(), modules: modules.collect(), real }
    }

    /// The folder of a module from elsewhere.
    pub(crate) fn module(&self, key: &str) -> Option<PathBuf> {
        self.modules.get(key).cloned()
    }
}

/// The path without `.` and without what `..` takes back.
fn plain(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(plain.components().next_back(), Some(Component::Normal(_))) =>
            {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

impl World for SavedFiles {
    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        match (library(path), self.files.get(&plain(path))) {
            (Some(_), _) => self.real.read_file(path),
            (None, Some(text)) => Ok(text.clone().into_bytes()),
            (None, None) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        library(path)
            .map_or_else(|| self.files.contains_key(&plain(path)), |_| self.real.exists(path))
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        if library(path).is_some() {
            return self.real.read_dir(path);
        }
        let folder = plain(path);
        let mut found: Vec<DirEntry> = Vec::new();
        for file in self.files.keys() {
            let Ok(rest) = file.strip_prefix(&folder) else { continue };
            let mut parts = rest.components();
            let Some(first) = parts.next() else { continue };
            let name = first.as_os_str().to_string_lossy().into_owned();
            found.push(DirEntry { name, is_dir: parts.next().is_some() });
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn working_dir(&self) -> PathBuf {
        self.real.working_dir()
    }

    fn home_dir(&self) -> Option<PathBuf> {
        self.real.home_dir()
    }

    fn now_unix_nanos(&self) -> u128 {
        self.real.now_unix_nanos()
    }

    fn plan_time_unix_nanos(&self) -> u128 {
        self.real.plan_time_unix_nanos()
    }

    fn random_bytes(&self, buffer: &mut [u8]) {
        self.real.random_bytes(buffer);
    }
}

/// A time in RFC 3339, in UTC.
pub(crate) fn rfc3339(unix_ms: u64) -> String {
    let seconds = unix_ms / 1000;
    let days = i64::try_from(seconds / 86_400).unwrap_or(0) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let rest = seconds % 86_400;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_767_323_045_000), "2026-01-02T03:04:05Z");
    }

    #[test]
    fn saved_files_stand_for_the_folder() {
        let file = |path: &str| (path.to_owned(), format!("# {path}\n"));
        let files = ["main.tf", "m/main.tf", "m/n/x.tf", "../up/main.tf"].map(file).into();
        let world = SavedFiles::new(&files, &BTreeMap::new(), Arc::new(RealWorld::new()));
        let names = |path: &str| -> Vec<String> {
            let found = world.read_dir(Path::new(path)).expect("a folder");
            found
                .into_iter()
                .map(|entry| format!("{}{}", entry.name, if entry.is_dir { "/" } else { "" }))
                .collect()
        };
        assert_eq!(names("."), ["../", "m/", "main.tf"]);
        assert_eq!(names("./m"), ["main.tf", "n/"]);
        assert_eq!(names("m/../../up"), ["main.tf"]);
        assert!(names("elsewhere").is_empty());
        assert!(world.exists(Path::new("./m/n/x.tf")) && !world.exists(Path::new("Cargo.toml")));
        assert_eq!(
            world.read_file(Path::new("m/n/../main.tf")).expect("it is there"),
            b"# m/main.tf\n"
        );
        assert!(world.read_dir(Path::new(LIBRARY)).is_ok());
    }

    #[test]
    fn the_standard_library_is_embedded() {
        let world = RealWorld::new();
        let types = world.read_dir(Path::new(LIBRARY)).expect("the library is there");
        assert!(types.iter().any(|entry| entry.name == "cluster" && entry.is_dir), "{types:?}");
        assert!(world.exists(Path::new("stratiform:modules/cluster/component.tf")));
    }
}
