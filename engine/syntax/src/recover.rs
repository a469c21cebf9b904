//! Finds structure in a text that does not parse: brackets, strings, comments and here-documents.
//!
//! A scan, not a parser: it knows just enough to cut a file into its top-level structures, so that the fault
//! of one does not hide those of others.

use std::ops::Range;

/// Deeper nesting is refused, so that no later stage can run out of stack.
pub(crate) const MAX_DEPTH: usize = 250;

/// Something that was opened and never closed.
pub(crate) struct Open {
    pub(crate) what: &'static str,
    pub(crate) help: &'static str,
    pub(crate) range: Range<usize>,
}

/// What a scan meets.
enum Event {
    Opens(usize),
    Closes(usize),
    Newline(usize),
    UnclosedString(usize),
    UnclosedComment(usize),
    UnclosedHeredoc(usize),
}

/// The offset at which nesting becomes too deep.
pub(crate) fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut found = None;
    scan(text, &mut |event| match event {
        Event::Opens(at) => {
            depth += 1;
            if depth > MAX_DEPTH && found.is_none() {
                found = Some(at);
            }
        }
        Event::Closes(_) => depth = depth.saturating_sub(1),
        _ => {}
    });
    found
}

/// The first string, comment, here-document or bracket that is not closed.
pub(crate) fn unclosed(text: &str) -> Option<Open> {
    let mut open: Vec<usize> = Vec::new();
    let mut found = None;
    scan(text, &mut |event| {
        let mut note = |what, help, at: usize| {
            found.get_or_insert(Open { what, help, range: at..at + 1 });
        };
        match event {
            Event::Opens(at) => open.push(at),
            Event::Closes(at) => {
                // A bracket of another kind closes what is around the one that was never closed.
                let pair = |opener: usize| {
                    matches!(
                        (text.as_bytes().get(opener), text.as_bytes().get(at)),
                        (Some(b'{'), Some(b'}'))
                            | (Some(b'['), Some(b']'))
                            | (Some(b'('), Some(b')'))
                    )
                };
                if let Some(inner) = open.pop()
                    && !pair(inner)
                    && open.last().is_some_and(|outer| pair(*outer))
                {
                    let Open { what, help, .. } = bracket(text, inner);
                    note(what, help, inner);
                    open.pop();
                }
            }
            Event::UnclosedString(at) => note("string", "close it with `\"` on the same line", at),
            Event::UnclosedComment(at) => note("comment", "close it with `*/`", at),
            Event::UnclosedHeredoc(at) => {
                note("here-document", "its closing word must stand alone on a line", at);
            }
            Event::Newline(_) => {}
        }
    });
    found.or_else(|| Some(bracket(text, open.pop()?)))
}

fn bracket(text: &str, at: usize) -> Open {
    let (what, help) = match text.as_bytes().get(at) {
        Some(b'{') => ("block or object", "close it with `}`"),
        Some(b'[') => ("list or index", "close it with `]`"),
        _ => ("parenthesis", "close it with `)`"),
    };
    Open { what, help, range: at..at + 1 }
}

/// Cuts a file into its top-level structures. A line that begins like a block while brackets are open begins a
/// new structure: then the one before lacks its end.
pub(crate) fn chunks(text: &str) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut start = 0;
    let mut depth = 0usize;
    scan(text, &mut |event| match event {
        Event::Opens(_) => depth += 1,
        Event::Closes(_) => depth = depth.saturating_sub(1),
        Event::Newline(at) if (depth == 0 || begins_block(&text[at + 1..])) => {
            chunks.push(start..at + 1);
            start = at + 1;
            depth = 0;
        }
        _ => {}
    });
    chunks.push(start..text.len());
    chunks.retain(|range| !text[range.clone()].trim().is_empty());
    chunks
}

/// `resource "type" "name" {` at the very beginning of a line.
fn begins_block(rest: &str) -> bool {
    let line = rest.lines().next().unwrap_or_default();
    let Some(head) = line.trim_end().strip_suffix('{') else { return false };
    let mut words = head.split_whitespace();
    let named = words.next().is_some_and(|word| {
        !line.starts_with([' ', '\t'])
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    });
    named && words.all(|word| word.starts_with('"') && word.ends_with('"') && word.len() > 1)
}

fn scan(text: &str, meet: &mut dyn FnMut(Event)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    // Each entry is an interpolation that is open within a quoted string: how many braces are open in it.
    let mut templates: Vec<usize> = Vec::new();
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                meet_string(bytes, &mut at, &mut templates, meet);
                continue;
            }
            b'#' => at = line_end(bytes, at) - 1,
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = line_end(bytes, at) - 1,
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                if let Some(length) = text[at..].find("*/") {
                    at += length + 1
                } else {
                    meet(Event::UnclosedComment(at));
                    return;
                }
            }
            b'<' if bytes.get(at + 1) == Some(&b'<') && templates.is_empty() => {
                match heredoc_end(text, at) {
                    Heredoc::Not => {}
                    Heredoc::End(end) => {
                        at = end;
                        continue;
                    }
                    Heredoc::Open => {
                        meet(Event::UnclosedHeredoc(at));
                        return;
                    }
                }
            }
            b'{' | b'[' | b'(' => {
                if bytes[at] == b'{'
                    && let Some(open) = templates.last_mut()
                {
                    *open += 1;
                }
                meet(Event::Opens(at));
            }
            b'}' if templates.last() == Some(&0) => {
                // The interpolation ends, and the string around it goes on.
                templates.pop();
                meet(Event::Closes(at));
                at += 1;
                let start = at;
                string_rest(bytes, &mut at, start, &mut templates, meet);
                continue;
            }
            b'}' | b']' | b')' => {
                if bytes[at] == b'}'
                    && let Some(open) = templates.last_mut()
                {
                    *open -= 1;
                }
                meet(Event::Closes(at));
            }
            b'\n' => meet(Event::Newline(at)),
            _ => {}
        }
        at += 1;
    }
}

fn meet_string(
    bytes: &[u8],
    at: &mut usize,
    templates: &mut Vec<usize>,
    meet: &mut dyn FnMut(Event),
) {
    let start = *at;
    *at += 1;
    string_rest(bytes, at, start, templates, meet);
}

/// Goes on within a quoted string until it ends, or until an interpolation begins in it.
fn string_rest(
    bytes: &[u8],
    at: &mut usize,
    start: usize,
    templates: &mut Vec<usize>,
    meet: &mut dyn FnMut(Event),
) {
    while *at < bytes.len() {
        match bytes[*at] {
            b'\\' => *at += 1,
            b'"' => {
                *at += 1;
                return;
            }
            b'\n' => {
                meet(Event::UnclosedString(start));
                return;
            }
            b'$' | b'%'
                if bytes.get(*at + 1) == Some(&b'{')
                    && (*at == 0 || bytes[*at - 1] != bytes[*at]) =>
            {
                meet(Event::Opens(*at + 1));
                templates.push(0);
                *at += 2;
                return;
            }
            _ => {}
        }
        *at += 1;
    }
    meet(Event::UnclosedString(start));
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
}

enum Heredoc {
    Not,
    End(usize),
    Open,
}

fn heredoc_end(text: &str, at: usize) -> Heredoc {
    let rest = &text[at + 2..];
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let line = rest.lines().next().unwrap_or_default();
    let word = line.trim_end();
    let is_word =
        !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if !is_word {
        return Heredoc::Not;
    }
    let mut offset = text.len() - rest.len() + line.len();
    for (at, line) in text[offset..].split_inclusive('\n').enumerate() {
        let end = offset + line.len();
        // The first piece is what is left of the opening line.
        if at > 0 && line.trim() == word {
            return Heredoc::End(offset + line.trim_end_matches(['\n', '\r']).len());
        }
        offset = end;
    }
    Heredoc::Open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_at_its_top_level_structures() {
        let text = "a = 1\nb {\n  c = \"}${x({})}\" # }\n}\nd = <<E\n }\nE\nlast {\n";
        let parts: Vec<&str> = chunks(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(
            parts,
            ["a = 1\n", "b {\n  c = \"}${x({})}\" # }\n}\n", "d = <<E\n }\nE\n", "last {\n"]
        );
    }

    #[test]
    fn a_block_that_lacks_its_end_does_not_swallow_the_next() {
        let text = "resource \"a\" \"b\" {\n  x = 1\n\nresource \"c\" \"d\" {\n}\n";
        let parts: Vec<&str> = chunks(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(parts.len(), 2, "{parts:?}");
        assert_eq!(unclosed(parts[0]).map(|open| open.what), Some("block or object"));
    }

    #[test]
    fn deep_nesting_is_found() {
        let deep = "[".repeat(MAX_DEPTH + 1);
        assert_eq!(too_deep(&deep), Some(MAX_DEPTH));
        assert_eq!(too_deep(&"[]".repeat(10_000)), None);
    }
}
