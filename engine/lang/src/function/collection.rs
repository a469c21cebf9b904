//! Lists, tuples, maps and objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use value::{Marks, Number, Refinement, Type, Value};

use super::ParameterType::{Any, Bool, List, ListOfString, MapOfLists, Number as N, String as S};
use super::{
    Arguments, DYNAMIC, Failure, FunctionInfo, MARKED, NULL, Reply, UNKNOWN, at, failed, flagged,
    param, pure,
};
use crate::operator::equal;

const EVERYTHING: u8 = NULL | UNKNOWN | DYNAMIC;

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "chunklist",
        &[flagged("list", List, MARKED), flagged("size", N, MARKED)],
        Any,
        chunklist,
        "Cuts a list into lists of a size.",
    )
    .typed(|args| Ok(Type::list(args[0].ty()))),
    pure(
        "coalesce",
        &[],
        Any,
        coalesce,
        "Gives the first argument that is neither null nor an empty string.",
    )
    .typed(common_type)
    .with_variadic(flagged("vals", Any, EVERYTHING)),
    pure("coalescelist", &[], Any, coalescelist, "Gives the first list that is not empty.")
        .typed(coalescelist_type)
        .with_variadic(flagged("vals", Any, EVERYTHING)),
    pure(
        "compact",
        &[param("list", ListOfString)],
        ListOfString,
        compact,
        "Drops null and empty strings from a list.",
    ),
    pure("concat", &[], Any, concat, "Puts lists one behind the other.")
        .typed(concat_type)
        .with_variadic(flagged("seqs", Any, MARKED)),
    pure(
        "contains",
        &[param("list", Any), param("value", Any)],
        Bool,
        contains,
        "Says whether a list or set has an element.",
    ),
    pure("distinct", &[param("list", List)], Any, distinct, "Drops repeated elements from a list.")
        .typed(|args| Ok(args[0].ty())),
    pure(
        "element",
        &[flagged("list", Any, MARKED), param("index", N)],
        Any,
        element,
        "Gives the element at an index, which wraps round at the end.",
    )
    .typed(element_type)
    .nullable(),
    pure(
        "flatten",
        &[flagged("list", Any, MARKED)],
        Any,
        flatten,
        "Puts the elements of lists within a list in their place.",
    )
    .typed(flatten_type),
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
    )
    .typed(keys_type),
    pure(
        "length",
        &[flagged("value", Any, UNKNOWN | MARKED | DYNAMIC)],
        N,
        length,
        "Counts elements, or the characters of a text.",
    )
    .typed(|args| match args[0].ty() {
        Type::Bool | Type::Number => {
            Err(at(0, "it must be a string, a collection, a tuple or an object"))
        }
        _ => Ok(Type::Number),
    }),
    pure(
        "lookup",
        &[flagged("inputMap", Any, MARKED), param("key", S)],
        Any,
        lookup,
        "Gives an element of a map, or a default where it has none.",
    )
    .typed(lookup_type)
    .nullable()
    .with_variadic(flagged("default", Any, EVERYTHING | MARKED)),
    pure(
        "matchkeys",
        &[param("values", List), param("keys", List), param("searchset", List)],
        Any,
        matchkeys,
        "Gives the values whose keys, at the same index, are among some.",
    )
    .typed(|args| match value::unify(&[args[1].ty(), args[2].ty()]) {
        Some(_) => Ok(args[0].ty()),
        None => Err(failed("keys and searchset must have a common type")),
    }),
    pure("merge", &[], Any, merge, "Puts maps together; later ones win.")
        .typed(merge_type)
        .with_variadic(flagged("maps", Any, NULL | DYNAMIC | MARKED)),
    pure(
        "one",
        &[param("list", Any)],
        Any,
        one,
        "Gives the only element, or null if there is none.",
    )
    .typed(one_type)
    .nullable(),
    pure(
        "reverse",
        &[flagged("list", Any, MARKED)],
        Any,
        reverse,
        "Turns the order of a list round.",
    )
    .typed(|args| match args[0].ty() {
        Type::Tuple(elements) => Ok(Type::tuple(elements.iter().rev().cloned())),
        Type::List(element) | Type::Set(element) => Ok(Type::List(element)),
        _ => Err(at(0, "it must be a list, set or tuple")),
    }),
    pure(
        "slice",
        &[flagged("list", Any, MARKED), param("start_index", N), param("end_index", N)],
        Any,
        slice,
        "Gives the elements from an index up to but not including another.",
    )
    .typed(slice_type),
    pure("sort", &[flagged("list", ListOfString, UNKNOWN)], ListOfString, sort, "Sorts strings."),
    pure(
        "transpose",
        &[param("values", MapOfLists)],
        MapOfLists,
        transpose,
        "Swaps keys and values in a map of lists of strings.",
    ),
    pure(
        "values",
        &[flagged("mapping", Any, MARKED)],
        Any,
        values,
        "Gives the values of a map, in the order of its keys.",
    )
    .typed(|args| match args[0].ty() {
        Type::Map(element) => Ok(Type::List(element)),
        Type::Object(object) => Ok(Type::tuple(object.attributes.values().map(|a| a.ty.clone()))),
        _ => Err(at(0, "it must be a map or an object")),
    }),
    pure(
        "zipmap",
        &[param("keys", ListOfString), flagged("values", Any, MARKED)],
        Any,
        zipmap,
        "Makes a map of a list of keys and a list of values.",
    )
    .typed(zipmap_type),
];

/// The elements of a known list, set or tuple.
fn sequence<'a>(args: &'a Arguments<'_>, position: usize) -> Result<&'a [Value], Failure> {
    args.value(position).items().ok_or_else(|| at(position, "it must be a list, set or tuple"))
}

fn is_sequence(value: &Value) -> bool {
    matches!(value.ty(), Type::List(_) | Type::Set(_) | Type::Tuple(_))
}

/// What an index or a size must be.
fn whole(value: &Value, position: usize) -> Result<i64, Failure> {
    value
        .as_number()
        .and_then(Number::to_i64)
        .ok_or_else(|| at(position, "it must be a whole number"))
}

fn chunklist(args: &Arguments<'_>) -> Reply {
    let list = args.value(0);
    let marks = list.marks().union(args.value(1).marks());
    let size = whole(args.value(1), 1)?;
    let size = usize::try_from(size).map_err(|_| at(1, "it must not be negative"))?;
    let items = args.items(0);
    let element = list.ty().element().cloned().unwrap_or(Type::Dynamic);
    let chunk = |items: &[Value]| Value::list(element.clone(), items.to_vec());
    let chunks: Vec<Value> = match size {
        _ if items.is_empty() => Vec::new(),
        0 => vec![list.clone().unmark().0],
        size => items.chunks(size).map(chunk).collect(),
    };
    Ok(Value::list(list.ty(), chunks).mark(marks))
}

fn common_type(args: &[Value]) -> Result<Type, Failure> {
    let types: Vec<Type> = args.iter().map(Value::ty).collect();
    match value::unify(&types) {
        Some(ty) if !types.is_empty() => Ok(ty),
        _ => Err(failed("the arguments have no common type")),
    }
}

fn coalesce(args: &Arguments<'_>) -> Reply {
    for (position, value) in args.values.iter().enumerate() {
        let value = value::convert(value, &args.expected)
            .map_err(|error| at(position, error.to_string()))?;
        if value.is_unknown() {
            return Ok(args.unknown());
        }
        if !value.is_null() && value.as_str() != Some("") {
            return Ok(value);
        }
        // An empty string counts only where all are strings.
        if value.as_str() == Some("") && args.expected != Type::String {
            return Ok(value);
        }
    }
    Err(failed("all arguments are null or empty strings"))
}

fn coalescelist_type(args: &[Value]) -> Result<Type, Failure> {
    let Some(first) = args.first() else { return Err(failed("at least one argument is needed")) };
    for (position, value) in args.iter().enumerate() {
        if value.is_unknown() {
            return Ok(Type::Dynamic);
        }
        if !matches!(value.ty(), Type::List(_) | Type::Tuple(_)) {
            return Err(at(position, "it must be a list or tuple"));
        }
    }
    let ty = first.ty();
    Ok(if args.iter().all(|value| value.ty() == ty) { ty } else { Type::Dynamic })
}

fn coalescelist(args: &Arguments<'_>) -> Reply {
    for value in &args.values {
        if value.is_unknown() {
            return Ok(args.unknown());
        }
        if value.len().is_some_and(|length| length > 0) {
            return Ok(value.clone());
        }
    }
    Err(failed("all lists are null or empty"))
}

fn compact(args: &Arguments<'_>) -> Reply {
    if !args.value(0).is_wholly_known() {
        return Ok(args.unknown());
    }
    let kept =
        args.items(0).iter().filter(|item| item.as_str().is_some_and(|text| !text.is_empty()));
    Ok(Value::list(Type::String, kept.cloned().collect()))
}

/// Lists give a list, and a tuple that comes first or among them makes the whole a tuple.
fn concat_type(args: &[Value]) -> Result<Type, Failure> {
    if args.is_empty() {
        return Err(failed("at least one list is needed"));
    }
    let types: Vec<Type> = args.iter().map(Value::ty).collect();
    if types.iter().all(|ty| matches!(ty, Type::List(_)))
        && let Some(common) = value::unify(&types)
    {
        return Ok(common);
    }
    let mut elements = Vec::new();
    for (position, value) in args.iter().enumerate() {
        match &types[position] {
            Type::Tuple(own) => elements.extend(own.iter().cloned()),
            Type::List(element) => match value.len() {
                Some(length) => elements.extend(std::iter::repeat_n((**element).clone(), length)),
                None => return Ok(Type::Dynamic),
            },
            Type::Set(_) => return Err(at(position, "a set has no order; write `tolist(…)`")),
            _ => return Err(at(position, "it must be a list or tuple")),
        }
    }
    Ok(Type::tuple(elements))
}

fn concat(args: &Arguments<'_>) -> Reply {
    let list = matches!(args.expected, Type::List(_));
    let mut items = Vec::new();
    let mut marks = Marks::NONE;
    for (position, value) in args.values.iter().enumerate() {
        marks = marks.union(value.marks());
        if list {
            let value = value::convert(value, &args.expected)
                .map_err(|error| at(position, error.to_string()))?;
            items.extend_from_slice(value.items().unwrap_or_default());
        } else {
            items.extend_from_slice(value.items().unwrap_or_default());
        }
    }
    Ok(if list { Value::list(args.element(), items) } else { Value::tuple(items) }.mark(marks))
}

fn contains(args: &Arguments<'_>) -> Reply {
    let wanted = args.value(1);
    let mut unknown = false;
    for item in sequence(args, 0)? {
        match equal(wanted, item) {
            Some(true) => return Ok(Value::bool(true)),
            Some(false) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { args.unknown() } else { Value::bool(false) })
}

fn distinct(args: &Arguments<'_>) -> Reply {
    if !args.value(0).is_wholly_known() {
        return Ok(args.unknown());
    }
    let mut seen = BTreeSet::new();
    let kept: Vec<Value> =
        args.items(0).iter().filter(|item| seen.insert(*item)).cloned().collect();
    Ok(Value::list(args.element(), kept))
}

/// Where an index leads that wraps round.
fn wrapped(value: &Value, length: usize, is_tuple: bool) -> Result<usize, Failure> {
    let index = whole(value, 1)?;
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    if length == 0 {
        return Err(at(0, "it has no elements"));
    }
    // Only lists can be counted from their end.
    if index < 0 && is_tuple {
        return Err(at(1, "it must not be negative").help("`reverse(list)[0]` is the last element"));
    }
    Ok(usize::try_from(index.rem_euclid(length)).unwrap_or(0))
}

fn element_type(args: &[Value]) -> Result<Type, Failure> {
    match args[0].ty() {
        Type::List(element) => Ok((*element).clone()),
        Type::Tuple(_) if args[1].is_unknown() => Ok(Type::Dynamic),
        Type::Tuple(elements) => Ok(elements[wrapped(&args[1], elements.len(), true)?].clone()),
        Type::Set(_) => Err(at(0, "a set has no order; write `tolist(…)`")),
        _ => Err(at(0, "it must be a list or tuple")),
    }
}

fn element(args: &Arguments<'_>) -> Reply {
    let list = args.value(0);
    let items = sequence(args, 0)?;
    let found = items[wrapped(args.value(1), items.len(), list.is_tuple())?].clone();
    Ok(found.mark(list.marks()))
}

fn flatten_type(args: &[Value]) -> Result<Type, Failure> {
    if !args[0].is_wholly_known() {
        return Ok(Type::Dynamic);
    }
    if !is_sequence(&args[0]) {
        return Err(at(0, "it must be a list, set or tuple"));
    }
    let mut flat = Vec::new();
    let mut marks = Marks::NONE;
    let known = flatten_into(&args[0], &mut flat, &mut marks);
    Ok(if known { Type::tuple(flat.iter().map(Value::ty)) } else { Type::Dynamic })
}

fn flatten(args: &Arguments<'_>) -> Reply {
    let mut flat = Vec::new();
    let mut marks = Marks::NONE;
    let known = flatten_into(args.value(0), &mut flat, &mut marks);
    let result = if known { Value::tuple(flat) } else { Value::dynamic_unknown() };
    Ok(result.mark(marks))
}

/// Says whether it is known how many elements there are.
fn flatten_into(list: &Value, flat: &mut Vec<Value>, marks: &mut Marks) -> bool {
    *marks = marks.union(list.marks());
    if list.is_set() && !list.is_wholly_known() && list.len() != Some(1) {
        return false;
    }
    let mut known = true;
    for (_, item) in list.elements() {
        if item.items().is_some() {
            known &= flatten_into(item, flat, marks);
        } else if item.is_unknown() && is_sequence(item) {
            *marks = marks.union(item.marks());
            known = false;
        } else {
            known &= !(item.is_unknown() && item.ty_is_dynamic());
            flat.push(item.clone());
        }
    }
    known
}

fn index(args: &Arguments<'_>) -> Reply {
    if args.value(0).is_set() {
        return Err(at(0, "a set has no order; write `tolist(…)`"));
    }
    let items = sequence(args, 0)?;
    if items.is_empty() {
        return Err(failed("the list is empty"));
    }
    for (place, item) in items.iter().enumerate() {
        match equal(item, args.value(1)) {
            Some(true) => return Ok(Value::number(place)),
            Some(false) => {}
            None => return Ok(args.unknown()),
        }
    }
    Err(failed("no element has this value"))
}

fn keys_type(args: &[Value]) -> Result<Type, Failure> {
    match args[0].ty() {
        Type::Map(_) => Ok(Type::list(Type::String)),
        Type::Object(object) => Ok(Type::tuple(object.attributes.keys().map(|_| Type::String))),
        _ => Err(at(0, "it must be a map or an object")),
    }
}

fn keys(args: &Arguments<'_>) -> Reply {
    let map = args.value(0);
    let marks = map.marks();
    let text = |name: &Arc<str>| Value::string(Arc::clone(name));
    if let Type::Object(object) = map.ty() {
        return Ok(Value::tuple(object.attributes.keys().map(text).collect()).mark(marks));
    }
    Ok(match map.entries() {
        Some(entries) => Value::list(Type::String, entries.keys().map(text).collect()),
        None => args.unknown(),
    }
    .mark(marks))
}

/// How long an unknown collection may be, by what is known of it.
pub(crate) fn length_range(value: &Value) -> Value {
    let known = value.refinement();
    let bound = |length: usize| Some((Number::from(length), true));
    let refinement = Refinement {
        not_null: true,
        lower: bound(known.and_then(|known| known.min_length).unwrap_or(0)),
        upper: match known.and_then(|known| known.max_length) {
            Some(most) => bound(most),
            None => Some((Number::from(i64::MAX), true)),
        },
        ..Refinement::default()
    };
    Value::unknown_refined(Type::Number, refinement)
}

fn length(args: &Arguments<'_>) -> Reply {
    use unicode_segmentation::UnicodeSegmentation;
    let value = args.value(0);
    let marks = value.marks();
    let result = if let Some(text) = value.as_str() {
        Value::number(text.graphemes(true).count())
    } else if value.is_set() && !value.is_wholly_known() && value.len() != Some(1) {
        // Elements that are not known yet may turn out to be the same.
        let bound = |length: usize| Some((Number::from(length), true));
        let upper = value.len().and_then(bound);
        let refinement =
            Refinement { not_null: true, lower: bound(1), upper, ..Refinement::default() };
        Value::unknown_refined(Type::Number, refinement)
    } else if let Some(length) = value.len() {
        Value::number(length)
    } else {
        match value.ty() {
            Type::Tuple(elements) => Value::number(elements.len()),
            Type::Object(object) => Value::number(object.attributes.len()),
            Type::String => {
                let prefix = value.refinement().and_then(|known| known.prefix.as_deref());
                let least = prefix.unwrap_or_default().graphemes(true).count();
                let refinement = Refinement {
                    not_null: true,
                    lower: Some((Number::from(least), true)),
                    ..Refinement::default()
                };
                Value::unknown_refined(Type::Number, refinement)
            }
            Type::Dynamic => args.unknown(),
            _ => length_range(value),
        }
    };
    Ok(result.mark(marks))
}

fn lookup_type(args: &[Value]) -> Result<Type, Failure> {
    if args.len() > 3 {
        return Err(at(3, "there can be one default only"));
    }
    match args[0].ty() {
        Type::Object(object) => {
            let Some(key) = args[1].as_str() else { return Ok(Type::Dynamic) };
            match (object.attributes.get(key), args.get(2)) {
                (Some(found), _) => Ok(found.ty.clone()),
                (None, Some(default)) => Ok(default.ty()),
                (None, None) => Err(at(0, "the object has no attribute of this name")
                    .help("give a third argument to use where there is none")),
            }
        }
        Type::Map(element) => {
            if let Some(default) = args.get(2) {
                value::convert(default, &element).map_err(|error| at(2, error.to_string()))?;
            }
            Ok((*element).clone())
        }
        _ => Err(at(0, "it must be a map or an object")),
    }
}

fn lookup(args: &Arguments<'_>) -> Reply {
    let map = args.value(0);
    let marks = map.marks();
    let Some(entries) = map.entries() else { return Err(at(0, "it must be a map or an object")) };
    let found = match (entries.get(args.text(1)), args.values.get(2)) {
        (Some(found), _) => found.clone(),
        (None, Some(default)) => {
            value::convert(default, &args.expected).map_err(|error| at(2, error.to_string()))?
        }
        (None, None) => {
            return Err(failed("the map has no element of this key")
                .help("give a third argument to use where there is none"));
        }
    };
    Ok(found.mark(marks))
}

fn matchkeys(args: &Arguments<'_>) -> Reply {
    let (items, keys) = (args.items(0), args.value(1));
    if items.len() != args.items(1).len() {
        return Err(failed("there must be as many keys as values"));
    }
    let common = value::unify(&[keys.ty(), args.value(2).ty()]).unwrap_or(Type::Dynamic);
    let alike = |position: usize| {
        value::convert(args.value(position), &common)
            .map_err(|error| at(position, error.to_string()))
    };
    let (keys, searched) = (alike(1)?, alike(2)?);
    let searched = searched.items().unwrap_or_default();
    if searched.is_empty() {
        return Ok(Value::empty_list(args.element()));
    }
    if !args.value(0).is_wholly_known() || !keys.is_wholly_known() {
        return Ok(args.unknown());
    }
    let mut kept = Vec::new();
    for (key, item) in keys.items().unwrap_or_default().iter().zip(items) {
        for candidate in searched {
            match equal(key, candidate) {
                Some(true) => {
                    kept.push(item.clone());
                    break;
                }
                Some(false) => {}
                None => return Ok(Value::empty_list(args.element())),
            }
        }
    }
    Ok(Value::list(args.element(), kept))
}

/// Maps of one type give a map, everything else an object. Null arguments do not count.
fn merge_type(args: &[Value]) -> Result<Type, Failure> {
    let mut attributes: BTreeMap<Arc<str>, Type> = BTreeMap::new();
    let mut types = Vec::with_capacity(args.len());
    let mut known = true;
    for (position, value) in args.iter().enumerate() {
        match value.ty() {
            Type::Dynamic => return Ok(Type::Dynamic),
            Type::Object(_) if value.is_null() => types.push(Type::object([] as [(&str, Type); 0])),
            Type::Object(object) => {
                attributes
                    .extend(object.attributes.iter().map(|(n, a)| (Arc::clone(n), a.ty.clone())));
                types.push(Type::Object(object));
            }
            Type::Map(element) => {
                match value.entries() {
                    Some(entries) => attributes
                        .extend(entries.keys().map(|name| (Arc::clone(name), (*element).clone()))),
                    None => known &= value.is_null(),
                }
                types.push(Type::Map(element));
            }
            _ => return Err(at(position, "it must be a map or an object")),
        }
    }
    match types.first() {
        Some(first) if types.iter().all(|ty| ty == first) => Ok(first.clone()),
        Some(_) if !known => Ok(Type::Dynamic),
        _ => Ok(Type::object(attributes)),
    }
}

fn merge(args: &Arguments<'_>) -> Reply {
    let mut marks = Marks::NONE;
    let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
    for (position, map) in args.values.iter().enumerate().filter(|(_, map)| !map.is_null()) {
        marks = marks.union(map.marks());
        if let Some(found) = map.entries() {
            entries.extend(found.iter().map(|(name, value)| (Arc::clone(name), value.clone())));
            continue;
        }
        // Behind a null without a type, Terraform takes a set of texts for a map of them to themselves.
        let texts = map.items().filter(|_| matches!(map.ty(), Type::Set(_))).map(|items| {
            items.iter().map(|item| Some((Arc::clone(item.as_arc_str()?), item.clone()))).collect()
        });
        let found: Option<Vec<(Arc<str>, Value)>> = texts.flatten();
        entries.extend(found.ok_or_else(|| at(position, "it must be a map or an object"))?);
    }
    let result = match &args.expected {
        Type::Map(element) => Value::map((**element).clone(), entries),
        _ => Value::object(entries),
    };
    Ok(result.mark(marks))
}

const ONE: &str = "it must have one element or none";

fn one_type(args: &[Value]) -> Result<Type, Failure> {
    match args[0].ty() {
        Type::List(element) | Type::Set(element) => Ok((*element).clone()),
        Type::Tuple(elements) => match &elements[..] {
            [] => Ok(Type::Dynamic),
            [only] => Ok(only.clone()),
            _ => Err(at(0, ONE)),
        },
        _ => Err(at(0, ONE)),
    }
}

fn one(args: &Arguments<'_>) -> Reply {
    let list = args.value(0);
    if list.is_set() && !list.is_wholly_known() && list.len() != Some(1) {
        return Ok(args.unknown());
    }
    match sequence(args, 0)? {
        [] => Ok(Value::null(args.expected.clone())),
        [only] => Ok(only.clone()),
        _ => Err(at(0, ONE)),
    }
}

fn reverse(args: &Arguments<'_>) -> Reply {
    let list = args.value(0);
    let turned = sequence(args, 0)?.iter().rev().cloned().collect();
    let result =
        if list.is_tuple() { Value::tuple(turned) } else { Value::list(args.element(), turned) };
    Ok(result.mark(list.marks()))
}

/// The two indices, `None` where one is not known.
fn slice_places(args: &[Value]) -> Result<Option<(usize, usize)>, Failure> {
    let length = match args[0].ty() {
        Type::Tuple(elements) => Some(elements.len()),
        _ => args[0].len(),
    };
    let place = |position: usize| {
        let value = &args[position];
        if value.is_unknown() {
            return Ok(None);
        }
        let place = usize::try_from(whole(value, position)?)
            .map_err(|_| at(position, "it must not be negative"))?;
        match length {
            Some(length) if place > length => {
                Err(at(position, format!("it must be a whole number from 0 to {length}")))
            }
            _ => Ok(Some(place)),
        }
    };
    match (place(1)?, place(2)?) {
        (Some(start), Some(end)) if start > end => Err(at(1, "it must not be behind the end")),
        (Some(start), Some(end)) => Ok(Some((start, end))),
        _ => Ok(None),
    }
}

fn slice_type(args: &[Value]) -> Result<Type, Failure> {
    let ty = args[0].ty();
    match &ty {
        Type::List(_) => slice_places(args).map(|_| ty),
        Type::Tuple(elements) => Ok(match slice_places(args)? {
            Some((start, end)) => Type::tuple(elements[start..end].iter().cloned()),
            None => Type::Dynamic,
        }),
        Type::Set(_) => Err(at(0, "a set has no order; write `tolist(…)`")),
        _ => Err(at(0, "it must be a list or tuple")),
    }
}

fn slice(args: &Arguments<'_>) -> Reply {
    let list = args.value(0);
    let Some((start, end)) = slice_places(&args.values)? else { return Ok(args.unknown()) };
    let items = args.items(0)[start..end].to_vec();
    let result =
        if list.is_tuple() { Value::tuple(items) } else { Value::list(args.element(), items) };
    Ok(result.mark(list.marks()))
}

fn sort(args: &Arguments<'_>) -> Reply {
    if !args.value(0).is_wholly_known() {
        // There will be as many elements, in whatever order.
        let (length, known) = (args.value(0).len(), args.value(0).refinement());
        return Ok(Value::unknown_refined(
            Type::list(Type::String),
            Refinement {
                not_null: true,
                min_length: length.or_else(|| known.and_then(|known| known.min_length)),
                max_length: length.or_else(|| known.and_then(|known| known.max_length)),
                ..Refinement::default()
            },
        ));
    }
    let mut items = args.items(0).to_vec();
    if items.iter().any(Value::is_null) {
        return Err(at(0, "an element is null"));
    }
    items.sort();
    Ok(Value::list(Type::String, items))
}

fn transpose(args: &Arguments<'_>) -> Reply {
    if !args.value(0).is_wholly_known() {
        return Ok(args.unknown());
    }
    let mut turned: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    for (name, list) in args.value(0).entries().into_iter().flatten() {
        if list.is_null() {
            return Err(at(0, "a list in it is null"));
        }
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
    let found: Vec<Value> =
        map.entries().into_iter().flat_map(value::Entries::values).cloned().collect();
    let result = match &args.expected {
        Type::List(element) => Value::list((**element).clone(), found),
        _ => Value::tuple(found),
    };
    Ok(result.mark(map.marks()))
}

fn zipmap_type(args: &[Value]) -> Result<Type, Failure> {
    match args[1].ty() {
        Type::List(element) => Ok(Type::Map(element)),
        Type::Tuple(elements) => {
            if !args[0].is_wholly_known() {
                return Ok(Type::Dynamic);
            }
            let names = args[0].items().unwrap_or_default();
            if names.len() != elements.len() {
                return Err(uneven(names.len(), elements.len()));
            }
            let mut attributes = Vec::with_capacity(names.len());
            for (name, ty) in names.iter().zip(elements.iter()) {
                let Some(name) = name.as_arc_str() else { return Err(at(0, "a key is null")) };
                attributes.push((Arc::clone(name), ty.clone()));
            }
            Ok(Type::object(attributes))
        }
        _ => Err(at(1, "it must be a list or tuple")),
    }
}

fn uneven(keys: usize, values: usize) -> Failure {
    failed(format!("there are {keys} keys, but {values} values"))
}

fn zipmap(args: &Arguments<'_>) -> Reply {
    let list = args.value(1);
    if !args.value(0).is_wholly_known() {
        return Ok(args.unknown().mark(list.marks()));
    }
    let (names, found) = (args.items(0), args.items(1));
    if names.len() != found.len() {
        return Err(uneven(names.len(), found.len()));
    }
    let mut entries = Vec::with_capacity(names.len());
    for (name, value) in names.iter().zip(found) {
        let Some(name) = name.as_arc_str() else { return Err(at(0, "a key is null")) };
        entries.push((Arc::clone(name), value.clone()));
    }
    let result = match &args.expected {
        Type::Map(element) => Value::map((**element).clone(), entries),
        _ => Value::object(entries),
    };
    Ok(result.mark(list.marks()))
}
