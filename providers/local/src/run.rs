//! One run of a command in a folder of its own: what it is given, how it stands, what came out.
//!
//! ```text
//! FOLDER/spec.json     what to run, and the key that says why it had to run
//! FOLDER/status.json   how it stands; its supervisor alone writes it
//! FOLDER/output.log    what the command printed, all attempts after each other
//! FOLDER/work/         where it runs: links to its code, mounts and inputs, and its outputs
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::LocalError;
use crate::process::{self, Identity};
use crate::{files, tree};

/// What to run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RunSpec {
    /// Marks all processes of the run.
    pub(crate) object: String,
    pub(crate) name: String,
    pub(crate) command: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) working_dir: Option<PathBuf>,
    pub(crate) mounts: BTreeMap<String, PathBuf>,
    pub(crate) inputs: BTreeMap<String, PathBuf>,
    /// Artifact names with paths below the work folder.
    pub(crate) outputs: BTreeMap<String, String>,
    /// A JSON file of numbers below the work folder.
    pub(crate) metrics: Option<String>,
    pub(crate) restart: Restart,
    pub(crate) limits: Limits,
    /// Differs where the run would give something else.
    pub(crate) key: String,
}

/// When a command that has ended is started again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Restart {
    /// `never`, `on_failure` or `always`; nothing means never.
    pub(crate) policy: Option<String>,
    /// How often at most.
    pub(crate) max: Option<u64>,
}

/// What a command may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    pub(crate) memory_mib: Option<u64>,
    pub(crate) cpu_seconds: Option<u64>,
    pub(crate) timeout_s: Option<u64>,
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunStatus {
    pub(crate) state: String,
    pub(crate) exit_code: Option<i32>,
    /// Why it failed, in words.
    pub(crate) reason: String,
    pub(crate) attempts: u64,
    pub(crate) artifacts: BTreeMap<String, Artifact>,
    pub(crate) metrics: BTreeMap<String, serde_json::Number>,
    pub(crate) key: String,
    pub(crate) supervisor: Identity,
    pub(crate) started_unix_ms: u64,
    pub(crate) ended_unix_ms: Option<u64>,
}

/// A file or folder that a run has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Artifact {
    pub(crate) path: PathBuf,
    /// `sha256:…`
    pub(crate) digest: String,
    pub(crate) bytes: u64,
}

/// States that [`status`] gives.
pub(crate) const RUNNING: &str = "running";
pub(crate) const SUCCEEDED: &str = "succeeded";
pub(crate) const FAILED: &str = "failed";
/// Its supervisor is gone without a last word.
pub(crate) const LOST: &str = "lost";
/// It succeeded, and somebody has changed what came out.
pub(crate) const ARTIFACTS_CHANGED: &str = "artifacts_changed";

impl Artifact {
    pub(crate) fn at(path: &Path) -> Result<Self, LocalError> {
        let (digest, bytes) = if path.is_dir() {
            let summary = tree::summarize(path)?;
            (summary.fingerprint, summary.bytes)
        } else {
            let (digest, bytes) = files::digest_file(path)?;
            (format!("sha256:{digest}"), bytes)
        };
        Ok(Self { path: path.to_owned(), digest, bytes })
    }
}

/// The log of a run.
pub(crate) fn log_path(folder: &Path) -> PathBuf {
    folder.join("output.log")
}

/// Ends what is left of an earlier run, prepares the work folder, and starts a supervisor.
pub(crate) fn start(executable: &Path, folder: &Path, spec: &RunSpec) -> Result<(), LocalError> {
    process::end_marked(&spec.object, Duration::from_secs(2))?;
    files::remove(&folder.join("status.json"))?;
    files::remove(&log_path(folder))?;
    let work = folder.join("work");
    files::remove(&work)?;
    prepare_work(&work, spec)?;
    let program = spec.command.first().map_or("", String::as_str);
    process::find_program(program, &work)?;
    let spec_path = folder.join("spec.json");
    files::write_record(&spec_path, spec)?;
    process::spawn_helper(executable, &spec.object, "supervise", &spec_path)?;
    if process::wait_until(Duration::from_secs(20), || folder.join("status.json").exists()) {
        return Ok(());
    }
    let lines = files::last_lines(&folder.join("helper.log"), 5).join("\n");
    Err(LocalError::HelperDidNotStart {
        object: spec.object.clone(),
        detail: format!("no sign of life; {lines}"),
    })
}

/// How a run really stands; `None` where nothing was ever run.
pub(crate) fn status(folder: &Path) -> Result<Option<RunStatus>, LocalError> {
    let Some(mut status) = files::read_record::<RunStatus>(&folder.join("status.json"))? else {
        return Ok(None);
    };
    if status.state == RUNNING && !status.supervisor.is_alive() {
        // Its last word may have come between the two looks.
        status = files::read_record(&folder.join("status.json"))?.unwrap_or(status);
        if status.state == RUNNING {
            LOST.clone_into(&mut status.state);
        }
    }
    if status.state == SUCCEEDED {
        let intact = status
            .artifacts
            .values()
            .all(|known| Artifact::at(&known.path).is_ok_and(|real| real == *known));
        if !intact {
            ARTIFACTS_CHANGED.clone_into(&mut status.state);
        }
    }
    Ok(Some(status))
}

/// Waits until a run has ended, or the caller is asked to stop.
pub(crate) fn wait(
    folder: &Path,
    name: &str,
    stop: &dyn Fn() -> bool,
) -> Result<RunStatus, LocalError> {
    let mut last = None;
    process::wait_until(Duration::MAX, || {
        last = status(folder).transpose();
        stop() || !matches!(&last, Some(Ok(status)) if status.state == RUNNING)
    });
    match last {
        Some(Ok(status)) if status.state == RUNNING => {
            Err(LocalError::Stopped { what: format!("`{name}`") })
        }
        Some(result) => result,
        None => Err(LocalError::ObjectMissing { kind: "run", id: name.to_owned() }),
    }
}

/// Says of a run that did not succeed why, with its log and the last lines of it.
pub(crate) fn failure(folder: &Path, name: &str, status: &RunStatus) -> LocalError {
    let reason = match status.state.as_str() {
        LOST => "its supervisor was killed".to_owned(),
        _ => status.reason.clone(),
    };
    LocalError::JobFailed { name: name.to_owned(), reason, log: log_words(&log_path(folder)) }
}

/// The path of a log and its last lines, for an error.
pub(crate) fn log_words(log: &Path) -> String {
    let lines = files::last_lines(log, 10);
    if lines.is_empty() {
        return format!("its log is empty: {}", log.display());
    }
    format!("its log is {}; the last lines are:\n  {}", log.display(), lines.join("\n  "))
}

/// Makes the folder that a command runs in: links to its code, mounts and inputs.
pub(crate) fn prepare_work(work: &Path, spec: &RunSpec) -> Result<(), LocalError> {
    files::create_folder(work)?;
    for (name, target) in spec.mounts.iter().chain(&spec.inputs) {
        if !target.exists() {
            return Err(LocalError::SourceMissing {
                what: format!("`{name}` of `{}` at", spec.name),
                path: target.clone(),
            });
        }
        link(target, &files::below(work, name.trim_start_matches('/'))?)?;
    }
    let Some(code) = &spec.working_dir else { return Ok(()) };
    let listed = fs::read_dir(code).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let Ok(listed) = listed else {
        return Err(LocalError::SourceMissing {
            what: "`working_dir`".to_owned(),
            path: code.clone(),
        });
    };
    // An output must not be written through a link into the user's folder.
    let outputs: Vec<PathBuf> =
        spec.outputs.values().chain(&spec.metrics).map(PathBuf::from).collect();
    for entry in listed {
        let name = entry.file_name();
        let is_output = outputs.iter().any(|path| {
            path.components()
                .find(|part| part.as_os_str() != ".")
                .is_some_and(|part| part.as_os_str() == name)
        });
        let target = work.join(&name);
        if !is_output && fs::symlink_metadata(&target).is_err() {
            link(&entry.path(), &target)?;
        }
    }
    Ok(())
}

fn link(target: &Path, at: &Path) -> Result<(), LocalError> {
    if let Some(parent) = at.parent() {
        files::create_folder(parent)?;
    }
    symlink(target, at).map_err(LocalError::file("link", at))
}

/// What a command finds in its environment beside what the configuration gives it.
pub(crate) fn environment(spec: &RunSpec, work: &Path) -> BTreeMap<String, String> {
    let named = |prefix: &str, name: &str| {
        let word: String = name
            .trim_start_matches('/')
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect();
        format!("{prefix}_{word}")
    };
    let mut all = BTreeMap::new();
    // Python would write its caches through the links into the user's folder.
    all.insert("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned());
    all.extend(
        spec.mounts.iter().map(|(name, path)| (named("MOUNT", name), path.display().to_string())),
    );
    all.extend(
        spec.inputs.iter().map(|(name, path)| (named("INPUT", name), path.display().to_string())),
    );
    all.extend(
        spec.outputs
            .iter()
            .map(|(name, path)| (named("OUTPUT", name), work.join(path).display().to_string())),
    );
    all.extend(
        spec.metrics
            .iter()
            .map(|path| ("METRICS".to_owned(), work.join(path).display().to_string())),
    );
    all.extend(spec.environment.clone());
    all
}
