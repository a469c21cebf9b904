//! What both codecs share.

use address::AttributePath;
use thiserror::Error;

/// A value that cannot be written or read in a format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{message}", if path.is_root() { String::new() } else { format!("{path}: ") })]
pub struct CodecError {
    /// The part at fault.
    pub path: AttributePath,
    /// What is wrong; never a value.
    pub message: String,
}

impl CodecError {
    pub(crate) fn new(path: &AttributePath, message: impl Into<String>) -> Self {
        Self { path: path.clone(), message: message.into() }
    }
}
