//! Between the wire's messages and what the engine speaks: values, paths, complaints.

use std::sync::Arc;

use address::{AttributePath, PathStep};
use sdk::{IdentitySchema, Problem, Problems, ProviderError, Severity};
use value::{Type, Value};

use crate::wire;

/// A value for the wire.
pub(crate) fn to_wire(value: &Value, ty: &Type) -> Result<wire::DynamicValue, ProviderError> {
    let msgpack = value::msgpack::encode(value, ty).map_err(|error| ProviderError::Protocol {
        message: format!("a value cannot be sent: {error}"),
    })?;
    Ok(wire::DynamicValue { msgpack, json: Vec::new() })
}

/// A value from the wire. What is not there is null.
pub(crate) fn from_wire(
    sent: Option<&wire::DynamicValue>,
    ty: &Type,
) -> Result<Value, ProviderError> {
    let Some(sent) = sent else { return Ok(Value::null(ty.clone())) };
    let read = if !sent.msgpack.is_empty() {
        value::msgpack::decode(&sent.msgpack, ty).map_err(|error| error.to_string())
    } else if !sent.json.is_empty() {
        match std::str::from_utf8(&sent.json) {
            Ok(text) => value::json::decode_str(text, ty).map_err(|error| error.to_string()),
            Err(_) => Err("the JSON is not valid UTF-8".to_owned()),
        }
    } else {
        return Ok(Value::null(ty.clone()));
    };
    read.map_err(|message| ProviderError::Protocol { message })
}

/// An identity for the wire. Types without identities have none.
pub(crate) fn identity_to_wire(
    identity: Option<&Value>,
    schema: Option<&IdentitySchema>,
) -> Result<Option<wire::Identity>, ProviderError> {
    let (Some(identity), Some(schema)) = (identity, schema) else { return Ok(None) };
    Ok(Some(wire::Identity { data: Some(to_wire(identity, &schema.ty())?) }))
}

/// An identity from the wire; `None` where nothing was sent or it is null.
pub(crate) fn identity_from_wire(
    sent: Option<&wire::Identity>,
    schema: Option<&IdentitySchema>,
) -> Result<Option<Value>, ProviderError> {
    let Some(data) = sent.and_then(|sent| sent.data.as_ref()) else { return Ok(None) };
    let Some(schema) = schema else {
        let message = "it sends an identity for a type that has none".to_owned();
        return Err(ProviderError::Protocol { message });
    };
    Ok(Some(from_wire(Some(data), &schema.ty())?).filter(|identity| !identity.is_null()))
}

/// A path from the wire.
pub(crate) fn path_from_wire(path: &wire::AttributePath) -> AttributePath {
    let steps = path.steps.iter().filter_map(|step| {
        Some(match step.selector.as_ref()? {
            wire::Selector::Attribute(name) => PathStep::Attribute(name.as_str().into()),
            wire::Selector::Key(key) => PathStep::Key(key.as_str().into()),
            wire::Selector::Index(index) => PathStep::Index(*index),
        })
    });
    steps.collect()
}

/// A path for the wire, as far as the wire can say it: elements of sets have no step.
pub(crate) fn path_to_wire(path: &AttributePath) -> wire::AttributePath {
    let steps = path.steps().iter().map_while(|step| {
        Some(match step {
            PathStep::Attribute(name) => wire::Selector::Attribute(name.to_string()),
            PathStep::Key(key) => wire::Selector::Key(key.to_string()),
            PathStep::Index(index) => wire::Selector::Index(*index),
            PathStep::Element => return None,
        })
    });
    wire::AttributePath {
        steps: steps.map(|selector| wire::Step { selector: Some(selector) }).collect(),
    }
}

/// So much of a complaint is kept.
const LONGEST_COMPLAINT: usize = 64 * 1024;

/// Complaints from the wire. A severity that says nothing counts as an error.
pub(crate) fn problems_from_wire(sent: &[wire::Diagnostic]) -> Problems {
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if text.len() <= LONGEST_COMPLAINT {
            return text.into_owned();
        }
        let mut end = LONGEST_COMPLAINT;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}… ({} bytes in all)", &text[..end], text.len())
    };
    let problem = |one: &wire::Diagnostic| Problem {
        severity: if one.severity == wire::WARNING { Severity::Warning } else { Severity::Error },
        summary: text(&one.summary),
        detail: text(&one.detail),
        path: one.attribute.as_ref().map(path_from_wire),
        retry: None,
    };
    let busy = |problem: Problem| {
        let words = format!("{}\n{}", problem.summary, problem.detail);
        let retry = sdk::pace::throttled(&words).filter(|_| problem.is_error());
        Problem { retry, ..problem }
    };
    sent.iter().map(problem).map(busy).collect()
}

/// Complaints for the wire.
pub(crate) fn problems_to_wire(problems: &[Problem]) -> Vec<wire::Diagnostic> {
    let one = |problem: &Problem| wire::Diagnostic {
        severity: if problem.is_error() { wire::ERROR } else { wire::WARNING },
        summary: problem.summary.clone().into_bytes(),
        detail: problem.detail.clone().into_bytes(),
        attribute: problem.path.as_ref().map(path_to_wire),
    };
    problems.iter().map(one).collect()
}

/// A stored object without the attributes that its type no longer has.
pub(crate) fn without_unknown(json: &mut serde_json::Value, ty: &Type) {
    match (json, ty) {
        (serde_json::Value::Object(entries), Type::Object(object)) => {
            entries.retain(|name, _| object.attributes.contains_key(name.as_str()));
            for (name, inner) in entries.iter_mut() {
                if let Some(attribute) = object.attributes.get(name.as_str()) {
                    without_unknown(inner, &attribute.ty);
                }
            }
        }
        (serde_json::Value::Object(entries), Type::Map(element)) => {
            for (_, inner) in entries.iter_mut() {
                without_unknown(inner, element);
            }
        }
        (serde_json::Value::Array(items), Type::List(element) | Type::Set(element)) => {
            for inner in items {
                without_unknown(inner, element);
            }
        }
        (serde_json::Value::Array(items), Type::Tuple(elements)) => {
            for (inner, element) in items.iter_mut().zip(elements.iter()) {
                without_unknown(inner, element);
            }
        }
        _ => {}
    }
}

/// The same as text.
pub(crate) fn without_unknown_text(text: &str, ty: &Type) -> Arc<str> {
    match value::json::parse(text) {
        Ok(mut json) => {
            without_unknown(&mut json, ty);
            json.to_string().into()
        }
        // The provider says what is wrong with it.
        Err(_) => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_null_and_json_is_read_where_there_is_no_msgpack() {
        assert_eq!(from_wire(None, &Type::String), Ok(Value::null(Type::String)));
        let empty = wire::DynamicValue::default();
        assert_eq!(from_wire(Some(&empty), &Type::String), Ok(Value::null(Type::String)));
        let json = wire::DynamicValue { json: b"\"x\"".to_vec(), ..empty };
        assert_eq!(from_wire(Some(&json), &Type::String), Ok(Value::from("x")));
    }

    #[test]
    fn complaints_without_severity_are_errors_and_giant_ones_are_cut() {
        let sent = wire::Diagnostic { summary: vec![b'x'; 1 << 20], ..wire::Diagnostic::default() };
        let read = problems_from_wire(&[sent]);
        assert!(read[0].is_error() && read[0].summary.len() < 1 << 17);
    }

    #[test]
    fn attributes_that_a_type_lost_are_dropped_at_every_depth() {
        let ty = Type::object([("a", Type::list(Type::object([("b", Type::String)])))]);
        let text = without_unknown_text(r#"{"a":[{"b":"x","old":1}],"gone":true}"#, &ty);
        assert_eq!(&*text, r#"{"a":[{"b":"x"}]}"#);
    }
}
