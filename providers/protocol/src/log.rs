//! What a provider writes to its error stream: lines for the log, and the last words before a crash.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything.
    Trace,
    /// For people who look for a fault.
    Debug,
    /// What happens.
    Info,
    /// What may go wrong.
    Warn,
    /// What went wrong.
    Error,
}

impl Level {
    /// The level of this name in any case; `json` means everything.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "trace" | "json" => Some(Self::Trace),
            "debug" => Some(Self::Debug),
            "info" => Some(Self::Info),
            "warn" => Some(Self::Warn),
            "error" => Some(Self::Error),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// Takes lines of a provider's log: level, the provider's short name, text.
pub type LogSink = Arc<dyn Fn(Level, &str, &str) + Send + Sync>;

/// So many lines are kept for the error of a crash.
const KEPT: usize = 12;
/// After `panic:` so many.
const KEPT_OF_PANIC: usize = 30;
/// A longer line is cut.
const LONGEST: usize = 400;

/// The last words of a provider.
#[derive(Debug, Default)]
pub(crate) struct LastLines {
    inner: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    panic: bool,
}

impl LastLines {
    /// Takes a line as it came; gives its level and text for the log.
    ///
    /// Structured lines below a warning are not kept: they may hold what requests hold.
    pub(crate) fn take(&self, line: &str) -> (Level, String) {
        let Ok(mut kept) = self.inner.lock() else { return (Level::Error, line.to_owned()) };
        let (level, text, structured) = read(line);
        if text.starts_with("panic: ") || text.starts_with("fatal error: ") {
            kept.panic = true;
            kept.lines.clear();
        }
        let level = if kept.panic { Level::Error } else { level };
        if kept.panic {
            if kept.lines.len() < KEPT_OF_PANIC {
                kept.lines.push_back(cut(&text));
            }
        } else if !text.trim().is_empty() && (!structured || level >= Level::Warn) {
            kept.lines.push_back(cut(&text));
            if kept.lines.len() > KEPT {
                kept.lines.pop_front();
            }
        }
        (level, text)
    }

    /// The lines, oldest first.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.inner.lock().map(|kept| kept.lines.iter().cloned().collect()).unwrap_or_default()
    }
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\t').take(LONGEST).collect()
}

/// Level and text of a line, and whether it is structured.
fn read(line: &str) -> (Level, String, bool) {
    if line.starts_with('{')
        && let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(line)
        && let Some(message) = fields.get("@message").and_then(serde_json::Value::as_str)
    {
        let level = fields.get("@level").and_then(serde_json::Value::as_str);
        return (level.and_then(Level::parse).unwrap_or(Level::Debug), message.to_owned(), true);
    }
    for level in [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error] {
        if let Some(at) = line.find(&format!("[{}]", level.name())) {
            return (level, line[at + level.name().len() + 2..].trim().to_owned(), true);
        }
    }
    (Level::Info, line.to_owned(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_hold_the_panic_and_no_chatter() {
        let last = LastLines::default();
        let table = [
            (r#"{"@level":"debug","@message":"token=abc"}"#, Level::Debug, "token=abc"),
            ("2026/01/01 [WARN] slow", Level::Warn, "slow"),
            ("plain", Level::Info, "plain"),
        ];
        for (line, level, text) in table {
            assert_eq!(last.take(line), (level, text.to_owned()));
        }
        assert_eq!(last.lines(), ["slow", "plain"]);
        last.take("panic: boom");
        assert_eq!(last.take("goroutine 1:").0, Level::Error);
        assert_eq!(last.lines(), ["panic: boom", "goroutine 1:"]);
    }
}
