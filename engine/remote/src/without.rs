//! A build without SSH: nothing can be reached.

use crate::{Access, Content, Ended, RemoteError, Settings};

/// No machine: there is none without SSH.
pub enum Machine {}

/// Refuses.
///
/// # Errors
///
/// [`RemoteError::Absent`], always.
pub async fn connect(
    _: &Settings,
    _: &mut (dyn FnMut(String) + Send),
) -> Result<Machine, RemoteError> {
    Err(RemoteError::Absent)
}

impl Machine {
    /// Runs a command.
    #[expect(clippy::unused_async, reason = "the other build waits")]
    pub async fn run(
        &self,
        _: &str,
        _: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Ended, RemoteError> {
        match *self {}
    }

    /// Writes a file.
    #[expect(clippy::unused_async, reason = "the other build waits")]
    pub async fn write(&self, _: Content<'_>, _: &str, _: Access) -> Result<(), RemoteError> {
        match *self {}
    }

    /// Ends the connection.
    #[expect(clippy::unused_async, reason = "the other build waits")]
    pub async fn close(self) {
        match self {}
    }
}
