//! The small process between engine and provider that sees to it that nothing is left.
//!
//! It starts the provider, and ends it with all that came from it as soon as the provider ends or the engine
//! does: the engine holds the other end of its standard input, which the system closes however the engine
//! goes. Whatever the provider forks, even into a session of its own, comes back to this process as its child.
//!
//! A parent-death signal was considered: it must be set between fork and exec, which is not possible without
//! unsafe code, it does not reach grandchildren, and it exists on Linux alone.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// The word by which the engine's binary becomes this process.
pub const WORD: &str = "__provider-launch";

/// Runs a provider to its end, and gives its exit code. `args` is the provider's binary and its arguments.
pub fn main(args: &[OsString]) -> i32 {
    let Some((binary, rest)) = args.split_first() else { return 2 };
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let mut command = Command::new(binary);
    command.args(rest).stdin(Stdio::null()).process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            // The engine reads this from the error stream.
            let _ = writeln!(std::io::stderr(), "it cannot be executed: {error}");
            return 126;
        }
    };
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    std::thread::spawn(move || {
        let mut nothing = [0; 64];
        while std::io::stdin().read(&mut nothing).is_ok_and(|read| read > 0) {}
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    });
    let ended = child.wait();
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    end_descendants();
    match ended {
        Ok(status) => status.code().unwrap_or(128 + status.signal().unwrap_or(0)),
        Err(_) => 1,
    }
}

/// Ends what is left of the provider's descendants.
fn end_descendants() {
    for _ in 0..100 {
        let left = children();
        if left.is_empty() {
            return;
        }
        for child in left {
            let _ = kill_process(child, Signal::KILL);
        }
        while waitpid(None, WaitOptions::NOHANG).is_ok_and(|one| one.is_some()) {}
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The processes whose parent is this one.
fn children() -> Vec<Pid> {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let lists = threads
        .flatten()
        .map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    let ids: Vec<i32> = lists
        .flat_map(|list| {
            list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()
        })
        .collect();
    ids.into_iter().filter_map(Pid::from_raw).collect()
}
