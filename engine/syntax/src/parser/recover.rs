//! What to skip after a fault, so that the next fault is another one.
//!
//! All of it works on tokens. The brackets that were open at the fault are known, those that
//! follow are counted, and what closes a bracket from further out ends what is skipped.

use super::{Failed, Parsed, Parser};
use crate::lex::{Kind, Token};

/// Whether brackets do not match: one is missing or one is too many.
pub(super) fn unbalanced(tokens: &[Token]) -> bool {
    let mut open: Vec<Kind> = Vec::new();
    for token in tokens {
        if closes(token.kind) {
            if !open.pop().is_some_and(|open| pair(open, token.kind)) {
                return true;
            }
        } else if opens(token.kind) {
            open.push(token.kind);
        }
    }
    !open.is_empty()
}

fn opens(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::OpenBrace
            | Kind::OpenBracket
            | Kind::OpenParen
            | Kind::OpenQuote
            | Kind::OpenHeredoc
            | Kind::Interpolation
            | Kind::Directive
    )
}

fn closes(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::CloseBrace
            | Kind::CloseBracket
            | Kind::CloseParen
            | Kind::CloseQuote
            | Kind::UnclosedString
            | Kind::CloseHeredoc
            | Kind::CloseSequence
    )
}

fn pair(open: Kind, close: Kind) -> bool {
    match open {
        Kind::OpenBrace => close == Kind::CloseBrace,
        Kind::OpenBracket => close == Kind::CloseBracket,
        Kind::OpenParen => close == Kind::CloseParen,
        Kind::OpenQuote => matches!(close, Kind::CloseQuote | Kind::UnclosedString),
        Kind::OpenHeredoc => close == Kind::CloseHeredoc,
        Kind::Interpolation | Kind::Directive => close == Kind::CloseSequence,
        _ => false,
    }
}

/// What a token does to the brackets that were opened since the place that skipping must return to.
enum Step {
    Within,
    /// It closes something further out.
    ClosesOuter,
}

impl Parser<'_> {
    /// The brackets that were opened after the first `base`, without one that was reported as unclosed.
    fn nest_since(&mut self, base: usize) -> Vec<usize> {
        let unclosed = self.unclosed.take();
        let since = self.opens.split_off(base);
        since
            .into_iter()
            .filter(|at| opens(self.tokens[*at].kind) && Some(*at) != unclosed)
            .collect()
    }

    fn step(&self, at: usize, nest: &mut Vec<usize>) -> Step {
        let kind = self.tokens[at].kind;
        if opens(kind) {
            nest.push(at);
        } else if matches!(kind, Kind::UnclosedString | Kind::UnclosedSequence) {
            // What was opened on the line may have been closed in what now looks like text.
            let line = self.line_start(at);
            nest.retain(|open| self.tokens[*open].range().start < line);
        } else if closes(kind) {
            let opener = nest.iter().rposition(|open| pair(self.tokens[*open].kind, kind));
            match opener {
                Some(opener) => nest.truncate(opener),
                None => return Step::ClosesOuter,
            }
        }
        Step::Within
    }

    /// Skips the rest of the attribute or block that began at `start`, and its line.
    pub(super) fn skip_item(&mut self, start: usize, base: usize) {
        let failed_at = self.at;
        let mut nest = self.nest_since(base);
        let in_block = base > 0;
        let mut at = failed_at;
        loop {
            let kind = self.tokens[at].kind;
            let next_item = at > start && self.is_first_on_line(at);
            if kind == Kind::End
                || (next_item && at == failed_at && nest.is_empty())
                || (next_item && self.unbalanced && self.begins_block(at))
            {
                break;
            }
            let step = self.step(at, &mut nest);
            if matches!(step, Step::ClosesOuter) && kind == Kind::CloseBrace && in_block {
                break;
            }
            at += 1;
            if matches!(kind, Kind::Newline | Kind::LineComment) && nest.is_empty() {
                break;
            }
        }
        self.at = at;
    }

    /// Skips the rest of one item within the bracket at `open`, up to what separates it from the next.
    pub(super) fn skip_part(&mut self, open: usize, base: usize) -> Parsed<()> {
        if !self.recovering || self.unclosed.is_some_and(|unclosed| unclosed <= open) {
            return Err(Failed);
        }
        let saved = self.opens.clone();
        let mut nest = self.nest_since(base);
        let separated_by_newline = self.tokens[open].kind == Kind::OpenBrace;
        let mut at = self.at;
        loop {
            let kind = self.tokens[at].kind;
            let newline = matches!(kind, Kind::Newline | Kind::LineComment);
            let separates = kind == Kind::Comma || (newline && separated_by_newline);
            if kind == Kind::End || (self.unbalanced && self.begins_block(at)) {
                self.opens = saved;
                self.at = at;
                return Err(Failed);
            }
            if nest.is_empty() && separates {
                break;
            }
            let cut_off = matches!(kind, Kind::UnclosedString | Kind::UnclosedSequence)
                && self.line_start(at) <= self.tokens[open].range().start;
            if cut_off {
                self.at = at;
                return Err(Failed);
            }
            if matches!(self.step(at, &mut nest), Step::ClosesOuter) {
                if pair(self.tokens[open].kind, kind) {
                    break;
                }
                self.at = at;
                return Err(Failed);
            }
            at += 1;
        }
        self.at = at;
        self.newlines = separated_by_newline;
        self.lossy = true;
        Ok(())
    }

    /// Skips the rest of the template sequence at `open`, and the brace that ends it.
    pub(super) fn skip_sequence(&mut self, open: usize, base: usize) -> Parsed<()> {
        if !self.recovering || self.unclosed.is_some_and(|unclosed| unclosed <= open) {
            return Err(Failed);
        }
        let mut nest = self.nest_since(base);
        if nest.is_empty() {
            nest.push(open);
        }
        let mut at = self.at;
        while !nest.is_empty() {
            let kind = self.tokens[at].kind;
            if kind == Kind::End || matches!(self.step(at, &mut nest), Step::ClosesOuter) {
                self.at = at;
                return Err(Failed);
            }
            if kind == Kind::UnclosedSequence {
                return Err(Failed);
            }
            at += 1;
        }
        self.at = at;
        self.lossy = true;
        Ok(())
    }

    /// Whether the next token belongs to something around the bracket at `open`.
    pub(super) fn belongs_around(&self, open: usize) -> bool {
        let kind = self.tokens[self.at].kind;
        if kind == Kind::End {
            return true;
        }
        if closes(kind) {
            let outer = self.opens.iter().filter(|at| **at < open);
            let mut outer = outer.map(|at| self.tokens[*at].kind);
            return outer.any(|outer| pair(outer, kind)) || pair(self.tokens[open].kind, kind);
        }
        let next = self.tokens.get(self.at + 1).map(|token| token.kind);
        self.is_first_on_line(self.at)
            && (self.begins_block(self.at)
                || (kind == Kind::Ident
                    && next == Some(Kind::Assign)
                    && self.tokens[open].kind != Kind::OpenBrace))
    }

    /// Whether the brace that comes next, the first thing on its line, stands where one of a block further out
    /// would, and not where that of the bracket at `open` would.
    pub(super) fn closes_outer(&self, open: usize) -> bool {
        if !self.unbalanced || !self.is_first_on_line(self.at) {
            return false;
        }
        let column = self.indent(self.at);
        let outer = self.opens.iter().filter(|at| **at < open);
        column < self.indent(open)
            && outer
                .filter(|at| self.tokens[**at].kind == Kind::OpenBrace)
                .any(|at| self.indent(*at) == column)
    }

    /// Whether the block at `open` cannot go on: the text ends, its content belongs to a block further out, or
    /// another block begins where only outermost ones do.
    pub(super) fn block_is_unclosed(&self, open: usize) -> bool {
        self.tokens[self.at].kind == Kind::End
            || (self.tokens[self.at].kind == Kind::CloseBrace && self.closes_outer(open))
            || (self.unbalanced && self.begins_block(self.at))
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..self.tokens[at].range().start].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// How far the line of a token is indented.
    fn indent(&self, at: usize) -> usize {
        let line = &self.text[self.line_start(at)..];
        line.len() - line.trim_start_matches([' ', '\t']).len()
    }

    fn is_first_on_line(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map(|before| self.tokens[before].kind);
        matches!(before, None | Some(Kind::Newline | Kind::LineComment))
    }

    /// `resource "type" "name" {` at the very beginning of a line.
    fn begins_block(&self, at: usize) -> bool {
        if self.tokens[at].kind != Kind::Ident
            || !self.is_first_on_line(at)
            || self.line_start(at) != self.tokens[at].range().start
        {
            return false;
        }
        let rest = self.tokens[at + 1..].iter().map(|token| token.kind);
        let mut rest = rest.skip_while(|kind| {
            matches!(kind, Kind::OpenQuote | Kind::QuotedText | Kind::CloseQuote)
        });
        rest.next() == Some(Kind::OpenBrace)
            && matches!(rest.next(), Some(Kind::Newline | Kind::LineComment | Kind::CloseBrace))
    }
}
