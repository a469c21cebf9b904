//! The entry points: bytes in, tree and diagnostics out.

use std::ops::Range;

use crate::convert::{self, Stop};
use crate::diagnostic::Diagnostics;
use crate::error::SyntaxError;
use crate::position::Positions;
use crate::recover::{self, MAX_DEPTH};
use crate::source::{SourceMap, SourceText, Span};
use crate::tree::{Body, Expr};

/// Parses a file in native syntax. Where parts cannot be read, the rest is returned, and all faults are told.
pub fn parse(map: &mut SourceMap, name: &str, bytes: &[u8]) -> (Body, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let Some(file) = add(map, name, bytes, &mut diagnostics) else {
        return (Body::default(), diagnostics);
    };
    let positions = Positions::From(file.base);
    if too_deep(&file, &mut diagnostics) {
        return (Body { incomplete: true, span: file.span(), ..Body::default() }, diagnostics);
    }
    let mut found = Diagnostics::new();
    if let Ok(body) = convert::body(&file.text, &positions, &mut found) {
        diagnostics.extend(found);
        return (body, diagnostics);
    }
    // The parser stops at the first fault; so each top-level structure is parsed alone.
    let mut whole = Body { span: file.span(), incomplete: true, ..Body::default() };
    for range in recover::chunks(&file.text) {
        let text = &file.text[range.clone()];
        let base = file.base + u32::try_from(range.start).unwrap_or(0);
        match convert::body(text, &Positions::From(base), &mut diagnostics) {
            Ok(part) => {
                whole.attributes.extend(part.attributes);
                whole.blocks.extend(part.blocks);
            }
            Err(stop) => diagnostics.push(fault(text, &Positions::From(base), &stop)),
        }
    }
    if !diagnostics.has_errors() {
        // Every structure is fine alone, so what is wrong lies between them.
        let mut rest = Diagnostics::new();
        if let Err(stop) = convert::body(&file.text, &positions, &mut rest) {
            diagnostics.push(fault(&file.text, &positions, &stop));
        }
    }
    (whole, diagnostics)
}

/// Parses an expression.
pub fn parse_expression(
    map: &mut SourceMap,
    name: &str,
    text: &str,
) -> (Option<Expr>, Diagnostics) {
    parse_with(map, name, text, convert::expression)
}

/// Parses a template.
pub fn parse_template(map: &mut SourceMap, name: &str, text: &str) -> (Option<Expr>, Diagnostics) {
    parse_with(map, name, text, convert::template)
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
    let Some(file) = add(map, name, bytes, &mut diagnostics) else {
        return (Body::default(), diagnostics);
    };
    let body = crate::json::body(&file, templates, &mut diagnostics);
    let incomplete = diagnostics.has_errors();
    let body = body.unwrap_or(Body { json: true, span: file.span(), ..Body::default() });
    (Body { incomplete, ..body }, diagnostics)
}

type Convert = fn(&str, &Positions<'_>, &mut Diagnostics) -> Result<Expr, Stop>;

fn parse_with(
    map: &mut SourceMap,
    name: &str,
    text: &str,
    convert: Convert,
) -> (Option<Expr>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let Some(file) = add(map, name, text.as_bytes(), &mut diagnostics) else {
        return (None, diagnostics);
    };
    if too_deep(&file, &mut diagnostics) {
        return (None, diagnostics);
    }
    let positions = Positions::From(file.base);
    match convert(&file.text, &positions, &mut diagnostics) {
        Ok(expr) => (Some(expr), diagnostics),
        Err(stop) => {
            diagnostics.push(fault(&file.text, &positions, &stop));
            (None, diagnostics)
        }
    }
}

/// Adds a file to the map and complains of bytes that are no text.
fn add(
    map: &mut SourceMap,
    name: &str,
    bytes: &[u8],
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
    if let Some(at) = file.text.find('\0') {
        let at = file.base + u32::try_from(at).unwrap_or(0);
        diagnostics.push(SyntaxError::NulCharacter { span: Span::new(at, at + 1) });
        return None;
    }
    Some(file)
}

fn too_deep(file: &SourceText, diagnostics: &mut Diagnostics) -> bool {
    let Some(at) = recover::too_deep(&file.text) else { return false };
    let at = file.base + u32::try_from(at).unwrap_or(0);
    diagnostics.push(SyntaxError::TooDeep { limit: MAX_DEPTH, span: Span::new(at, at + 1) });
    true
}

/// Says what the parser stumbled over.
fn fault(text: &str, positions: &Positions<'_>, stop: &Stop) -> SyntaxError {
    if let Some(open) = recover::unclosed(text) {
        let span = positions.span(open.range.clone());
        return SyntaxError::Unclosed { what: open.what, span, help: open.help.to_owned() };
    }
    let offset = stop.offset.min(text.len());
    let range = token_at(text, offset);
    let found = &text[range.clone()];
    let found = match found {
        "" => "end of the text".to_owned(),
        "\n" | "\r\n" => "end of the line".to_owned(),
        other => format!("`{other}`"),
    };
    let help = (text[..offset].trim_end().ends_with('=') || stop.message.contains("expression"))
        .then(|| {
            "after `=` comes a value: a string in quotes, a number, `[…]`, `{…}` or a reference"
                .to_owned()
        });
    SyntaxError::Unexpected {
        found,
        expected: expected(&stop.message),
        span: positions.span(range),
        help,
    }
}

/// The parser's own words on what it wanted, shortened to one line.
fn expected(message: &str) -> String {
    let line = message.lines().last().unwrap_or_default().trim();
    let line = line.strip_prefix("invalid ").map_or(line, |_| line);
    if line.is_empty() { "this cannot stand here".to_owned() } else { line.replace('`', "'") }
}

fn token_at(text: &str, offset: usize) -> Range<usize> {
    let mut start = offset;
    while start > 0 && !text.is_char_boundary(start) {
        start -= 1;
    }
    let rest = &text[start..];
    let length = match rest.chars().next() {
        None => 0,
        Some('\r') if rest.starts_with("\r\n") => 2,
        Some(c) if c.is_alphanumeric() || c == '_' => {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len())
        }
        Some(c) => c.len_utf8(),
    };
    start..start + length
}
