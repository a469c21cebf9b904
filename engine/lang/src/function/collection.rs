//! Lists, tuples, maps and objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation;
use value::{Marks, Type, Value, convert, equal, unify};

use super::Kind::{Any, Mapping, Number as Num, Sequence, Text, Texts};
use super::{Args, Fault, FunctionInfo, Returns, f, fault, nullable, p};

pub(super) fn functions() -> Vec<FunctionInfo> {
    vec![
        f(
            "length",
            &[p("value", Any)],
            Returns::Number,
            "How many elements a collection has, or characters a text.",
            length,
        )
        .everything(),
        f(
            "element",
            &[p("list", Sequence), p("index", Num)],
            Returns::Any,
            "The element at an index, which wraps around the end.",
            |a| {
                let items = a.items(0)?;
                let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                if length == 0 {
                    return Err(fault(0, "the list is empty"));
                }
                let at = usize::try_from(a.integer(1)?.rem_euclid(length)).unwrap_or(0);
                Ok(items[at].clone())
            },
        )
        .outside(),
        f(
            "index",
            &[p("list", Sequence), p("value", Any)],
            Returns::Number,
            "The index of the first element that equals a value.",
            |a| {
                let wanted = a.value(1)?;
                let found = a.items(0)?.iter().position(|item| equal(item, wanted) == Some(true));
                found.map(Value::from).ok_or_else(|| fault(1, "no element equals it"))
            },
        ),
        f(
            "contains",
            &[p("list", Sequence), p("value", Any)],
            Returns::Bool,
            "Whether a list or set holds a value.",
            |a| {
                let items = a.items(0)?;
                let element = items.first().map_or(Type::Dynamic, Value::ty);
                let wanted = convert(a.value(1)?, &element).unwrap_or_else(|_| a.values[1].clone());
                Ok(Value::bool(items.iter().any(|item| equal(item, &wanted) == Some(true))))
            },
        ),
        f("keys", &[p("map", Mapping)], Returns::Texts, "The keys of a map, in order.", |a| {
            let map = a.value(0)?;
            let keys: Vec<Value> = map
                .entries()
                .into_iter()
                .flatten()
                .map(|(k, _)| Value::string(Arc::clone(k)))
                .collect();
            Ok(if map.is_object() { Value::tuple(keys) } else { Value::list(Type::String, keys) })
        })
        .outside(),
        f(
            "values",
            &[p("map", Mapping)],
            Returns::Any,
            "The values of a map, in the order of their keys.",
            |a| {
                let map = a.value(0)?;
                let values: Vec<Value> =
                    map.entries().into_iter().flatten().map(|(_, v)| v.clone()).collect();
                Ok(match map.ty() {
                    Type::Map(element) => Value::list((*element).clone(), values),
                    _ => Value::tuple(values),
                })
            },
        )
        .outside(),
        f(
            "lookup",
            &[p("map", Mapping), p("key", Text), nullable("default", Any)],
            Returns::Any,
            "The value of a key, or a default.",
            |a| {
                let key = a.text(1)?;
                match (a.value(0)?.get_attr(key), a.get(2)) {
                    (Some(found), _) => Ok(found.clone()),
                    (None, Some(default)) => Ok(match a.value(0)?.ty() {
                        Type::Map(element) => {
                            convert(default, &element).unwrap_or_else(|_| default.clone())
                        }
                        _ => default.clone(),
                    }),
                    (None, None) => {
                        Err(fault(1, "the map has no such key, and there is no default"))
                    }
                }
            },
        )
        .optional(1)
        .outside(),
        f(
            "merge",
            &[],
            Returns::Any,
            "One map of several; of equal keys the last one counts.",
            merge,
        )
        .variadic(nullable("maps", Any))
        .everything(),
        f("concat", &[], Returns::Any, "One list of several.", concat)
            .variadic(p("lists", Sequence))
            .outside(),
        f(
            "flatten",
            &[p("list", Sequence)],
            Returns::Any,
            "A list with the elements of lists in it, however deep.",
            flatten,
        )
        .everything(),
        f(
            "distinct",
            &[p("list", Sequence)],
            Returns::Any,
            "A list with each value once, where it first stands.",
            |a| {
                let mut seen = BTreeSet::new();
                let kept = a
                    .items(0)?
                    .iter()
                    .filter(|item| seen.insert((*item).clone()))
                    .cloned()
                    .collect();
                like(a.value(0)?, kept)
            },
        ),
        f(
            "compact",
            &[p("list", Texts)],
            Returns::Texts,
            "A list of texts without null and empty ones.",
            |a| {
                let kept = a
                    .items(0)?
                    .iter()
                    .filter(|item| item.as_str().is_some_and(|text| !text.is_empty()));
                Ok(Value::list(Type::String, kept.cloned().collect()))
            },
        ),
        f(
            "coalesce",
            &[],
            Returns::Any,
            "The first value that is neither null nor an empty text.",
            coalesce,
        )
        .variadic(nullable("values", Any))
        .everything(),
        f("coalescelist", &[], Returns::Any, "The first list that is not empty.", |a| {
            let found = a.values.iter().find(|list| list.len().is_some_and(|length| length > 0));
            found.cloned().ok_or_else(|| fault(0, "all lists are empty"))
        })
        .variadic(nullable("lists", Any))
        .outside(),
        f(
            "chunklist",
            &[p("list", Sequence), p("size", Num)],
            Returns::Any,
            "Lists of a size, made from one list.",
            |a| {
                let size = usize::try_from(a.integer(1)?).ok().filter(|size| *size > 0);
                let size = size.ok_or_else(|| fault(1, "the size must be at least 1"))?;
                let chunks: Vec<Value> = a
                    .items(0)?
                    .chunks(size)
                    .map(|chunk| like(a.value(0)?, chunk.to_vec()))
                    .collect::<Result<_, _>>()?;
                Ok(match chunks.first().map(Value::ty) {
                    Some(ty @ Type::List(_)) => Value::list(ty, chunks),
                    _ => Value::tuple(chunks),
                })
            },
        )
        .outside(),
        f(
            "range",
            &[p("start", Num)],
            Returns::Any,
            "Numbers from a start to a limit, by a step.",
            range,
        )
        .variadic(p("limits", Num)),
        f("reverse", &[p("list", Sequence)], Returns::Any, "A list backwards.", |a| {
            like(a.value(0)?, a.items(0)?.iter().rev().cloned().collect())
        })
        .outside(),
        f(
            "slice",
            &[p("list", Sequence), p("start", Num), p("end", Num)],
            Returns::Any,
            "Elements from a start up to, not including, an end.",
            |a| {
                let items = a.items(0)?;
                let (start, end) = (usize::try_from(a.integer(1)?), usize::try_from(a.integer(2)?));
                let part = start.ok().zip(end.ok()).and_then(|(start, end)| items.get(start..end));
                let part = part.ok_or_else(|| {
                    fault(
                        1,
                        format!("start and end must lie in order within 0 and {}", items.len()),
                    )
                })?;
                like(a.value(0)?, part.to_vec())
            },
        )
        .outside(),
        f("sort", &[p("list", Texts)], Returns::Texts, "A list of texts in order.", |a| {
            let mut texts = a.texts(0)?;
            texts.sort_unstable();
            Ok(Value::list(Type::String, texts.into_iter().map(Value::from).collect()))
        }),
        f(
            "zipmap",
            &[p("keys", Texts), p("values", Sequence)],
            Returns::Any,
            "A map of keys and values that stand in two lists.",
            |a| {
                let (keys, values) = (a.texts(0)?, a.items(1)?);
                if keys.len() != values.len() {
                    return Err(fault(
                        1,
                        format!("there are {} keys, but {} values", keys.len(), values.len()),
                    ));
                }
                let entries = keys.into_iter().zip(values.iter().cloned());
                Ok(match a.value(1)?.ty() {
                    Type::List(element) | Type::Set(element) => {
                        Value::map((*element).clone(), entries)
                    }
                    _ => Value::object(entries),
                })
            },
        )
        .outside(),
        f(
            "transpose",
            &[p("map", Mapping)],
            Returns::Any,
            "A map of lists with keys and elements exchanged.",
            |a| {
                let mut found: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
                for (key, list) in a.value(0)?.entries().into_iter().flatten() {
                    for item in list.items().unwrap_or_default() {
                        let text = item
                            .as_arc_str()
                            .ok_or_else(|| fault(0, "the lists must hold strings"))?;
                        found
                            .entry(Arc::clone(text))
                            .or_default()
                            .push(Value::string(Arc::clone(key)));
                    }
                }
                let element = Type::list(Type::String);
                Ok(Value::map(
                    element,
                    found.into_iter().map(|(k, v)| (k, Value::list(Type::String, v))),
                ))
            },
        ),
        f(
            "matchkeys",
            &[p("values", Sequence), p("keys", Sequence), p("search", Sequence)],
            Returns::Any,
            "Values whose keys are in a set.",
            |a| {
                let (values, keys) = (a.items(0)?, a.items(1)?);
                if values.len() != keys.len() {
                    return Err(fault(1, "there must be as many keys as values"));
                }
                let wanted: BTreeSet<&Value> = a.items(2)?.iter().collect();
                let kept = values
                    .iter()
                    .zip(keys)
                    .filter(|(_, key)| wanted.contains(key))
                    .map(|(v, _)| v.clone());
                like(a.value(0)?, kept.collect())
            },
        ),
        f(
            "one",
            &[nullable("list", Any)],
            Returns::Any,
            "The only element of a list, or null if there is none.",
            |a| {
                let list = a.value(0)?;
                if list.is_null() {
                    return Ok(Value::dynamic_null());
                }
                match a.items(0)? {
                    [] => Ok(Value::null(list.ty().element().cloned().unwrap_or(Type::Dynamic))),
                    [only] => Ok(only.clone()),
                    many => Err(fault(
                        0,
                        format!("at most one element is expected, but there are {}", many.len()),
                    )),
                }
            },
        )
        .outside(),
        f(
            "alltrue",
            &[p("list", Sequence)],
            Returns::Bool,
            "Whether all elements are true.",
            |a| flags(a).map(|flags| Value::bool(flags.iter().all(|flag| *flag))),
        ),
        f("anytrue", &[p("list", Sequence)], Returns::Bool, "Whether any element is true.", |a| {
            flags(a).map(|flags| Value::bool(flags.iter().any(|flag| *flag)))
        }),
        f(
            "setproduct",
            &[],
            Returns::Any,
            "All combinations of the elements of several lists.",
            product,
        )
        .variadic(p("lists", Sequence))
        .outside(),
    ]
}

fn length(args: &Args<'_>) -> Result<Value, Fault> {
    let (value, marks) = args.value(0)?.clone().unmark();
    if let Some(text) = value.as_str() {
        return Ok(Value::from(text.graphemes(true).count()).mark(marks));
    }
    match (value.len(), value.ty()) {
        // Unknown elements of a set may fall together.
        (Some(_), Type::Set(_)) if !value.is_wholly_known() => {
            Ok(Value::unknown(Type::Number).mark(marks))
        }
        (Some(length), _) => Ok(Value::from(length).mark(marks)),
        (None, Type::Tuple(elements)) if value.is_unknown() => {
            Ok(Value::from(elements.len()).mark(marks))
        }
        (None, Type::Bool | Type::Number) => Err(fault(0, "a collection or a string is required")),
        (None, _) if value.is_unknown() => Ok(Value::unknown(Type::Number).mark(marks)),
        _ => Err(fault(0, "the value is null")),
    }
}

/// A list of the same kind with other items; sets become lists of their elements' type.
fn like(source: &Value, items: Vec<Value>) -> Result<Value, Fault> {
    Ok(match source.ty() {
        Type::List(element) | Type::Set(element) => Value::list((*element).clone(), items),
        _ => Value::tuple(items),
    })
}

fn merge(args: &Args<'_>) -> Result<Value, Fault> {
    let mut all: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    let mut marks = Marks::NONE;
    let mut elements: Vec<Type> = Vec::new();
    let mut maps = true;
    for (at, map) in args.values.iter().enumerate() {
        marks = marks.union(map.marks());
        if map.is_null() {
            continue;
        }
        if map.is_unknown() {
            return Ok(Value::dynamic_unknown().mark(marks));
        }
        let Some(entries) = map.entries() else {
            return Err(fault(at, "a map or object is required"));
        };
        match map.ty() {
            Type::Map(element) => elements.push((*element).clone()),
            _ => maps = false,
        }
        all.extend(entries.iter().map(|(key, value)| (Arc::clone(key), value.clone())));
    }
    elements.dedup();
    let result = match elements.as_slice() {
        [element] if maps => Value::map(element.clone(), all),
        _ => Value::object(all),
    };
    Ok(result.mark(marks))
}

fn concat(args: &Args<'_>) -> Result<Value, Fault> {
    let mut items = Vec::new();
    let mut types = Vec::new();
    let mut tuples = false;
    for (at, list) in args.values.iter().enumerate() {
        items.extend(args.items(at)?.iter().cloned());
        match list.ty() {
            Type::List(element) => types.push((*element).clone()),
            _ => tuples = true,
        }
    }
    if tuples {
        return Ok(Value::tuple(items));
    }
    let element =
        unify(&types).ok_or_else(|| fault(0, "the lists' elements have no common type"))?;
    let items = items.iter().map(|item| convert(item, &element)).collect::<Result<_, _>>();
    Ok(Value::list(element, items.map_err(|error| fault(0, error.to_string()))?))
}

fn flatten(args: &Args<'_>) -> Result<Value, Fault> {
    let mut items = Vec::new();
    let mut marks = Marks::NONE;
    let mut stack = vec![args.value(0)?.clone()];
    if stack[0].items().is_none() && stack[0].is_known() {
        return Err(fault(0, "a list, set or tuple is required"));
    }
    while let Some(value) = stack.pop() {
        let could_be_list =
            matches!(value.ty(), Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_));
        if value.is_unknown() && could_be_list {
            return Ok(Value::dynamic_unknown().mark(marks.union(value.marks())));
        }
        match value.items() {
            Some(inner) => {
                marks = marks.union(value.marks());
                stack.extend(inner.iter().rev().cloned());
            }
            None => items.push(value),
        }
    }
    Ok(Value::tuple(items).mark(marks))
}

fn coalesce(args: &Args<'_>) -> Result<Value, Fault> {
    let types: Vec<Type> =
        args.values.iter().map(Value::ty).filter(|ty| *ty != Type::Dynamic).collect();
    let common = unify(&types).ok_or_else(|| fault(0, "all values must have the same type"))?;
    let mut marks = Marks::NONE;
    for value in args.values {
        marks = marks.union(value.marks());
        if value.is_unknown() {
            return Ok(Value::unknown(common).mark(marks));
        }
        if value.is_null() || value.as_str() == Some("") {
            continue;
        }
        let converted = convert(value, &common).map_err(|error| fault(0, error.to_string()))?;
        return Ok(converted.mark(marks));
    }
    Err(fault(0, "all values are null or empty"))
}

fn range(args: &Args<'_>) -> Result<Value, Fault> {
    let zero = value::Number::ZERO;
    let one = value::Number::from(1i64);
    let (start, limit, step) = match args.values.len() {
        1 => (zero.clone(), args.number(0)?.clone(), None),
        2 => (args.number(0)?.clone(), args.number(1)?.clone(), None),
        3 => (args.number(0)?.clone(), args.number(1)?.clone(), Some(args.number(2)?.clone())),
        _ => return Err(fault(3, "there are at most a start, a limit and a step")),
    };
    let step = step.unwrap_or_else(|| if limit < start { one.neg() } else { one });
    if step.is_zero() {
        return Err(fault(2, "the step must not be 0"));
    }
    let mut found = Vec::new();
    let mut at = start;
    while if step > zero { at < limit } else { at > limit } {
        if found.len() >= 1024 {
            return Err(fault(
                0,
                "more than 1024 numbers; use a `for` expression over smaller ranges",
            ));
        }
        found.push(Value::number(at.clone()));
        at = at.add(&step).ok_or_else(|| fault(0, "the range has no end"))?;
    }
    Ok(Value::list(Type::Number, found))
}

fn flags(args: &Args<'_>) -> Result<Vec<bool>, Fault> {
    let items = args.items(0)?.iter();
    items
        .map(|item| {
            let flag = convert(item, &Type::Bool).map_err(|error| fault(0, error.to_string()))?;
            Ok(flag.as_bool().unwrap_or(false))
        })
        .collect()
}

fn product(args: &Args<'_>) -> Result<Value, Fault> {
    if args.values.len() < 2 {
        return Err(fault(0, "at least two lists are required"));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for at in 0..args.values.len() {
        let items = args.items(at)?;
        if rows.len().saturating_mul(items.len()) > 1_000_000 {
            return Err(fault(at, "more than a million combinations"));
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                items.iter().map(move |item| row.iter().cloned().chain([item.clone()]).collect())
            })
            .collect();
    }
    let tuples: Vec<Value> = rows.into_iter().map(Value::tuple).collect();
    let all_sets = args.values.iter().all(Value::is_set);
    let element = tuples.first().map_or(Type::Dynamic, Value::ty);
    Ok(if all_sets { Value::set(element, tuples) } else { Value::list(element, tuples) })
}
