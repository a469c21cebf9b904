//! JSON, YAML, CSV, base64, URLs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use value::{Type, Value};

use super::ParameterType::{Any, String as S};
use super::{Arguments, FunctionInfo, NULL, Reply, at, flagged, param, pure};

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
        "csvdecode",
        &[param("str", S)],
        Any,
        csvdecode,
        "Reads comma-separated rows below a row of names.",
    ),
    pure("jsondecode", &[param("str", S)], Any, jsondecode, "Reads a value in JSON."),
    pure("jsonencode", &[flagged("val", Any, NULL)], S, jsonencode, "Writes a value in JSON."),
    pure(
        "urlencode",
        &[param("str", S)],
        S,
        |a| Ok(Value::string(urlencode(a.text(0)))),
        "Escapes a text for use in a URL.",
    ),
    pure("yamlencode", &[flagged("value", Any, NULL)], S, yamlencode, "Writes a value in YAML."),
];

fn base64decode(args: &Arguments<'_>) -> Reply {
    let bytes = STANDARD.decode(args.text(0)).map_err(|_| at(0, "it is not base64"))?;
    String::from_utf8(bytes)
        .map(Value::string)
        .map_err(|_| at(0, "what it encodes is not UTF-8 text"))
}

fn jsondecode(args: &Arguments<'_>) -> Reply {
    let json = serde_json::from_str(args.text(0)).map_err(|error| {
        at(0, format!("it is not JSON: line {}, column {}", error.line(), error.column()))
    })?;
    Ok(value::json::from_plain(&json))
}

/// As Go writes it: `<`, `>`, `&` and two line separators are escaped.
fn jsonencode(args: &Arguments<'_>) -> Reply {
    let plain = value::json::to_string(args.value(0));
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
            '"' if field.is_empty() => {
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
    let mut out = String::new();
    yaml(&mut out, args.value(0), 0, Position::Start);
    if !out.ends_with('\n') {
        out.push('\n');
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
            out.push_str(&value::json::to_string(&Value::string(std::sync::Arc::clone(name))));
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
            _ => out.push_str(&scalar(value)),
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
    value::json::to_string(value)
}

/// A text of several lines, as it reads best.
fn block_text(out: &mut String, text: &str, pad: &str) {
    let pad = if pad.is_empty() { "  " } else { pad };
    let body = text.strip_suffix('\n');
    let header = match body {
        None => "|-",
        Some(body) if body.ends_with('\n') => "|+",
        Some(_) => "|",
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
