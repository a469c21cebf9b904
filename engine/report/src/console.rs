//! Values as the console shows them: in the language's own spelling, so that the type can be seen.
//!
//! Source: observed output of Terraform 1.11.

use std::fmt::Write as _;

use value::{Marks, Type, Value};

/// A value, in as many lines as it takes, without a line end.
pub fn value(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, 0);
    out
}

/// A type, in as many lines as it takes, without a line end.
pub fn ty(ty: &Type) -> String {
    let mut out = String::new();
    write_type(&mut out, ty, 0);
    out
}

fn write_value(out: &mut String, value: &Value, indent: usize) {
    let hidden = [(Marks::SENSITIVE, "(sensitive value)"), (Marks::EPHEMERAL, "(ephemeral value)")];
    if value.is_unknown() {
        out.push_str("(known after apply)");
    } else if let Some((_, shown)) =
        hidden.into_iter().find(|(mark, _)| value.marks().contains(*mark))
    {
        out.push_str(shown);
    } else if value.is_null() {
        write_null(out, &value.ty());
    } else if let Some(text) = value.as_str() {
        write_text(out, text, indent);
    } else if let Some(items) = value.items() {
        let (before, after) = match value.ty() {
            Type::List(_) => ("tolist([", "])"),
            Type::Set(_) => ("toset([", "])"),
            _ => ("[", "]"),
        };
        out.push_str(before);
        for item in items {
            new_line(out, indent + 2);
            write_value(out, item, indent + 2);
            out.push(',');
        }
        end(out, after, items.is_empty(), indent);
    } else if let Some(entries) = value.entries() {
        let (before, after) = if value.is_map() { ("tomap({", "})") } else { ("{", "}") };
        out.push_str(before);
        for (name, item) in entries {
            new_line(out, indent + 2);
            write_text(out, name, indent + 2);
            out.push_str(" = ");
            write_value(out, item, indent + 2);
        }
        end(out, after, entries.is_empty(), indent);
    } else {
        out.push_str(&value::json::to_string(value));
    }
}

fn new_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

fn end(out: &mut String, after: &str, empty: bool, indent: usize) {
    if !empty {
        new_line(out, indent);
    }
    out.push_str(after);
}

fn write_null(out: &mut String, ty: &Type) {
    let element = |element: &Type| element.friendly_name();
    let _ = match ty {
        Type::Dynamic => write!(out, "null"),
        Type::String => write!(out, "tostring(null)"),
        Type::Number => write!(out, "tonumber(null)"),
        Type::Bool => write!(out, "tobool(null)"),
        Type::List(inner) => write!(out, "tolist(null) /* of {} */", element(inner)),
        Type::Set(inner) => write!(out, "toset(null) /* of {} */", element(inner)),
        Type::Map(inner) => write!(out, "tomap(null) /* of {} */", element(inner)),
        other => write!(out, "null /* {} */", other.friendly_name()),
    };
}

/// A text in quotes, or as a here-document if it has several lines.
fn write_text(out: &mut String, text: &str, indent: usize) {
    if !text.contains('\n') {
        quote(out, text);
        return;
    }
    let mut delimiter = "EOT".to_owned();
    while text.split('\n').any(|line| line.trim() == delimiter) {
        delimiter.push('_');
    }
    out.push_str(if indent > 0 { "<<-" } else { "<<" });
    out.push_str(&delimiter);
    for line in text.split('\n').chain([delimiter.as_str()]) {
        new_line(out, indent);
        out.push_str(line);
    }
}

/// Escapes what cannot be printed, as Go does.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            letter if letter < ' ' || letter == '\u{7f}' => {
                let _ = write!(out, "\\x{:02x}", u32::from(letter));
            }
            letter if letter.is_ascii() || is_printable(letter) => out.push(letter),
            letter if u32::from(letter) < 0x1_0000 => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => {
                let _ = write!(out, "\\U{:08x}", u32::from(letter));
            }
        }
    }
    out.push('"');
}

/// Spaces other than the usual one, and what has no shape, are not.
fn is_printable(letter: char) -> bool {
    // Behind a letter, marks that combine with it are shown too.
    let shown = format!("{:?}", format!("a{letter}"));
    !letter.is_whitespace() && !shown.contains("\\u{")
}

fn write_type(out: &mut String, ty: &Type, indent: usize) {
    match ty {
        Type::Object(object) if object.attributes.is_empty() => out.push_str("object({})"),
        Type::Object(object) => {
            out.push_str("object({");
            for (name, attribute) in &object.attributes {
                new_line(out, indent + 4);
                let _ = write!(out, "{name}: ");
                write_type(out, &attribute.ty, indent + 4);
                out.push(',');
            }
            end(out, "})", false, indent);
        }
        Type::Tuple(elements) if elements.is_empty() => out.push_str("tuple([])"),
        Type::Tuple(elements) => {
            out.push_str("tuple([");
            for element in elements.iter() {
                new_line(out, indent + 4);
                write_type(out, element, indent + 4);
                out.push(',');
            }
            end(out, "])", false, indent);
        }
        Type::List(element) => collection(out, "list", element, indent),
        Type::Set(element) => collection(out, "set", element, indent),
        Type::Map(element) => collection(out, "map", element, indent),
        other => out.push_str(&other.friendly_name()),
    }
}

fn collection(out: &mut String, kind: &str, element: &Type, indent: usize) {
    out.push_str(kind);
    out.push('(');
    write_type(out, element, indent);
    out.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spelled_so_that_their_types_show() {
        let table = [
            ("text", Value::from("a\"b\u{1}é"), "\"a\\\"b\\x01é\""),
            ("lines", Value::from("a\nEOT"), "<<EOT_\na\nEOT\nEOT_"),
            ("list", Value::list(Type::String, vec!["a".into()]), "tolist([\n  \"a\",\n])"),
            ("empty", Value::tuple(vec![]), "[]"),
            ("secret", Value::from(1).mark(Marks::SENSITIVE), "(sensitive value)"),
            ("unknown", Value::unknown(Type::String), "(known after apply)"),
            ("null", Value::null(Type::list(Type::Dynamic)), "tolist(null) /* of dynamic */"),
            (
                "object",
                Value::object([("a b", Value::from("x\ny"))]),
                "{\n  \"a b\" = <<-EOT\n  x\n  y\n  EOT\n}",
            ),
        ];
        for (case, value, expected) in table {
            assert_eq!(super::value(&value), expected, "{case}");
        }
        let nested = Type::tuple([Type::Number, Type::object([("a", Type::list(Type::Bool))])]);
        let expected = "tuple([\n    number,\n    object({\n        a: list(bool),\n    }),\n])";
        assert_eq!(ty(&nested), expected);
    }
}
