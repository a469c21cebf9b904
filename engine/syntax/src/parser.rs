//! From tokens to the tree.
//!
//! A first pass expects a text without faults and stops at the first one. Only then a second pass
//! goes over the same tokens: it reports a fault, skips what belongs to it and goes on. So a good file
//! pays nothing for recovery, and what recovery guesses wrongly costs no good file anything.
//!
//! Read on in `expression` and `template`; `recover` says what is skipped after a fault, `fault` words
//! it.

mod expression;
mod fault;
mod recover;
mod template;

use std::collections::BTreeMap;
use std::sync::Arc;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::diagnostic::Diagnostics;
use crate::error::SyntaxError;
use crate::lex::{Kind, Start, Token, lex};
use crate::names::Names;
use crate::nested::deep;
use crate::position::Positions;
use crate::source::Span;
use crate::tree::{Attribute, Block, Body, Expr, Ident};

/// How deep brackets, blocks and templates may be nested.
///
/// Chains of operators, of conditionals and of attribute names count as one level, however long.
/// What is nested becomes a value that is nested as deep, and every later stage walks such values by
/// recursion; this is what they all survive on a thread of 2 MiB.
pub(crate) const MAX_DEPTH: usize = 250;

/// Parses a row of attributes and blocks. What cannot be read is left out and reported.
pub(crate) fn body(text: &str, positions: &Positions, diagnostics: &mut Diagnostics) -> Body {
    let tokens = lex(text, Start::Code);
    let read = |parser: &mut Parser| parser.body(None, 0);
    two_passes(text, &tokens, positions, diagnostics, read).unwrap_or_default()
}

/// Whether a row of attributes and blocks has no faults.
pub(crate) fn is_faultless(text: &str, tokens: &[Token]) -> bool {
    let mut found = Diagnostics::new();
    let positions = Positions::From(0);
    let read = Parser::new(text, tokens, &positions, &mut found, false).body(None, 0).is_ok();
    read && !found.has_errors()
}

/// Parses an expression that fills the text but for white space and comments.
pub(crate) fn expression(
    text: &str,
    positions: &Positions,
    diagnostics: &mut Diagnostics,
) -> Option<Expr> {
    let tokens = lex(text, Start::Code);
    two_passes(text, &tokens, positions, diagnostics, |parser| parser.whole_expression())
}

/// Parses a template that fills the text and knows no backslash escapes.
pub(crate) fn template(
    text: &str,
    positions: &Positions,
    diagnostics: &mut Diagnostics,
) -> Option<Expr> {
    let tokens = lex(text, Start::Template);
    two_passes(text, &tokens, positions, diagnostics, |parser| parser.whole_template())
}

fn two_passes<T>(
    text: &str,
    tokens: &[Token],
    positions: &Positions,
    diagnostics: &mut Diagnostics,
    read: fn(&mut Parser) -> Parsed<T>,
) -> Option<T> {
    let mut found = Diagnostics::new();
    if let Ok(tree) = read(&mut Parser::new(text, tokens, positions, &mut found, false)) {
        diagnostics.extend(found);
        return Some(tree);
    }
    read(&mut Parser::new(text, tokens, positions, diagnostics, true)).ok()
}

/// What could be read, or that a fault was met (and, in the second pass, reported).
type Parsed<T> = Result<T, Failed>;

struct Failed;

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    positions: &'a Positions<'a>,
    diagnostics: &'a mut Diagnostics,
    names: Names,
    /// The token to be read next.
    at: usize,
    /// Whether newlines count here; they do not within parentheses and brackets.
    newlines: bool,
    depth: usize,
    /// What is open around the next token, as places of tokens.
    opens: Vec<usize>,
    /// Whether this is the second pass.
    recovering: bool,
    /// Whether brackets do not match somewhere in the text.
    unbalanced: bool,
    /// Whether a part of the expression that is being read was dropped.
    lossy: bool,
    /// The bracket that was last reported as unclosed.
    unclosed: Option<usize>,
    /// Whether the block that was just read ended without its brace.
    cut: bool,
    /// Whether a block that was never closed is being left for the next one.
    leaving: bool,
}

impl<'a> Parser<'a> {
    fn new(
        text: &'a str,
        tokens: &'a [Token],
        positions: &'a Positions,
        diagnostics: &'a mut Diagnostics,
        recovering: bool,
    ) -> Self {
        let unbalanced = recovering && recover::unbalanced(tokens);
        Self {
            text,
            tokens,
            positions,
            diagnostics,
            names: Names::default(),
            at: 0,
            newlines: true,
            depth: 0,
            opens: Vec::new(),
            recovering,
            unbalanced,
            lossy: false,
            unclosed: None,
            cut: false,
            leaving: false,
        }
    }

    // Tokens.

    /// The kind of the next token that counts here.
    fn kind(&mut self) -> Kind {
        loop {
            match self.tokens[self.at].kind {
                Kind::Comment => self.at += 1,
                Kind::Newline | Kind::LineComment if !self.newlines => self.at += 1,
                Kind::LineComment => return Kind::Newline,
                kind => return kind,
            }
        }
    }

    /// Goes past the next token and says where it was. The end is never passed.
    fn bump(&mut self) -> usize {
        let at = self.at;
        self.at = (at + 1).min(self.tokens.len() - 1);
        at
    }

    fn word(&self, at: usize) -> &'a str {
        &self.text[self.tokens[at].range()]
    }

    /// Whether the next token is this word.
    fn is_word(&mut self, word: &str) -> bool {
        self.kind() == Kind::Ident && self.word(self.at) == word
    }

    fn span(&self, at: usize) -> Span {
        self.positions.span(self.tokens[at].range())
    }

    /// From the start of one token to the end of another.
    fn between(&self, first: usize, last: usize) -> Span {
        self.positions.span(self.tokens[first].range().start..self.tokens[last].range().end)
    }

    fn ident(&mut self, at: usize) -> Ident {
        let text = self.names.share(self.word(at));
        Ident { text, span: self.span(at) }
    }

    /// The shared copy of a text, normalised as all strings of the language are.
    fn string(&mut self, text: &str) -> Arc<str> {
        if text.is_ascii() || is_nfc(text) {
            return self.names.share(text);
        }
        self.names.share(&text.nfc().collect::<String>())
    }

    /// Reads something that stands within a bracket, with its own rule for newlines.
    fn inside<T>(
        &mut self,
        open: usize,
        newlines: bool,
        read: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            self.opens.push(open);
            let error = SyntaxError::TooDeep { limit: MAX_DEPTH, span: self.span(open) };
            return Err(self.fault(error));
        }
        let outer = std::mem::replace(&mut self.newlines, newlines);
        self.opens.push(open);
        self.depth += 1;
        let outcome = deep(|| read(self));
        self.depth -= 1;
        self.newlines = outer;
        if outcome.is_ok() {
            // After a fault it says what has to be skipped.
            self.opens.pop();
        }
        outcome
    }

    // Bodies.

    /// Reads attributes and blocks up to the end, or past the brace that closes the block opened
    /// at `open`.
    fn body(&mut self, open: Option<usize>, start: usize) -> Parsed<Body> {
        let mut body = Body::default();
        let mut names = BTreeMap::new();
        let end = loop {
            match self.kind() {
                Kind::Newline => {
                    self.bump();
                }
                Kind::CloseBrace if open.is_some_and(|open| !self.closes_outer(open)) => {
                    break self.bump();
                }
                Kind::End if open.is_none() => break self.at,
                kind if open.is_some_and(|open| self.block_is_unclosed(open)) => {
                    let failed = self.unclosed_block(open.unwrap_or_default());
                    if !self.recovering {
                        return Err(failed);
                    }
                    self.unclosed = None;
                    body.incomplete = true;
                    if kind == Kind::CloseBrace {
                        // It closes the block around this one.
                        self.cut = true;
                        break self.at;
                    }
                    self.leaving = true;
                }
                _ => self.item_or_recover(&mut body, &mut names)?,
            }
            if self.leaving {
                body.incomplete = true;
                if open.is_some() {
                    break self.at;
                }
                self.leaving = false;
            }
        };
        let end = self.tokens[end].range().start;
        body.span = self.positions.span(start..end.max(start));
        body.attributes.shrink_to_fit();
        body.blocks.shrink_to_fit();
        Ok(body)
    }

    fn item_or_recover(
        &mut self,
        body: &mut Body,
        names: &mut BTreeMap<Arc<str>, Span>,
    ) -> Parsed<()> {
        let (start, base) = (self.at, self.opens.len());
        let outcome = self.item(body, names);
        if outcome.is_err() {
            if !self.recovering {
                return outcome;
            }
            body.incomplete = true;
            self.newlines = true;
            self.skip_item(start, base);
        }
        Ok(())
    }

    fn item(&mut self, body: &mut Body, names: &mut BTreeMap<Arc<str>, Span>) -> Parsed<()> {
        if self.kind() != Kind::Ident {
            return Err(self.no_item());
        }
        let name = self.bump();
        match self.kind() {
            Kind::Assign => {
                self.lossy = false;
                let attribute = self.attribute(name)?;
                self.end_of_line(Kind::Assign)?;
                if std::mem::take(&mut self.lossy) {
                    body.incomplete = true;
                } else {
                    self.add(body, attribute, names);
                }
                Ok(())
            }
            Kind::OpenQuote | Kind::OpenBrace | Kind::Ident => {
                let block = self.block(name)?;
                body.blocks.push(block);
                if std::mem::take(&mut self.cut) || self.leaving {
                    return Ok(());
                }
                self.end_of_line(Kind::OpenBrace)
            }
            _ => Err(self.no_value(name)),
        }
    }

    fn attribute(&mut self, name: usize) -> Parsed<Attribute> {
        self.bump();
        let name = self.ident(name);
        let expr = self.expr()?;
        let span = name.span.join(expr.span);
        Ok(Attribute { name, expr, span })
    }

    /// Adds an attribute, unless its name was there before.
    fn add(&mut self, body: &mut Body, attribute: Attribute, names: &mut BTreeMap<Arc<str>, Span>) {
        /// With fewer attributes, looking at all of them is faster than keeping a map.
        const FEW: usize = 24;
        let known = &body.attributes;
        let name = &attribute.name.text;
        let first = if known.len() < FEW {
            known.iter().find(|known| known.name.text == *name).map(|known| known.name.span)
        } else {
            if names.is_empty() {
                let pairs =
                    known.iter().map(|known| (Arc::clone(&known.name.text), known.name.span));
                names.extend(pairs);
            }
            let first = names.get(name).copied();
            if first.is_none() {
                names.insert(Arc::clone(name), attribute.name.span);
            }
            first
        };
        match first {
            Some(first) => self.diagnostics.push(SyntaxError::DuplicateAttribute {
                name: name.to_string(),
                first,
                span: attribute.name.span,
            }),
            None => body.attributes.push(attribute),
        }
    }

    fn block(&mut self, kind: usize) -> Parsed<Block> {
        let mut labels = Vec::new();
        let mut last = kind;
        let open = loop {
            match self.kind() {
                Kind::OpenBrace => break self.bump(),
                Kind::Ident => {
                    last = self.bump();
                    labels.push(self.ident(last));
                }
                Kind::OpenQuote => {
                    let quote = self.bump();
                    labels.push(self.label(quote)?);
                    last = self.at - 1;
                }
                _ => return Err(self.no_block()),
            }
        };
        labels.shrink_to_fit();
        let inside = self.tokens[open].range().end;
        let body = self.inside(open, true, |parser| match parser.kind() {
            Kind::Newline | Kind::CloseBrace | Kind::End => parser.body(Some(open), inside),
            _ => parser.one_line_body(inside),
        })?;
        Ok(Block {
            kind: self.ident(kind),
            labels,
            body: Arc::new(body),
            span: self.between(kind, self.at.saturating_sub(1).max(open)),
            header: self.between(kind, last),
        })
    }

    /// Reads `name = value }`.
    fn one_line_body(&mut self, start: usize) -> Parsed<Body> {
        if self.kind() != Kind::Ident {
            return Err(self.no_item());
        }
        let name = self.bump();
        let next = self.kind();
        if next != Kind::Assign {
            if matches!(next, Kind::Ident | Kind::OpenQuote | Kind::OpenBrace) {
                // It is the whole block that has no place here.
                self.at = name;
            }
            return Err(self.one_line_block());
        }
        let attribute = self.attribute(name)?;
        if self.kind() != Kind::CloseBrace {
            return Err(self.one_line_block());
        }
        let close = self.bump();
        let span = self.positions.span(start..self.tokens[close].range().start);
        Ok(Body { attributes: vec![attribute], span, ..Body::default() })
    }

    /// The rest of a quoted label.
    fn label(&mut self, quote: usize) -> Parsed<Ident> {
        let mut text = String::new();
        loop {
            let at = self.at;
            match self.tokens[at].kind {
                Kind::QuotedText => text.push_str(&self.unescaped(self.tokens[at], true)),
                Kind::CloseQuote => {
                    self.bump();
                    break;
                }
                Kind::Interpolation | Kind::Directive => {
                    self.opens.push(quote);
                    return Err(self.template_in_label());
                }
                _ => return Err(self.unclosed_string(quote)),
            }
            self.bump();
        }
        Ok(Ident { text: self.names.share(&text), span: self.between(quote, self.at - 1) })
    }

    /// An attribute or block is followed by nothing on its line.
    fn end_of_line(&mut self, after: Kind) -> Parsed<()> {
        match self.kind() {
            Kind::Newline => {
                self.bump();
                Ok(())
            }
            Kind::End => Ok(()),
            _ => Err(self.more_on_line(after)),
        }
    }
}
