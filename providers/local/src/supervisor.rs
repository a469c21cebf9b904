//! The process that watches one run. It outlives the CLI, and writes the run's last word.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, setrlimit};

use crate::error::LocalError;
use crate::helper::leave_session;
use crate::process::{self, Identity, MARKER};
use crate::run::{Artifact, FAILED, RUNNING, RunSpec, RunStatus, SUCCEEDED};
use crate::{clock, files, run};

/// Watches a run to its end.
pub(crate) fn run(spec_path: &Path) -> i32 {
    leave_session();
    match supervise(spec_path) {
        Ok(()) => 0,
        Err(error) => {
            // The helper's error stream is `helper.log` in the run's folder.
            let _ = writeln!(std::io::stderr(), "{error}");
            1
        }
    }
}

fn supervise(spec_path: &Path) -> Result<(), LocalError> {
    let spec = read_spec(spec_path)?;
    let folder = spec_path.parent().unwrap_or(Path::new("."));
    let record = folder.join("status.json");
    let mut status = RunStatus {
        state: RUNNING.to_owned(),
        exit_code: None,
        reason: String::new(),
        attempts: 0,
        artifacts: BTreeMap::new(),
        metrics: BTreeMap::new(),
        key: spec.key.clone(),
        supervisor: Identity::own()?,
        started_unix_ms: clock::unix_ms(),
        ended_unix_ms: None,
    };
    loop {
        status.attempts += 1;
        files::write_record(&record, &status)?;
        let fault = once(spec_path, folder, &spec, &mut status)?;
        let succeeded = fault.is_none();
        status.reason = fault.unwrap_or_default();
        let again = match spec.restart.policy.as_deref() {
            Some("always") => true,
            Some("on_failure") => !succeeded,
            _ => false,
        };
        if !again || status.attempts > spec.restart.max.unwrap_or(u64::MAX) {
            if succeeded { SUCCEEDED } else { FAILED }.clone_into(&mut status.state);
            status.ended_unix_ms = Some(clock::unix_ms());
            return files::write_record(&record, &status);
        }
        // A command that fails at once must not burn the machine.
        std::thread::sleep(Duration::from_millis(100 << status.attempts.min(6)));
    }
}

/// Runs the command once. Gives what is wrong with how it ended, if anything is.
fn once(
    spec_path: &Path,
    folder: &Path,
    spec: &RunSpec,
    status: &mut RunStatus,
) -> Result<Option<String>, LocalError> {
    let work = folder.join("work");
    let log_path = run::log_path(folder);
    let log = || {
        File::options()
            .create(true)
            .append(true)
            .open(&log_path)
            .map_err(LocalError::file("open", &log_path))
    };
    let executable =
        std::env::current_exe().map_err(LocalError::file("find", Path::new("/proc/self/exe")))?;
    let mut command = process::helper_command(
        &executable,
        &spec.object,
        [OsStr::new("exec"), spec_path.as_os_str()],
    );
    command.stdin(Stdio::null()).stdout(log()?).stderr(log()?).current_dir(&work).process_group(0);
    let mut child = command.spawn().map_err(LocalError::file("run", &executable))?;
    let patience = spec.limits.timeout_s.map_or(Duration::MAX, Duration::from_secs);
    let mut ended: Option<ExitStatus> = None;
    let in_time = process::wait_until(patience, || {
        ended = child.try_wait().ok().flatten();
        ended.is_some()
    });
    // What the command left running in its group ends with it.
    let group = child.id();
    let left = || process::members_of_group(group);
    for member in left() {
        member.signal(Signal::TERM);
    }
    process::wait_until(Duration::from_secs(2), || {
        ended = ended.or_else(|| child.try_wait().ok().flatten());
        left().is_empty()
    });
    for member in process::members_of_group(child.id()) {
        member.signal(Signal::KILL);
    }
    if !in_time {
        let _ = child.wait();
        status.exit_code = None;
        return Ok(Some(format!("it ran longer than {} s (`timeout_s`)", patience.as_secs())));
    }
    status.exit_code = ended.and_then(|ended| ended.code());
    match (status.exit_code, ended.and_then(|ended| ended.signal())) {
        (Some(0), _) => Ok(collect(&work, spec, status)),
        (Some(code), _) => Ok(Some(format!("exit code {code}"))),
        (None, Some(24)) => Ok(Some("it used more CPU time than `cpu_seconds`".to_owned())),
        (None, signal) => Ok(Some(format!("ended by signal {}", signal.unwrap_or_default()))),
    }
}

/// Takes in what a command has made; gives what is missing.
fn collect(work: &Path, spec: &RunSpec, status: &mut RunStatus) -> Option<String> {
    for (name, path) in &spec.outputs {
        match files::below(work, path).and_then(|path| Artifact::at(&path)) {
            Ok(artifact) => status.artifacts.insert(name.clone(), artifact),
            Err(_) => {
                return Some(format!("it ended well, but its output `{name}` is not at `{path}`"));
            }
        };
    }
    let path = spec.metrics.as_ref()?;
    let found = files::below(work, path)
        .and_then(|path| files::read_record::<BTreeMap<String, serde_json::Number>>(&path));
    match found {
        Ok(Some(metrics)) => {
            status.metrics = metrics;
            None
        }
        Ok(None) => Some(format!("it ended well, but its metrics are not at `{path}`")),
        Err(error) => Some(format!("its metrics are no JSON object of numbers: {error}")),
    }
}

/// Sets limits on this process and becomes the command.
pub(crate) fn become_command(spec_path: &Path) -> i32 {
    let failed = |error: &dyn std::fmt::Display| {
        let _ = writeln!(std::io::stderr(), "cannot run the command: {error}");
        127
    };
    let spec = match read_spec(spec_path) {
        Ok(spec) => spec,
        Err(error) => return failed(&error),
    };
    let limits = [
        (Resource::As, spec.limits.memory_mib.map(|mib| mib << 20)),
        (Resource::Cpu, spec.limits.cpu_seconds),
    ];
    for (resource, limit) in limits {
        let Some(limit) = limit else { continue };
        if let Err(error) = setrlimit(
            resource,
            Rlimit { current: Some(limit), maximum: Some(limit.saturating_add(1)) },
        ) {
            return failed(&error);
        }
    }
    let Some((program, args)) = spec.command.split_first() else { return failed(&"it is empty") };
    let work = spec_path.parent().unwrap_or(Path::new(".")).join("work");
    let mut command = Command::new(program);
    command
        .args(args)
        .env_clear()
        .envs(process::inherited())
        .envs(run::environment(&spec, &work))
        .env(MARKER, &spec.object);
    failed(&command.exec())
}

fn read_spec(path: &Path) -> Result<RunSpec, LocalError> {
    files::read_record(path)?.ok_or_else(|| LocalError::File {
        action: "read",
        path: path.to_owned(),
        source: std::io::ErrorKind::NotFound.into(),
    })
}
