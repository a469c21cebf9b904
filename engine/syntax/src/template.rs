//! Strip markers, here-document indentation and the nesting of directives.
//!
//! Both work on the template as a flat row of pieces, in which a literal never reaches over the end
//! of a line. That is how the language defines them: `~` removes the white space of one line, and
//! indentation is counted on the lines as they are after that. Source: observation of
//! terraform 1.11.4.

use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation;

use crate::error::SyntaxError;
use crate::nested::deep;
use crate::parser::MAX_DEPTH;
use crate::source::Span;
use crate::tree::{Expr, Ident, TemplatePart};

/// One piece of a template.
#[derive(Debug)]
pub(crate) enum Piece {
    Literal(String),
    Sequence { sequence: Sequence, strip_before: bool, strip_after: bool, span: Span },
}

/// What stands between `${` or `%{` and `}`.
#[derive(Debug)]
pub(crate) enum Sequence {
    Interpolation(Expr),
    If(Expr),
    Else,
    EndIf,
    For { key: Option<Ident>, value: Ident, collection: Expr },
    EndFor,
}

/// Applies strip markers and, for `<<-`, removes the common indentation; then nests directives.
///
/// One part that is an interpolation comes out only where nothing was written beside it: text that strip
/// markers leave nothing of still makes the result a text.
pub(crate) fn assemble(
    mut pieces: Vec<Piece>,
    indented: bool,
    faults: &mut Vec<SyntaxError>,
) -> Vec<TemplatePart> {
    let alone = pieces.len() == 1;
    strip(&mut pieces);
    if indented {
        remove_indentation(&mut pieces);
    }
    let mut nest = Nest { pieces: pieces.into_iter(), faults, depth: 0 };
    let mut parts = Vec::new();
    loop {
        let (more, end) = nest.parts();
        parts.extend(more);
        let Some((word, span)) = end else { break };
        nest.stray(word, "no directive is open that it could belong to", span);
    }
    if !alone && matches!(parts.as_slice(), [TemplatePart::Interpolation(_)]) {
        parts.insert(0, TemplatePart::Literal(Arc::from("")));
    }
    parts
}

fn strip(pieces: &mut [Piece]) {
    for index in 0..pieces.len() {
        let Piece::Sequence { strip_before, strip_after, .. } = pieces[index] else { continue };
        if strip_before
            && let Some(Piece::Literal(text)) = index.checked_sub(1).map(|at| &mut pieces[at])
        {
            text.truncate(text.trim_end().len());
        }
        if strip_after && let Some(Piece::Literal(text)) = pieces.get_mut(index + 1) {
            text.drain(..text.len() - text.trim_start().len());
        }
    }
}

fn remove_indentation(pieces: &mut [Piece]) {
    let mut at_line_start = true;
    let mut least = usize::MAX;
    let mut first_of_line = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(text) => {
                let blank = text.ends_with('\n') && text.trim_start().is_empty();
                if at_line_start && !blank {
                    let indent = &text[..text.len() - text.trim_start().len()];
                    least = least.min(count(indent));
                    first_of_line.push(index);
                }
                at_line_start = text.ends_with('\n');
            }
            Piece::Sequence { .. } => {
                if at_line_start {
                    least = 0;
                }
                at_line_start = false;
            }
        }
    }
    for index in first_of_line {
        if let Piece::Literal(text) = &mut pieces[index] {
            *text = without_first(text, least);
        }
    }
}

/// Characters as a reader counts them.
fn count(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).count() }
}

fn without_first(text: &str, count: usize) -> String {
    match text.get(..count) {
        Some(first) if first.is_ascii() => text[count..].to_owned(),
        _ => text.graphemes(true).skip(count).collect(),
    }
}

/// What ends a directive or a part of one, and where it stands.
type Ending = (&'static str, Span);

struct Nest<'f> {
    pieces: std::vec::IntoIter<Piece>,
    faults: &'f mut Vec<SyntaxError>,
    depth: usize,
}

impl Nest<'_> {
    /// Reads parts up to `else`, `endif`, `endfor` or the end.
    fn parts(&mut self) -> (Vec<TemplatePart>, Option<Ending>) {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut ending = None;
        while let Some(piece) = self.pieces.next() {
            let (sequence, span) = match piece {
                Piece::Literal(text) => {
                    literal.push_str(&text);
                    continue;
                }
                Piece::Sequence { sequence, span, .. } => (sequence, span),
            };
            push_text(&mut parts, &mut literal);
            match sequence {
                Sequence::Interpolation(expr) => parts.push(TemplatePart::Interpolation(expr)),
                Sequence::If(condition) => {
                    parts.push(self.deeper(span, |nest| nest.if_parts(condition, span)))
                }
                Sequence::For { key, value, collection } => {
                    let body = self.deeper(span, |nest| nest.up_to("endfor", "for", span));
                    parts.push(TemplatePart::For { key, value, collection, body });
                }
                Sequence::Else => ending = Some(("else", span)),
                Sequence::EndIf => ending = Some(("endif", span)),
                Sequence::EndFor => ending = Some(("endfor", span)),
            }
            if ending.is_some() {
                break;
            }
        }
        push_text(&mut parts, &mut literal);
        (parts, ending)
    }

    /// Counts a level; past the limit, what follows is dropped.
    fn deeper<T>(&mut self, span: Span, read: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.faults.push(SyntaxError::TooDeep { limit: MAX_DEPTH, span });
            self.pieces = Vec::new().into_iter();
        }
        let read = deep(|| read(self));
        self.depth -= 1;
        read
    }

    fn if_parts(&mut self, condition: Expr, open: Span) -> TemplatePart {
        let (then, ending) = self.parts();
        let otherwise = match ending {
            Some(("endif", _)) => Vec::new(),
            Some(("else", _)) => self.up_to("endif", "if", open),
            other => {
                self.not_closed(other, "endif", "if", open);
                Vec::new()
            }
        };
        TemplatePart::If { condition, then, otherwise }
    }

    fn up_to(&mut self, end: &'static str, of: &'static str, open: Span) -> Vec<TemplatePart> {
        let (parts, ending) = self.parts();
        if ending.is_none_or(|(word, _)| word != end) {
            self.not_closed(ending, end, of, open);
        }
        parts
    }

    fn not_closed(&mut self, found: Option<Ending>, end: &str, of: &'static str, open: Span) {
        if self.faults.iter().any(|fault| matches!(fault, SyntaxError::TooDeep { .. })) {
            return;
        }
        match found {
            Some((word, span)) => {
                let expected = format!("`%{{ {end} }}` must come first");
                self.stray(word, &expected, span);
            }
            None => self.faults.push(SyntaxError::Unclosed {
                what: if of == "if" { "`if` directive" } else { "`for` directive" },
                span: open,
                help: format!("close it with `%{{ {end} }}`"),
            }),
        }
    }

    fn stray(&mut self, word: &str, expected: &str, span: Span) {
        self.faults.push(SyntaxError::Unexpected {
            found: format!("`{word}` directive"),
            expected: expected.to_owned(),
            span,
            help: None,
        });
    }
}

fn push_text(parts: &mut Vec<TemplatePart>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(TemplatePart::Literal(Arc::from(std::mem::take(literal))));
    }
}

/// A fault in the spelling of a literal: the bytes of the escape within it.
pub(crate) struct BadEscape {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Resolves `$${` and `%%{`, and in a quoted string the backslash escapes too.
///
/// An escape that is not known stays as it is and is added to `bad`.
pub(crate) fn unescape(raw: &str, quoted: bool, bad: &mut Vec<BadEscape>) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['\\', '$', '%']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let read = if rest.starts_with("$${") || rest.starts_with("%%{") {
            text.push_str(&rest[1..3]);
            3
        } else if quoted && rest.starts_with('\\') {
            let (read, character) = backslash_escape(rest);
            if let Some(character) = character {
                text.push(character);
            } else {
                let start = raw.len() - rest.len();
                bad.push(BadEscape { start, end: start + read });
                text.push_str(&rest[..read]);
            }
            read
        } else {
            text.push_str(&rest[..1]);
            1
        };
        rest = &rest[read..];
    }
    text.push_str(rest);
    text
}

/// The length of the escape that `text` starts with, and the character that it stands for.
fn backslash_escape(text: &str) -> (usize, Option<char>) {
    let Some(letter) = text[1..].chars().next() else { return (1, None) };
    let hexadecimal = |digits: usize| {
        let code =
            text.get(2..2 + digits).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let character = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        match character.and_then(char::from_u32) {
            Some(character) => (2 + digits, Some(character)),
            None => (2, None),
        }
    };
    match letter {
        'n' => (2, Some('\n')),
        'r' => (2, Some('\r')),
        't' => (2, Some('\t')),
        '"' | '\\' => (2, Some(letter)),
        'u' => hexadecimal(4),
        'U' => hexadecimal(8),
        other => (1 + other.len_utf8(), None),
    }
}
