//! The entry points: bytes in, tree and diagnostics out.

use crate::diagnostic::Diagnostics;
use crate::error::SyntaxError;
use crate::parser;
use crate::position::Positions;
use crate::source::{SourceMap, SourceText, Span};
use crate::tree::{Body, Expr};

/// Parses a file in native syntax. Where parts cannot be read, the rest is returned, and all faults are told.
pub fn parse(map: &mut SourceMap, name: &str, bytes: &[u8]) -> (Body, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let Some(file) = add(map, name, bytes, Nul::Refused, &mut diagnostics) else {
        return (Body::default(), diagnostics);
    };
    let body = parser::body(&file.text, &Positions::From(file.base), &mut diagnostics);
    (body, diagnostics)
}

/// Parses an expression.
pub fn parse_expression(
    map: &mut SourceMap,
    name: &str,
    text: &str,
) -> (Option<Expr>, Diagnostics) {
    parse_with(map, name, text, Nul::Refused, parser::expression)
}

/// Parses a template. Its text may hold NUL characters, as files that are no configuration may.
pub fn parse_template(map: &mut SourceMap, name: &str, text: &str) -> (Option<Expr>, Diagnostics) {
    parse_with(map, name, text, Nul::Allowed, parser::template)
}

/// Parses a JSON file whose strings are templates, as in `.tf.json`.
pub fn parse_json(map: &mut SourceMap, name: &str, bytes: &[u8]) -> (Body, Diagnostics) {
    json(map, name, bytes, true)
}

/// Parses a JSON file whose strings are plain, as in `.tfvars.json`.
pub fn parse_json_values(map: &mut SourceMap, name: &str, bytes: &[u8]) -> (Body, Diagnostics) {
    json(map, name, bytes, false)
}

fn json(map: &mut SourceMap, name: &str, bytes: &[u8], templates: bool) -> (Body, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let Some(file) = add(map, name, bytes, Nul::Refused, &mut diagnostics) else {
        return (Body::default(), diagnostics);
    };
    let body = crate::json::body(&file, templates, &mut diagnostics);
    let incomplete = diagnostics.has_errors();
    let body = body.unwrap_or(Body { json: true, span: file.span(), ..Body::default() });
    (Body { incomplete, ..body }, diagnostics)
}

/// Whether a text may hold NUL characters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nul {
    Refused,
    Allowed,
}

type Read = fn(&str, &Positions<'_>, &mut Diagnostics) -> Option<Expr>;

fn parse_with(
    map: &mut SourceMap,
    name: &str,
    text: &str,
    nul: Nul,
    read: Read,
) -> (Option<Expr>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let Some(file) = add(map, name, text.as_bytes(), nul, &mut diagnostics) else {
        return (None, diagnostics);
    };
    let expr = read(&file.text, &Positions::From(file.base), &mut diagnostics);
    (expr, diagnostics)
}

/// Adds a file to the map and complains of bytes that are no text.
fn add(
    map: &mut SourceMap,
    name: &str,
    bytes: &[u8],
    nul: Nul,
    diagnostics: &mut Diagnostics,
) -> Option<SourceText> {
    let file = match map.add(name, bytes.to_vec()) {
        Ok(id) => map.file(id).clone(),
        Err(error) => {
            diagnostics.push(error);
            return None;
        }
    };
    if let Err(error) = std::str::from_utf8(bytes) {
        let offset = error.valid_up_to();
        let at = file.base + u32::try_from(offset.min(file.text.len())).unwrap_or(0);
        let byte = bytes.get(offset).copied().unwrap_or_default();
        diagnostics.push(SyntaxError::InvalidUtf8 { byte, offset, span: Span::new(at, at) });
        return None;
    }
    if let Some(at) = file.text.find('\0').filter(|_| nul == Nul::Refused) {
        let at = file.base + u32::try_from(at).unwrap_or(0);
        diagnostics.push(SyntaxError::NulCharacter { span: Span::new(at, at + 1) });
        return None;
    }
    Some(file)
}
