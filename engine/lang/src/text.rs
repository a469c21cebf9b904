//! Values as text of the language, laid out as the formatter would.

use std::fmt::Write as _;
use std::sync::Arc;

use value::Value;

/// A known value without marks, as an expression.
pub fn of_value(value: &Value) -> String {
    let mut out = String::new();
    expression(&mut out, value, 0);
    out
}

/// `NAME = VALUE` lines. Names that are none stand in quotes.
pub fn of_attributes<'a>(entries: impl Iterator<Item = (&'a Arc<str>, &'a Value)>) -> String {
    let mut out = String::new();
    attributes(&mut out, entries, 0);
    out
}

/// Says whether a text can stand as a name without quotes.
pub fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn expression(out: &mut String, value: &Value, depth: usize) {
    if value.is_null() {
        out.push_str("null");
    } else if let Some(text) = value.as_str() {
        quoted(out, text);
    } else if let Some(items) = value.items() {
        out.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            expression(out, item, depth);
        }
        out.push(']');
    } else if let Some(entries) = value.entries() {
        if entries.is_empty() {
            return out.push_str("{}");
        }
        out.push_str("{\n");
        attributes(out, entries.iter(), depth + 1);
        let _ = write!(out, "{}}}", "  ".repeat(depth));
    } else {
        out.push_str(&value::json::to_string(value));
    }
}

/// `name = value` lines. Equals signs stand below each other as the formatter puts them: a value of several lines ends
/// the group of lines that are aligned.
fn attributes<'a>(
    out: &mut String,
    entries: impl Iterator<Item = (&'a Arc<str>, &'a Value)>,
    depth: usize,
) {
    let lines: Vec<(String, String)> = entries
        .map(|(name, value)| {
            let (mut key, mut text) = (String::new(), String::new());
            if is_name(name) {
                key.push_str(name)
            } else {
                quoted(&mut key, name)
            }
            expression(&mut text, value, depth);
            (key, text)
        })
        .collect();
    let indent = "  ".repeat(depth);
    let mut rest = lines.as_slice();
    while !rest.is_empty() {
        let group = rest.iter().take_while(|(_, text)| !text.contains('\n')).count();
        let (aligned, behind) = rest.split_at(group);
        let width = aligned.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
        for (key, text) in aligned {
            let pad = " ".repeat(width - key.chars().count());
            let _ = writeln!(out, "{indent}{key}{pad} = {text}");
        }
        rest = behind;
        if let [(key, text), behind @ ..] = rest {
            let _ = writeln!(out, "{indent}{key} = {text}");
            rest = behind;
        }
    }
}

/// A text in quotes, with its escapes.
fn quoted(out: &mut String, text: &str) {
    out.push('"');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if characters.peek() == Some(&'{') => {
                out.push(character);
                out.push(character);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
