//! Outdated spellings and their replacements.
//!
//! * A label stands in quotes, with no comment before it.
//! * `"${a}"` is `a`; over several lines it is `(a)`.
//! * The type of a variable is no string, and collections say what they hold.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::Cell;
use super::layout::bracket_change;
use crate::lex::Kind;
use crate::template::unescape;

pub(super) fn rewrite(cells: Vec<Cell>) -> Vec<Cell> {
    let out = Vec::with_capacity(cells.len());
    let mut rewrite = Rewrite { cells: cells.into_iter().peekable(), out, blocks: Vec::new() };
    rewrite.items();
    rewrite.out
}

struct Rewrite<'a> {
    cells: std::iter::Peekable<std::vec::IntoIter<Cell<'a>>>,
    out: Vec<Cell<'a>>,
    /// The kinds of the blocks around, and whether each is a variable's.
    blocks: Vec<bool>,
}

impl<'a> Rewrite<'a> {
    /// Goes through the file item by item; what lies between items is kept.
    fn items(&mut self) {
        while let Some(cell) = self.cells.next() {
            let kind = cell.kind;
            let is_type = cell.text == "type";
            let is_variable = cell.text == "variable";
            self.out.push(cell);
            match kind {
                Kind::CloseBrace => {
                    self.blocks.pop();
                }
                Kind::Ident => {
                    self.comments();
                    match self.cells.peek().map(|cell| cell.kind) {
                        Some(Kind::Assign) => {
                            let of_variable = self.blocks.len() == 1 && self.blocks[0];
                            self.attribute(is_type && of_variable);
                        }
                        _ => {
                            self.header();
                            self.blocks.push(is_variable);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn comments(&mut self) {
        while let Some(comment) = self.cells.next_if(|cell| cell.kind == Kind::Comment) {
            self.out.push(comment);
        }
    }

    /// Labels and `{`. Comments go, save those after the last label.
    fn header(&mut self) {
        let start =
            self.out.iter().rposition(|cell| cell.kind == Kind::Ident).map_or(0, |at| at + 1);
        // Those after the block's kind were taken already.
        let mut kept = self.out.split_off(start);
        while let Some(cell) = self.cells.next() {
            match cell.kind {
                Kind::Ident => {
                    kept.clear();
                    let text = cell.text.into_owned();
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

    fn quoted_label(&mut self, open: Cell<'a>) {
        let mut parts = vec![open];
        for cell in self.cells.by_ref() {
            let closes = cell.kind == Kind::CloseQuote;
            parts.push(cell);
            if closes {
                break;
            }
        }
        match parts.as_slice() {
            [_, text, _] => {
                let text = unescape(&text.text, true, &mut Vec::new());
                self.label(&text);
            }
            // An empty one; or one with a lone `$` in it, which Terraform loses.
            _ => self.out.append(&mut parts),
        }
    }

    fn label(&mut self, text: &str) {
        let text = escape(&text.nfc().collect::<String>());
        self.out.push(new(Kind::OpenQuote, "\""));
        self.out.push(Cell { kind: Kind::QuotedText, text: Cow::Owned(text), blanks: 0 });
        self.out.push(new(Kind::CloseQuote, "\""));
    }

    /// `= expression`, up to the end of the item.
    fn attribute(&mut self, is_type: bool) {
        self.out.extend(self.cells.next());
        self.comments();
        let mut tokens: Vec<Cell> = Vec::new();
        let mut depth = 0_usize;
        while let Some(cell) = self.cells.next_if(|cell| {
            depth > 0
                || !matches!(
                    cell.kind,
                    Kind::Newline | Kind::LineComment | Kind::CloseBrace | Kind::End
                )
        }) {
            match cell.kind {
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
            tokens.push(cell);
        }
        // Comments after the expression are none of its tokens.
        let length =
            tokens.iter().rposition(|cell| cell.kind != Kind::Comment).map_or(0, |at| at + 1);
        let after = tokens.split_off(length);
        let closes = self.cells.peek().is_some_and(|cell| cell.kind == Kind::CloseBrace);
        let tokens =
            if is_type { type_expression(tokens) } else { value_expression(tokens, closes) };
        self.out.extend(tokens);
        self.out.extend(after);
    }
}

fn new<'a>(kind: Kind, text: &'static str) -> Cell<'a> {
    Cell { kind, text: Cow::Borrowed(text), blanks: 0 }
}

/// Takes `"${` and `}"` away from an expression that is one interpolation and nothing else.
fn value_expression(mut tokens: Vec<Cell>, brace_follows: bool) -> Vec<Cell> {
    let [quote, open, inside @ .., close, end] = tokens.as_slice() else { return tokens };
    let kinds = [quote.kind, open.kind, close.kind, end.kind];
    let wrapped = [Kind::OpenQuote, Kind::Interpolation, Kind::CloseSequence, Kind::CloseQuote];
    if kinds != wrapped || inside.is_empty() || !is_one_sequence(inside) {
        return tokens;
    }
    let is_newline = |cell: &Cell| cell.kind == Kind::Newline;
    let first = inside.iter().position(|cell| !is_newline(cell)).unwrap_or(inside.len());
    let last = inside.iter().rposition(|cell| !is_newline(cell)).map_or(first, |at| at + 1);
    let (first, last) = (first + 2, last + 2);
    tokens.truncate(last);
    let mut inside = tokens.split_off(first);
    let in_parens = inside.first().is_some_and(|cell| cell.kind == Kind::OpenParen)
        && inside.last().is_some_and(|cell| cell.kind == Kind::CloseParen);
    if (inside.iter().any(is_newline) && !in_parens) || comment_splits(&inside, brace_follows) {
        inside.insert(0, new(Kind::OpenParen, "("));
        inside.push(new(Kind::CloseParen, ")"));
    }
    inside
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

fn type_expression(tokens: Vec<Cell>) -> Vec<Cell> {
    let collection = |name: &'static str, element: &'static str| {
        vec![
            new(Kind::Ident, name),
            new(Kind::OpenParen, "("),
            new(Kind::Ident, element),
            new(Kind::CloseParen, ")"),
        ]
    };
    let kinds: Vec<Kind> = tokens.iter().take(4).map(|cell| cell.kind).collect();
    match kinds.as_slice() {
        [Kind::Ident] => match &*tokens[0].text {
            "list" => collection("list", "any"),
            "map" => collection("map", "any"),
            "set" => collection("set", "any"),
            _ => tokens,
        },
        // So it was in old versions, in which elements were strings unless said otherwise.
        [Kind::OpenQuote, Kind::QuotedText, Kind::CloseQuote] => match &*tokens[1].text {
            "string" => vec![new(Kind::Ident, "string")],
            "list" => collection("list", "string"),
            "map" => collection("map", "string"),
            _ => tokens,
        },
        _ => tokens,
    }
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
