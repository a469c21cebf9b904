//! Sets.

use std::collections::BTreeSet;

use value::{Type, Value, convert, unify};

use super::Kind::Set;
use super::{Args, Fault, FunctionInfo, Returns, f, fault, p};

pub(super) fn functions() -> Vec<FunctionInfo> {
    vec![
        f("setunion", &[p("set", Set)], Returns::Any, "All elements of several sets.", |a| {
            combine(a, |left, right| left.union(right).cloned().collect())
        })
        .variadic(p("sets", Set)),
        f(
            "setintersection",
            &[p("set", Set)],
            Returns::Any,
            "Elements that all of several sets have.",
            |a| combine(a, |left, right| left.intersection(right).cloned().collect()),
        )
        .variadic(p("sets", Set)),
        f(
            "setsubtract",
            &[p("set", Set), p("other", Set)],
            Returns::Any,
            "Elements of a set that another one does not have.",
            |a| combine(a, |left, right| left.difference(right).cloned().collect()),
        ),
    ]
}

type Combine = fn(&BTreeSet<Value>, &BTreeSet<Value>) -> BTreeSet<Value>;

fn combine(args: &Args<'_>, how: Combine) -> Result<Value, Fault> {
    let types: Vec<Type> = args
        .values
        .iter()
        .filter(|set| set.len() != Some(0))
        .filter_map(|set| set.ty().element().cloned())
        .collect();
    let element =
        unify(&types).ok_or_else(|| fault(0, "the sets' elements have no common type"))?;
    let members = |at: usize| -> Result<BTreeSet<Value>, Fault> {
        let items = args.items(at)?.iter().map(|item| convert(item, &element));
        items.collect::<Result<_, _>>().map_err(|error| fault(at, error.to_string()))
    };
    let mut found = members(0)?;
    for at in 1..args.values.len() {
        found = how(&found, &members(at)?);
    }
    Ok(Value::set(element, found.into_iter().collect()))
}
