//! Strip markers, here-document indentation and the nesting of directives.
//!
//! Both work on the template as a flat row of tokens, in which a literal never reaches over the end
//! of a line. That is how the language defines them: `~` removes the white space of one line, and
//! indentation is counted on the lines as they are after that. Source: observation of
//! terraform 1.11.4.

use std::sync::Arc;

use crate::tree::{Expr, Ident, TemplatePart};

/// One piece of a template.
#[derive(Debug)]
pub(crate) enum Token {
    Literal(String),
    Sequence { sequence: Sequence, strip_before: bool, strip_after: bool },
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
pub(crate) fn assemble(mut tokens: Vec<Token>, indented: bool) -> Vec<TemplatePart> {
    strip(&mut tokens);
    if indented {
        remove_indentation(&mut tokens);
    }
    nest(&mut tokens.into_iter(), &mut false)
}

/// Adds `text` as one literal for each line.
pub(crate) fn push_literal(tokens: &mut Vec<Token>, text: &str) {
    tokens.extend(text.split_inclusive('\n').map(|line| Token::Literal(line.to_owned())));
}

fn strip(tokens: &mut [Token]) {
    for index in 0..tokens.len() {
        let Token::Sequence { strip_before, strip_after, .. } = tokens[index] else { continue };
        if strip_before
            && let Some(Token::Literal(text)) = index.checked_sub(1).map(|at| &mut tokens[at])
        {
            text.truncate(text.trim_end().len());
        }
        if strip_after && let Some(Token::Literal(text)) = tokens.get_mut(index + 1) {
            text.drain(..text.len() - text.trim_start().len());
        }
    }
}

fn remove_indentation(tokens: &mut [Token]) {
    let mut at_line_start = true;
    let mut least = usize::MAX;
    let mut first_of_line = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Literal(text) => {
                let blank = text.ends_with('\n') && text.trim_start().is_empty();
                if at_line_start && !blank {
                    least = least.min(text.chars().take_while(|c| c.is_whitespace()).count());
                    first_of_line.push(index);
                }
                at_line_start = text.ends_with('\n');
            }
            Token::Sequence { .. } => {
                if at_line_start {
                    least = 0;
                }
                at_line_start = false;
            }
        }
    }
    for index in first_of_line {
        if let Token::Literal(text) = &mut tokens[index] {
            *text = text.chars().skip(least).collect();
        }
    }
}

/// Reads parts up to the end of the directive that they stand in; `else_follows` says whether it
/// was `else` that ended them.
fn nest(tokens: &mut impl Iterator<Item = Token>, else_follows: &mut bool) -> Vec<TemplatePart> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    *else_follows = false;
    while let Some(token) = tokens.next() {
        let sequence = match token {
            Token::Literal(text) => {
                literal.push_str(&text);
                continue;
            }
            Token::Sequence { sequence, .. } => sequence,
        };
        push_text(&mut parts, &mut literal);
        match sequence {
            Sequence::Interpolation(expr) => parts.push(TemplatePart::Interpolation(expr)),
            Sequence::If(condition) => parts.push(nest_if(tokens, condition)),
            Sequence::For { key, value, collection } => {
                let body = nest(tokens, &mut false);
                parts.push(TemplatePart::For { key, value, collection, body });
            }
            Sequence::Else => {
                *else_follows = true;
                return parts;
            }
            Sequence::EndIf | Sequence::EndFor => return parts,
        }
    }
    push_text(&mut parts, &mut literal);
    parts
}

fn nest_if(tokens: &mut impl Iterator<Item = Token>, condition: Expr) -> TemplatePart {
    let mut has_else = false;
    // A trait object, since the recursion would otherwise nest the iterator's type for ever.
    let tokens: &mut dyn Iterator<Item = Token> = &mut *tokens;
    let mut tokens = tokens;
    let then = nest(&mut tokens, &mut has_else);
    let otherwise = if has_else { nest(&mut tokens, &mut false) } else { Vec::new() };
    TemplatePart::If { condition, then, otherwise }
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
