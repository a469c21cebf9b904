//! A value as one line of text that shows all of it: type, content, unknown parts, marks.

use std::fmt::Write as _;

use value::{Marks, Number, Refinement, Type, Value};

/// The line. Two values give the same one exactly if Terraform could not tell them apart.
pub(crate) fn describe(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

fn write(out: &mut String, value: &Value) {
    if value.marks().contains(Marks::SENSITIVE) {
        out.push('~');
    }
    if value.marks().contains(Marks::EPHEMERAL) {
        out.push('^');
    }
    if value.is_null() {
        let _ = write!(out, "null:{}", value.ty());
    } else if value.is_unknown() {
        let _ = write!(out, "?{}", value.ty());
        if let Some(refinement) = value.refinement() {
            refined(out, refinement);
        }
    } else if let Some(flag) = value.as_bool() {
        let _ = write!(out, "{flag}");
    } else if let Some(number) = value.as_number() {
        out.push_str(&digits(number));
    } else if let Some(text) = value.as_str() {
        let _ = write!(out, "{}", serde_json::Value::from(text));
    } else {
        collection(out, value);
    }
}

fn collection(out: &mut String, value: &Value) {
    match value.ty() {
        Type::List(element) => {
            let _ = write!(out, "list({element})");
        }
        Type::Set(element) => {
            let _ = write!(out, "set({element})");
        }
        Type::Map(element) => {
            let _ = write!(out, "map({element})");
        }
        _ => {}
    }
    if let Some(items) = value.items() {
        out.push('[');
        for (at, item) in items.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { ", " });
            write(out, item);
        }
        out.push(']');
    }
    if let Some(entries) = value.entries() {
        out.push('{');
        for (at, (name, item)) in entries.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { ", " });
            let _ = write!(out, "{}=", serde_json::Value::from(&**name));
            write(out, item);
        }
        out.push('}');
    }
}

fn refined(out: &mut String, refinement: &Refinement) {
    let mut parts = Vec::new();
    if refinement.not_null {
        parts.push("not null".to_owned());
    }
    if let Some(prefix) = &refinement.prefix {
        parts.push(format!("prefix {}", serde_json::Value::from(&**prefix)));
    }
    // Terraform writes bounds that say nothing when it writes the other one.
    let largest = Number::from(i64::MAX);
    if let Some((lower, inclusive)) = &refinement.lower {
        parts.push(format!("{} {}", if *inclusive { ">=" } else { ">" }, digits(lower)));
    }
    if let Some((upper, inclusive)) = &refinement.upper
        && *upper != largest
    {
        parts.push(format!("{} {}", if *inclusive { "<=" } else { "<" }, digits(upper)));
    }
    if let Some(least) = refinement.min_length.filter(|least| *least > 0) {
        parts.push(format!("length >= {least}"));
    }
    if let Some(most) = refinement.max_length.filter(|most| *most < 1 << 40) {
        parts.push(format!("length <= {most}"));
    }
    if !parts.is_empty() {
        let _ = write!(out, "({})", parts.join(", "));
    }
}

/// A fraction that a 64-bit float holds exactly travels as one, so its precision is lost on the way.
fn digits(number: &Number) -> String {
    if number.is_integer() || number.is_infinite() {
        return number.to_string();
    }
    let float = number.to_f64();
    let exact = Number::from_f64(float)
        .and_then(|float| float.sub(number))
        .is_some_and(|difference| difference.is_zero());
    if exact {
        Number::from_f64(float).map_or_else(String::new, |n| n.to_string())
    } else {
        number.to_string()
    }
}
