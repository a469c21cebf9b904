//! Attributes and elements of values.

use std::sync::Arc;

use syntax::{Ident, Span, suggest};
use value::{Type, Value};

use crate::error::EvalError;
use crate::evaluate::in_words;

type Access = Result<Value, EvalError>;

/// `value.name`.
pub(crate) fn attribute(value: &Value, name: &Ident) -> Access {
    if value.is_null() {
        let what = format!("attribute `{name}`");
        return Err(EvalError::NullValue { what, span: name.span });
    }
    let marks = value.marks();
    if value.is_unknown() {
        return unknown_attribute(value, name).map(|found| found.mark(marks));
    }
    match value.entries() {
        Some(entries) => match entries.get(name.as_str()) {
            Some(found) => Ok(found.clone().mark(marks)),
            None => Err(missing(value, name, entries.keys().map(|key| &**key))),
        },
        None => Err(not_an_object(value, name)),
    }
}

fn unknown_attribute(value: &Value, name: &Ident) -> Access {
    match value.ty() {
        Type::Dynamic => Ok(Value::dynamic_unknown()),
        Type::Map(element) => Ok(Value::unknown((*element).clone())),
        Type::Object(object) => match object.attributes.get(name.as_str()) {
            Some(found) => Ok(Value::unknown(found.ty.clone())),
            None => Err(missing(value, name, object.attributes.keys().map(|key| &**key))),
        },
        _ => Err(not_an_object(value, name)),
    }
}

fn missing<'a>(value: &Value, name: &Ident, names: impl Iterator<Item = &'a str>) -> EvalError {
    let hidden = !value.marks().is_empty();
    let names: Vec<&str> = if hidden { Vec::new() } else { names.collect() };
    let suggestion = match suggest(name.as_str(), names.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if names.is_empty() => None,
        None => Some(listed(&names)),
    };
    let holder = in_words(value);
    let holder = holder.split(" of ").next().unwrap_or("a value");
    EvalError::UnsupportedAttribute {
        holder: if holder == "an object" { "this object".into() } else { "this map".into() },
        name: name.text.to_string(),
        span: name.span,
        suggestion,
    }
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > shown.len() { ", …" } else { "" };
    format!("it has {}{more}", shown.join(", "))
}

fn not_an_object(value: &Value, name: &Ident) -> EvalError {
    let has_elements = matches!(value.ty(), Type::List(_) | Type::Set(_) | Type::Tuple(_));
    EvalError::NotAnObject {
        name: name.text.to_string(),
        found: in_words(value),
        span: name.span,
        help: has_elements.then(|| {
            format!(
                "`[*].{name}` takes the attribute of each element, `[0].{name}` that of the first"
            )
        }),
    }
}

/// `value[index]`.
pub(crate) fn index(value: &Value, index: &Value, span: Span) -> Access {
    let marks = value.marks().union(index.marks());
    if value.is_null() {
        return Err(EvalError::NullValue { what: "an element".to_owned(), span });
    }
    if index.is_null() {
        let message = "an index cannot be null".to_owned();
        return Err(EvalError::IndexType { message, span });
    }
    if index.is_unknown() && index.ty_is_dynamic() {
        // What it is an index of is not looked at before it is known.
        return Ok(Value::dynamic_unknown().mark(marks));
    }
    match value.ty_kind() {
        Shape::Numbered => numbered(value, index, span),
        Shape::Named => named(value, index, span),
        Shape::Unknown => Ok(Value::dynamic_unknown()),
        Shape::Other => Err(not_indexable(value, span)),
    }
    .map(|found| found.mark(marks))
}

enum Shape {
    Numbered,
    Named,
    Unknown,
    Other,
}

trait Shaped {
    fn ty_kind(&self) -> Shape;
}

impl Shaped for Value {
    /// Looks at the outermost part of the type alone.
    fn ty_kind(&self) -> Shape {
        if self.is_list() || self.is_tuple() {
            return Shape::Numbered;
        }
        if self.is_map() || self.is_object() {
            return Shape::Named;
        }
        if !self.is_unknown() {
            return Shape::Other;
        }
        match self.ty() {
            Type::Dynamic => Shape::Unknown,
            Type::List(_) | Type::Tuple(_) => Shape::Numbered,
            Type::Map(_) | Type::Object(_) => Shape::Named,
            _ => Shape::Other,
        }
    }
}

fn not_indexable(value: &Value, span: Span) -> EvalError {
    let help = match value.ty() {
        Type::Set(_) => Some(
            "elements of a set have no numbers; use `tolist(…)[0]`, or `one(…)` for the only one",
        ),
        Type::String => Some("use `substr(text, 0, 1)` for a part of a text"),
        _ => None,
    };
    EvalError::NotIndexable { found: in_words(value), span, help: help.map(str::to_owned) }
}

fn numbered(value: &Value, index: &Value, span: Span) -> Access {
    let number = value::convert(index, &Type::Number)
        .map_err(|error| EvalError::IndexType { message: error.message, span })?;
    let Some(number) = number.as_number() else {
        return Ok(any_element(value));
    };
    let Some(items) = value.items() else {
        return unknown_item(value, number.to_usize(), index, span);
    };
    match number.to_usize().and_then(|at| items.get(at)) {
        Some(found) => Ok(found.clone()),
        None => Err(out_of_range(value, index, Some(items.len()), span)),
    }
}

/// An element at an index that is not known.
fn any_element(value: &Value) -> Value {
    match value.ty() {
        Type::List(element) | Type::Map(element) => Value::unknown((*element).clone()),
        _ => Value::dynamic_unknown(),
    }
}

fn unknown_item(value: &Value, at: Option<usize>, index: &Value, span: Span) -> Access {
    match value.ty() {
        Type::List(element) => Ok(Value::unknown((*element).clone())),
        Type::Tuple(elements) => match at.and_then(|at| elements.get(at)) {
            Some(ty) => Ok(Value::unknown(ty.clone())),
            None => Err(out_of_range(value, index, Some(elements.len()), span)),
        },
        _ => Ok(Value::dynamic_unknown()),
    }
}

fn out_of_range(value: &Value, index: &Value, length: Option<usize>, span: Span) -> EvalError {
    let negative = index.as_number().is_some_and(value::Number::is_negative);
    let reason = match length {
        _ if negative => "an index counts from 0 and is never negative".to_owned(),
        Some(0) => "the collection is empty".to_owned(),
        Some(1) => "there is 1 element, at index 0".to_owned(),
        Some(length) => format!("there are {length} elements, from 0 to {}", length - 1),
        None => "not there".to_owned(),
    };
    EvalError::InvalidIndex {
        index: shown(index),
        holder: in_words(value),
        span,
        reason,
        suggestion: None,
    }
}

fn shown(index: &Value) -> String {
    if !index.deep_marks().is_empty() {
        return "of this index".to_owned();
    }
    match index.as_str() {
        Some(text) => format!("`{text:?}`"),
        None => format!("`{}`", value::json::to_string(index)),
    }
}

fn named(value: &Value, index: &Value, span: Span) -> Access {
    let key = value::convert(index, &Type::String)
        .map_err(|error| EvalError::IndexType { message: error.message, span })?;
    let Some(name) = key.as_str() else {
        return Ok(any_element(value));
    };
    let Some(entries) = value.entries() else {
        // Which attribute an index means is not looked at before the object is known.
        if matches!(value.ty(), Type::Object(_)) {
            return Ok(Value::dynamic_unknown());
        }
        let ident = Ident { text: Arc::from(name), span };
        return unknown_attribute(value, &ident);
    };
    if let Some(found) = entries.get(name) {
        return Ok(found.clone());
    }
    let hidden = !value.marks().is_empty() || !index.marks().is_empty();
    let near = if hidden { None } else { suggest(name, entries.keys().map(|key| &**key)) };
    Err(EvalError::InvalidIndex {
        index: shown(index),
        holder: if value.is_map() { "this map".into() } else { "this object".into() },
        span,
        reason: "no element of this key".to_owned(),
        suggestion: near.map(|near| format!("did you mean {near:?}?")),
    })
}
