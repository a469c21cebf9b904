//! From type to type, and marks.

use value::{Marks, Type, Value};

use super::ParameterType::{Any, Bool};
use super::{Arguments, FunctionInfo, MARKED, NULL, Reply, UNKNOWN, at, flagged, pure};

const EVERYTHING: u8 = NULL | UNKNOWN | MARKED;

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "tostring",
        &[flagged("v", Any, EVERYTHING)],
        Any,
        |a| to(a, &Type::String),
        "Turns a value into a string.",
    ),
    pure(
        "tonumber",
        &[flagged("v", Any, EVERYTHING)],
        Any,
        |a| to(a, &Type::Number),
        "Turns a value into a number.",
    ),
    pure(
        "tobool",
        &[flagged("v", Any, EVERYTHING)],
        Any,
        |a| to(a, &Type::Bool),
        "Turns a value into a bool.",
    ),
    pure(
        "tolist",
        &[flagged("v", Any, EVERYTHING)],
        Any,
        |a| to(a, &Type::list(Type::Dynamic)),
        "Turns a set or tuple into a list.",
    ),
    pure(
        "toset",
        &[flagged("v", Any, EVERYTHING)],
        Any,
        |a| to(a, &Type::set(Type::Dynamic)),
        "Turns a list or tuple into a set: order and repetition go.",
    ),
    pure(
        "tomap",
        &[flagged("v", Any, EVERYTHING)],
        Any,
        |a| to(a, &Type::map(Type::Dynamic)),
        "Turns an object into a map.",
    ),
    pure(
        "sensitive",
        &[flagged("value", Any, EVERYTHING)],
        Any,
        sensitive,
        "Marks a value as one that must not be shown.",
    ),
    pure(
        "nonsensitive",
        &[flagged("value", Any, EVERYTHING)],
        Any,
        nonsensitive,
        "Takes the mark off a value that may be shown after all.",
    ),
    pure(
        "issensitive",
        &[flagged("value", Any, EVERYTHING)],
        Bool,
        issensitive,
        "Says whether a value is marked as sensitive.",
    ),
    pure(
        "ephemeralasnull",
        &[flagged("value", Any, EVERYTHING)],
        Any,
        ephemeralasnull,
        "Puts null in the place of values that must not be stored.",
    ),
];

fn to(args: &Arguments<'_>, ty: &Type) -> Reply {
    value::convert(args.value(0), ty).map_err(|error| at(0, error.to_string()))
}

fn sensitive(args: &Arguments<'_>) -> Reply {
    Ok(args.value(0).clone().mark(Marks::SENSITIVE))
}

fn nonsensitive(args: &Arguments<'_>) -> Reply {
    let (value, marks) = args.value(0).clone().unmark();
    Ok(value.mark(marks.without(Marks::SENSITIVE)))
}

fn issensitive(args: &Arguments<'_>) -> Reply {
    let value = args.value(0);
    if value.is_sensitive() {
        return Ok(Value::bool(true));
    }
    // What is not known yet may turn out to be sensitive.
    if value.is_unknown() {
        return Ok(crate::operator::not_null(Type::Bool));
    }
    Ok(Value::bool(false))
}

fn ephemeralasnull(args: &Arguments<'_>) -> Reply {
    Ok(args.value(0).clone().transform(&mut |_, value| {
        if value.marks().contains(Marks::EPHEMERAL) {
            let marks = value.marks().without(Marks::EPHEMERAL);
            Value::null(value.ty()).mark(marks)
        } else {
            value
        }
    }))
}
