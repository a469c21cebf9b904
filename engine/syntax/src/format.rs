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

use std::borrow::Cow;

use crate::lex::{Kind, Start, lex};

/// A token and the number of blanks before it.
#[derive(Clone, Debug)]
struct Cell<'a> {
    kind: Kind,
    text: Cow<'a, str>,
    blanks: usize,
}

/// Formats a file that has no syntax errors; of one that has some, the result is unspecified.
///
/// The text may start with a byte order mark, which goes.
#[must_use]
pub fn format(text: &str) -> String {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut end = 0;
    let mut cells: Vec<Cell> = Vec::with_capacity(body.len() / 4);
    for token in lex(body, Start::Code) {
        let range = token.range();
        let blanks = range.start - end;
        end = range.end;
        cells.push(Cell { kind: token.kind, text: Cow::Borrowed(&body[range]), blanks });
    }
    // Terraform takes the mark for blanks, which shows only if no token follows.
    if let [end] = cells.as_mut_slice() {
        end.blanks += text.len() - body.len();
    }
    let mut cells = rewrite::rewrite(cells);
    layout::lay_out(&mut cells);
    written(&cells, text.len())
}

fn written(cells: &[Cell], expected_bytes: usize) -> String {
    const BLANKS: &str = "                                                                ";
    let mut out = String::with_capacity(expected_bytes + expected_bytes / 8);
    for cell in cells {
        let mut missing = cell.blanks;
        while missing > 0 {
            let some = missing.min(BLANKS.len());
            out.push_str(&BLANKS[..some]);
            missing -= some;
        }
        out.push_str(&cell.text);
    }
    out
}
