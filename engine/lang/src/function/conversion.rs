//! From one type to another, and marks.

use value::{Marks, Type, Value, convert};

use super::Kind::Any;
use super::{Args, Fault, FunctionInfo, Returns, f, fault, nullable};

pub(super) fn functions() -> Vec<FunctionInfo> {
    vec![
        f("tostring", &[nullable("value", Any)], Returns::Text, "A value as a string.", |a| {
            to(a, &Type::String)
        })
        .everything(),
        f("tonumber", &[nullable("value", Any)], Returns::Number, "A value as a number.", |a| {
            to(a, &Type::Number)
        })
        .everything(),
        f("tobool", &[nullable("value", Any)], Returns::Bool, "A value as a bool.", |a| {
            to(a, &Type::Bool)
        })
        .everything(),
        f("tolist", &[nullable("value", Any)], Returns::Any, "A value as a list.", |a| {
            to(a, &Type::list(Type::Dynamic))
        })
        .everything(),
        f("toset", &[nullable("value", Any)], Returns::Any, "A value as a set.", |a| {
            to(a, &Type::set(Type::Dynamic))
        })
        .everything(),
        f("tomap", &[nullable("value", Any)], Returns::Any, "A value as a map.", |a| {
            to(a, &Type::map(Type::Dynamic))
        })
        .everything(),
        f(
            "sensitive",
            &[nullable("value", Any)],
            Returns::Any,
            "A value that is never shown.",
            |a| Ok(a.value(0)?.clone().mark(Marks::SENSITIVE)),
        )
        .everything(),
        f(
            "nonsensitive",
            &[nullable("value", Any)],
            Returns::Any,
            "A value that may be shown.",
            |a| Ok(a.value(0)?.clone().unmarked(Marks::SENSITIVE)),
        )
        .everything(),
        f(
            "issensitive",
            &[nullable("value", Any)],
            Returns::Bool,
            "Whether a value is never shown.",
            |a| {
                let value = a.value(0)?;
                if !value.is_sensitive() && value.is_unknown() {
                    return Ok(Value::unknown(Type::Bool));
                }
                Ok(Value::bool(value.is_sensitive()))
            },
        )
        .everything(),
        f(
            "ephemeralasnull",
            &[nullable("value", Any)],
            Returns::Any,
            "A value with null in place of ephemeral parts.",
            |a| {
                Ok(a.value(0)?.clone().transform(&mut |_, value| {
                    if value.marks().contains(Marks::EPHEMERAL) {
                        Value::null(value.ty())
                    } else {
                        value
                    }
                }))
            },
        )
        .everything(),
        f("type", &[nullable("value", Any)], Returns::Text, "The type of a value, as text.", |a| {
            Ok(a.value(0)?.ty().to_string().into())
        })
        .everything(),
    ]
}

fn to(args: &Args<'_>, ty: &Type) -> Result<Value, Fault> {
    convert(args.value(0)?, ty).map_err(|error| fault(0, error.to_string()))
}
