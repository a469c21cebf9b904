//! What a schema says about a change, before the resource has its say. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use address::{AttributePath, PathStep};
use value::{Type, Value};

use crate::provider::PlanRequest;
use crate::schema::{Attribute, AttributeKind, Block, Nesting};

type Attributes = BTreeMap<Arc<str>, Attribute>;

/// Plans by the schema: defaults are filled in, computed attributes that nobody set are unknown where there was
/// no object before and kept otherwise (unless something they are made from changes), write-only ones are null.
pub fn plan(block: &Block, request: &PlanRequest) -> Value {
    let prior = (!request.prior.is_null()).then_some(&request.prior);
    plan_block(block, prior, &request.proposed, Some(&request.config))
}

fn plan_block(
    block: &Block,
    prior: Option<&Value>,
    proposed: &Value,
    config: Option<&Value>,
) -> Value {
    let Some(entries) = proposed.entries() else { return proposed.clone() };
    let planned = Value::object(entries.iter().map(|(name, value)| {
        let before = prior.and_then(|prior| prior.get_attr(name));
        let config = config.and_then(|config| config.get_attr(name));
        let planned = if let Some(attribute) = block.attributes.get(name) {
            plan_attribute(attribute, before, value, config)
        } else if let Some(nested) = block.blocks.get(name) {
            each_object(nested.nesting, before, value, config, &|before, inner, config| {
                plan_block(&nested.block, before, inner, config)
            })
        } else {
            value.clone()
        };
        (Arc::clone(name), planned)
    }));
    match prior {
        Some(prior) => reopen(&block.attributes, prior, planned, config),
        None => planned,
    }
}

fn plan_attribute(
    attribute: &Attribute,
    prior: Option<&Value>,
    proposed: &Value,
    config: Option<&Value>,
) -> Value {
    if attribute.write_only {
        return Value::null(attribute.ty());
    }
    let unset = config.is_none_or(Value::is_null);
    if let (true, Some(default)) = (unset, &attribute.modifiers.default) {
        return value::convert(default, &attribute.ty()).unwrap_or_else(|_| default.clone());
    }
    if attribute.computed && unset && proposed.is_null() && prior.is_none() {
        return unknown(attribute);
    }
    let AttributeKind::Nested { nesting, attributes } = &attribute.kind else {
        return proposed.clone();
    };
    each_object(*nesting, prior, proposed, config, &|before, inner, config| {
        let Some(entries) = inner.entries() else { return inner.clone() };
        let planned = Value::object(entries.iter().map(|(name, value)| {
            let before = before.and_then(|before| before.get_attr(name));
            let config = config.and_then(|config| config.get_attr(name));
            let planned = match attributes.get(name) {
                Some(attribute) => plan_attribute(attribute, before, value, config),
                None => value.clone(),
            };
            (Arc::clone(name), planned)
        }));
        match before {
            Some(before) => reopen(attributes, before, planned, config),
            None => planned,
        }
    })
}

fn unknown(attribute: &Attribute) -> Value {
    match attribute.ty() {
        Type::Dynamic => Value::dynamic_unknown(),
        ty => Value::unknown(ty),
    }
}

/// Leaves computed attributes to apply where something that they are made from changes.
fn reopen(attributes: &Attributes, prior: &Value, planned: Value, config: Option<&Value>) -> Value {
    let mut open = Vec::new();
    for (name, attribute) in attributes {
        let unset = config.and_then(|config| config.get_attr(name)).is_none_or(Value::is_null);
        let mut sources = attribute.modifiers.recomputed_when.iter();
        if unset && sources.any(|source| prior.get_attr(source) != planned.get_attr(source)) {
            open.push((name, unknown(attribute)));
        }
    }
    open.into_iter().fold(planned, |planned, (name, value)| planned.with_attr(name, value))
}

/// Plans one object, given the prior one at the same place and its configuration.
type PlanObject<'a> = &'a dyn Fn(Option<&Value>, &Value, Option<&Value>) -> Value;

/// Rebuilds a nesting object by object. An element of a set that was there before stands as it is.
fn each_object(
    nesting: Nesting,
    prior: Option<&Value>,
    value: &Value,
    config: Option<&Value>,
    plan: PlanObject<'_>,
) -> Value {
    if value.is_null() || value.is_unknown() {
        return value.clone();
    }
    let prior = prior.filter(|prior| !prior.is_null());
    let indexed =
        |whole: Option<&Value>, at: usize| whole.and_then(|v| v.items()?.get(at).cloned());
    match nesting {
        Nesting::Single | Nesting::Group => plan(prior, value, config),
        Nesting::Map => {
            let entries = value.entries().into_iter().flatten().map(|(name, item)| {
                let before = prior.and_then(|prior| prior.get_attr(name));
                let config = config.and_then(|config| config.get_attr(name));
                (Arc::clone(name), plan(before, item, config))
            });
            match value.ty().element() {
                Some(element) => Value::map(element.clone(), entries),
                None => Value::object(entries),
            }
        }
        Nesting::List | Nesting::Set => {
            let was_there = |item: &Value| {
                prior
                    .and_then(Value::items)
                    .is_some_and(|items| items.iter().any(|old| old == item))
            };
            let items = value.items().unwrap_or_default().iter().enumerate();
            let planned = items.map(|(at, item)| {
                if nesting == Nesting::List {
                    plan(indexed(prior, at).as_ref(), item, indexed(config, at).as_ref())
                } else if was_there(item) {
                    item.clone()
                } else {
                    // Elements of sets have no identity: what stands in the proposal is what was configured.
                    plan(None, item, Some(item))
                }
            });
            let planned: Vec<Value> = planned.collect();
            if value.is_tuple() {
                return Value::tuple(planned);
            }
            let element = value.ty().element().cloned().unwrap_or(Type::Dynamic);
            if value.is_set() {
                Value::set(element, planned)
            } else {
                Value::list(element, planned)
            }
        }
    }
}

/// The changed attributes that need a new object.
pub(super) fn replaced(block: &Block, prior: &Value, planned: &Value) -> Vec<AttributePath> {
    let mut paths = Vec::new();
    replaced_in_block(block, prior, planned, &AttributePath::root(), &mut paths);
    paths
}

fn replaced_in_block(
    block: &Block,
    prior: &Value,
    planned: &Value,
    at: &AttributePath,
    paths: &mut Vec<AttributePath>,
) {
    replaced_in_attributes(&block.attributes, prior, planned, at, paths);
    for (name, nested) in &block.blocks {
        for (before, after, at) in pairs(nested.nesting, name, prior, planned, at) {
            replaced_in_block(&nested.block, &before, &after, &at, paths);
        }
    }
}

fn replaced_in_attributes(
    attributes: &Attributes,
    prior: &Value,
    planned: &Value,
    at: &AttributePath,
    paths: &mut Vec<AttributePath>,
) {
    for (name, attribute) in attributes {
        if attribute.requires_replace {
            if prior.get_attr(name) != planned.get_attr(name) {
                paths.push(at.attribute(Arc::clone(name)));
            }
        } else if let AttributeKind::Nested { nesting, attributes } = &attribute.kind {
            for (before, after, at) in pairs(*nesting, name, prior, planned, at) {
                replaced_in_attributes(attributes, &before, &after, &at, paths);
            }
        }
    }
}

/// The objects of a nesting that were there before and still are. Elements of sets have no identity, so none of
/// them is paired.
fn pairs(
    nesting: Nesting,
    name: &Arc<str>,
    prior: &Value,
    planned: &Value,
    at: &AttributePath,
) -> Vec<(Value, Value, AttributePath)> {
    let (Some(before), Some(after)) = (prior.get_attr(name), planned.get_attr(name)) else {
        return Vec::new();
    };
    let at = at.attribute(Arc::clone(name));
    match nesting {
        Nesting::Single | Nesting::Group => vec![(before.clone(), after.clone(), at)],
        Nesting::List => {
            let items = before.items().unwrap_or_default().iter();
            let both = items.zip(after.items().unwrap_or_default()).enumerate();
            both.map(|(index, (before, after))| {
                let step = PathStep::Index(i64::try_from(index).unwrap_or(i64::MAX));
                (before.clone(), after.clone(), at.child(step))
            })
            .collect()
        }
        Nesting::Map => {
            let entries = before.entries().into_iter().flatten();
            let both = entries.filter_map(|(key, before)| {
                let after = after.get_attr(key)?.clone();
                Some((before.clone(), after, at.child(PathStep::Key(Arc::clone(key)))))
            });
            both.collect()
        }
        Nesting::Set => Vec::new(),
    }
}

/// The object without what is stored nowhere.
pub(super) fn clear_write_only(block: &Block, object: &Value) -> Value {
    if !has_write_only(block) {
        return object.clone();
    }
    let Some(entries) = object.entries() else { return object.clone() };
    Value::object(entries.iter().map(|(name, value)| {
        let cleared = if let Some(attribute) = block.attributes.get(name) {
            clear_attribute(attribute, value)
        } else if let Some(nested) = block.blocks.get(name) {
            each_object(nested.nesting, None, value, None, &|_, inner, _| {
                clear_write_only(&nested.block, inner)
            })
        } else {
            value.clone()
        };
        (Arc::clone(name), cleared)
    }))
}

fn clear_attribute(attribute: &Attribute, value: &Value) -> Value {
    match &attribute.kind {
        _ if attribute.write_only => Value::null(attribute.ty()),
        AttributeKind::Plain(_) => value.clone(),
        AttributeKind::Nested { nesting, attributes } => {
            each_object(*nesting, None, value, None, &|_, inner, _| {
                let Some(entries) = inner.entries() else { return inner.clone() };
                Value::object(entries.iter().map(|(name, value)| {
                    let cleared = attributes.get(name).map(|inner| clear_attribute(inner, value));
                    (Arc::clone(name), cleared.unwrap_or_else(|| value.clone()))
                }))
            })
        }
    }
}

fn has_write_only(block: &Block) -> bool {
    block.attributes.values().any(holds_write_only)
        || block.blocks.values().any(|nested| has_write_only(&nested.block))
}

fn holds_write_only(attribute: &Attribute) -> bool {
    attribute.write_only
        || matches!(&attribute.kind, AttributeKind::Nested { attributes, .. }
            if attributes.values().any(holds_write_only))
}

/// The limit that an object's `timeouts` block sets to an operation.
pub(super) fn time_limit(object: &Value, operation: &str) -> Option<Duration> {
    let text = object.get_attr("timeouts")?.get_attr(operation)?.as_str()?;
    duration(text)
}

/// A duration such as `90s`, `1h30m`, `250ms`; `None` for any other text.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest[..digits].parse().ok()?;
        let unit_end =
            rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        let seconds = match &rest[digits..unit_end] {
            "ms" => amount / 1000.0,
            "s" => amount,
            "m" => amount * 60.0,
            "h" => amount * 3600.0,
            _ => return None,
        };
        total += Duration::try_from_secs_f64(seconds).ok()?;
        rest = &rest[unit_end..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Private;

    fn block() -> Block {
        let port =
            Block::new().required("number", Type::Number, "").computed("url", Type::String, "");
        Block::new()
            .required("zone", Type::String, "")
            .replaces(&["zone"])
            .optional_computed("size", Type::Number, "")
            .optional("key", Type::String, "")
            .write_only(&["key"])
            .optional("tier", Type::String, "")
            .default_to("tier", "small".into())
            .computed("id", Type::String, "")
            .computed("price", Type::Number, "")
            .recomputed(&["price"], &["size", "tier"])
            .nested("ports", Nesting::List, port, "")
            .timeouts(&["create"])
    }

    fn object(block: &Block, values: &[(&str, Value)]) -> Value {
        let set =
            |object: Value, (name, value): &(&str, Value)| object.with_attr(name, value.clone());
        values.iter().fold(block.empty_value(), set)
    }

    fn ports(urls: &[Option<&str>]) -> Value {
        let element = Type::object([("number", Type::Number), ("url", Type::String)]);
        let port = |url: Option<&str>| {
            let url = url.map_or(Value::null(Type::String), Value::from);
            Value::object([("number", Value::from(1)), ("url", url)])
        };
        Value::list(element, urls.iter().copied().map(port).collect())
    }

    fn run(prior: &Value, proposed: &Value, config: &Value) -> (Value, Vec<String>, Vec<String>) {
        let block = block();
        let request = PlanRequest {
            type_name: "t".into(),
            config: config.clone(),
            prior: prior.clone(),
            proposed: proposed.clone(),
            prior_private: Private::EMPTY,
            prior_identity: None,
            meta: None,
        };
        let planned = plan(&block, &request);
        let replaced = if prior.is_null() { Vec::new() } else { replaced(&block, prior, &planned) };
        let text = |paths: Vec<AttributePath>| paths.iter().map(ToString::to_string).collect();
        (planned.clone(), text(planned.unknown_paths()), text(replaced))
    }

    #[test]
    fn a_create_leaves_what_nobody_set_to_apply() {
        let block = block();
        let config =
            object(&block, &[("zone", "a".into()), ("key", "k".into()), ("ports", ports(&[None]))]);
        let (planned, unknown, _) = run(&Value::null(block.ty()), &config, &config);
        assert_eq!(unknown, ["id", "ports[0].url", "price", "size"]);
        assert!(planned.get_attr("key").unwrap().is_null(), "write-only values are stored nowhere");
        assert_eq!(planned.get_attr("tier").unwrap().as_str(), Some("small"), "the default stands");
        assert!(planned.conforms(&block.ty()));
    }

    #[test]
    fn an_update_keeps_what_it_does_not_touch_and_replaces_by_schema() {
        let block = block();
        let config = object(&block, &[("zone", "a".into()), ("ports", ports(&[None]))]);
        let prior = object(
            &block,
            &[
                ("zone", "a".into()),
                ("size", 3.into()),
                ("tier", "small".into()),
                ("id", "i".into()),
                ("price", 9.into()),
                ("ports", ports(&[Some("u")])),
            ],
        );
        let with = |name: &str, value: Value| {
            (prior.clone().with_attr(name, value.clone()), config.clone().with_attr(name, value))
        };
        let more = (
            prior.clone().with_attr("ports", ports(&[Some("u"), None])),
            config.clone().with_attr("ports", ports(&[None, None])),
        );
        let open = Value::unknown(Type::String);
        let cases: [(&str, (Value, Value), &[&str], &[&str]); 6] = [
            ("nothing", (prior.clone(), config.clone()), &[], &[]),
            ("size", with("size", 4.into()), &["price"], &[]),
            ("tier", with("tier", "large".into()), &["price"], &[]),
            ("a new element", more, &["ports[1].url"], &[]),
            ("zone", with("zone", "b".into()), &[], &["zone"]),
            ("zone, not known", with("zone", open), &["zone"], &["zone"]),
        ];
        for (case, (proposed, config), unknown, replace) in cases {
            let (planned, found, replaced) = run(&prior, &proposed, &config);
            assert_eq!(found, unknown, "{case}");
            assert_eq!(replaced, replace, "{case}");
            assert_eq!(planned.get_attr("id").unwrap().as_str(), Some("i"), "{case}");
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [("90s", 90.0), ("1h30m", 5400.0), ("250ms", 0.25), ("1.5h", 5400.0)]
        {
            assert_eq!(duration(text).map(|d| d.as_secs_f64()), Some(seconds), "{text}");
        }
        for text in ["", "5", "x", "5 parsecs", "s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
