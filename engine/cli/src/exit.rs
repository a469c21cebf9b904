//! The exit codes.
//!
//! | code | means |
//! |---|---|
//! | 0 | done; with `-detailed-exitcode`: nothing to do; `drift`: in sync |
//! | 1 | an error |
//! | 2 | `fmt`: an error; otherwise with `-detailed-exitcode`: there is something to do; `drift`: something differs |
//! | 3 | `fmt -check`: files are not in the canonical layout |

use std::process::ExitCode;

/// How a command has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0
    Success,
    /// 1
    Failure,
    /// 2
    Changes,
    /// 2, of `fmt`
    FmtFailure,
    /// 3
    Unformatted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Success => Self::from(0),
            Exit::Failure => Self::from(1),
            Exit::Changes | Exit::FmtFailure => Self::from(2),
            Exit::Unformatted => Self::from(3),
        }
    }
}
