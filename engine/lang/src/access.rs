//! Attributes and indexes of values.

use syntax::{Diagnostics, Ident, Span, suggest};
use value::{Type, Value, convert};

use crate::error::EvalError;
use crate::evaluate::Outcome;

/// `value.name`
pub(crate) fn attribute(value: &Value, name: &Ident) -> Outcome {
    let marks = value.marks();
    if value.is_null() {
        return Err(EvalError::NullValue {
            what: format!("the value before `.{name}`"),
            span: name.span,
        }
        .into());
    }
    if let Some(entries) = value.entries() {
        if let Some(found) = entries.get(&name.text) {
            return Ok(found.clone().mark(marks));
        }
        let kind = if value.is_map() { "map" } else { "object" };
        return Err(unsupported(name, kind, entries.keys().map(|key| &**key)));
    }
    if value.is_unknown() {
        return match value.ty() {
            Type::Dynamic => Ok(Value::dynamic_unknown().mark(marks)),
            Type::Map(element) => Ok(Value::unknown((*element).clone()).mark(marks)),
            Type::Object(object) => match object.attributes.get(&name.text) {
                Some(attribute) => Ok(Value::unknown(attribute.ty.clone()).mark(marks)),
                None => {
                    Err(unsupported(name, "object", object.attributes.keys().map(|key| &**key)))
                }
            },
            other => Err(unsupported(name, &other.friendly_name(), std::iter::empty())),
        };
    }
    Err(unsupported(name, &value.ty().friendly_name(), std::iter::empty()))
}

fn unsupported<'a>(name: &Ident, found: &str, names: impl Iterator<Item = &'a str>) -> Diagnostics {
    let article = if found.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let list = found.starts_with("list") || found == "tuple" || found.starts_with("set");
    let near = suggest(&name.text, names).map(|near| format!("did you mean `{near}`?"));
    EvalError::UnsupportedAttribute {
        name: name.text.to_string(),
        found: format!("{article} {found}"),
        span: name.span,
        suggestion: near.or_else(|| {
            list.then(|| {
                format!("`[*].{name}` takes it from each element, `[0].{name}` from the first")
            })
        }),
    }
    .into()
}

/// `value[index]`
pub(crate) fn index(value: &Value, index: &Value, span: Span) -> Outcome {
    let marks = value.marks().union(index.marks());
    let invalid = |message: String| -> Diagnostics {
        EvalError::InvalidIndex { message, span, help: None }.into()
    };
    if value.is_null() {
        return Err(
            EvalError::NullValue { what: "the value before the index".to_owned(), span }.into()
        );
    }
    if index.is_null() {
        return Err(EvalError::NullValue { what: "the index".to_owned(), span }.into());
    }
    let ty = value.ty();
    if matches!(ty, Type::Dynamic) {
        return Ok(Value::dynamic_unknown().mark(marks));
    }
    if matches!(ty, Type::Set(_)) {
        let help = Some("convert it by `tolist(…)`, or use a `for` expression".to_owned());
        let message = "elements of a set have no index".to_owned();
        return Err(EvalError::InvalidIndex { message, span, help }.into());
    }
    let by_name = matches!(ty, Type::Map(_) | Type::Object(_));
    if !by_name && !matches!(ty, Type::List(_) | Type::Tuple(_)) {
        return Err(invalid(format!("a {} has no elements", ty.friendly_name())));
    }
    let wanted = if by_name { Type::String } else { Type::Number };
    let index = convert(index, &wanted).map_err(|error| invalid(error.to_string()))?;
    if index.is_unknown() || value.is_unknown() {
        return Ok(unknown_element(&ty, &index).mark(marks));
    }
    if by_name {
        let key = index.as_str().unwrap_or_default();
        let found = value.get_attr(key).cloned();
        return found.map(|found| found.mark(marks)).ok_or_else(|| {
            if value.marks().is_empty() && index.marks().is_empty() {
                invalid(format!("there is no element \"{key}\""))
            } else {
                invalid("there is no such element".to_owned())
            }
        });
    }
    let length = value.len().unwrap_or(0);
    let number = index.as_number().and_then(value::Number::to_i64);
    let found = number.and_then(|at| usize::try_from(at).ok()).and_then(|at| value.get_index(at));
    found.map(|found| found.clone().mark(marks)).ok_or_else(|| {
        invalid(match length {
            0 => "there are no elements".to_owned(),
            1 => "there is only element 0".to_owned(),
            _ => format!("there are only elements 0 to {}", length - 1),
        })
    })
}

fn unknown_element(ty: &Type, index: &Value) -> Value {
    match ty {
        Type::List(element) | Type::Map(element) => Value::unknown((**element).clone()),
        Type::Tuple(elements) => index
            .as_number()
            .and_then(value::Number::to_usize)
            .and_then(|at| elements.get(at).cloned())
            .map_or_else(Value::dynamic_unknown, Value::unknown),
        Type::Object(_) => {
            let ty = index.as_str().and_then(|name| ty.attribute(name).cloned());
            ty.map_or_else(Value::dynamic_unknown, Value::unknown)
        }
        _ => Value::dynamic_unknown(),
    }
}
