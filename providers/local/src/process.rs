//! Processes: known by pid *and* start time, so that a reused pid is never touched.
//!
//! Every process that belongs to an object carries the object's id in its environment
//! ([`MARKER`]). Children inherit it, whatever sessions and groups they make for themselves, so
//! that destruction finds them all even when no supervisor is left to ask.
//!
//! Source: proc(5), field 22 of `/proc/PID/stat` is the start time in clock ticks since boot.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::LocalError;

/// The environment variable that marks the processes of an object with the object's id.
pub(crate) const MARKER: &str = "STRATIFORM_OBJECT";

/// What of the environment reaches helpers and jobs. The rest stays behind: it differs from one
/// shell to the next, and may hold secrets that no job has asked for.
const INHERITED: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "CUDA_HOME",
    "XDG_RUNTIME_DIR",
    "VIRTUAL_ENV",
];

/// One process, for all time: no other process ever has the same identity until the next boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Process id.
    pub pid: u32,
    /// Start time in clock ticks since boot.
    pub start_ticks: u64,
    /// Which boot the ticks count from: the start of the kernel's random id of it.
    pub boot: u64,
}

/// What `/proc/PID/stat` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    state: u8,
    parent: u32,
    group: u32,
    start_ticks: u64,
}

impl Identity {
    /// The identity of this process.
    ///
    /// # Errors
    ///
    /// When `/proc` is not mounted.
    pub(crate) fn own() -> Result<Self, LocalError> {
        let pid = std::process::id();
        Self::of(pid).ok_or_else(|| {
            LocalError::file("read", Path::new("/proc/self/stat"))(io::ErrorKind::NotFound.into())
        })
    }

    /// The identity of the process that has this pid now; `None` when there is none.
    #[must_use]
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let stat = stat_of(pid)?;
        Some(Self { pid, start_ticks: stat.start_ticks, boot: boot() })
    }

    /// Whether this very process runs. One that has ended and waits for its parent does not.
    #[must_use]
    pub(crate) fn is_alive(self) -> bool {
        boot() == self.boot
            && stat_of(self.pid).is_some_and(|stat| {
                stat.start_ticks == self.start_ticks && !matches!(stat.state, b'Z' | b'X')
            })
    }

    /// Sends a signal to this very process; says whether it was there to get it.
    ///
    /// The pidfd is opened before the identity is compared. From then on it stands for the process
    /// that was compared, even if that one ends and its pid is given away.
    pub(crate) fn signal(self, signal: Signal) -> bool {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return false };
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
        self.is_alive() && pidfd_send_signal(&handle, signal).is_ok()
    }
}

/// Looks every few milliseconds whether something has become true, for as long as `patience`.
pub(crate) fn wait_until(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let start = clock::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if holds() {
            return true;
        }
        if start.elapsed() >= patience {
            return false;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// All living processes that carry an object's mark, this one left out.
pub(crate) fn marked(object: &str) -> Vec<Identity> {
    let wanted = format!("{MARKER}={object}");
    let carries = |pid: u32| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|text| text.split(|b| *b == 0).any(|entry| entry == wanted.as_bytes()))
    };
    let own = std::process::id();
    // The identity is taken before the environment is read. If the pid changes hands in between,
    // the identity is of a dead process, and a signal to it goes nowhere.
    let known = pids().into_iter().filter(|pid| *pid != own).filter_map(Identity::of);
    known.filter(|process| carries(process.pid) && process.is_alive()).collect()
}

/// Ends every process of an object, however far it has wandered from its group.
pub(crate) fn end_marked(object: &str, grace: Duration) -> Result<(), LocalError> {
    for process in marked(object) {
        process.signal(Signal::TERM);
    }
    if wait_until(grace, || marked(object).is_empty()) {
        return Ok(());
    }
    let gone = wait_until(Duration::from_secs(5), || {
        let left = marked(object);
        for process in &left {
            process.signal(Signal::KILL);
        }
        left.is_empty()
    });
    if gone {
        return Ok(());
    }
    let pids: Vec<String> = marked(object).iter().map(|process| process.pid.to_string()).collect();
    Err(LocalError::ProcessesRemain { object: object.to_owned(), pids: pids.join(", ") })
}

/// Living processes of a process group.
pub(crate) fn members_of_group(group: u32) -> Vec<Identity> {
    living(|stat| stat.group == group)
}

fn living(wanted: impl Fn(&Stat) -> bool) -> Vec<Identity> {
    let boot = boot();
    let of = |pid: u32| {
        let stat =
            stat_of(pid).filter(|stat| wanted(stat) && !matches!(stat.state, b'Z' | b'X'))?;
        Some(Identity { pid, start_ticks: stat.start_ticks, boot })
    };
    pids().into_iter().filter_map(of).collect()
}

fn pids() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn stat_of(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name in parentheses may hold spaces and parentheses, so the fields after it are counted
/// from the last one.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Stat {
        state: *fields.first()?.as_bytes().first()?,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

/// A clock that is set anew moves the kernel's boot time, but never its boot id.
fn boot() -> u64 {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    u64::from_str_radix(&digits, 16).unwrap_or(0)
}

/// Starts a helper process of this binary that outlives its starter.
///
/// The first process starts the second and ends at once: the second is nobody's child here, so
/// that its end leaves no zombie, and leads no group, so that it can make a session of its own.
/// What it prints goes to `helper.log` in the object's folder.
///
/// # Errors
///
/// [`LocalError::HelperDidNotStart`] when the binary cannot be run.
pub(crate) fn spawn_helper(
    executable: &Path,
    object: &str,
    role: &str,
    spec: &Path,
) -> Result<(), LocalError> {
    let failed =
        |detail: String| LocalError::HelperDidNotStart { object: object.to_owned(), detail };
    let folder = spec.parent().unwrap_or(Path::new("."));
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("helper.log"))
        .map_err(LocalError::file("open", &folder.join("helper.log")))?;
    let mut command =
        helper_command(executable, object, [OsStr::new("detach"), role.as_ref(), spec.as_ref()]);
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0)
        .current_dir(folder)
        .status()
        .map_err(|error| failed(error.to_string()))?;
    if status.success() { Ok(()) } else { Err(failed(status.to_string())) }
}

/// A command that runs this binary as a helper of an object, in a small, known environment.
pub(crate) fn helper_command<'a>(
    executable: &Path,
    object: &str,
    args: impl IntoIterator<Item = &'a OsStr>,
) -> Command {
    let mut command = Command::new(executable);
    command.env_clear().envs(inherited()).env(MARKER, object).arg("__local-helper").args(args);
    command
}

/// The part of this process's environment that helpers and jobs get.
#[expect(
    clippy::disallowed_methods,
    reason = "a border with the world: what a real process inherits"
)]
pub(crate) fn inherited() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    INHERITED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)))
}

/// Finds the program of a command as the system would.
///
/// # Errors
///
/// [`LocalError::CommandNotFound`] says where it was looked for.
pub(crate) fn find_program(program: &str, folder: &Path) -> Result<(), LocalError> {
    let path =
        inherited().find(|(name, _)| *name == "PATH").map(|(_, path)| path).unwrap_or_default();
    let missing =
        |searched: String| LocalError::CommandNotFound { program: program.to_owned(), searched };
    if program.contains('/') {
        let full = folder.join(program);
        return if is_program(&full) {
            Ok(())
        } else {
            Err(missing(format!("there is no executable file at `{}`", full.display())))
        };
    }
    if std::env::split_paths(&path).any(|folder| is_program(&folder.join(program))) {
        return Ok(());
    }
    Err(missing(format!("it was looked for in PATH, which is `{}`", path.to_string_lossy())))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_is_read_past_a_name_with_parentheses() {
        let tail = "S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 2";
        let stat = parse_stat(&format!("13 (a) b (c)) {tail}")).expect("a stat line");
        assert_eq!(stat, Stat { state: b'S', parent: 7, group: 42, start_ticks: 98765 });
        assert_eq!(parse_stat("13 (cut"), None);
    }

    #[test]
    fn a_signal_reaches_only_the_process_that_was_meant() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep runs");
        let identity = Identity::of(child.id()).expect("it is there");
        let successor = Identity { start_ticks: identity.start_ticks + 1, ..identity };
        assert!(!successor.signal(Signal::KILL), "another start time is another process");
        let before_boot = Identity { boot: !identity.boot, ..identity };
        assert!(!before_boot.signal(Signal::KILL), "another boot is another process");
        assert!(identity.is_alive());
        assert!(identity.signal(Signal::KILL));
        assert!(
            wait_until(Duration::from_secs(10), || !identity.is_alive()),
            "a zombie is not alive"
        );
        child.wait().expect("reaped");
    }

    #[test]
    fn marked_processes_are_found_wherever_they_are() {
        let object = format!("job-{}", std::process::id());
        let mut child = Command::new("sh")
            .args(["-c", "setsid sleep 60 & wait"])
            .env(MARKER, &object)
            .spawn()
            .expect("sh runs");
        assert!(wait_until(Duration::from_secs(10), || marked(&object).len() >= 2));
        // The shell is a child of this test and stays a zombie until it is waited for.
        end_marked(&object, Duration::from_millis(200)).expect("all end");
        assert_eq!(marked(&object), []);
        child.wait().expect("reaped");
    }

    #[test]
    fn a_program_is_found_or_the_error_says_where_it_was_sought() {
        assert!(find_program("sh", Path::new("/")).is_ok());
        assert!(find_program("bin/sh", Path::new("/")).is_ok());
        let error = find_program("no-such-program", Path::new("/")).expect_err("not there");
        assert_eq!(error.to_string(), "command `no-such-program` not found");
        assert!(find_program("./no-such-program", Path::new("/")).is_err());
    }
}
