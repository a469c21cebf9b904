//! JSON, YAML, CSV, base64, URLs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use value::json::{MOST_LEVELS, ParseError};
use value::{Refinement, Type, Value};

use super::ParameterType::{Any, String as S};
use super::{
    Arguments, DYNAMIC, Failure, FunctionInfo, NULL, Reply, UNKNOWN, at, flagged, param, pure,
};

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure("base64decode", &[param("str", S)], S, base64decode, "Reads text in base64."),
    pure(
        "base64encode",
        &[param("str", S)],
        S,
        |a| Ok(Value::string(STANDARD.encode(a.text(0)))),
        "Writes a text in base64.",
    ),
    pure(
        "base64gzip",
        &[param("str", S)],
        S,
        |a| Ok(Value::string(STANDARD.encode(super::gzip::gzip(a.text(0).as_bytes())))),
        "Compresses a text with GZIP and writes it in base64.",
    ),
    pure(
        "csvdecode",
        &[param("str", S)],
        Any,
        csvdecode,
        "Reads comma-separated rows below a row of names.",
    ),
    pure("jsondecode", &[param("str", S)], Any, jsondecode, "Reads a value in JSON.")
        .typed(jsondecode_type)
        .nullable(),
    pure(
        "jsonencode",
        &[flagged("val", Any, NULL | UNKNOWN | DYNAMIC)],
        S,
        jsonencode,
        "Writes a value in JSON.",
    ),
    pure(
        "urlencode",
        &[param("str", S)],
        S,
        |a| Ok(Value::string(urlencode(a.text(0)))),
        "Escapes a text for use in a URL.",
    ),
    pure(
        "yamlencode",
        &[flagged("value", Any, NULL | UNKNOWN | DYNAMIC)],
        S,
        yamlencode,
        "Writes a value in YAML.",
    )
    .nullable(),
];

fn base64decode(args: &Arguments<'_>) -> Reply {
    // Line ends between the characters do not count.
    let text: String = args.text(0).chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = STANDARD.decode(text).map_err(|_| at(0, "it is not base64"))?;
    String::from_utf8(bytes)
        .map(Value::string)
        .map_err(|_| at(0, "what it encodes is not UTF-8 text"))
}

/// What is known of the text's beginning may say which type it will be, or that it is no JSON at all.
fn jsondecode_type(args: &[Value]) -> Result<Type, Failure> {
    if let Some(text) = args[0].as_str() {
        return Ok(read_json(text)?.ty());
    }
    let prefix = args[0].refinement().and_then(|known| known.prefix.as_deref());
    match prefix.and_then(|prefix| prefix.trim_start().chars().next()) {
        None | Some('{' | '[' | 'n') => Ok(Type::Dynamic),
        Some('"') => Ok(Type::String),
        Some('t' | 'f') => Ok(Type::Bool),
        Some('-' | '0'..='9') => Ok(Type::Number),
        Some(_) => Err(at(0, "it is not JSON: no value begins like that")),
    }
}

fn jsondecode(args: &Arguments<'_>) -> Reply {
    read_json(args.text(0))
}

fn read_json(text: &str) -> Reply {
    let json = value::json::parse(text).map_err(|error| {
        let (line, column) = error.place();
        let what = match error {
            ParseError::TooDeep { .. } => format!("nested more than {MOST_LEVELS} levels deep"),
            ParseError::Syntax(_) => "not JSON".to_owned(),
        };
        at(0, format!("it is {what}: line {line}, column {column}"))
    })?;
    Ok(value::json::from_plain(&json))
}

/// As Go writes it: `<`, `>`, `&` and two line separators are escaped.
fn jsonencode(args: &Arguments<'_>) -> Reply {
    let value = args.value(0);
    if !value.is_wholly_known() {
        let start = match value.ty() {
            Type::Object(_) | Type::Map(_) => "{",
            Type::List(_) | Type::Set(_) | Type::Tuple(_) => "[",
            Type::String => "\"",
            _ => "",
        };
        let certain = value.is_never_null() && !start.is_empty();
        let prefix = certain.then(|| start.into());
        let refinement = Refinement { not_null: true, prefix, ..Refinement::default() };
        return Ok(Value::unknown_refined(Type::String, refinement));
    }
    if has_infinity(value) {
        return Err(at(0, "an infinite number has no form in JSON"));
    }
    let plain = value::json::to_string(value);
    if !plain.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return Ok(Value::string(plain));
    }
    let escaped = plain
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    Ok(Value::string(escaped))
}

pub(crate) fn has_infinity(value: &Value) -> bool {
    let mut found = false;
    value.walk(&mut |_, inner| {
        found |= inner.as_number().is_some_and(value::Number::is_infinite);
        !found
    });
    found
}

fn urlencode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
        out
    })
}

// CSV.

fn csvdecode(args: &Arguments<'_>) -> Reply {
    let mut rows = csv_rows(args.text(0)).map_err(|message| at(0, message))?.into_iter();
    let Some(names) = rows.next() else { return Err(at(0, "the row of names is missing")) };
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(at(0, format!("two columns are named `{twice}`")));
    }
    let element = Type::object(names.iter().map(|name| (name.as_str(), Type::String)));
    let mut items = Vec::new();
    for (index, row) in rows.enumerate() {
        if row.len() != names.len() {
            return Err(at(
                0,
                format!(
                    "row {} has {} fields, but there are {} names",
                    index + 2,
                    row.len(),
                    names.len()
                ),
            ));
        }
        items.push(Value::object(
            names.iter().map(String::as_str).zip(row.into_iter().map(Value::string)),
        ));
    }
    Ok(Value::list(element, items))
}

/// Rows of fields as RFC 4180 has them; empty lines are left out.
fn csv_rows(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    let mut started = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted => quoted = false,
            _ if quoted => field.push(letter),
            '"' if !field.is_empty() => {
                return Err("a quote stands within a field without quotes".to_owned());
            }
            '"' => {
                quoted = true;
                started = true;
            }
            ',' => {
                row.push(std::mem::take(&mut field));
                started = true;
            }
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' => {
                if started || !field.is_empty() {
                    row.push(std::mem::take(&mut field));
                    rows.push(std::mem::take(&mut row));
                }
                started = false;
            }
            other => {
                field.push(other);
                started = true;
            }
        }
    }
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    if started || !field.is_empty() {
        row.push(field);
        rows.push(row);
    }
    Ok(rows)
}

// YAML.

fn yamlencode(args: &Arguments<'_>) -> Reply {
    let value = args.value(0);
    if !value.is_wholly_known() {
        return Ok(args.unknown());
    }
    let mut out = String::new();
    yaml(&mut out, value, 0, Position::Start);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    // A word that stands alone might go on, so its end is marked.
    if value.len().is_none() && value.as_str().is_none() {
        out.push_str("...\n");
    }
    Ok(Value::string(out))
}

#[derive(Clone, Copy, PartialEq)]
enum Position {
    /// At the start of the document.
    Start,
    /// Behind `- `.
    Item,
    /// Behind `key:`.
    Value,
}

fn yaml(out: &mut String, value: &Value, depth: usize, position: Position) {
    use std::fmt::Write as _;
    let pad = "  ".repeat(depth);
    if let Some(items) = value.items().filter(|items| !items.is_empty()) {
        for (index, item) in items.iter().enumerate() {
            if position == Position::Value && index == 0 {
                out.push('\n');
            }
            if !(position == Position::Item && index == 0) {
                out.push_str(&pad);
            }
            out.push_str("- ");
            yaml(out, item, depth + 1, Position::Item);
        }
    } else if let Some(entries) = value.entries().filter(|entries| !entries.is_empty()) {
        for (index, (name, item)) in entries.iter().enumerate() {
            if position == Position::Value && index == 0 {
                out.push('\n');
            }
            if !(position == Position::Item && index == 0) {
                out.push_str(&pad);
            }
            if name.contains('\n') {
                // A key of several lines is written out like a value, behind a question mark.
                out.push_str("? ");
                block_text(out, name, &"  ".repeat(depth + 1));
                let _ = write!(out, "\n{pad}: ");
                yaml(out, item, depth + 1, Position::Item);
                continue;
            }
            yaml_quoted(out, name, None);
            out.push(':');
            // A list stands below its key at the key's own depth.
            let list = item.items().is_some_and(|items| !items.is_empty());
            yaml(out, item, if list { depth } else { depth + 1 }, Position::Value);
        }
    } else {
        if position == Position::Value {
            out.push(' ');
        }
        match value.as_str() {
            Some(text) if text.contains('\n') => block_text(out, text, &pad),
            Some(text) => yaml_quoted(out, text, Some(if depth == 0 { "  " } else { &pad })),
            None => out.push_str(&scalar(value)),
        }
        out.push('\n');
    }
}

fn scalar(value: &Value) -> String {
    if value.items().is_some() {
        return "[]".to_owned();
    }
    if value.entries().is_some() {
        return "{}".to_owned();
    }
    match value.as_number() {
        Some(number) => number.to_string(),
        None => value::json::to_string(value),
    }
}

/// A text of several lines, as it reads best.
fn block_text(out: &mut String, text: &str, pad: &str) {
    let pad = if pad.is_empty() { "  " } else { pad };
    let body = text.strip_suffix('\n');
    out.push('|');
    if text.starts_with([' ', '\n']) {
        // Otherwise the first line would say how far the text is indented.
        out.push('2');
    }
    let header = match body {
        None => "-",
        Some(body) if body.is_empty() || body.ends_with('\n') => "+",
        Some(_) => "",
    };
    out.push_str(header);
    for line in body.unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(pad);
            out.push_str(line);
        }
    }
}

/// Longer lines are folded at a space.
const YAML_WIDTH: usize = 80;

/// A text in double quotes; folded, with this before each further line, where it may be.
fn yaml_quoted(out: &mut String, text: &str, pad: Option<&str>) {
    use std::fmt::Write as _;
    let start = out.rfind('\n').map_or(0, |end| end + 1);
    let mut column = out[start..].chars().count() + 1;
    out.push('"');
    let letters: Vec<char> = text.chars().collect();
    let mut after_space = false;
    for (at, letter) in letters.iter().copied().enumerate() {
        let before = out.len();
        let space = letter == ' ';
        match letter {
            ' ' if !after_space && column > YAML_WIDTH && at > 0 && at + 1 < letters.len() => {
                if let Some(pad) = pad {
                    out.push('\n');
                    out.push_str(pad);
                    column = pad.chars().count();
                    if letters[at + 1] == ' ' {
                        out.push('\\');
                        column += 1;
                    }
                    after_space = true;
                    continue;
                }
                out.push(' ');
            }
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            ' '..='~'
            | '\u{a0}'..='\u{d7ff}'
            | '\u{e000}'..='\u{fefe}'
            | '\u{ff00}'..='\u{fffd}' => {
                out.push(letter);
            }
            letter if u32::from(letter) <= 0xff => {
                let _ = write!(out, "\\x{:02X}", u32::from(letter));
            }
            letter if u32::from(letter) <= 0xffff => {
                let _ = write!(out, "\\u{:04X}", u32::from(letter));
            }
            letter => {
                let _ = write!(out, "\\U{:08X}", u32::from(letter));
            }
        }
        column += out[before..].chars().count();
        after_space = space;
    }
    out.push('"');
}
