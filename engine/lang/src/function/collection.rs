//! Lists, tuples, maps and objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use value::{Marks, Refinement, Type, Value};

use super::ParameterType::{Any, Bool, List, ListOfString, MapOfLists, Number as N, String as S};
use super::{
    Arguments, Failure, FunctionInfo, MARKED, NULL, PARTIAL, Reply, UNKNOWN, at, failed, flagged,
    param, pure,
};
use crate::operator::{equal, not_null};

pub(super) const FUNCTIONS: &[FunctionInfo] =
    &[
        pure(
            "chunklist",
            &[flagged("list", List, PARTIAL | MARKED), param("size", N)],
            Any,
            chunklist,
            "Cuts a list into lists of a size.",
        ),
        pure(
            "coalesce",
            &[],
            Any,
            coalesce,
            "Gives the first argument that is neither null nor an empty string.",
        )
        .with_variadic(flagged("vals", Any, NULL | UNKNOWN | MARKED)),
        pure("coalescelist", &[], Any, coalescelist, "Gives the first list that is not empty.")
            .with_variadic(flagged("vals", Any, NULL | UNKNOWN | MARKED)),
        pure(
            "compact",
            &[param("list", ListOfString)],
            ListOfString,
            compact,
            "Drops null and empty strings from a list.",
        ),
        pure("concat", &[], Any, concat, "Puts lists one behind the other.")
            .with_variadic(flagged("seqs", Any, PARTIAL | MARKED)),
        pure(
            "contains",
            &[flagged("list", Any, PARTIAL), flagged("value", Any, NULL | UNKNOWN)],
            Bool,
            contains,
            "Says whether a list or set has an element.",
        ),
        pure(
            "distinct",
            &[flagged("list", List, 0)],
            Any,
            distinct,
            "Drops repeated elements from a list.",
        ),
        pure(
            "element",
            &[flagged("list", Any, UNKNOWN | MARKED), param("index", N)],
            Any,
            element,
            "Gives the element at an index, which wraps round at the end.",
        ),
        pure(
            "flatten",
            &[flagged("list", Any, PARTIAL | MARKED)],
            Any,
            flatten,
            "Puts the elements of lists within a list in their place.",
        ),
        pure(
            "index",
            &[param("list", Any), param("value", Any)],
            N,
            index,
            "Gives the index of the first element that has a value.",
        ),
        pure(
            "keys",
            &[flagged("inputMap", Any, UNKNOWN | MARKED)],
            Any,
            keys,
            "Gives the keys of a map, sorted.",
        ),
        pure(
            "length",
            &[flagged("value", Any, UNKNOWN | MARKED)],
            N,
            length,
            "Counts elements, or the characters of a text.",
        ),
        pure(
            "lookup",
            &[flagged("inputMap", Any, PARTIAL | MARKED), param("key", S)],
            Any,
            lookup,
            "Gives an element of a map, or a default where it has none.",
        )
        .with_variadic(flagged("default", Any, NULL | UNKNOWN | MARKED)),
        pure(
            "matchkeys",
            &[flagged("values", List, PARTIAL), param("keys", List), param("searchset", List)],
            Any,
            matchkeys,
            "Gives the values whose keys, at the same index, are among some.",
        ),
        pure("merge", &[], Any, merge, "Puts maps together; later ones win.")
            .with_variadic(flagged("maps", Any, NULL | PARTIAL | MARKED)),
        pure(
            "one",
            &[flagged("list", Any, UNKNOWN | MARKED)],
            Any,
            one,
            "Gives the only element, or null if there is none.",
        ),
        pure(
            "reverse",
            &[flagged("list", Any, PARTIAL | MARKED)],
            Any,
            reverse,
            "Turns the order of a list round.",
        ),
        pure(
            "slice",
            &[
                flagged("list", Any, PARTIAL | MARKED),
                param("start_index", N),
                param("end_index", N),
            ],
            Any,
            slice,
            "Gives the elements from an index up to but not including another.",
        ),
        pure("sort", &[param("list", ListOfString)], ListOfString, sort, "Sorts strings."),
        pure(
            "transpose",
            &[param("values", MapOfLists)],
            MapOfLists,
            transpose,
            "Swaps keys and values in a map of lists of strings.",
        ),
        pure(
            "values",
            &[flagged("mapping", Any, PARTIAL | MARKED)],
            Any,
            values,
            "Gives the elements of a map in the order of their keys.",
        ),
        pure(
            "zipmap",
            &[param("keys", ListOfString), flagged("values", Any, PARTIAL | MARKED)],
            Any,
            zipmap,
            "Makes a map of keys and values at the same index.",
        ),
    ];

/// The elements of a list, set or tuple; anything else is a fault of the argument.
fn sequence<'a>(args: &'a Arguments<'_>, position: usize) -> Result<&'a [Value], Failure> {
    args.value(position).items().ok_or_else(|| at(position, "it must be a list, set or tuple"))
}

/// A list if the elements came from lists of one type, else a tuple.
fn like(source: &Value, items: Vec<Value>) -> Value {
    match source.ty() {
        Type::List(element) | Type::Set(element) if !source.is_tuple() => {
            Value::list((*element).clone(), items)
        }
        _ => Value::tuple(items),
    }
}

/// One type for values that are to be alternatives of each other.
fn unified(values: &[Value]) -> Result<Vec<Value>, Failure> {
    let types: Vec<Type> = values.iter().map(Value::ty).filter(|ty| *ty != Type::Dynamic).collect();
    let Some(ty) = value::unify(&types) else {
        return Err(failed("the arguments have no common type"));
    };
    values
        .iter()
        .map(|value| value::convert(value, &ty).map_err(|error| failed(error.to_string())))
        .collect()
}

fn chunklist(args: &Arguments<'_>) -> Reply {
    let list = args.value(0);
    let size = args
        .number(1)
        .to_usize()
        .ok_or_else(|| at(1, "it must be a whole number, not negative"))?;
    let items = args.items(0);
    let chunk = |items: &[Value]| like(list, items.to_vec());
    let chunks: Vec<Value> = match size {
        _ if items.is_empty() => Vec::new(),
        0 => vec![chunk(items)],
        size => items.chunks(size).map(chunk).collect(),
    };
    Ok(Value::list(list.ty(), chunks).mark(list.marks()))
}

fn coalesce(args: &Arguments<'_>) -> Reply {
    let values = unified(&args.values)?;
    let mut marks = Marks::NONE;
    for value in values {
        marks = marks.union(value.marks());
        if value.is_unknown() {
            return Ok(not_null(value.ty()).mark(marks));
        }
        if !value.is_null() && value.as_str() != Some("") {
            return Ok(value.mark(marks));
        }
    }
    Err(failed("all arguments are null or empty strings"))
}

fn coalescelist(args: &Arguments<'_>) -> Reply {
    if args.values.is_empty() {
        return Err(failed("at least one argument is needed"));
    }
    for (position, value) in args.values.iter().enumerate() {
        if value.is_unknown() {
            return Ok(Value::dynamic_unknown().mark(value.marks()));
        }
        if value.is_null() {
            continue;
        }
        match value.items() {
            Some([]) => {}
            Some(_) => return Ok(value.clone()),
            None => return Err(at(position, "it must be a list or tuple")),
        }
    }
    Err(failed("all lists are empty"))
}

fn compact(args: &Arguments<'_>) -> Reply {
    let kept =
        args.items(0).iter().filter(|item| item.as_str().is_some_and(|text| !text.is_empty()));
    Ok(Value::list(Type::String, kept.cloned().collect()))
}

fn concat(args: &Arguments<'_>) -> Reply {
    if args.values.is_empty() {
        return Err(failed("at least one list is needed"));
    }
    let mut items = Vec::new();
    let mut marks = Marks::NONE;
    let mut types = BTreeSet::new();
    for position in 0..args.values.len() {
        let list = args.value(position);
        marks = marks.union(list.marks());
        if list.is_set() {
            return Err(at(position, "a set has no order; write `tolist(…)`"));
        }
        items.extend_from_slice(sequence(args, position)?);
        types.insert(if list.is_list() { Some(list.ty()) } else { None });
    }
    let types: Option<Vec<Type>> = types.into_iter().collect();
    // Lists give a list, and a tuple among them makes the whole a tuple.
    let result = match types.as_deref().and_then(value::unify) {
        Some(Type::List(element)) => {
            let converted: Result<Vec<Value>, _> =
                items.iter().map(|item| value::convert(item, &element)).collect();
            match converted {
                Ok(converted) => Value::list((*element).clone(), converted),
                Err(_) => Value::tuple(items),
            }
        }
        _ => Value::tuple(items),
    };
    Ok(result.mark(marks))
}

fn contains(args: &Arguments<'_>) -> Reply {
    let wanted = args.value(1);
    let items = sequence(args, 0)?;
    let mut unknown = wanted.is_unknown() && !items.is_empty();
    // An element may have to be converted first: a list of strings may be asked for a number.
    let element = args.value(0).ty().element().cloned();
    let converted = element.and_then(|ty| value::convert(wanted, &ty).ok());
    let wanted = converted.as_ref().unwrap_or(wanted);
    for item in items {
        match equal(item, wanted) {
            Some(true) => return Ok(Value::bool(true)),
            Some(false) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { not_null(Type::Bool) } else { Value::bool(false) })
}

fn distinct(args: &Arguments<'_>) -> Reply {
    let mut seen = BTreeSet::new();
    let kept: Vec<Value> =
        args.items(0).iter().filter(|item| seen.insert(*item)).cloned().collect();
    Ok(like(args.value(0), kept))
}

fn element(args: &Arguments<'_>) -> Reply {
    let list = args.value(0);
    let marks = list.marks();
    if list.is_unknown() {
        return match list.ty() {
            Type::List(element) => Ok(Value::unknown((*element).clone()).mark(marks)),
            _ => Ok(Value::dynamic_unknown().mark(marks)),
        };
    }
    if list.is_set() {
        return Err(at(0, "a set has no order; write `tolist(…)`"));
    }
    let items = sequence(args, 0)?;
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let index = args.number(1).to_i64().ok_or_else(|| at(1, "it must be a whole number"))?;
    if count == 0 {
        return Err(at(0, "it has no elements"));
    }
    if index < 0 {
        return Err(at(1, "it must not be negative").help("`reverse(list)[0]` is the last element"));
    }
    let place = usize::try_from(index % count).unwrap_or(0);
    Ok(items[place].clone().mark(marks))
}

fn flatten(args: &Arguments<'_>) -> Reply {
    sequence(args, 0)?;
    let mut flat = Vec::new();
    let mut marks = Marks::NONE;
    let known = flatten_into(args.value(0), &mut flat, &mut marks);
    let result = if known { Value::tuple(flat) } else { Value::dynamic_unknown() };
    Ok(result.mark(marks))
}

/// Says whether it is known how many elements there are.
fn flatten_into(list: &Value, flat: &mut Vec<Value>, marks: &mut Marks) -> bool {
    *marks = marks.union(list.marks());
    let mut known = true;
    for item in list.items().unwrap_or_default() {
        if item.items().is_some() {
            known &= flatten_into(item, flat, marks);
            continue;
        }
        let may_be_list = item.is_unknown()
            && matches!(item.ty(), Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_));
        known &= !may_be_list;
        flat.push(item.clone());
    }
    known
}

fn index(args: &Arguments<'_>) -> Reply {
    let items = sequence(args, 0)?;
    let found = items.iter().position(|item| equal(item, args.value(1)) == Some(true));
    match found {
        Some(place) => Ok(Value::number(place)),
        None if items.is_empty() => Err(failed("the list is empty")),
        None => Err(failed("no element has this value")),
    }
}

fn keys(args: &Arguments<'_>) -> Reply {
    let map = args.value(0);
    let marks = map.marks();
    if map.is_unknown() {
        return Ok(match map.ty() {
            Type::Object(object) => Value::tuple(
                object.attributes.keys().map(|name| Value::string(Arc::clone(name))).collect(),
            ),
            Type::Map(_) => not_null(Type::list(Type::String)),
            _ => Value::dynamic_unknown(),
        }
        .mark(marks));
    }
    let Some(entries) = map.entries() else {
        return Err(at(0, "it must be a map or an object"));
    };
    let names = entries.keys().map(|name| Value::string(Arc::clone(name))).collect();
    let result = if map.is_map() { Value::list(Type::String, names) } else { Value::tuple(names) };
    Ok(result.mark(marks))
}

fn length(args: &Arguments<'_>) -> Reply {
    use unicode_segmentation::UnicodeSegmentation;
    let value = args.value(0);
    let marks = value.marks();
    let unsuitable = || at(0, "it must be a string, a collection, a tuple or an object");
    let unknown = |lower: usize| {
        let refinement = Refinement {
            not_null: true,
            lower: Some((value::Number::from(lower), true)),
            ..Refinement::default()
        };
        Value::unknown_refined(Type::Number, refinement)
    };
    let result = if let Some(text) = value.as_str() {
        Value::number(text.graphemes(true).count())
    } else if value.is_set() && !value.is_wholly_known() && value.len() != Some(1) {
        // Elements that are not known yet may turn out to be the same.
        unknown(1)
    } else if let Some(length) = value.len() {
        Value::number(length)
    } else if value.is_unknown() {
        match value.ty() {
            Type::Tuple(elements) => Value::number(elements.len()),
            Type::Object(object) => Value::number(object.attributes.len()),
            Type::Bool | Type::Number => return Err(unsuitable()),
            _ => unknown(0),
        }
    } else {
        return Err(unsuitable());
    };
    Ok(result.mark(marks))
}

fn lookup(args: &Arguments<'_>) -> Reply {
    let map = args.value(0);
    let Some(entries) = map.entries() else { return Err(at(0, "it must be a map or an object")) };
    if args.values.len() > 3 {
        return Err(at(3, "there can be one default only"));
    }
    let default = args.values.get(2);
    let found = match (entries.get(args.text(1)), default) {
        (Some(found), _) => found.clone(),
        (None, Some(default)) if map.is_map() => match map.ty() {
            Type::Map(element) => {
                value::convert(default, &element).map_err(|error| at(2, error.to_string()))?
            }
            _ => default.clone(),
        },
        (None, Some(default)) => default.clone(),
        (None, None) => {
            return Err(failed("the map has no element of this key")
                .help("give a third argument to use where there is none"));
        }
    };
    Ok(found.mark(map.marks()))
}

fn matchkeys(args: &Arguments<'_>) -> Reply {
    let (items, keys) = (args.items(0), args.items(1));
    if items.len() != keys.len() {
        return Err(failed("there must be as many keys as values"));
    }
    let searched: BTreeSet<&Value> = args.items(2).iter().collect();
    let kept = items.iter().zip(keys).filter(|(_, key)| searched.contains(key));
    Ok(like(args.value(0), kept.map(|(item, _)| item.clone()).collect()))
}

/// Maps of one type give a map, everything else an object. Null arguments do not count.
fn merge(args: &Arguments<'_>) -> Reply {
    let mut marks = Marks::NONE;
    let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
    let mut types = BTreeSet::new();
    for (position, map) in args.values.iter().enumerate() {
        marks = marks.union(map.marks());
        if map.is_null() {
            continue;
        }
        let Some(found) = map.entries() else {
            return Err(at(position, "it must be a map or an object"));
        };
        types.insert(if map.is_map() { Some(map.ty()) } else { None });
        entries.extend(found.iter().map(|(name, value)| (Arc::clone(name), value.clone())));
    }
    let mut types = types.into_iter();
    let result = match (types.next(), types.next()) {
        (Some(Some(Type::Map(element))), None) => Value::map((*element).clone(), entries),
        _ => Value::object(entries),
    };
    Ok(result.mark(marks))
}

fn one(args: &Arguments<'_>) -> Reply {
    let list = args.value(0);
    let marks = list.marks();
    if list.is_unknown() {
        let ty = list.ty().element().cloned().unwrap_or(Type::Dynamic);
        return Ok(Value::unknown(ty).mark(marks));
    }
    match sequence(args, 0)? {
        [] => {
            let ty = list.ty().element().cloned().unwrap_or(Type::Dynamic);
            Ok(Value::null(ty).mark(marks))
        }
        [only] => Ok(only.clone().mark(marks)),
        _ => Err(at(0, "it must have one element or none")),
    }
}

fn reverse(args: &Arguments<'_>) -> Reply {
    let list = args.value(0);
    let turned = sequence(args, 0)?.iter().rev().cloned().collect();
    Ok(like(list, turned).mark(list.marks()))
}

fn slice(args: &Arguments<'_>) -> Reply {
    let list = args.value(0);
    if list.is_set() {
        return Err(at(0, "a set has no order; write `tolist(…)`"));
    }
    let items = sequence(args, 0)?;
    let place = |position: usize| {
        args.number(position).to_usize().filter(|place| *place <= items.len()).ok_or_else(|| {
            at(position, format!("it must be a whole number from 0 to {}", items.len()))
        })
    };
    let (start, end) = (place(1)?, place(2)?);
    if start > end {
        return Err(at(1, "it must not be behind the end"));
    }
    Ok(like(list, items[start..end].to_vec()).mark(list.marks()))
}

fn sort(args: &Arguments<'_>) -> Reply {
    let mut items = args.items(0).to_vec();
    if items.iter().any(Value::is_null) {
        return Err(at(0, "an element is null"));
    }
    items.sort();
    Ok(Value::list(Type::String, items))
}

fn transpose(args: &Arguments<'_>) -> Reply {
    let mut turned: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    for (name, list) in args.value(0).entries().into_iter().flatten() {
        for item in list.items().unwrap_or_default() {
            let Some(text) = item.as_arc_str() else { return Err(at(0, "a string in it is null")) };
            turned.entry(Arc::clone(text)).or_default().push(Value::string(Arc::clone(name)));
        }
    }
    let element = Type::list(Type::String);
    let lists = turned.into_iter().map(|(name, items)| (name, Value::list(Type::String, items)));
    Ok(Value::map(element, lists))
}

fn values(args: &Arguments<'_>) -> Reply {
    let map = args.value(0);
    let Some(entries) = map.entries() else { return Err(at(0, "it must be a map or an object")) };
    let found: Vec<Value> = entries.values().cloned().collect();
    let result = match map.ty() {
        Type::Map(element) => Value::list((*element).clone(), found),
        _ => Value::tuple(found),
    };
    Ok(result.mark(map.marks()))
}

fn zipmap(args: &Arguments<'_>) -> Reply {
    let names = args.items(0);
    let list = args.value(1);
    let found = sequence(args, 1)?;
    if names.len() != found.len() {
        return Err(failed(format!("there are {} keys, but {} values", names.len(), found.len())));
    }
    let mut entries = Vec::with_capacity(names.len());
    for (name, value) in names.iter().zip(found) {
        let Some(name) = name.as_arc_str() else { return Err(at(0, "a key is null")) };
        entries.push((Arc::clone(name), value.clone()));
    }
    let result = match list.ty() {
        Type::List(element) => Value::map((*element).clone(), entries),
        _ => Value::object(entries),
    };
    Ok(result.mark(list.marks()))
}
