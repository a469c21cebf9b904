//! Values to JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use address::{AttributePath, PathStep};
use serde_json::Value as Json;

use super::parse::parse;
use super::types::type_to_json;
use crate::codec::CodecError;
use crate::ty::Type;
use crate::value::Value;

/// Writes a value of a type as a JSON tree. Unknown values and infinities cannot be written.
pub fn encode(value: &Value, ty: &Type) -> Result<Json, CodecError> {
    let text = encode_string(value, ty)?;
    parse(&text).map_err(|error| CodecError::new(&AttributePath::root(), error.to_string()))
}

/// Writes a value of a type as compact JSON text, names in order. Unknown values and infinities cannot be
/// written.
pub fn encode_string(value: &Value, ty: &Type) -> Result<String, CodecError> {
    let mut writer =
        Writer { text: String::new(), path: AttributePath::root(), unknown_as_null: false };
    writer.typed(value, Some(ty))?;
    Ok(writer.text)
}

/// Writes a value as `jsonencode` does: compact text, names in order, no types. Unknown values become null.
pub fn to_string(value: &Value) -> String {
    let mut writer =
        Writer { text: String::new(), path: AttributePath::root(), unknown_as_null: true };
    // Only unknown values and infinities fail, and both are written as null here.
    let _ = writer.typed(value, None);
    writer.text
}

/// Writes a value as a JSON tree without types. Unknown values become null.
pub fn to_plain(value: &Value) -> Json {
    if let Some(flag) = value.as_bool() {
        Json::Bool(flag)
    } else if let Some(number) = value.as_number() {
        // Infinity has no form in JSON.
        number.to_string().parse().map_or(Json::Null, Json::Number)
    } else if let Some(text) = value.as_str() {
        Json::String(text.to_owned())
    } else if let Some(items) = value.items() {
        Json::Array(items.iter().map(to_plain).collect())
    } else if let Some(entries) = value.entries() {
        Json::Object(
            entries.iter().map(|(name, item)| (name.to_string(), to_plain(item))).collect(),
        )
    } else {
        Json::Null
    }
}

/// Appends a JSON string with its quotes.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if (other as u32) < 0x20 => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", other as u32);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

struct Writer {
    text: String,
    path: AttributePath,
    unknown_as_null: bool,
}

impl Writer {
    /// `ty` is absent where no types are written.
    fn typed(&mut self, value: &Value, ty: Option<&Type>) -> Result<(), CodecError> {
        if ty == Some(&Type::Dynamic) && !(value.is_null() && value.ty() == Type::Dynamic) {
            if value.is_unknown() {
                return self.refuse("unknown values cannot be written as JSON");
            }
            let own = value.ty();
            self.text.push_str("{\"value\":");
            self.content(value, Some(&own))?;
            let _ = write!(self.text, ",\"type\":{}}}", type_to_json(&own));
            return Ok(());
        }
        self.content(value, ty)
    }

    fn content(&mut self, value: &Value, ty: Option<&Type>) -> Result<(), CodecError> {
        if value.is_unknown() && !self.unknown_as_null {
            return self.refuse("unknown values cannot be written as JSON");
        }
        if let Some(flag) = value.as_bool() {
            self.text.push_str(if flag { "true" } else { "false" });
        } else if let Some(number) = value.as_number() {
            if number.is_infinite() {
                if !self.unknown_as_null {
                    return self.refuse("infinity cannot be written as JSON");
                }
                self.text.push_str("null");
            } else {
                let _ = write!(self.text, "{number}");
            }
        } else if let Some(text) = value.as_str() {
            write_string(&mut self.text, text);
        } else if let Some(items) = value.items() {
            self.text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    self.text.push(',');
                }
                let element = match ty {
                    Some(Type::Tuple(elements)) => elements.get(at),
                    Some(ty) => ty.element(),
                    None => None,
                };
                self.inside(PathStep::Index(i64::try_from(at).unwrap_or(i64::MAX)), item, element)?;
            }
            self.text.push(']');
        } else if let Some(entries) = value.entries() {
            self.text.push('{');
            for (at, (name, item)) in entries.iter().enumerate() {
                if at > 0 {
                    self.text.push(',');
                }
                write_string(&mut self.text, name);
                self.text.push(':');
                let element = ty.and_then(|ty| ty.attribute(name).or_else(|| ty.element()));
                self.inside(PathStep::Attribute(Arc::clone(name)), item, element)?;
            }
            self.text.push('}');
        } else {
            self.text.push_str("null");
        }
        Ok(())
    }

    fn inside(
        &mut self,
        step: PathStep,
        value: &Value,
        ty: Option<&Type>,
    ) -> Result<(), CodecError> {
        self.path.0.push(step);
        let written = self.typed(value, ty);
        self.path.0.pop();
        written
    }

    fn refuse(&self, message: &str) -> Result<(), CodecError> {
        Err(CodecError::new(&self.path, message))
    }
}
