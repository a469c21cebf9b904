//! Values as they are, in JSON: with types, marks, and what is known of unknown ones. For files of our own.
//!
//! A string and a bool stand for themselves; everything else is an array that begins with its kind:
//!
//! * `["n", "3p-1"]` a number, here 3 × 2⁻¹, `["0", TYPE]` null, `["?", TYPE]` or `["?", TYPE, {…}]` unknown, with limits;
//! * `["l", TYPE, …]` a list with its element type, `["s", TYPE, …]` a set, `["t", …]` a tuple;
//! * `["m", TYPE, {…}]` a map with its element type, `["o", {…}]` an object;
//! * `["*", MARKS, VALUE]` a value with marks: 1 for sensitive, 2 for ephemeral, 3 for both.

use std::sync::Arc;

use address::AttributePath;
use serde_json::{Map, Value as Json, json};

use crate::codec::CodecError;
use crate::json::{type_from_json, type_to_json};
use crate::marks::Marks;
use crate::number::Number;
use crate::refinement::Refinement;
use crate::ty::Type;
use crate::value::Value;

/// Writes a value.
pub fn to_json(value: &Value) -> Json {
    let marks = value.marks();
    if !marks.is_empty() {
        let bits = u8::from(marks.contains(Marks::SENSITIVE))
            + 2 * u8::from(marks.contains(Marks::EPHEMERAL));
        return json!(["*", bits, to_json(&value.clone().unmark().0)]);
    }
    if value.is_null() {
        return json!(["0", type_to_json(&value.ty())]);
    }
    if value.is_unknown() {
        let ty = type_to_json(&value.ty());
        return match value.refinement() {
            None => json!(["?", ty]),
            Some(known) => json!(["?", ty, limits(known)]),
        };
    }
    if let Some(flag) = value.as_bool() {
        return Json::Bool(flag);
    }
    if let Some(text) = value.as_str() {
        return Json::String(text.to_owned());
    }
    if let Some(number) = value.as_number() {
        return json!(["n", number.to_exact()]);
    }
    if let Some(items) = value.items() {
        let mut array = match value.is_tuple() {
            true => vec![json!("t")],
            false => vec![json!(if value.is_set() { "s" } else { "l" }), element(value)],
        };
        array.extend(items.iter().map(to_json));
        return Json::Array(array);
    }
    let entries: Map<String, Json> = (value.entries().into_iter())
        .flat_map(|entries| entries.iter())
        .map(|(name, value)| (name.to_string(), to_json(value)))
        .collect();
    if value.is_map() { json!(["m", element(value), entries]) } else { json!(["o", entries]) }
}

fn element(value: &Value) -> Json {
    type_to_json(value.ty().element().unwrap_or(&Type::Dynamic))
}

fn limits(known: &Refinement) -> Json {
    let mut limits = Map::new();
    if known.not_null {
        limits.insert("not_null".to_owned(), json!(true));
    }
    if let Some(prefix) = &known.prefix {
        limits.insert("prefix".to_owned(), json!(&**prefix));
    }
    for (name, limit) in [("lower", &known.lower), ("upper", &known.upper)] {
        if let Some((number, inclusive)) = limit {
            limits.insert(name.to_owned(), json!([number.to_exact(), inclusive]));
        }
    }
    for (name, length) in [("min_length", known.min_length), ("max_length", known.max_length)] {
        if let Some(length) = length {
            limits.insert(name.to_owned(), json!(length));
        }
    }
    Json::Object(limits)
}

/// Reads a value that [`to_json`] has written.
///
/// # Errors
///
/// What is not in the form that it writes.
pub fn from_json(json: &Json) -> Result<Value, CodecError> {
    read(json).ok_or_else(|| CodecError::new(&AttributePath::root(), "not a stored value"))
}

fn read(json: &Json) -> Option<Value> {
    let parts = match json {
        Json::Bool(flag) => return Some(Value::bool(*flag)),
        Json::String(text) => return Some(Value::string(text.as_str())),
        Json::Array(parts) => parts,
        _ => return None,
    };
    let ty = || type_from_json(parts.get(1)?).ok();
    let all = |from: usize| parts.get(from..)?.iter().map(read).collect::<Option<Vec<_>>>();
    let entries = |at: usize| {
        let entries = parts.get(at)?.as_object()?.iter();
        entries
            .map(|(name, value)| Some((Arc::<str>::from(name.as_str()), read(value)?)))
            .collect::<Option<Vec<_>>>()
    };
    Some(match parts.first()?.as_str()? {
        "*" => {
            let bits = parts.get(1)?.as_u64()?;
            let sensitive = if bits & 1 == 1 { Marks::SENSITIVE } else { Marks::NONE };
            let ephemeral = if bits & 2 == 2 { Marks::EPHEMERAL } else { Marks::NONE };
            read(parts.get(2)?)?.mark(sensitive.union(ephemeral))
        }
        "0" => Value::null(ty()?),
        "?" => match parts.get(2) {
            None => Value::unknown(ty()?),
            Some(limits) => Value::unknown_refined(ty()?, read_limits(limits)?),
        },
        "n" => Value::number(Number::from_exact(parts.get(1)?.as_str()?)?),
        "l" => Value::list(ty()?, all(2)?),
        "s" => Value::set(ty()?, all(2)?),
        "t" => Value::tuple(all(1)?),
        "m" => Value::map(ty()?, entries(2)?),
        "o" => Value::object(entries(1)?),
        _ => return None,
    })
}

fn read_limits(limits: &Json) -> Option<Refinement> {
    let limit = |name: &str| {
        let pair = limits.get(name)?.as_array()?;
        Some((Number::from_exact(pair.first()?.as_str()?)?, pair.get(1)?.as_bool()?))
    };
    let length = |name: &str| usize::try_from(limits.get(name)?.as_u64()?).ok();
    Some(Refinement {
        not_null: limits.get("not_null").is_some(),
        prefix: limits.get("prefix").and_then(Json::as_str).map(Arc::from),
        lower: limit("lower"),
        upper: limit("upper"),
        min_length: length("min_length"),
        max_length: length("max_length"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_type() -> impl Strategy<Value = Type> {
        let leaf = prop_oneof![
            Just(Type::Bool),
            Just(Type::Number),
            Just(Type::String),
            Just(Type::Dynamic)
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(Type::list),
                inner.clone().prop_map(Type::map),
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Type::tuple),
                proptest::collection::btree_map("[a-c]", inner, 0..3).prop_map(Type::object),
            ]
        })
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let refined =
            (any::<bool>(), any::<i64>(), any::<bool>()).prop_map(|(not_null, n, inclusive)| {
                let lower = Some((Number::from(n), inclusive));
                Value::unknown_refined(
                    Type::Number,
                    Refinement { not_null, lower, ..Refinement::default() },
                )
            });
        let prefixed = "[a-z]{0,4}".prop_map(|prefix| {
            let prefix = Some(Arc::from(prefix));
            Value::unknown_refined(Type::String, Refinement { prefix, ..Refinement::default() })
        });
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::bool),
            any::<f64>().prop_filter_map("finite", Number::from_f64).prop_map(Value::number),
            "\\PC{0,6}".prop_map(Value::string),
            any_type().prop_map(Value::null),
            any_type().prop_map(Value::unknown),
            refined,
            prefixed,
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let texts = proptest::collection::vec("[a-d]{0,2}".prop_map(Value::string), 0..4);
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::tuple),
                proptest::collection::btree_map("[a-c]{1,2}", inner.clone(), 0..4)
                    .prop_map(Value::object),
                texts.clone().prop_map(|items| Value::list(Type::String, items)),
                texts.prop_map(|items| Value::set(Type::String, items)),
                inner.clone().prop_map(|value| value.mark(Marks::SENSITIVE)),
                inner.prop_map(|value| value.mark(Marks::ALL)),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_was(value in any_value()) {
            let text = to_json(&value).to_string();
            let json: Json = serde_json::from_str(&text).expect("it is JSON");
            prop_assert_eq!(from_json(&json).ok(), Some(value));
        }
    }

    #[test]
    fn what_is_no_stored_value_is_refused() {
        for text in ["null", "1", "[]", "[\"x\"]", "[\"n\", 1]", "[\"0\"]", "[\"*\", 1]", "{}"] {
            let json: Json = serde_json::from_str(text).expect("it is JSON");
            assert!(from_json(&json).is_err(), "{text}");
        }
    }
}
