//! What can go wrong on this machine, worded for the person who runs the stack.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// A failure of the local backend.
#[derive(Debug, Error, Diagnostic)]
pub enum LocalError {
    /// A file or folder could not be read or written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    #[diagnostic(code(stratiform::local::file))]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// A record under the home folder is not what this version writes.
    #[error("damaged record `{}`: {detail}", path.display())]
    #[diagnostic(
        code(stratiform::local::damaged_record),
        help("destroy the object, or delete the folder that holds this file")
    )]
    Damaged {
        /// The record.
        path: PathBuf,
        /// What the decoder found.
        detail: String,
    },
    /// A path that is to be copied or run in does not exist.
    #[error("{what} `{}` does not exist", path.display())]
    #[diagnostic(
        code(stratiform::local::source_missing),
        help("create it, or correct the path in the configuration")
    )]
    SourceMissing {
        /// The role of the path: `source`, `working_dir`, `mounts[\"data\"]`.
        what: String,
        /// The path, as it was looked for.
        path: PathBuf,
    },
    /// A path would lead out of the folder that it must stay in.
    #[error("path `{path}` leaves its folder")]
    #[diagnostic(
        code(stratiform::local::path_leaves_folder),
        help("use a relative path without `..`, and no symbolic link that points outside")
    )]
    PathLeaves {
        /// The path, as it was written or found.
        path: String,
    },
    /// What stands in a volume's source is neither file, folder nor symbolic link.
    #[error("`{}` is not a file, a folder or a symbolic link", path.display())]
    #[diagnostic(code(stratiform::local::special_file), help("remove it from the source folder"))]
    SpecialFile {
        /// The device, socket or pipe.
        path: PathBuf,
    },
    /// The contents are larger than the space promised.
    #[error(
        "volume `{name}` is too small: its contents take {bytes} bytes, {missing} more than its capacity"
    )]
    #[diagnostic(
        code(stratiform::local::quota),
        help("raise `capacity_gib`, or remove files from the source")
    )]
    Quota {
        /// The volume's name.
        name: String,
        /// Bytes that the contents take.
        bytes: u64,
        /// Bytes over the capacity.
        missing: u64,
    },
    /// The machine has not as much left as was asked for.
    #[error("not enough {resource}: {wanted} wanted, {free} free of {total}, {missing} missing")]
    #[diagnostic(code(stratiform::local::not_enough))]
    NotEnough {
        /// `memory`, `vCPUs`, `GPUs`, `disk`.
        resource: &'static str,
        /// What was asked for, with its unit.
        wanted: String,
        /// What is left, with its unit.
        free: String,
        /// What the machine has, with its unit.
        total: String,
        /// The difference, with its unit.
        missing: String,
        /// Who holds the rest, or what to ask for instead.
        #[help]
        holders: String,
    },
    /// A port that was asked for by number is taken.
    #[error("port {port} is in use")]
    #[diagnostic(code(stratiform::local::port_in_use))]
    PortInUse {
        /// The port.
        port: u16,
        /// Who holds it, as far as can be told.
        #[help]
        holder: String,
    },
    /// No free port was found in the range that fabrics and endpoints use.
    #[error("no free port between {first} and {last}")]
    #[diagnostic(
        code(stratiform::local::no_free_port),
        help("destroy a fabric or an endpoint that is no longer needed")
    )]
    NoFreePort {
        /// First port that was tried.
        first: u16,
        /// Last port that was tried.
        last: u16,
    },
    /// The program of a command is not there.
    #[error("command `{program}` not found")]
    #[diagnostic(code(stratiform::local::command_not_found))]
    CommandNotFound {
        /// The command's first word.
        program: String,
        /// Where it was looked for.
        #[help]
        searched: String,
    },
    /// A job ended without success.
    #[error("job `{name}` failed: {reason}")]
    #[diagnostic(code(stratiform::local::job_failed))]
    JobFailed {
        /// The job's name.
        name: String,
        /// Exit code, signal, limit or missing output.
        reason: String,
        /// Log path and last lines.
        #[help]
        log: String,
    },
    /// A model server does not answer as healthy.
    #[error("endpoint `{name}` did not become healthy: {reason}")]
    #[diagnostic(code(stratiform::local::not_healthy))]
    NotHealthy {
        /// The endpoint's name.
        name: String,
        /// What was seen last.
        reason: String,
        /// Log path and last lines.
        #[help]
        log: String,
    },
    /// A helper process did not come up.
    #[error("helper process for `{object}` did not start: {detail}")]
    #[diagnostic(
        code(stratiform::local::helper_did_not_start),
        help("see whether the stratiform binary still stands where it was started from")
    )]
    HelperDidNotStart {
        /// The object's id.
        object: String,
        /// What is known of the reason.
        detail: String,
    },
    /// Processes of an object are there even after the strongest signal.
    #[error("processes of `{object}` did not end: {pids}")]
    #[diagnostic(
        code(stratiform::local::processes_remain),
        help("they may hang in the kernel or belong to another user; run the command again")
    )]
    ProcessesRemain {
        /// The object's id.
        object: String,
        /// Process ids, separated by commas.
        pids: String,
    },
    /// An object that another one needs is not there.
    #[error("{kind} `{id}` does not exist")]
    #[diagnostic(
        code(stratiform::local::object_missing),
        help("run `stratiform apply` to create it again")
    )]
    ObjectMissing {
        /// The kind of object, in words.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// The bandwidth measured is less than what was asked for.
    #[error(
        "fabric `{name}` is too slow: {wanted} Gbit/s wanted, {measured} measured over loopback"
    )]
    #[diagnostic(code(stratiform::local::fabric_too_slow), help("lower `node_gbps`"))]
    FabricTooSlow {
        /// The fabric's name.
        name: String,
        /// What was asked for.
        wanted: String,
        /// The best of some measurements.
        measured: String,
    },
    /// What a volume is to be copied from is no longer what the plan saw.
    #[error("source `{}` has changed since the plan", path.display())]
    #[diagnostic(code(stratiform::local::source_changed), help("plan again"))]
    SourceChanged {
        /// The source.
        path: PathBuf,
    },
    /// The engine asked to stop while something was waited for.
    #[error("stopped while waiting for {what}")]
    #[diagnostic(
        code(stratiform::local::stopped),
        help("it goes on by itself; run `stratiform apply` to wait again")
    )]
    Stopped {
        /// What was waited for.
        what: String,
    },
}

impl LocalError {
    /// Wraps an input or output error with what was tried on which path.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
