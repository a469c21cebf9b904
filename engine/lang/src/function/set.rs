//! Sets.

use value::{Marks, Type, Value};

use super::ParameterType::{Any, Set};
use super::{Arguments, Failure, FunctionInfo, PARTIAL, Reply, at, failed, flagged, param, pure};

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "setintersection",
        &[param("first_set", Set)],
        Any,
        |a| combine(a, |own, others| others.iter().all(|other| has(other, own))),
        "Gives the elements that are in all sets.",
    )
    .with_variadic(param("other_sets", Set)),
    pure(
        "setproduct",
        &[],
        Any,
        setproduct,
        "Gives all combinations of one element of each set or list.",
    )
    .with_variadic(flagged("sets", Any, PARTIAL)),
    pure(
        "setsubtract",
        &[param("a", Set), param("b", Set)],
        Any,
        |a| combine(a, |own, others| !others.iter().any(|other| has(other, own))),
        "Gives the elements of the first set that are not in the second.",
    ),
    pure(
        "setunion",
        &[param("first_set", Set)],
        Any,
        setunion,
        "Gives the elements that are in any of the sets.",
    )
    .with_variadic(param("other_sets", Set)),
];

/// All sets with one element type.
fn alike(args: &Arguments<'_>) -> Result<(Type, Vec<Value>), Failure> {
    let types: Vec<Type> =
        args.values.iter().filter(|set| set.len() != Some(0)).map(Value::ty).collect();
    let ty = if types.is_empty() {
        args.value(0).ty()
    } else {
        value::unify(&types).ok_or_else(|| failed("the sets have no common element type"))?
    };
    let element = ty.element().cloned().unwrap_or(Type::Dynamic);
    let sets: Result<Vec<Value>, Failure> = args
        .values
        .iter()
        .enumerate()
        .map(|(position, set)| {
            if set.len() == Some(0) {
                return Ok(Value::set(element.clone(), Vec::new()));
            }
            value::convert(set, &Type::set(element.clone()))
                .map_err(|error| at(position, error.to_string()))
        })
        .collect();
    Ok((element, sets?))
}

/// Sets are sorted, so that membership is a search.
fn has(set: &Value, element: &Value) -> bool {
    set.items().is_some_and(|items| items.binary_search(element).is_ok())
}

fn combine(args: &Arguments<'_>, keep: fn(&Value, &[Value]) -> bool) -> Reply {
    let (element, sets) = alike(args)?;
    let Some((first, others)) = sets.split_first() else { return Err(failed("a set is needed")) };
    let kept = first.items().unwrap_or_default().iter().filter(|item| keep(item, others));
    Ok(Value::set(element, kept.cloned().collect()))
}

fn setunion(args: &Arguments<'_>) -> Reply {
    let (element, sets) = alike(args)?;
    let items = sets.iter().flat_map(|set| set.items().unwrap_or_default()).cloned().collect();
    Ok(Value::set(element, items))
}

/// More combinations than this are a mistake that would fill the memory.
const PRODUCT_LIMIT: usize = 10_000_000;

/// Sets alone give a set; a list or tuple among them makes the result a list, in the order of the
/// arguments, the last one changing fastest.
fn setproduct(args: &Arguments<'_>) -> Reply {
    if args.values.len() < 2 {
        return Err(failed("at least two sets are needed"));
    }
    let mut total = 1_usize;
    let mut columns = Vec::with_capacity(args.values.len());
    let mut types = Vec::with_capacity(args.values.len());
    for (position, set) in args.values.iter().enumerate() {
        let Some(items) = set.items() else {
            return Err(at(position, "it must be a list, set or tuple"));
        };
        total = total
            .checked_mul(items.len())
            .filter(|total| *total <= PRODUCT_LIMIT)
            .ok_or_else(|| failed(format!("more than {PRODUCT_LIMIT} combinations")))?;
        let list = value::convert(set, &Type::list(Type::Dynamic))
            .map_err(|error| at(position, error.to_string()))?;
        if list.is_unknown() {
            return Ok(Value::dynamic_unknown());
        }
        types.push(list.ty().element().cloned().unwrap_or(Type::Dynamic));
        columns.push(list);
    }
    let mut rows: Vec<Vec<Value>> = Vec::with_capacity(total.min(1));
    rows.push(Vec::new());
    for column in &columns {
        let items = column.items().unwrap_or_default();
        rows = rows
            .iter()
            .flat_map(|row| {
                items.iter().map(move |item| {
                    let mut longer = Vec::with_capacity(columns_hint(row.len()));
                    longer.extend_from_slice(row);
                    longer.push(item.clone());
                    longer
                })
            })
            .collect();
    }
    let element = Type::tuple(types);
    let rows: Vec<Value> = rows.into_iter().map(Value::tuple).collect();
    let only_sets = args.values.iter().all(Value::is_set);
    let result = if only_sets { Value::set(element, rows) } else { Value::list(element, rows) };
    Ok(result.mark(Marks::NONE))
}

fn columns_hint(length: usize) -> usize {
    length + 1
}
