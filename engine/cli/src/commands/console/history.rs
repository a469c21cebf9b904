//! What was typed into the console, kept from one session to the next.
//!
//! One entry a line, the oldest first, with `\n` for a line end and `\\` for a backslash. Each entry is appended as
//! it is typed, so that sessions beside each other, and a killed one, lose nothing. Only entries are kept, never what
//! they evaluate to; one that begins with a space is kept nowhere, and neither is one that calls `sensitive`, since
//! it spells the secret out.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// How many entries are kept.
pub(super) const MOST: usize = 1000;

/// The file of the history; `None` where it cannot be written, and then the session does without.
pub(super) struct History(Option<PathBuf>);

impl History {
    /// Opens the history in a folder, and returns the entries of earlier sessions.
    pub(super) fn open(folder: &Path) -> (Self, Vec<String>) {
        let path = folder.join("console_history");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let kept = &lines[lines.len().saturating_sub(MOST)..];
        // Twice as many are let stand, so that not every session writes the whole file.
        let is_long = lines.len() > 2 * MOST;
        let ready = std::fs::create_dir_all(folder).is_ok()
            && (!is_long || replace(&path, &(kept.join("\n") + "\n")).is_ok());
        let entries = kept.iter().map(|line| unescaped(line)).collect();
        (Self(ready.then_some(path)), entries)
    }

    /// Keeps an entry.
    pub(super) fn add(&self, entry: &str) {
        let Some(path) = self.0.as_ref().filter(|_| may_be_kept(entry)) else { return };
        // What cannot be remembered can still be answered.
        let _ = private()
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(format!("{}\n", escaped(entry)).as_bytes()));
    }
}

/// A file that nobody else may read.
fn private() -> std::fs::OpenOptions {
    let mut options = std::fs::File::options();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension(format!("{}", std::process::id()));
    private().write(true).truncate(true).open(&beside)?.write_all(text.as_bytes())?;
    std::fs::rename(&beside, path)
}

/// Whether an entry may be remembered at all.
pub(super) fn may_be_kept(entry: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let spells_a_secret = entry.match_indices("sensitive").any(|(at, name)| {
        !entry[..at].ends_with(in_name) && entry[at + name.len()..].trim_start().starts_with('(')
    });
    !entry.trim().is_empty() && !entry.starts_with([' ', '\t']) && !spells_a_secret
}

fn escaped(entry: &str) -> String {
    entry.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "")
}

fn unescaped(line: &str) -> String {
    let mut entry = String::with_capacity(line.len());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.as_str().starts_with('n') => {
                letters.next();
                entry.push('\n');
            }
            '\\' => entry.push(letters.next().unwrap_or('\\')),
            _ => entry.push(letter),
        }
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::{History, MOST, escaped, may_be_kept, unescaped};

    #[test]
    fn entries_come_back_as_they_were_typed() {
        let folder = tempfile::tempdir().unwrap();
        let (history, before) = History::open(&folder.path().join("home"));
        assert!(before.is_empty());
        let typed = ["1 + 1", "[\n  \"a\\n\",\n]", "\\\\n", "\"größe\""];
        for entry in typed {
            history.add(entry);
            assert_eq!(unescaped(&escaped(entry)), entry);
        }
        assert_eq!(History::open(&folder.path().join("home")).1, typed);
    }

    #[test]
    fn secrets_and_what_begins_with_a_space_are_not_kept() {
        for entry in [" var.a", "", "sensitive(\"x\")", "upper(sensitive (\"x\"))"] {
            assert!(!may_be_kept(entry), "{entry}");
        }
        for entry in ["var.sensitive", "nonsensitive(var.a)", "issensitive(var.a)", "sensitive"] {
            assert!(may_be_kept(entry), "{entry}");
        }
    }

    #[test]
    fn a_long_history_keeps_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let (history, _) = History::open(folder.path());
        for number in 0..=2 * MOST {
            history.add(&number.to_string());
        }
        let (_, entries) = History::open(folder.path());
        assert_eq!(entries.len(), MOST);
        assert_eq!(entries.last().map(String::as_str), Some("2000"));
        let text = std::fs::read_to_string(folder.path().join("console_history")).unwrap();
        assert_eq!(text.lines().count(), MOST);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        History::open(folder.path()).0.add("1");
        let data = std::fs::metadata(folder.path().join("console_history")).unwrap();
        assert_eq!(data.permissions().mode() & 0o077, 0);
    }
}
