//! Strings, here-documents and templates.
//!
//! Within them every token counts, so tokens are read as they are; see [`crate::template`] for what
//! strip markers and indentation do to the result.

use super::{Failed, Parsed, Parser};
use crate::error::SyntaxError;
use crate::lex::{Kind, Token};
use crate::template::{Piece, Sequence, assemble, unescape};
use crate::tree::{Expr, ExprKind, TemplatePart};

impl Parser<'_> {
    /// Reads a template that fills the text.
    pub(super) fn whole_template(&mut self) -> Parsed<Expr> {
        let pieces = self.pieces(None, Kind::End)?;
        let kind = self.assembled(pieces, false);
        let span = self.positions.span(0..self.text.len());
        if self.lossy { Err(Failed) } else { Ok(Expr { kind, span }) }
    }

    /// Reads the rest of a quoted string.
    pub(super) fn quoted(&mut self, open: usize) -> Parsed<Expr> {
        // Nearly all strings are plain text.
        let (text, next) =
            (self.tokens[self.at], self.tokens[(self.at + 1).min(self.tokens.len() - 1)]);
        let kind = match (text.kind, next.kind) {
            (Kind::QuotedText, Kind::CloseQuote) => {
                let raw = &self.text[text.range()];
                let value = if raw.bytes().any(|b| matches!(b, b'\\' | b'$' | b'%')) {
                    let value = self.unescaped(text, true);
                    self.string(&value)
                } else {
                    self.string(raw)
                };
                self.at += 2;
                ExprKind::String(value)
            }
            (Kind::CloseQuote, _) => {
                self.at += 1;
                ExprKind::String(self.names.share(""))
            }
            _ => {
                let newlines = self.newlines;
                let pieces =
                    self.inside(open, newlines, |p| p.pieces(Some(open), Kind::CloseQuote))?;
                self.assembled(pieces, false)
            }
        };
        Ok(Expr { kind, span: self.between(open, self.at - 1) })
    }

    /// Reads the rest of a here-document.
    pub(super) fn heredoc(&mut self, open: usize) -> Parsed<Expr> {
        let newlines = self.newlines;
        let pieces = self.inside(open, newlines, |p| p.pieces(Some(open), Kind::CloseHeredoc))?;
        let kind = self.assembled(pieces, self.word(open).starts_with("<<-"));
        Ok(Expr { kind, span: self.between(open, self.at - 1) })
    }

    fn assembled(&mut self, pieces: Vec<Piece>, indented: bool) -> ExprKind {
        let mut faults = Vec::new();
        let mut parts = assemble(pieces, indented, &mut faults);
        for fault in faults {
            self.lossy = true;
            self.fault_beside(fault);
        }
        self.share(&mut parts);
        match parts.as_mut_slice() {
            [] => ExprKind::String(self.names.share("")),
            [TemplatePart::Literal(text)] => ExprKind::String(text.clone()),
            _ => ExprKind::Template(parts),
        }
    }

    fn share(&mut self, parts: &mut Vec<TemplatePart>) {
        parts.shrink_to_fit();
        for part in parts {
            match part {
                TemplatePart::Literal(text) => *text = self.string(text),
                TemplatePart::Interpolation(_) => {}
                TemplatePart::If { then, otherwise, .. } => {
                    self.share(then);
                    self.share(otherwise);
                }
                TemplatePart::For { body, .. } => self.share(body),
            }
        }
    }

    /// Reads text and sequences past the token that ends them.
    fn pieces(&mut self, open: Option<usize>, end: Kind) -> Parsed<Vec<Piece>> {
        let mut pieces = Vec::new();
        loop {
            let token = self.tokens[self.at];
            match token.kind {
                kind if kind == end => {
                    self.bump();
                    return Ok(pieces);
                }
                Kind::QuotedText => {
                    self.bump();
                    pieces.push(Piece::Literal(self.unescaped(token, true)));
                }
                Kind::PlainText => {
                    // A template without quotes takes it.
                    if end != Kind::End {
                        self.refuse_carriage_return(token);
                    }
                    self.bump();
                    pieces.push(Piece::Literal(self.unescaped(token, false)));
                }
                Kind::Interpolation | Kind::Directive => {
                    let (at, base) = (self.bump(), self.opens.len());
                    match self.inside(at, false, |parser| parser.sequence(at)) {
                        Ok(piece) => pieces.push(piece),
                        Err(Failed) => self.skip_sequence(at, base)?,
                    }
                }
                _ => return Err(self.unclosed_template(open)),
            }
        }
    }

    /// Reads what stands between `${` or `%{` and `}`, and that brace.
    fn sequence(&mut self, open: usize) -> Parsed<Piece> {
        let sequence = if self.tokens[open].kind == Kind::Interpolation {
            Sequence::Interpolation(self.expr()?)
        } else {
            self.directive()?
        };
        if self.kind() != Kind::CloseSequence {
            return Err(self.unclosed_sequence_or(open));
        }
        let close = self.bump();
        Ok(Piece::Sequence {
            sequence,
            strip_before: self.word(open).ends_with('~'),
            strip_after: self.word(close).starts_with('~'),
            span: self.between(open, close),
        })
    }

    fn directive(&mut self) -> Parsed<Sequence> {
        if self.kind() != Kind::Ident {
            return Err(self.no_directive());
        }
        match self.word(self.at) {
            "if" => {
                self.bump();
                Ok(Sequence::If(self.expr()?))
            }
            "else" => {
                self.bump();
                Ok(Sequence::Else)
            }
            "endif" => {
                self.bump();
                Ok(Sequence::EndIf)
            }
            "for" => {
                let (key, value, collection) = self.for_names()?;
                Ok(Sequence::For { key, value, collection })
            }
            "endfor" => {
                self.bump();
                Ok(Sequence::EndFor)
            }
            _ => Err(self.no_directive()),
        }
    }

    /// The text of a token with its escapes resolved; those that are none are reported.
    pub(super) fn unescaped(&mut self, token: Token, quoted: bool) -> String {
        let raw = &self.text[token.range()];
        let mut bad = Vec::new();
        let text = unescape(raw, quoted, &mut bad);
        for escape in bad {
            let start = token.range().start;
            self.fault_beside(SyntaxError::UnknownEscape {
                sequence: raw[escape.start..escape.end].to_owned(),
                span: self.positions.span(start + escape.start..start + escape.end),
            });
        }
        text
    }

    /// A carriage return alone ends no line, and is no character of a text either.
    fn refuse_carriage_return(&mut self, token: Token) {
        let raw = &self.text[token.range()];
        let body = raw.strip_suffix("\r\n").unwrap_or(raw);
        if let Some(at) = body.find('\r') {
            let at = token.range().start + at;
            self.fault_beside(SyntaxError::Unexpected {
                found: "carriage return".to_owned(),
                expected: "a line ends with a newline, which may follow a carriage return"
                    .to_owned(),
                span: self.positions.span(at..at + 1),
                help: Some("save the file with the line endings of Unix or of Windows".to_owned()),
            });
        }
    }
}
