//! Colours, or none.

/// How text is decorated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences may be written.
    pub color: bool,
    /// How many columns there are.
    pub width: usize,
    /// Whether longer lines are cut to that width; whoever reads from a pipe wants them whole.
    pub wrap: bool,
}

impl Style {
    /// No colours, 100 columns: what tests and pipes get.
    pub const PLAIN: Self = Self { color: false, width: 100, wrap: false };

    fn wrap(self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// How many columns are left beside some; enough to say something, on however narrow a terminal.
    pub fn room(self, taken: usize) -> usize {
        if self.wrap { self.width.saturating_sub(taken).max(20) } else { usize::MAX }
    }

    /// Emphasised.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Less important.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// Something new.
    pub fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Something that changes.
    pub fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Something that goes, or is wrong.
    pub fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }
}
