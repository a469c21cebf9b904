//! Encodings.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use value::{Type, Value, json};

use super::Kind::{Any, Text};
use super::{Args, Fault, FunctionInfo, Returns, f, fault, nullable, p};

pub(super) fn functions() -> Vec<FunctionInfo> {
    vec![
        f("jsonencode", &[nullable("value", Any)], Returns::Text, "A value as JSON.", |a| {
            // Terraform escapes what could end a script in a web page.
            let text = json::to_string(a.value(0)?);
            let escaped = text
                .replace('<', "\\u003c")
                .replace('>', "\\u003e")
                .replace('&', "\\u0026")
                .replace('\u{2028}', "\\u2028")
                .replace('\u{2029}', "\\u2029");
            Ok(escaped.into())
        }),
        f(
            "jsondecode",
            &[p("text", Text)],
            Returns::Any,
            "The value that a JSON text holds.",
            |a| {
                let tree: serde_json::Value =
                    serde_json::from_str(a.text(0)?).map_err(|error| {
                        fault(
                            0,
                            format!("line {}, column {}: not JSON", error.line(), error.column()),
                        )
                    })?;
                Ok(json::from_plain(&tree))
            },
        ),
        f("base64encode", &[p("text", Text)], Returns::Text, "A text in base 64.", |a| {
            Ok(STANDARD.encode(a.text(0)?).into())
        }),
        f(
            "base64decode",
            &[p("text", Text)],
            Returns::Text,
            "The text that a base 64 text holds.",
            |a| {
                let bytes =
                    STANDARD.decode(a.text(0)?).map_err(|_| fault(0, "the text is not base 64"))?;
                String::from_utf8(bytes)
                    .map(Value::from)
                    .map_err(|_| fault(0, "what it holds is not UTF-8 text"))
            },
        ),
        f(
            "textencodebase64",
            &[p("text", Text), p("encoding", Text)],
            Returns::Text,
            "A text in an encoding, in base 64; only UTF-8 is there.",
            |a| {
                utf8(a)?;
                Ok(STANDARD.encode(a.text(0)?).into())
            },
        ),
        f(
            "urlencode",
            &[p("text", Text)],
            Returns::Text,
            "A text that can stand in a URL's query.",
            |a| {
                let mut out = String::new();
                for byte in a.text(0)?.bytes() {
                    match byte {
                        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                            out.push(char::from(byte))
                        }
                        b' ' => out.push('+'),
                        other => out.push_str(&format!("%{other:02X}")),
                    }
                }
                Ok(out.into())
            },
        ),
        f(
            "csvdecode",
            &[p("text", Text)],
            Returns::Any,
            "The rows of a CSV text, by the names in its first row.",
            csvdecode,
        ),
    ]
}

fn utf8(args: &Args<'_>) -> Result<(), Fault> {
    let name = args.text(1)?.to_uppercase();
    if name == "UTF-8" || name == "UTF8" {
        Ok(())
    } else {
        Err(fault(1, "only UTF-8 is supported"))
    }
}

fn csvdecode(args: &Args<'_>) -> Result<Value, Fault> {
    let mut rows = csv_rows(args.text(0)?).map_err(|message| fault(0, message))?.into_iter();
    let Some(names) = rows.next() else { return Err(fault(0, "the first row must hold names")) };
    let element = Type::object(names.iter().map(|name| (name.as_str(), Type::String)));
    let mut objects = Vec::new();
    for row in rows {
        if row.len() != names.len() {
            return Err(fault(
                0,
                format!(
                    "row {} has {} fields, but {} are named",
                    objects.len() + 2,
                    row.len(),
                    names.len()
                ),
            ));
        }
        objects.push(Value::object(
            names.iter().zip(row).map(|(name, field)| (name.as_str(), field.into())),
        ));
    }
    Ok(Value::list(element, objects))
}

fn csv_rows(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(character) = chars.next() {
        match character {
            '"' if quoted => {
                if chars.next_if_eq(&'"').is_some() {
                    field.push('"');
                } else {
                    quoted = false;
                }
            }
            '"' if field.is_empty() => quoted = true,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                let blank = row.len() == 1 && row[0].is_empty();
                let full = std::mem::take(&mut row);
                if !blank {
                    rows.push(full);
                }
            }
            other => field.push(other),
        }
    }
    if quoted {
        return Err("a quoted field is not closed".to_owned());
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    Ok(rows)
}
