//! One value as lines.

use value::Value;

use super::{At, Line, close, entry_key};
use crate::values::{Sign, quote, visible};

/// Writes a value; all that is in it bears its sign.
pub(crate) fn put(at: At<'_>, shown: &Value, out: &mut Vec<Line>) {
    if let Some(text) = short(shown) {
        return out.push(at.line(&format!("{text}{}", at.tail)));
    }
    let inner = At { indent: at.indent + 4, label: "", tail: ",", note: "", ..at };
    if let Some(text) = shown.as_str() {
        if let Some(parsed) = json(text) {
            out.push(at.line("jsonencode("));
            let from = out.len();
            put(At { tail: "", ..inner }, &parsed, out);
            // The brackets of the document are not an element of anything.
            out[from].sign = Sign::Same;
            return out.push(close(at, ")"));
        }
        out.push(at.line("<<-EOT"));
        for line in text.trim_end_matches('\n').split('\n') {
            out.push(At { sign: Sign::Same, ..inner }.line(&visible(line)));
        }
        return out.push(close(at, "EOT"));
    }
    if let Some(items) = shown.items() {
        out.push(at.line("["));
        for item in items {
            put(inner, item, out);
        }
        return out.push(close(at, "]"));
    }
    out.push(at.line("{"));
    let entries: Vec<_> = shown.entries().into_iter().flatten().collect();
    let name = |name: &str| entry_key(name, shown.is_map());
    let width = entries.iter().map(|(key, _)| name(key).chars().count()).max().unwrap_or(0);
    for (key, item) in entries {
        let label = format!("{:width$} = ", name(key));
        put(At { label: &label, tail: "", ..inner }, item, out);
    }
    out.push(close(at, "}"));
}

/// A value that becomes one of another kind.
pub(super) fn becomes(at: At<'_>, before: &Value, after: &Value, out: &mut Vec<Line>) {
    match (short(before), short(after)) {
        (Some(old), Some(new)) => out.push(at.line(&format!("{old} -> {new}{}", at.tail))),
        (None, Some(new)) => {
            let from = out.len();
            let tail = format!(" -> {new}{}", at.tail);
            put(At { sign: Sign::Remove, tail: &tail, ..at }, before, out);
            out[from].sign = Sign::Change;
        }
        (Some(old), None) => {
            let from = out.len();
            let label = format!("{}{old} -> ", at.label);
            put(At { sign: Sign::Add, label: &label, ..at }, after, out);
            out[from].sign = Sign::Change;
        }
        (None, None) => {
            let from = out.len();
            put(At { sign: Sign::Remove, tail: " ->", ..at }, before, out);
            out[from].sign = Sign::Change;
            let from = out.len();
            put(At { sign: Sign::Add, label: "", note: "", ..at }, after, out);
            out[from].sign = Sign::Change;
        }
    }
}

/// A value that fits on one line.
pub(super) fn short(shown: &Value) -> Option<String> {
    Some(if shown.is_sensitive() {
        "(sensitive value)".to_owned()
    } else if shown.is_unknown() {
        "(known after apply)".to_owned()
    } else if shown.is_null() {
        "null".to_owned()
    } else if let Some(text) = shown.as_str() {
        if json(text).is_some() || (text.contains('\n') && !text.contains('\r')) {
            return None;
        }
        quote(text)
    } else if let Some(items) = shown.items() {
        return items.is_empty().then(|| "[]".to_owned());
    } else if let Some(entries) = shown.entries() {
        return entries.is_empty().then(|| "{}".to_owned());
    } else {
        value::json::to_string(shown)
    })
}

/// A value that is about to be superseded by one that is not known: in a few words if it is large.
pub(crate) fn brief(shown: &Value) -> String {
    let many = |count: usize, what: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("({count} {what}{plural})")
    };
    if let Some(text) = short(shown) {
        return text;
    }
    match (shown.as_str(), shown.items(), shown.entries()) {
        (Some(text), ..) if json(text).is_some() => "(JSON)".to_owned(),
        (Some(text), ..) => many(text.trim_end_matches('\n').split('\n').count(), "line"),
        (_, Some(items), _) => many(items.len(), "element"),
        (.., Some(entries)) if shown.is_map() => many(entries.len(), "element"),
        (.., Some(entries)) => many(entries.len(), "attribute"),
        _ => String::new(),
    }
}

/// The value of a string that holds a JSON object or array with something in it.
pub(super) fn json(text: &str) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let parsed = value::json::parse(text).ok()?;
    let empty = parsed.as_object().is_some_and(serde_json::Map::is_empty)
        || parsed.as_array().is_some_and(Vec::is_empty);
    (!empty).then(|| value::json::from_plain(&parsed))
}
