//! Printing.

use std::io::{BufRead, IsTerminal, Write};

use report::Style;
use syntax::{Diagnostics, SourceMap};

/// Prints a text to standard output.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    // A closed pipe is the reader's wish.
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Prints a line to standard output.
pub(crate) fn line(text: &str) {
    print(&format!("{text}\n"));
}

/// Prints a line to standard error.
pub(crate) fn error_line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints errors and warnings to standard error.
pub(crate) fn diagnostics(found: &Diagnostics, sources: &SourceMap, style: Style) {
    if !found.is_empty() {
        let _ = std::io::stderr()
            .lock()
            .write_all(report::diagnostics::all_text(found, sources, style).as_bytes());
    }
}

/// Asks for a word; `None` where nobody can answer.
pub(crate) fn ask(question: &str) -> Option<String> {
    print(question);
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer).ok()?;
    (read > 0).then(|| answer.trim().to_owned())
}

/// Says whether somebody sits there who can answer.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// The style that fits the terminal and the environment.
pub(crate) fn style(no_color: bool) -> Style {
    let refused = no_color || crate::store::env("NO_COLOR").is_some();
    let terminal = std::io::stdout().is_terminal();
    let width = if terminal { size().0.max(40) } else { Style::PLAIN.width };
    Style { color: !refused && terminal, width, wrap: terminal }
}

/// Columns and rows of the terminal.
pub(crate) fn size() -> (usize, usize) {
    let found = terminal_size::terminal_size();
    found.map_or((80, 24), |(width, height)| (usize::from(width.0), usize::from(height.0)))
}
