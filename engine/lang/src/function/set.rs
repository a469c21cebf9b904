//! Sets.

use std::collections::BTreeSet;

use value::{Marks, Refinement, Type, Value};

use super::ParameterType::{Any, Set};
use super::{
    Arguments, DYNAMIC, Failure, FunctionInfo, MARKED, Reply, UNKNOWN, at, failed, flagged, pure,
};

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "setintersection",
        &[flagged("first_set", Set, DYNAMIC)],
        Any,
        |a| combine(a, |own, others| others.iter().all(|other| other.contains(own))),
        "Gives the elements that are in all sets.",
    )
    .typed(alike)
    .with_variadic(flagged("other_sets", Set, DYNAMIC)),
    pure(
        "setproduct",
        &[],
        Any,
        setproduct,
        "Gives all combinations of one element of each set or list.",
    )
    .typed(product_type)
    .with_variadic(flagged("sets", Any, UNKNOWN | MARKED)),
    pure(
        "setsubtract",
        &[flagged("a", Set, DYNAMIC), flagged("b", Set, DYNAMIC)],
        Any,
        |a| combine(a, |own, others| !others.iter().any(|other| other.contains(own))),
        "Gives the elements of the first set that are not in the second.",
    )
    .typed(alike),
    pure(
        "setunion",
        &[flagged("first_set", Set, DYNAMIC)],
        Any,
        setunion,
        "Gives the elements that are in any of the sets.",
    )
    .typed(alike)
    .with_variadic(flagged("other_sets", Set, DYNAMIC)),
];

/// The set type to which all arguments convert. What is empty and of any type converts to every one.
fn alike(args: &[Value]) -> Result<Type, Failure> {
    let mut elements = Vec::new();
    for value in args {
        let Some(element) = value.ty().element().cloned() else { return Ok(Type::Dynamic) };
        if !(element == Type::Dynamic && value.len() == Some(0)) {
            elements.push(element);
        }
    }
    match value::unify(&elements) {
        Some(element) => Ok(Type::set(element)),
        None => Err(failed("the sets have no common element type")),
    }
}

fn sets(args: &Arguments<'_>) -> Result<Vec<Value>, Failure> {
    let convert = |(position, set): (usize, &Value)| {
        value::convert(set, &args.expected).map_err(|error| at(position, error.to_string()))
    };
    args.values.iter().enumerate().map(convert).collect()
}

type Elements<'a> = BTreeSet<&'a Value>;

fn combine(args: &Arguments<'_>, keep: fn(&Value, &[Elements<'_>]) -> bool) -> Reply {
    let sets = sets(args)?;
    if sets.iter().any(|set| !set.is_wholly_known()) {
        return Ok(args.unknown());
    }
    let Some((first, others)) = sets.split_first() else { return Err(failed("a set is needed")) };
    let others: Vec<Elements<'_>> =
        others.iter().map(|set| set.items().unwrap_or_default().iter().collect()).collect();
    let kept = first.items().unwrap_or_default().iter().filter(|item| keep(item, &others));
    Ok(Value::set(args.element(), kept.cloned().collect()))
}

fn setunion(args: &Arguments<'_>) -> Reply {
    let sets = sets(args)?;
    let items = sets.iter().flat_map(|set| set.items().unwrap_or_default()).cloned().collect();
    Ok(Value::set(args.element(), items))
}

/// More than this would fill the memory.
const PRODUCT_LIMIT: usize = 10_000_000;

/// Beyond these, what is known of a length is of no use.
const LENGTH_LIMIT: usize = 1024;
const PRODUCT_LENGTH_LIMIT: usize = 2048;

fn product_type(args: &[Value]) -> Result<Type, Failure> {
    if args.len() < 2 {
        return Err(failed("at least two sets are needed"));
    }
    let mut elements = Vec::with_capacity(args.len());
    let mut ordered = true;
    for (position, value) in args.iter().enumerate() {
        elements.push(match value.ty() {
            Type::Set(element) => {
                ordered = false;
                (*element).clone()
            }
            Type::List(element) => (*element).clone(),
            Type::Tuple(own) => value::unify(&own)
                .ok_or_else(|| at(position, "all elements must have a common type"))?,
            _ => return Err(at(position, "it must be a list, set or tuple")),
        });
    }
    let element = Type::tuple(elements);
    Ok(if ordered { Type::list(element) } else { Type::set(element) })
}

/// How many elements there are, if that is certain.
fn certain_length(value: &Value) -> Option<usize> {
    match value.len() {
        Some(length) if !value.is_set() || value.is_wholly_known() || length == 1 => Some(length),
        _ => None,
    }
}

fn setproduct(args: &Arguments<'_>) -> Reply {
    let marks = args.values.iter().fold(Marks::NONE, |marks, value| marks.union(value.marks()));
    if args.values.iter().any(|value| certain_length(value).is_none()) {
        return Ok(unknown_product(args).mark(marks));
    }
    let mut total = 1_usize;
    for value in &args.values {
        total = total
            .checked_mul(value.len().unwrap_or(0))
            .filter(|total| *total <= PRODUCT_LIMIT)
            .ok_or_else(|| failed(format!("more than {PRODUCT_LIMIT} combinations")))?;
    }
    let element = args.element();
    let Type::Tuple(types) = &element else { return Ok(args.unknown()) };
    let mut rows: Vec<Vec<Value>> = Vec::with_capacity(total.min(1));
    rows.push(Vec::new());
    for (position, (column, ty)) in args.values.iter().zip(types.iter()).enumerate() {
        let items = column.items().unwrap_or_default();
        let items: Result<Vec<Value>, _> =
            items.iter().map(|item| value::convert(item, ty)).collect();
        let items = items.map_err(|error| at(position, error.to_string()))?;
        let mut kinds = items.iter().map(Value::ty);
        if kinds.next().is_some_and(|first| kinds.any(|other| other != first)) {
            return Err(at(position, "all elements must have the same type"));
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                items.iter().map(move |item| {
                    let mut longer = Vec::with_capacity(row.len() + 1);
                    longer.extend_from_slice(row);
                    longer.push(item.clone());
                    longer
                })
            })
            .collect();
    }
    let rows: Vec<Value> = rows.into_iter().map(Value::tuple).collect();
    let result = match args.expected {
        Type::List(_) => Value::list(element, rows),
        _ => Value::set(element, rows),
    };
    Ok(result.mark(marks))
}

/// The bounds of an unknown product's length, where they are small enough to be of use.
fn unknown_product(args: &Arguments<'_>) -> Value {
    let mut most = 1_usize;
    for value in &args.values {
        if value.is_set() && value.is_known() && certain_length(value).is_none() {
            return args.unknown();
        }
        let own = match value.ty() {
            Type::Tuple(elements) => Some(elements.len()),
            _ => value.len().or_else(|| value.refinement().and_then(|known| known.max_length)),
        };
        let Some(own) = own.filter(|own| *own <= LENGTH_LIMIT) else { return args.unknown() };
        most *= own;
        if most > PRODUCT_LENGTH_LIMIT {
            return args.unknown();
        }
    }
    let least = usize::from(most > 0);
    let refinement = Refinement {
        not_null: true,
        min_length: Some(least),
        max_length: Some(most),
        ..Refinement::default()
    };
    Value::unknown_refined(args.expected.clone(), refinement)
}
