//! JSON configuration: the same tree, with a span for each part.
//!
//! Whether a property is an attribute or a block only the decoder knows, so a body keeps all of them as
//! attributes; see [`crate::body`].

use std::sync::Arc;

use crate::diagnostic::Diagnostics;
use crate::error::SyntaxError;
use crate::parser::{self, MAX_DEPTH};
use crate::position::Positions;
use crate::source::{SourceText, Span};
use crate::tree::{Body, Expr, ExprKind, Ident, ObjectItem, ObjectKey};

/// Parses a whole file, whose outermost value must be an object, or an array of objects.
pub(crate) fn body(
    file: &SourceText,
    templates: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Body> {
    let mut reader =
        Reader { text: &file.text, base: file.base, at: 0, depth: 0, templates, diagnostics };
    let value = reader.document()?;
    match value.kind {
        ExprKind::Object(items) => Some(Body::from_json_object(&items, value.span)),
        ExprKind::Tuple(parts) => {
            let mut items = Vec::new();
            for part in parts {
                match part.kind {
                    ExprKind::Object(inner) => items.extend(inner),
                    _ => reader.fault(
                        "the outermost array must hold objects",
                        "an object belongs here",
                        part.span,
                    ),
                }
            }
            Some(Body::from_json_object(&items, value.span))
        }
        _ => {
            reader.fault(
                "the outermost value must be an object",
                "an object belongs here",
                value.span,
            );
            None
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    base: u32,
    at: usize,
    depth: usize,
    templates: bool,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn span(&self, from: usize, to: usize) -> Span {
        let at = |offset: usize| self.base + u32::try_from(offset).unwrap_or(u32::MAX - self.base);
        Span::new(at(from), at(to))
    }

    fn fault(&mut self, message: &str, expected: &str, span: Span) {
        self.diagnostics.push(SyntaxError::InvalidJson {
            message: message.to_owned(),
            expected: expected.to_owned(),
            span,
        });
    }

    fn fault_here(&mut self, message: &str, expected: &str) {
        let end = self.text[self.at..].chars().next().map_or(self.at, |c| self.at + c.len_utf8());
        let span = self.span(self.at, end);
        self.fault(message, expected, span);
    }

    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn document(&mut self) -> Option<Expr> {
        let value = self.value()?;
        if self.peek().is_some() {
            self.fault_here("there is more after the end", "nothing belongs here");
            return None;
        }
        Some(value)
    }

    fn value(&mut self) -> Option<Expr> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => {
                let (text, table) = self.string()?;
                let span = self.span(start, self.at);
                if self.templates && (text.contains("${") || text.contains("%{")) {
                    return Some(self.template(&text, &table, span));
                }
                Some(Expr { kind: ExprKind::String(text.into()), span })
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't' | b'f' | b'n') => self.word(),
            Some(_) => {
                self.fault_here("this is no value", "a value belongs here");
                None
            }
            None => {
                self.fault_here("the file ends too early", "a value belongs here");
                None
            }
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<Expr>) -> Option<Expr> {
        if self.depth >= MAX_DEPTH {
            let span = self.span(self.at, self.at + 1);
            self.diagnostics.push(SyntaxError::TooDeep { limit: MAX_DEPTH, span });
            return None;
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    /// Goes past a comma; `None` at a fault, `Some(false)` at the end.
    fn goes_on(&mut self, close: u8, first: bool) -> Option<bool> {
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                Some(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                if self.peek() == Some(close) {
                    self.fault_here(
                        "a comma before the end",
                        "JSON allows no comma before the closing bracket",
                    );
                    return None;
                }
                Some(true)
            }
            Some(_) if first => Some(true),
            _ => {
                let expected = if close == b'}' {
                    "`,` or `}` belongs here"
                } else {
                    "`,` or `]` belongs here"
                };
                self.fault_here("a separator is missing", expected);
                None
            }
        }
    }

    fn array(&mut self) -> Option<Expr> {
        let start = self.at;
        self.at += 1;
        let mut items = Vec::new();
        while self.goes_on(b']', items.is_empty())? {
            items.push(self.value()?);
        }
        Some(Expr { kind: ExprKind::Tuple(items.into()), span: self.span(start, self.at) })
    }

    fn object(&mut self) -> Option<Expr> {
        let start = self.at;
        self.at += 1;
        let mut items: Vec<ObjectItem> = Vec::new();
        while self.goes_on(b'}', items.is_empty())? {
            if self.peek() != Some(b'"') {
                self.fault_here("a property needs a name", "a name in quotes belongs here");
                return None;
            }
            let at = self.at;
            let (name, table) = self.string()?;
            let span = self.span(at, self.at);
            if self.peek() != Some(b':') {
                self.fault_here("a property needs a value", "`:` belongs here");
                return None;
            }
            self.at += 1;
            let value = self.value()?;
            let key = if self.templates && (name.contains("${") || name.contains("%{")) {
                ObjectKey::Expr(self.template(&name, &table, span))
            } else {
                ObjectKey::Name(Ident::new(Arc::<str>::from(name), span))
            };
            items.push(ObjectItem { key, value });
        }
        Some(Expr { kind: ExprKind::Object(items), span: self.span(start, self.at) })
    }

    fn template(&mut self, text: &str, table: &[u32], span: Span) -> Expr {
        // Faults in it are reported where they stand.
        match parser::template(text, &Positions::Table(table), self.diagnostics) {
            Some(expr) => Expr { span, ..expr },
            None => Expr { kind: ExprKind::String(text.into()), span },
        }
    }

    fn number(&mut self) -> Option<Expr> {
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest
            .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        self.at += length;
        let span = self.span(start, self.at);
        let text = &rest[..length];
        let digits = text.strip_prefix('-').unwrap_or(text);
        let padded =
            digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
        if padded
            || text.parse::<f64>().is_err()
            || digits.starts_with('.')
            || digits.ends_with('.')
        {
            self.fault(
                "this is no number",
                "a number such as `1`, `-2.5` or `1e9` belongs here",
                span,
            );
            return None;
        }
        Some(Expr { kind: ExprKind::Number(text.into()), span })
    }

    fn word(&mut self) -> Option<Expr> {
        let words = [
            ("true", ExprKind::Bool(true)),
            ("false", ExprKind::Bool(false)),
            ("null", ExprKind::Null),
        ];
        let start = self.at;
        let rest = &self.text[start..];
        let found = words.into_iter().find(|(word, _)| {
            rest.strip_prefix(word)
                .is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
        });
        let Some((word, kind)) = found else {
            self.fault_here(
                "this is no value",
                "`true`, `false` or `null` could stand here; a string needs quotes",
            );
            return None;
        };
        self.at += word.len();
        Some(Expr { kind, span: self.span(start, self.at) })
    }

    /// The text of a string, and for each byte of it, and for its end, where that stands.
    fn string(&mut self) -> Option<(String, Vec<u32>)> {
        let start = self.at;
        self.at += 1;
        let (mut text, mut table) = (String::new(), Vec::new());
        loop {
            let rest = &self.text[self.at..];
            let Some(character) = rest.chars().next() else {
                let span = self.span(start, start + 1);
                self.fault("a string is not closed", "opened here", span);
                return None;
            };
            let place = self.span(self.at, self.at).start;
            let mut push = |c: char| {
                text.push(c);
                table.extend(std::iter::repeat_n(place, c.len_utf8()));
            };
            match character {
                '"' => {
                    table.push(place);
                    self.at += 1;
                    return Some((text, table));
                }
                '\\' => {
                    let Some((c, length)) = escape(rest) else {
                        self.fault_here("unknown escape sequence", "`\\\"`, `\\\\`, `\\/`, `\\b`, `\\f`, `\\n`, `\\r`, `\\t` or `\\uXXXX` belongs here");
                        return None;
                    };
                    push(c);
                    self.at += length;
                }
                c if (c as u32) < 0x20 => {
                    self.fault_here(
                        "a control character in a string",
                        "write it as an escape, such as `\\n`",
                    );
                    return None;
                }
                c => {
                    push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }
}

/// The character of an escape sequence and the sequence's length.
fn escape(rest: &str) -> Option<(char, usize)> {
    let plain = |c| Some((c, 2));
    match rest.as_bytes().get(1)? {
        b'"' => plain('"'),
        b'\\' => plain('\\'),
        b'/' => plain('/'),
        b'b' => plain('\u{8}'),
        b'f' => plain('\u{c}'),
        b'n' => plain('\n'),
        b'r' => plain('\r'),
        b't' => plain('\t'),
        b'u' => {
            let unit = |at: usize| u32::from_str_radix(rest.get(at..at + 4)?, 16).ok();
            let high = unit(2)?;
            if let Some(c) = char::from_u32(high) {
                return Some((c, 6));
            }
            // The two halves of a pair beyond the basic plane.
            let low = if rest.get(6..8)? == "\\u" { unit(8)? } else { return None };
            let pair = 0x10000 + ((high.checked_sub(0xd800)?) << 10) + low.checked_sub(0xdc00)?;
            Some((char::from_u32(pair)?, 12))
        }
        _ => None,
    }
}
