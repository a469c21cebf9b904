//! Outdated spellings and their replacements.
//!
//! * A label stands in quotes, with no comment before it.
//! * `"${a}"` is `a`; over several lines it is `(a)`.
//! * The type of a variable is no string, and collections say what they hold.

use unicode_normalization::UnicodeNormalization;

use super::layout::bracket_change;
use super::{Cell, Texts};
use crate::lex::Kind;
use crate::template::unescape;

pub(super) fn rewrite(cells: &[Cell], texts: &mut Texts) -> Vec<Cell> {
    let out = Vec::with_capacity(cells.len() + cells.len() / 16);
    let mut rewrite = Rewrite { cells, at: 0, texts, out, blocks: Vec::new() };
    rewrite.items();
    rewrite.out
}

struct Rewrite<'a, 'b> {
    cells: &'a [Cell],
    /// The cell to be read next.
    at: usize,
    texts: &'a mut Texts<'b>,
    out: Vec<Cell>,
    /// The kinds of the blocks around, and whether each is a variable's.
    blocks: Vec<bool>,
}

impl Rewrite<'_, '_> {
    fn peek(&self) -> Option<Kind> {
        self.cells.get(self.at).map(|cell| cell.kind)
    }

    fn next(&mut self) -> Option<Cell> {
        let cell = self.cells.get(self.at).copied();
        self.at += 1;
        cell
    }

    /// Goes through the file item by item; what lies between items is kept.
    fn items(&mut self) {
        while let Some(cell) = self.next() {
            self.out.push(cell);
            match cell.kind {
                Kind::CloseBrace => {
                    self.blocks.pop();
                }
                Kind::Ident => {
                    self.comments();
                    match self.peek() {
                        Some(Kind::Assign) => {
                            let of_variable = self.blocks.len() == 1 && self.blocks[0];
                            self.attribute(of_variable && self.texts.of(cell) == "type");
                        }
                        _ => {
                            self.header();
                            self.blocks.push(self.texts.of(cell) == "variable");
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn comments(&mut self) {
        while self.peek() == Some(Kind::Comment) {
            let comment = self.next();
            self.out.extend(comment);
        }
    }

    /// Labels and `{`. Comments go, save those after the last label.
    fn header(&mut self) {
        let start =
            self.out.iter().rposition(|cell| cell.kind == Kind::Ident).map_or(0, |at| at + 1);
        // Those after the block's kind were taken already.
        let mut kept = self.out.split_off(start);
        while let Some(cell) = self.next() {
            match cell.kind {
                Kind::Ident => {
                    kept.clear();
                    let text = self.texts.of(cell).to_owned();
                    self.label(&text);
                }
                Kind::OpenQuote => {
                    kept.clear();
                    self.quoted_label(cell);
                }
                Kind::OpenBrace => {
                    self.out.append(&mut kept);
                    self.out.push(cell);
                    return;
                }
                _ => kept.push(cell),
            }
        }
        self.out.append(&mut kept);
    }

    fn quoted_label(&mut self, open: Cell) {
        let start = self.at;
        while let Some(cell) = self.next() {
            if cell.kind == Kind::CloseQuote {
                break;
            }
        }
        let parts = &self.cells[start..self.at.min(self.cells.len())];
        if let [text, _] = parts
            && !is_simple(self.texts.of(*text))
        {
            let text = unescape(self.texts.of(*text), true, &mut Vec::new());
            self.label(&text);
            return;
        }
        // A simple one, which stays; an empty one; or one with a lone `$` in it, which Terraform loses.
        self.out.push(open);
        self.out.extend_from_slice(parts);
    }

    fn label(&mut self, text: &str) {
        let text = escape(&text.nfc().collect::<String>());
        let cells = [(Kind::OpenQuote, "\""), (Kind::QuotedText, &text), (Kind::CloseQuote, "\"")];
        for (kind, text) in cells {
            let cell = self.texts.make(kind, text);
            self.out.push(cell);
        }
    }

    /// `= expression`, up to the end of the item.
    fn attribute(&mut self, is_type: bool) {
        let equals = self.next();
        self.out.extend(equals);
        self.comments();
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(kind) = self.peek() {
            match kind {
                Kind::Newline | Kind::LineComment | Kind::CloseBrace | Kind::End if depth == 0 => {
                    break;
                }
                Kind::OpenBrace
                | Kind::OpenBracket
                | Kind::OpenParen
                | Kind::OpenQuote
                | Kind::OpenHeredoc
                | Kind::Interpolation
                | Kind::Directive => depth += 1,
                Kind::CloseBrace
                | Kind::CloseBracket
                | Kind::CloseParen
                | Kind::CloseQuote
                | Kind::CloseHeredoc
                | Kind::CloseSequence => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
        // Comments after the expression are none of its tokens.
        let all = &self.cells[start..self.at];
        let length = all.iter().rposition(|cell| cell.kind != Kind::Comment).map_or(0, |at| at + 1);
        let (tokens, after) = all.split_at(length);
        let closes = self.peek() == Some(Kind::CloseBrace);
        let changed = if is_type {
            self.type_expression(tokens)
        } else {
            self.value_expression(tokens, closes)
        };
        match changed {
            Some(tokens) => self.out.extend(tokens),
            None => self.out.extend_from_slice(tokens),
        }
        self.out.extend_from_slice(after);
    }

    /// Takes `"${` and `}"` away from an expression that is one interpolation and nothing else.
    fn value_expression(&mut self, tokens: &[Cell], brace_follows: bool) -> Option<Vec<Cell>> {
        let [quote, open, inside @ .., close, end] = tokens else { return None };
        let kinds = [quote.kind, open.kind, close.kind, end.kind];
        let wrapped = [Kind::OpenQuote, Kind::Interpolation, Kind::CloseSequence, Kind::CloseQuote];
        if kinds != wrapped || inside.is_empty() || !is_one_sequence(inside) {
            return None;
        }
        let is_newline = |cell: &Cell| cell.kind == Kind::Newline;
        let first = inside.iter().position(|cell| !is_newline(cell)).unwrap_or(inside.len());
        let last = inside.iter().rposition(|cell| !is_newline(cell)).map_or(first, |at| at + 1);
        let mut inside = inside[first..last].to_vec();
        let in_parens = inside.first().is_some_and(|cell| cell.kind == Kind::OpenParen)
            && inside.last().is_some_and(|cell| cell.kind == Kind::CloseParen);
        if (inside.iter().any(is_newline) && !in_parens) || comment_splits(&inside, brace_follows) {
            inside.insert(0, self.texts.make(Kind::OpenParen, "("));
            inside.push(self.texts.make(Kind::CloseParen, ")"));
        }
        Some(inside)
    }

    fn type_expression(&mut self, tokens: &[Cell]) -> Option<Vec<Cell>> {
        let (name, element) = match tokens {
            [one] if one.kind == Kind::Ident => match self.texts.of(*one) {
                "list" => ("list", "any"),
                "map" => ("map", "any"),
                "set" => ("set", "any"),
                _ => return None,
            },
            // So it was in old versions, in which elements were strings unless said otherwise.
            [open, text, close]
                if [open.kind, text.kind, close.kind]
                    == [Kind::OpenQuote, Kind::QuotedText, Kind::CloseQuote] =>
            {
                match self.texts.of(*text) {
                    "string" => return Some(vec![self.texts.make(Kind::Ident, "string")]),
                    "list" => ("list", "string"),
                    "map" => ("map", "string"),
                    _ => return None,
                }
            }
            _ => return None,
        };
        let cells = [
            (Kind::Ident, name),
            (Kind::OpenParen, "("),
            (Kind::Ident, element),
            (Kind::CloseParen, ")"),
        ];
        Some(cells.into_iter().map(|(kind, text)| self.texts.make(kind, text)).collect())
    }
}

/// Whether a label's text is the same after its escapes are resolved and made again.
fn is_simple(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.'))
}

/// Whether a comment ends a line in the middle, outside of all brackets; at the end that is one only if
/// the block's brace follows. Terraform overlooks that, and then cannot read what it wrote.
fn comment_splits(inside: &[Cell], brace_follows: bool) -> bool {
    let comment = |cell: &Cell| matches!(cell.kind, Kind::LineComment | Kind::Comment);
    let last = inside.iter().rposition(|cell| !comment(cell)).unwrap_or(0);
    let end = if brace_follows { inside.len() } else { last };
    let mut depth = 0_isize;
    inside[..end].iter().any(|cell| {
        depth += bracket_change(cell.kind);
        depth == 0 && cell.kind == Kind::LineComment
    })
}

/// Whether there is no further sequence and no text outside of strings within.
fn is_one_sequence(inside: &[Cell]) -> bool {
    let mut quotes = 0_isize;
    inside.iter().all(|cell| {
        match cell.kind {
            Kind::OpenQuote => quotes += 1,
            Kind::CloseQuote => quotes -= 1,
            Kind::Interpolation | Kind::CloseSequence | Kind::QuotedText => return quotes > 0,
            _ => {}
        }
        true
    })
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '$' | '%' if rest.peek() == Some(&'{') => out.extend([c, c]),
            c if is_printable(c) => out.push(c),
            c if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out
}

/// Whether a character can be seen. The standard library's tables of it are used for its own escapes.
fn is_printable(c: char) -> bool {
    // After a letter, marks count as what they are.
    c.is_ascii_graphic() || c == ' ' || !format!("a{c}").escape_debug().any(|c| c == '{')
}
