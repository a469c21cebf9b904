//! Which values of a recorded object can be asked for again. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use address::{AttributePath, PathStep};
use sdk::{Attribute, AttributeKind, Block};
use value::{Type, Value};

/// The values of an earlier object that a configuration can set. What a provider may decide itself is left to it
/// where the present object has the same, and never asked for as `id`, which old providers declare so. Where it is
/// known what was `configured`, the rest is left to the provider, unless it has become something else since.
pub(super) fn settable(
    block: &Block,
    earlier: &Value,
    prior: &Value,
    configured: &[Arc<str>],
) -> Value {
    let same = |name: &str, value: &Value| prior.is_null() || prior.get_attr(name) == Some(value);
    let unset = |name: &Arc<str>, value: &Value| {
        !configured.is_empty() && !configured.contains(name) && same(name, value)
    };
    let attributes = block.attributes.iter().map(|(name, attribute)| {
        let value = earlier.get_attr(name).cloned().unwrap_or_else(|| Value::null(attribute.ty()));
        let decided = attribute.computed
            && !configured.contains(name)
            && (&**name == "id" || attribute.deprecated || prior.get_attr(name) == Some(&value));
        let left = decided || (!attribute.required && unset(name, &value));
        let value = match left {
            true => Value::null(attribute.ty()),
            false => settable_attribute(attribute, value),
        };
        (Arc::clone(name), value)
    });
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let value = earlier.get_attr(name).cloned().unwrap_or_else(|| nested.empty_value());
        if unset(name, &value) {
            return (Arc::clone(name), nested.empty_value());
        }
        let value = inside(value, &|object| {
            let null = Value::null(nested.block.ty());
            settable(&nested.block, &object, &null, &[])
        });
        (Arc::clone(name), value)
    });
    Value::object(attributes.chain(blocks))
}

fn settable_attribute(attribute: &Attribute, value: Value) -> Value {
    if attribute.write_only || !(attribute.required || attribute.optional) {
        return Value::null(attribute.ty());
    }
    match &attribute.kind {
        AttributeKind::Plain(_) => value,
        AttributeKind::Nested { attributes, .. } => inside(value, &|object| {
            Value::object(attributes.iter().map(|(name, attribute)| {
                let null = || Value::null(attribute.ty());
                let value = object.get_attr(name).cloned().unwrap_or_else(null);
                (Arc::clone(name), settable_attribute(attribute, value))
            }))
        }),
    }
}

/// Changes the object, or each of the objects, that a nested attribute or block holds.
fn inside(value: Value, change: &dyn Fn(Value) -> Value) -> Value {
    if value.is_null() {
        return value;
    }
    if value.is_object() {
        return change(value);
    }
    if let Some(items) = value.items() {
        let items: Vec<Value> = items.iter().cloned().map(change).collect();
        let element = match value.ty() {
            Type::List(element) | Type::Set(element) => Type::clone(&element),
            _ => return Value::tuple(items),
        };
        return if value.is_set() {
            Value::set(element, items)
        } else {
            Value::list(element, items)
        };
    }
    if let (Some(entries), Type::Map(element)) = (value.entries(), value.ty()) {
        let entries = entries.iter().map(|(key, value)| (Arc::clone(key), change(value.clone())));
        return Value::map(Type::clone(&element), entries);
    }
    value
}

/// Whether two objects are the same in all that a configuration can set.
pub(super) fn alike(block: &Block, one: &Value, other: &Value) -> bool {
    let null = Value::null(block.ty());
    !one.is_null()
        && !other.is_null()
        && settable(block, one, &null, &[]) == settable(block, other, &null, &[])
}

/// What may be left out of an object that a provider complains of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Empty texts, wherever they are.
    EmptyTexts,
    /// What is as good as not set, and blocks of nothing else, where the complaints are.
    NothingSet,
    /// What the provider may decide itself, where the complaints are.
    Decided,
}

/// The rules, the mildest first.
pub(super) const RULES: [Rule; 3] = [Rule::EmptyTexts, Rule::NothingSet, Rule::Decided];

/// An object without what a rule lets go.
pub(super) fn without(
    block: &Block,
    value: Value,
    complaints: &BTreeSet<AttributePath>,
    rule: Rule,
) -> Value {
    let named: BTreeSet<Vec<Arc<str>>> = complaints.iter().map(names).collect();
    let mut path = Vec::new();
    let is_block = |path: &[Arc<str>]| {
        rule != Rule::EmptyTexts && named.iter().any(|one| one.starts_with(path))
    };
    rewrite(block, value, &mut path, &is_block, &|path, attribute, value| {
        let goes = attribute.optional
            && !value.is_null()
            && match rule {
                Rule::EmptyTexts => value.as_str() == Some(""),
                Rule::NothingSet => is_nothing(&value) && named.contains(path),
                Rule::Decided => attribute.computed && named.contains(path),
            };
        if goes { Value::null(attribute.ty()) } else { value }
    })
}

/// The attributes on the way, without keys and positions.
fn names(path: &AttributePath) -> Vec<Arc<str>> {
    let names = path.steps().iter().filter_map(|step| match step {
        PathStep::Attribute(name) => Some(Arc::clone(name)),
        _ => None,
    });
    names.collect()
}

fn is_nothing(value: &Value) -> bool {
    value.is_null_or_empty()
        || value.as_str() == Some("")
        || value.as_bool() == Some(false)
        || value.as_number().is_some_and(|number| number.to_i64() == Some(0))
}

/// A list or set of blocks without those that set nothing.
fn without_empty(blocks: Value) -> Value {
    let Some(items) = blocks.items() else { return blocks };
    let sets = |item: &&Value| item.entries().is_some_and(|all| !all.values().all(is_nothing));
    let kept: Vec<Value> = items.iter().filter(sets).cloned().collect();
    match blocks.ty() {
        _ if kept.len() == items.len() => blocks,
        Type::List(element) => Value::list(Type::clone(&element), kept),
        Type::Set(element) => Value::set(Type::clone(&element), kept),
        _ => Value::tuple(kept),
    }
}

/// Changes the attributes of an object, inner ones too, each with its path; `drops` says of which blocks those that
/// set nothing are left out.
fn rewrite(
    block: &Block,
    value: Value,
    path: &mut Vec<Arc<str>>,
    drops: &dyn Fn(&[Arc<str>]) -> bool,
    change: &dyn Fn(&[Arc<str>], &Attribute, Value) -> Value,
) -> Value {
    if !value.is_object() {
        return value;
    }
    let mut parts: Vec<(Arc<str>, Value)> = Vec::new();
    for (name, attribute) in &block.attributes {
        let Some(part) = value.get_attr(name).cloned() else { continue };
        path.push(Arc::clone(name));
        parts.push((Arc::clone(name), change(path, attribute, part)));
        path.pop();
    }
    for (name, nested) in &block.blocks {
        let Some(part) = value.get_attr(name).cloned() else { continue };
        path.push(Arc::clone(name));
        let here = path.clone();
        let part = inside(part, &|object| {
            rewrite(&nested.block, object, &mut here.clone(), drops, change)
        });
        let part = if drops(&here) { without_empty(part) } else { part };
        parts.push((Arc::clone(name), part));
        path.pop();
    }
    Value::object(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Block {
        Block::new()
            .required("name", Type::String, "")
            .optional("note", Type::String, "")
            .optional("count", Type::Number, "")
            .optional_computed("zone", Type::String, "")
            .computed("id", Type::String, "")
    }

    fn object(note: &str, count: i64, zone: &str) -> Value {
        Value::object([
            ("name", Value::from("")),
            ("note", Value::from(note)),
            ("count", Value::from(count)),
            ("zone", Value::from(zone)),
            ("id", Value::from("1")),
        ])
    }

    #[test]
    fn what_can_be_set_is_wanted_and_what_is_decided_alike_is_not() {
        let null = Value::null(block().ty());
        let (one, other) = (object("n", 1, "a"), object("n", 1, "b"));
        let new = settable(&block(), &one, &null, &[]);
        assert!(new.get_attr("id").is_some_and(Value::is_null), "the provider decides it");
        assert_eq!(new.get_attr("zone"), Some(&Value::from("a")), "nobody else would say it");
        let same = settable(&block(), &one, &one, &[]);
        assert!(same.get_attr("zone").is_some_and(Value::is_null), "it is so already");
        let changed = settable(&block(), &one, &other, &[]);
        assert_eq!(changed.get_attr("zone"), Some(&Value::from("a")));
        // What a configuration did not set is left to the provider, unless it has changed.
        let set: Vec<Arc<str>> = vec!["name".into(), "note".into()];
        let anew = settable(&block(), &one, &null, &set);
        for name in ["zone", "count"] {
            assert!(anew.get_attr(name).is_some_and(Value::is_null), "{name} was not set");
        }
        assert_eq!(anew.get_attr("note"), Some(&Value::from("n")));
        let changed = settable(&block(), &one, &other, &set);
        assert_eq!(changed.get_attr("zone"), Some(&Value::from("a")));
        let set: Vec<Arc<str>> = vec!["zone".into()];
        let kept = settable(&block(), &one, &one, &set);
        assert_eq!(kept.get_attr("zone"), Some(&Value::from("a")), "it was asked for");
        assert!(alike(&block(), &one, &one) && !alike(&block(), &one, &other));
    }

    #[test]
    fn rules_let_go_of_more_and_more_and_never_of_what_is_required() {
        let complaints: BTreeSet<AttributePath> =
            ["name", "count", "zone"].map(AttributePath::from).into();
        let wanted = object("", 0, "a");
        let gone = |rule| -> Vec<String> {
            let left = without(&block(), wanted.clone(), &complaints, rule);
            let names = left.entries().into_iter().flatten();
            names.filter(|(_, value)| value.is_null()).map(|(name, _)| name.to_string()).collect()
        };
        assert_eq!(gone(Rule::EmptyTexts), ["note"]);
        assert_eq!(gone(Rule::NothingSet), ["count"]);
        assert_eq!(gone(Rule::Decided), ["zone"]);
    }
}
