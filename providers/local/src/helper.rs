//! The entry of helper processes: `__local-helper ROLE SPEC`.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{gateway, supervisor};

/// Exit code of a helper that was called in a way that it does not know.
const MISUSE: i32 = 64;

/// Runs a helper process to its end and gives its exit code.
///
/// `args` are the process's own, without its name: `__local-helper`, a role, and what the role
/// takes. The roles are `detach` (starts another role so that it outlives the caller),
/// `supervise` (watches a job), `exec` (limits itself and becomes a job's command) and `gateway`
/// (serves an endpoint). The CLI calls this before anything else when its first argument is
/// `__local-helper`.
pub fn helper_main(args: &[OsString]) -> i32 {
    let words: Vec<&OsStr> = args.iter().map(OsString::as_os_str).collect();
    match words.as_slice() {
        [first, role, rest @ ..] if *first == "__local-helper" => run(role, rest),
        _ => MISUSE,
    }
}

fn run(role: &OsStr, rest: &[&OsStr]) -> i32 {
    match (role.to_str(), rest) {
        (Some("detach"), [role, spec]) => detach(role, spec),
        (Some("supervise"), [spec]) => supervisor::run(Path::new(spec)),
        (Some("exec"), [spec]) => supervisor::become_command(Path::new(spec)),
        (Some("gateway"), [spec]) => {
            leave_session();
            gateway::run(Path::new(spec))
        }
        _ => MISUSE,
    }
}

/// Starts a helper in its role and leaves it alone.
fn detach(role: &OsStr, spec: &OsStr) -> i32 {
    let Ok(executable) = std::env::current_exe() else { return 1 };
    let helper = Command::new(executable)
        .arg0("stratiform")
        .args([OsStr::new("__local-helper"), role, spec])
        .stdin(Stdio::null())
        .spawn();
    i32::from(helper.is_err())
}

/// Makes a session of this process's own, so that the end of a terminal does not end it.
pub(crate) fn leave_session() {
    // It fails for the leader of a process group alone, which is already apart from its starter.
    let _ = rustix::process::setsid();
}
