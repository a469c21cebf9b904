//! From type to type, and marks.

use value::{Marks, Type, Value};

use super::ParameterType::{Any, Bool};
use super::{
    Arguments, DYNAMIC, Failure, FunctionInfo, MARKED, NULL, Reply, UNKNOWN, at, flagged, pure,
};

const EVERYTHING: u8 = NULL | UNKNOWN | MARKED | DYNAMIC;
const CONVERTIBLE: u8 = EVERYTHING;

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure("tostring", &[flagged("v", Any, CONVERTIBLE)], Any, to, "Turns a value into a string.")
        .typed(|args| to_type(args, &Type::String))
        .nullable(),
    pure("tonumber", &[flagged("v", Any, CONVERTIBLE)], Any, to, "Turns a value into a number.")
        .typed(|args| to_type(args, &Type::Number))
        .nullable(),
    pure("tobool", &[flagged("v", Any, CONVERTIBLE)], Any, to, "Turns a value into a bool.")
        .typed(|args| to_type(args, &Type::Bool))
        .nullable(),
    pure("tolist", &[flagged("v", Any, CONVERTIBLE)], Any, to, "Turns a set or tuple into a list.")
        .typed(|args| to_type(args, &Type::list(Type::Dynamic)))
        .nullable(),
    pure(
        "toset",
        &[flagged("v", Any, CONVERTIBLE)],
        Any,
        to,
        "Turns a list or tuple into a set: order and repetition go.",
    )
    .typed(|args| to_type(args, &Type::set(Type::Dynamic)))
    .nullable(),
    pure("tomap", &[flagged("v", Any, CONVERTIBLE)], Any, to, "Turns an object into a map.")
        .typed(|args| to_type(args, &Type::map(Type::Dynamic)))
        .nullable(),
    pure(
        "sensitive",
        &[flagged("value", Any, EVERYTHING)],
        Any,
        sensitive,
        "Marks a value as one that must not be shown.",
    )
    .typed(|args| Ok(args[0].ty()))
    .nullable(),
    pure(
        "nonsensitive",
        &[flagged("value", Any, EVERYTHING)],
        Any,
        nonsensitive,
        "Takes the mark off a value that may be shown after all.",
    )
    .typed(|args| Ok(args[0].ty()))
    .nullable(),
    pure(
        "issensitive",
        &[flagged("value", Any, EVERYTHING)],
        Bool,
        issensitive,
        "Says whether a value is marked as sensitive.",
    )
    .nullable(),
    pure(
        "ephemeralasnull",
        &[flagged("value", Any, EVERYTHING)],
        Any,
        ephemeralasnull,
        "Puts null in the place of values that must not be stored.",
    )
    .typed(|args| Ok(args[0].ty()))
    .nullable(),
];

/// Whether there is a conversion at all; that the value itself suits is seen later.
fn to_type(args: &[Value], ty: &Type) -> Result<Type, Failure> {
    let fault = |error: value::ConversionError| at(0, error.to_string());
    value::converted_type(&args[0].ty(), ty).map_err(fault)
}

fn to(args: &Arguments<'_>) -> Reply {
    let fault = |error: value::ConversionError| at(0, error.to_string());
    let value = args.value(0);
    if value.is_unknown() {
        return Ok(args.unknown().mark(value.marks()));
    }
    value::convert(value, &args.expected).map_err(fault)
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
        return Ok(Value::unknown(Type::Bool));
    }
    Ok(Value::bool(false))
}

fn ephemeralasnull(args: &Arguments<'_>) -> Reply {
    Ok(args.value(0).clone().transform(&mut |_, value| {
        if !value.marks().contains(Marks::EPHEMERAL) {
            return value;
        }
        let (value, marks) = value.unmark();
        let ty = value.ty();
        let value = if value.is_unknown() { Value::unknown(ty) } else { Value::null(ty) };
        value.mark(marks.without(Marks::EPHEMERAL))
    }))
}
