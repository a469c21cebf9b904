//! Where an entry of the console ends: a line that leaves something open goes on in the next one.
//!
//! Only what the parser would wait for is looked at: brackets, texts with what they interpolate, here-documents and
//! comments. Whether the whole makes sense is the parser's to say, so anything odd counts as complete.

use std::str::Chars;

/// What is open at a place of an entry.
enum Open {
    /// A bracket, or what a text interpolates: the language's own tokens.
    Tokens,
    Quoted,
    /// A here-document, with the word that ends it.
    Document(String),
}

/// Whether the entry needs another line.
pub(super) fn is_open(text: &str) -> bool {
    let mut open: Vec<Open> = Vec::new();
    let mut rest = text.chars();
    loop {
        let goes_on = match open.last() {
            None | Some(Open::Tokens) => token(&mut rest, &mut open),
            Some(Open::Quoted) => quoted(&mut rest, &mut open),
            Some(Open::Document(word)) => {
                let word = word.clone();
                document(&mut rest, &word, &mut open)
            }
        };
        match goes_on {
            Some(true) => {}
            Some(false) => return false,
            // A text that is not closed in its line never is.
            None => match open.last() {
                Some(Open::Quoted) => return false,
                last => return last.is_some() || open_tail(text),
            },
        }
    }
}

/// The entry as the parser takes it: a backslash that only says that the line goes on is no part of it.
pub(super) fn joined(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let last = lines.len() - 1;
    let kept = lines.iter().enumerate().map(|(at, line)| match line.strip_suffix('\\') {
        // Within a here-document a backslash is text; and then the line after it would not be asked for by it.
        Some(before) if at < last && ends_in_tokens(&lines[..at], before) => before,
        _ => line,
    });
    kept.collect::<Vec<_>>().join("\n")
}

fn ends_in_tokens(lines: &[&str], before: &str) -> bool {
    let text = [lines, &[before]].concat().join("\n");
    !is_open(&text) || !text.contains("<<")
}

/// A backslash at the end.
fn open_tail(text: &str) -> bool {
    text.trim_end_matches([' ', '\t']).ends_with('\\')
}

fn skip(rest: &mut Chars<'_>, count: usize) {
    for _ in 0..count {
        rest.next();
    }
}

/// One token, or a part of one. `None` at the end, `Some(false)` where nothing more can help.
fn token(rest: &mut Chars<'_>, open: &mut Vec<Open>) -> Option<bool> {
    let text = rest.as_str();
    if text.starts_with('#') || text.starts_with("//") {
        *rest = text[text.find('\n').unwrap_or(text.len())..].chars();
        return Some(true).filter(|_| !rest.as_str().is_empty());
    }
    if let Some(comment) = text.strip_prefix("/*") {
        let Some(end) = comment.find("*/") else {
            open.push(Open::Tokens);
            return None;
        };
        *rest = comment[end + 2..].chars();
        return Some(true);
    }
    if let Some((word, after)) = document_start(text) {
        open.push(Open::Document(word.to_owned()));
        *rest = after.chars();
        return Some(true);
    }
    match rest.next()? {
        '"' => open.push(Open::Quoted),
        '(' | '[' | '{' => open.push(Open::Tokens),
        // One that closes nothing is a fault, and no line mends it.
        ')' | ']' | '}' => return Some(open.pop().is_some()),
        _ => {}
    }
    Some(true)
}

/// The word of `<<WORD` or `<<-WORD`, and what stands below its line.
fn document_start(text: &str) -> Option<(&str, &str)> {
    let word = text.strip_prefix("<<")?;
    let word = word.strip_prefix('-').unwrap_or(word);
    let (word, below) = word.split_once('\n').unwrap_or((word, ""));
    let word = word.trim_end_matches('\r');
    let is_word = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    is_word.then_some((word, below))
}

fn quoted(rest: &mut Chars<'_>, open: &mut Vec<Open>) -> Option<bool> {
    if interpolates(rest, open) {
        return Some(true);
    }
    match rest.next()? {
        '\\' => {
            rest.next();
        }
        '"' => {
            open.pop();
        }
        // A text ends in its line.
        '\n' => return Some(false),
        _ => {}
    }
    Some(true)
}

/// One line of a here-document, or the part of it up to what it interpolates.
fn document(rest: &mut Chars<'_>, word: &str, open: &mut Vec<Open>) -> Option<bool> {
    let text = rest.as_str();
    let line = text.split('\n').next().unwrap_or_default();
    if line.trim() == word {
        open.pop();
        *rest = text[line.len()..].chars();
        return Some(true).filter(|_| !rest.as_str().is_empty());
    }
    loop {
        if interpolates(rest, open) {
            return Some(true);
        }
        if rest.next()? == '\n' {
            return Some(true);
        }
    }
}

/// Takes `${` or `%{`, or the same escaped, if that comes next.
fn interpolates(rest: &mut Chars<'_>, open: &mut Vec<Open>) -> bool {
    let text = rest.as_str();
    if text.starts_with("$${") || text.starts_with("%%{") {
        skip(rest, 3);
        return true;
    }
    let begins = text.starts_with("${") || text.starts_with("%{");
    if begins {
        skip(rest, 2);
        open.push(Open::Tokens);
    }
    begins
}

#[cfg(test)]
mod tests {
    use super::{is_open, joined};

    #[test]
    fn what_is_open_asks_for_another_line() {
        for text in [
            "[",
            "{ a = (1",
            "upper(\"a\",",
            "[1, # ]",
            "[1, // ]",
            "[1 /* ] */",
            "1 /* one",
            "\"a ${",
            "\"a ${\"b\"",
            "<<EOT",
            "<<-EOT\n  a",
            "<<EOT\n${[",
            "<<EOT\n${\n1}\nEOT\"",
            "upper(<<EOT\na\nEOT",
            "1 + \\",
        ] {
            assert!(is_open(text), "{text}");
        }
    }

    #[test]
    fn what_is_closed_or_beyond_help_does_not() {
        for text in [
            "",
            "[1]",
            "\"[\"",
            "1 +",
            "\"\\\"[\"",
            "\"$${ %%{\"",
            "\"a ${1}\"",
            "1 # [",
            "1 /* [ */",
            "<<EOT\na [\nEOT",
            "<<-EOT\n  a\n  EOT\n",
            "upper(<<EOT\na\nEOT\n)",
            "\"not closed",
            "\"not closed\n",
            ")",
            "1 << 2",
            "a.0) + [",
        ] {
            assert!(!is_open(text), "{text}");
        }
    }

    #[test]
    fn a_backslash_at_the_end_of_a_line_is_no_part_of_the_entry() {
        assert_eq!(joined("1 + \\\n2"), "1 + \n2");
        assert_eq!(joined("<<EOT\na\\\nEOT"), "<<EOT\na\\\nEOT");
        assert_eq!(joined("\"a\\\\\""), "\"a\\\\\"");
    }
}
