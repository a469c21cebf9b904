//! What a provider complains of, and what goes wrong in asking it.

use address::AttributePath;
use thiserror::Error;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The call went on.
    Warning,
    /// The call failed.
    Error,
}

/// One complaint in a provider's answer. Its text shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a line.
    pub summary: String,
    /// What was expected, what was found, what to do.
    pub detail: String,
    /// The attribute at fault.
    pub path: Option<AttributePath>,
    /// Set if the same call may succeed when it is tried again.
    pub retry: Option<Retry>,
}

/// That a call may be tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retry {
    /// Not before this many milliseconds; the engine backs off by itself otherwise.
    pub after_ms: Option<u64>,
}

/// All complaints of an answer.
pub type Problems = Vec<Problem>;

impl Problem {
    /// An error.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            path: None,
            retry: None,
        }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(summary, detail) }
    }

    /// The same about an attribute.
    #[must_use]
    pub fn at(mut self, path: impl Into<AttributePath>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The same, worth another try.
    #[must_use]
    pub fn retryable(mut self, after_ms: Option<u64>) -> Self {
        self.retry = Some(Retry { after_ms });
        self
    }

    /// True for errors.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// A call that got no answer, or one that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProviderError {
    /// The provider's process ended.
    #[error("it crashed{}", lines(last_lines))]
    Crashed {
        /// The last lines that it wrote.
        last_lines: Vec<String>,
    },
    /// The provider did not answer in time.
    #[error("it did not answer within {}", span(*after_ms))]
    TimedOut {
        /// How long it had, in milliseconds.
        after_ms: u64,
    },
    /// The answer breaks the protocol.
    #[error("its answer breaks the protocol: {message}")]
    Protocol {
        /// How; no values.
        message: String,
    },
    /// The provider's process cannot be started, or is no provider.
    #[error("it cannot be started: {message}")]
    Start {
        /// Why, and what to do.
        message: String,
    },
    /// A call went wrong in one of the ways above.
    #[error("in `{call}`, {error}")]
    Call {
        /// The call, by its name in the protocol.
        call: &'static str,
        /// What went wrong.
        error: Box<ProviderError>,
    },
    /// The provider cannot do this.
    #[error("it does not support {what}")]
    Unsupported {
        /// What was asked.
        what: String,
    },
}

fn span(ms: u64) -> String {
    if ms < 10_000 { format!("{ms} ms") } else { format!("{} s", ms / 1000) }
}

fn lines(lines: &[String]) -> String {
    if lines.is_empty() {
        String::new()
    } else {
        format!("; its last lines were:\n{}", lines.join("\n"))
    }
}
