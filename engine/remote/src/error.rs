//! What can go wrong on the way to another machine.

use std::path::PathBuf;
use std::time::Duration;

/// Why a machine could not be reached, or did not do what was asked. No text holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// What was given to open the machine with is no key, certificate or the like. Trying again does not help.
    #[error("{what} cannot be used: {reason}")]
    Unusable {
        /// Which one, as `private_key`.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The machine did not let us in within the time.
    #[error("`{host}` port {port} could not be reached within {}: {reason}", shown(*timeout))]
    Unreachable {
        /// The machine.
        host: String,
        /// The port.
        port: u16,
        /// How long it was tried.
        timeout: Duration,
        /// What the last try came to.
        reason: String,
    },
    /// The connection is gone, or the other side broke the protocol.
    #[error("the connection broke off: {0}")]
    Broken(String),
    /// The other machine did not take a file.
    #[error("`{path}` cannot be written there: {reason}")]
    NotTaken {
        /// The path on the other machine.
        path: String,
        /// What it said.
        reason: String,
    },
    /// A file of this machine cannot be read.
    #[error("`{}` cannot be read: {reason}", path.display())]
    NotRead {
        /// The path on this machine.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// This build has no SSH.
    #[error("this build of stratiform was made without SSH")]
    Absent,
}

fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, 0) => format!("{} ms", time.as_millis()),
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}
