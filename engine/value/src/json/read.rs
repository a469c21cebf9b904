//! JSON to values.

use std::sync::Arc;

use address::{AttributePath, PathStep};
use serde_json::Value as Json;

use super::parse::parse;
use super::types::type_from_json;
use crate::codec::CodecError;
use crate::number::Number;
use crate::ty::Type;
use crate::value::Value;

/// Reads a value of a type.
pub fn decode(json: &Json, ty: &Type) -> Result<Value, CodecError> {
    Reader { path: AttributePath::root() }.read(json, ty)
}

/// Reads a value of a type from text.
pub fn decode_str(text: &str, ty: &Type) -> Result<Value, CodecError> {
    let json =
        parse(text).map_err(|error| CodecError::new(&AttributePath::root(), error.to_string()))?;
    decode(&json, ty)
}

/// The type that `jsondecode` gives: objects and tuples, never maps and lists.
pub fn implied_type(json: &Json) -> Type {
    match json {
        Json::Null => Type::Dynamic,
        Json::Bool(_) => Type::Bool,
        Json::Number(_) => Type::Number,
        Json::String(_) => Type::String,
        Json::Array(items) => Type::tuple(items.iter().map(implied_type)),
        Json::Object(entries) => {
            Type::object(entries.iter().map(|(name, value)| (name.as_str(), implied_type(value))))
        }
    }
}

/// Reads a value as `jsondecode` does.
pub fn from_plain(json: &Json) -> Value {
    match json {
        Json::Null => Value::dynamic_null(),
        Json::Bool(flag) => Value::bool(*flag),
        Json::Number(number) => {
            Number::parse(&number.to_string()).map_or_else(Value::dynamic_null, Value::number)
        }
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::tuple(items.iter().map(from_plain).collect()),
        Json::Object(entries) => {
            Value::object(entries.iter().map(|(name, value)| (name.as_str(), from_plain(value))))
        }
    }
}

struct Reader {
    path: AttributePath,
}

impl Reader {
    fn read(&mut self, json: &Json, ty: &Type) -> Result<Value, CodecError> {
        if json.is_null() {
            return Ok(Value::null(ty.clone()));
        }
        match ty {
            Type::Bool => match json {
                Json::Bool(flag) => Ok(Value::bool(*flag)),
                Json::String(text) if text == "true" => Ok(Value::bool(true)),
                Json::String(text) if text == "false" => Ok(Value::bool(false)),
                _ => self.refuse("a bool is required"),
            },
            Type::Number => {
                let text = match json {
                    Json::Number(number) => number.to_string(),
                    Json::String(text) => text.clone(),
                    _ => return self.refuse("a number is required"),
                };
                match Number::parse(&text) {
                    Some(number) => Ok(Value::number(number)),
                    None => self.refuse("a number is required"),
                }
            }
            Type::String => match json {
                Json::String(text) => Ok(Value::from(text.as_str())),
                Json::Number(number) => Ok(Value::string(number.to_string())),
                Json::Bool(flag) => Ok(Value::string(flag.to_string())),
                _ => self.refuse("a string is required"),
            },
            Type::List(element) | Type::Set(element) => {
                let Some(items) = json.as_array() else {
                    return self.refuse("an array is required");
                };
                let items = items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| self.inside(index(at), item, element))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(if matches!(ty, Type::List(_)) {
                    Value::list((**element).clone(), items)
                } else {
                    Value::set((**element).clone(), items)
                })
            }
            Type::Map(element) => {
                let Some(entries) = json.as_object() else {
                    return self.refuse("an object is required");
                };
                let entries = entries
                    .iter()
                    .map(|(name, item)| {
                        let name: Arc<str> = name.as_str().into();
                        Ok((Arc::clone(&name), self.inside(PathStep::Key(name), item, element)?))
                    })
                    .collect::<Result<Vec<_>, CodecError>>()?;
                Ok(Value::map((**element).clone(), entries))
            }
            Type::Tuple(elements) => {
                let Some(items) = json.as_array() else {
                    return self.refuse("an array is required");
                };
                if items.len() != elements.len() {
                    return self.refuse(&format!(
                        "{} elements are required, not {}",
                        elements.len(),
                        items.len()
                    ));
                }
                let items = items
                    .iter()
                    .zip(elements.iter())
                    .enumerate()
                    .map(|(at, (item, ty))| self.inside(index(at), item, ty))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Value::tuple(items))
            }
            Type::Object(object) => {
                let Some(entries) = json.as_object() else {
                    return self.refuse("an object is required");
                };
                if let Some(name) =
                    entries.keys().find(|name| !object.attributes.contains_key(name.as_str()))
                {
                    return self.refuse(&format!("unsupported attribute `{name}`"));
                }
                let attributes = object
                    .attributes
                    .iter()
                    .map(|(name, attribute)| {
                        let item = entries.get(&**name).unwrap_or(&Json::Null);
                        let step = PathStep::Attribute(Arc::clone(name));
                        Ok((Arc::clone(name), self.inside(step, item, &attribute.ty)?))
                    })
                    .collect::<Result<Vec<_>, CodecError>>()?;
                Ok(Value::object(attributes))
            }
            Type::Dynamic => {
                let Some(entries) = json.as_object() else {
                    return self.refuse("an object with `value` and `type` is required");
                };
                let (Some(value), Some(own)) = (entries.get("value"), entries.get("type")) else {
                    return self.refuse("an object with `value` and `type` is required");
                };
                let own = type_from_json(own)
                    .or_else(|error| self.refuse(&error.message).map(|_| Type::Dynamic))?;
                if own == Type::Dynamic {
                    return Ok(Value::dynamic_null());
                }
                self.read(value, &own)
            }
        }
    }

    fn inside(&mut self, step: PathStep, json: &Json, ty: &Type) -> Result<Value, CodecError> {
        self.path.0.push(step);
        let read = self.read(json, ty);
        self.path.0.pop();
        read
    }

    fn refuse(&self, message: &str) -> Result<Value, CodecError> {
        Err(CodecError::new(&self.path, message))
    }
}

fn index(at: usize) -> PathStep {
    PathStep::Index(i64::try_from(at).unwrap_or(i64::MAX))
}
