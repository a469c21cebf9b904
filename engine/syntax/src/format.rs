//! The canonical layout of a file: that of `terraform fmt`, byte for byte.
//!
//! Layout is a matter of tokens, not of the tree: `rewrite` first replaces outdated spellings, as
//! `"${a}"` for `a`, then `layout` decides how many blanks stand before each token. Neither moves
//! or drops anything else: comments and empty lines stay where they are.
//!
//! Source: the rules are those of HCL's `hclwrite` package (MPL); what Terraform adds to them was
//! learnt by running terraform 1.11.4.

mod layout;
mod rewrite;

use crate::lex::{Kind, Start, Token, lex};
use crate::parser;

/// A token and the number of blanks before it.
///
/// Real files have one for every four to five bytes, so it is kept small: its text is a range of
/// [`Texts`].
#[derive(Clone, Copy, Debug)]
struct Cell {
    kind: Kind,
    start: u32,
    end: u32,
    blanks: u32,
}

/// The texts of cells: those of the file, and behind them those that a rewrite has made.
struct Texts<'a> {
    source: &'a str,
    made: String,
}

impl Texts<'_> {
    fn of(&self, cell: Cell) -> &str {
        let (start, end) = (cell.start as usize, cell.end as usize);
        match start.checked_sub(self.source.len()) {
            // An empty token at the end of the file is in neither, and empty in both.
            Some(start) => &self.made[start..end - self.source.len()],
            None => &self.source[start..end],
        }
    }

    /// A new token with a text of its own.
    fn make(&mut self, kind: Kind, text: &str) -> Cell {
        let start = offset(self.source.len() + self.made.len());
        self.made.push_str(text);
        Cell { kind, start, end: offset(self.source.len() + self.made.len()), blanks: 0 }
    }

    /// Whether each byte takes one column.
    fn is_plain(&self) -> bool {
        let plain = |text: &str| text.is_ascii() && !text.as_bytes().contains(&b'\r');
        plain(self.source) && plain(&self.made)
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Formats a file that has no syntax errors; of one that has some, the result is unspecified.
///
/// The text may start with a byte order mark, which goes.
#[must_use]
pub fn format(text: &str) -> String {
    let body = without_mark(text);
    laid_out(body, &lex(body, Start::Code), text.len() - body.len())
}

/// Formats a file, or says that it has syntax errors, which [`parse`](crate::parse()) then tells.
///
/// This cuts the text into tokens once for both.
#[must_use]
pub fn format_checked(text: &str) -> Option<String> {
    let body = without_mark(text);
    // More than this has no place in a source map, and a NUL is a fault.
    if u32::try_from(text.len()).is_err() || body.as_bytes().contains(&0) {
        return None;
    }
    let tokens = lex(body, Start::Code);
    parser::is_faultless(body, &tokens).then(|| laid_out(body, &tokens, text.len() - body.len()))
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn laid_out(body: &str, tokens: &[Token], mark_bytes: usize) -> String {
    let mut texts = Texts { source: body, made: String::new() };
    let mut end = 0;
    let mut cells: Vec<Cell> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let Token { kind, start, end: after } = *token;
        cells.push(Cell { kind, start, end: after, blanks: start - end });
        end = after;
    }
    // Terraform takes the mark for blanks, which shows only if no token follows.
    if let [end] = cells.as_mut_slice() {
        end.blanks += offset(mark_bytes);
    }
    let mut cells = rewrite::rewrite(&cells, &mut texts);
    layout::lay_out(&mut cells, &texts);
    written(&cells, &texts)
}

fn written(cells: &[Cell], texts: &Texts) -> String {
    const BLANKS: &str = "                                                                ";
    let source = texts.source;
    let mut out = String::with_capacity(source.len() + source.len() / 16 + 16);
    // What is the same as in the source is copied in one go.
    let mut same = 0..0;
    for cell in cells {
        let (start, end) = (cell.start as usize, cell.end as usize);
        let in_place = end <= source.len()
            && start == same.end + cell.blanks as usize
            && source.as_bytes()[same.end..start].iter().all(|byte| *byte == b' ');
        if in_place {
            same.end = end;
            continue;
        }
        out.push_str(&source[same]);
        let mut missing = cell.blanks as usize;
        while missing > 0 {
            let some = missing.min(BLANKS.len());
            out.push_str(&BLANKS[..some]);
            missing -= some;
        }
        if end <= source.len() {
            same = start..end;
        } else {
            out.push_str(texts.of(*cell));
            // Nothing follows on a text that was made.
            same = source.len()..source.len();
        }
    }
    out.push_str(&source[same]);
    out
}
