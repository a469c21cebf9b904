//! Types in JSON: `"string"`, `["list", "string"]`, `["object", {…}, ["optional", …]]`.

use std::sync::Arc;

use address::AttributePath;
use serde_json::{Value as Json, json};

use crate::codec::CodecError;
use crate::ty::Type;

/// Writes a type as the provider protocol and state files spell it.
pub fn type_to_json(ty: &Type) -> Json {
    match ty {
        Type::Bool => json!("bool"),
        Type::Number => json!("number"),
        Type::String => json!("string"),
        Type::Dynamic => json!("dynamic"),
        Type::List(element) => json!(["list", type_to_json(element)]),
        Type::Set(element) => json!(["set", type_to_json(element)]),
        Type::Map(element) => json!(["map", type_to_json(element)]),
        Type::Tuple(elements) => {
            json!(["tuple", elements.iter().map(type_to_json).collect::<Vec<_>>()])
        }
        Type::Object(object) => {
            let attributes: serde_json::Map<String, Json> = object
                .attributes
                .iter()
                .map(|(name, attribute)| (name.to_string(), type_to_json(&attribute.ty)))
                .collect();
            let optional: Vec<&str> = object
                .attributes
                .iter()
                .filter(|(_, a)| a.optional)
                .map(|(name, _)| &**name)
                .collect();
            if optional.is_empty() {
                json!(["object", attributes])
            } else {
                json!(["object", attributes, optional])
            }
        }
    }
}

/// Reads a type.
pub fn type_from_json(json: &Json) -> Result<Type, CodecError> {
    let bad = |message: &str| CodecError::new(&AttributePath::root(), message);
    if let Some(name) = json.as_str() {
        return match name {
            "bool" => Ok(Type::Bool),
            "number" => Ok(Type::Number),
            "string" => Ok(Type::String),
            "dynamic" => Ok(Type::Dynamic),
            _ => Err(bad("unknown primitive type")),
        };
    }
    let parts = json.as_array().ok_or_else(|| bad("a type is a string or an array"))?;
    let kind =
        parts.first().and_then(Json::as_str).ok_or_else(|| bad("a type begins with its kind"))?;
    let inner = parts.get(1).ok_or_else(|| bad("a type lacks its parts"))?;
    match kind {
        "list" => Ok(Type::list(type_from_json(inner)?)),
        "set" => Ok(Type::set(type_from_json(inner)?)),
        "map" => Ok(Type::map(type_from_json(inner)?)),
        "tuple" => {
            let elements =
                inner.as_array().ok_or_else(|| bad("a tuple type lists its elements"))?;
            Ok(Type::tuple(elements.iter().map(type_from_json).collect::<Result<Vec<_>, _>>()?))
        }
        "object" => {
            let attributes =
                inner.as_object().ok_or_else(|| bad("an object type lists its attributes"))?;
            let optional: Vec<&str> = parts
                .get(2)
                .and_then(Json::as_array)
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
                .collect();
            let attributes = attributes
                .iter()
                .map(|(name, ty)| {
                    Ok((
                        Arc::<str>::from(name.as_str()),
                        type_from_json(ty)?,
                        optional.contains(&name.as_str()),
                    ))
                })
                .collect::<Result<Vec<_>, CodecError>>()?;
            Ok(Type::object_with_optional(attributes))
        }
        _ => Err(bad("unknown kind of type")),
    }
}
