//! How many blanks stand before each token.
//!
//! A line has up to three cells: what leads, from `=` on what is assigned, and a comment at the end.
//! Assignments on neighbouring lines are aligned, and so are comments.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::{Cell, Texts, offset};
use crate::lex::Kind;

/// The cells of a line, as places of tokens: what leads up to `assign`, what is assigned up to `comment`,
/// a comment up to `end`. Those that a line lacks are empty.
#[derive(Clone, Copy)]
struct Line {
    start: u32,
    assign: u32,
    comment: u32,
    end: u32,
}

impl Line {
    fn lead(self) -> Range<usize> {
        self.start as usize..self.assign as usize
    }

    fn assigned(self) -> Range<usize> {
        self.assign as usize..self.comment as usize
    }

    fn commented(self) -> Range<usize> {
        self.comment as usize..self.end as usize
    }
}

pub(super) fn lay_out(cells: &mut [Cell], texts: &Texts) {
    let lines = lines(cells);
    indent(cells, &lines);
    for line in &lines {
        space(cells, texts, line.lead());
        if let Some(first) = cells[line.assigned()].first_mut() {
            first.blanks = 1;
        }
        space(cells, texts, line.assigned());
    }
    let plain = texts.is_plain();
    let columns = |cells: &[Cell]| columns(cells, texts, plain);
    align(cells, &lines, |line| line.assigned(), |cells, line| columns(&cells[line.lead()]));
    align(
        cells,
        &lines,
        |line| line.commented(),
        |cells, line| columns(&cells[line.lead()]) + columns(&cells[line.assigned()]),
    );
}

/// What a token does to the number of open brackets.
pub(super) fn bracket_change(kind: Kind) -> isize {
    match kind {
        Kind::OpenBrace
        | Kind::OpenBracket
        | Kind::OpenParen
        | Kind::Interpolation
        | Kind::Directive => 1,
        Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen | Kind::CloseSequence => -1,
        _ => 0,
    }
}

fn lines(cells: &[Cell]) -> Vec<Line> {
    // Lines of real files have some ten tokens.
    let mut lines = Vec::with_capacity(cells.len() / 8);
    let mut start = 0;
    for (at, cell) in cells.iter().enumerate() {
        match cell.kind {
            Kind::Newline | Kind::LineComment => {
                lines.push(line(cells, start..at + 1));
                start = at + 1;
            }
            Kind::End => lines.push(line(cells, start..at)),
            _ => {}
        }
    }
    lines
}

fn line(cells: &[Cell], all: Range<usize>) -> Line {
    let Range { start, mut end } = all;
    let whole = end;
    if end - start > 1 && matches!(cells[end - 1].kind, Kind::LineComment | Kind::Comment) {
        end -= 1;
    }
    let comment = end;
    let equals = (start + 1..end).find(|at| cells[*at].kind == Kind::Assign);
    if let Some(equals) = equals {
        // With a bracket left open, what is assigned goes on over the next lines.
        let net: isize = cells[equals..end].iter().map(|cell| bracket_change(cell.kind)).sum();
        if net == 0 {
            end = equals;
        }
    }
    Line { start: offset(start), assign: offset(end), comment: offset(comment), end: offset(whole) }
}

/// Indents by the brackets that are open. However many a line opens, what follows is one step further in.
fn indent(cells: &mut [Cell], lines: &[Line]) {
    let mut steps: Vec<usize> = Vec::new();
    for line in lines {
        let Some(first) = cells[line.lead()].first() else {
            continue;
        };
        if first.kind == Kind::Newline {
            cells[line.start as usize].blanks = 0;
            continue;
        }
        let mut net = 0;
        for cell in &cells[line.lead()] {
            net += bracket_change(cell.kind);
            if cell.kind == Kind::OpenHeredoc {
                break;
            }
        }
        net += cells[line.assigned()].iter().map(|c| bracket_change(c.kind)).sum::<isize>();
        if net < 0 {
            close(&mut steps, net.unsigned_abs());
        }
        cells[line.start as usize].blanks = offset(2 * steps.len());
        if net > 0 {
            steps.push(net.unsigned_abs());
        }
    }
}

fn close(steps: &mut Vec<usize>, mut closed: usize) {
    while closed > 0
        && let Some(opened) = steps.last_mut()
    {
        if closed < *opened {
            *opened -= closed;
            return;
        }
        closed -= *opened;
        steps.pop();
    }
}

/// Sets the blanks between the tokens of one cell.
fn space(cells: &mut [Cell], texts: &Texts, range: Range<usize>) {
    let Range { start, end } = range;
    for at in start + 1..end {
        let before = (at - 1 > start).then(|| cells[at - 2].kind);
        let subject = cells[at - 1];
        let after = cells[at].kind;
        let spaced = is_spaced(subject, texts, before, after)
            || (at + 1 < end && splits_indexes(subject.kind, before, after, cells[at + 1].kind));
        cells[at].blanks = u32::from(spaced);
    }
}

/// `a.0 .1`: without the blank these two indexes would be the number `0.1`. Terraform drops it, and
/// then refuses its own result.
fn splits_indexes(subject: Kind, before: Option<Kind>, after: Kind, next: Kind) -> bool {
    subject == Kind::Number
        && after == Kind::Dot
        && next == Kind::Number
        && before == Some(Kind::Dot)
}

/// Whether a blank stands between `subject` and the token after it. The order of the rules counts.
fn is_spaced(subject: Cell, texts: &Texts, before: Option<Kind>, after: Kind) -> bool {
    use Kind::{
        Bang, CloseBrace, CloseHeredoc, CloseQuote, CloseSequence, Comma, Directive, Dot,
        DoubleColon, Ellipsis, Ident, Interpolation, Minus, Newline, Number, OpenBrace,
        OpenBracket, OpenHeredoc, OpenParen, OpenQuote, PlainText, QuotedText,
    };
    let kind = subject.kind;
    match (kind, after) {
        (Ident, OpenParen | DoubleColon)
        | (DoubleColon, Ident)
        | (Dot, _)
        | (_, Newline | Dot | Comma | Ellipsis) => false,
        (Comma, _) => true,
        // Nothing is added to texts.
        (QuotedText | PlainText | OpenQuote | OpenHeredoc, _)
        | (_, QuotedText | PlainText | CloseQuote | CloseHeredoc) => false,
        // `[for x in [a] : x]`
        (Ident, _) if before == Some(Ident) && texts.of(subject) == "in" => true,
        (Ident | Number, OpenBracket) => false,
        (_, OpenBracket) if bracket_change(kind) < 0 => false,
        (Bang, _) => false,
        (Minus, _) => !before.is_none_or(precedes_sign),
        (OpenBrace, _) | (_, CloseBrace) => (kind, after) != (OpenBrace, CloseBrace),
        (Interpolation | Directive, OpenBrace) | (CloseBrace, CloseSequence) => true,
        (CloseSequence, Interpolation | Directive) => false,
        _ => !(bracket_change(kind) > 0 || bracket_change(after) < 0),
    }
}

/// Whether a minus after such a token is a sign, not an operator.
fn precedes_sign(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::OpenParen
            | Kind::OpenBrace
            | Kind::OpenBracket
            | Kind::Assign
            | Kind::Colon
            | Kind::Comma
            | Kind::Question
            | Kind::Plus
            | Kind::Star
            | Kind::Slash
            | Kind::Percent
            | Kind::Minus
            | Kind::Equal
            | Kind::NotEqual
            | Kind::Greater
            | Kind::GreaterOrEqual
            | Kind::Less
            | Kind::LessOrEqual
            | Kind::And
            | Kind::Or
            | Kind::Bang
    )
}

/// Aligns one cell of all lines that follow each other and have it.
fn align(
    cells: &mut [Cell],
    lines: &[Line],
    cell_of: impl Fn(Line) -> Range<usize>,
    columns_before: impl Fn(&[Cell], Line) -> usize,
) {
    let mut widths = Vec::new();
    for chain in lines.split(|line| cell_of(*line).is_empty()).filter(|chain| !chain.is_empty()) {
        widths.clear();
        widths.extend(chain.iter().map(|line| columns_before(cells, *line)));
        let widest = widths.iter().copied().max().unwrap_or(0);
        for (line, width) in chain.iter().zip(&widths) {
            cells[cell_of(*line).start].blanks = offset(widest - width + 1);
        }
    }
}

/// How many characters, as a reader counts them, tokens take with the blanks before them. Of a plain text each
/// byte is one.
fn columns(cells: &[Cell], texts: &Texts, plain: bool) -> usize {
    let columns = |cell: &Cell| {
        let text =
            if plain { (cell.end - cell.start) as usize } else { graphemes(texts.of(*cell)) };
        cell.blanks as usize + text
    };
    cells.iter().map(columns).sum()
}

fn graphemes(text: &str) -> usize {
    // Carriage return and newline count as one, which only the full rule knows.
    if text.is_ascii() && !text.contains('\r') { text.len() } else { text.graphemes(true).count() }
}
