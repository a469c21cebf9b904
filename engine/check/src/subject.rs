//! What is looked at.

use value::Value;

/// A planned object.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// Its address.
    pub address: String,
    /// Its resource type.
    pub type_name: &'a str,
    /// The object as it will be; null if there will be none.
    pub planned: &'a Value,
    /// The object as it is; null if there is none.
    pub prior: &'a Value,
    /// Whether what is there is destroyed, for good or to be made anew.
    pub destroys: bool,
    /// The region of its provider, where that is known.
    pub region: Option<String>,
}

/// An argument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Field<T> {
    /// It has this value.
    Known(T),
    /// It is not set.
    Absent,
    /// Its value is not known yet, or is sensitive: rules neither look at it nor name it.
    Unknown,
}

impl<T> Field<T> {
    /// The value, or one to take if it is not set; `None` if it is not known yet.
    pub fn or(self, fallback: T) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent => Some(fallback),
            Self::Unknown => None,
        }
    }

    /// Whether it has to be waited for.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// The value if there is one.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    fn map<U>(self, with: impl FnOnce(T) -> Option<U>) -> Field<U> {
        match self {
            Self::Known(value) => with(value).map_or(Field::Absent, Field::Known),
            Self::Absent => Field::Absent,
            Self::Unknown => Field::Unknown,
        }
    }
}

/// An argument of an object.
pub fn field<'v>(object: &'v Value, name: &str) -> Field<&'v Value> {
    match object.get_attr(name) {
        _ if object.is_unknown() => Field::Unknown,
        None => Field::Absent,
        Some(value) if value.is_unknown() || !value.deep_marks().is_empty() => Field::Unknown,
        Some(value) if value.is_null() => Field::Absent,
        Some(value) => Field::Known(value),
    }
}

/// An argument that is text; an empty text counts as not set.
pub fn text<'v>(object: &'v Value, name: &str) -> Field<&'v str> {
    field(object, name).map(|value| value.as_str().filter(|text| !text.is_empty()))
}

/// An argument that is a number.
pub fn number(object: &Value, name: &str) -> Field<f64> {
    field(object, name).map(|value| value.as_number().map(value::Number::to_f64))
}

/// An argument that is true or false.
pub fn flag(object: &Value, name: &str) -> Field<bool> {
    field(object, name).map(Value::as_bool)
}

/// Nested blocks of a kind, in order; none if they are not known yet.
pub fn blocks<'v>(object: &'v Value, name: &str) -> &'v [Value] {
    match object.get_attr(name) {
        Some(value) if value.is_object() => std::slice::from_ref(value),
        Some(value) => value.items().unwrap_or_default(),
        None => &[],
    }
}

/// The first nested block of a kind.
pub fn block<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    blocks(object, name).first()
}
