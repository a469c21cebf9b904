//! The proposed object: what the configuration says, filled up with what the prior object holds.
//!
//! Source: the proposal rules of the Terraform provider protocol (tfplugin 6, `proposed_new_state`).

use std::collections::BTreeMap;
use std::sync::Arc;

use sdk::{Attribute, AttributeKind, Block, NestedBlock, Nesting};
use value::Value;

/// Merges the configuration with the prior object. Both are objects of the block's type or null; marks are
/// off. Computed attributes that the configuration leaves out keep their prior value.
pub(crate) fn propose(block: &Block, prior: &Value, config: &Value) -> Value {
    if prior.is_null() && config.is_null() {
        return prior.clone();
    }
    let empty;
    let prior = if prior.is_null() {
        empty = block.empty_value();
        &empty
    } else {
        prior
    };
    merge_block(block, prior, config)
}

/// The object of a data source or new resource of which nothing but the configuration is known: each
/// computed attribute that is not set is unknown.
pub(crate) fn propose_unknown(block: &Block, config: &Value) -> Value {
    merge_block(block, &Value::unknown(block.ty()), config)
}

fn merge_block(block: &Block, prior: &Value, config: &Value) -> Value {
    if config.is_null() || config.is_unknown() {
        return prior.clone();
    }
    let attributes = block.attributes.iter().map(|(name, attribute)| {
        (Arc::clone(name), merge_attribute(attribute, &part(prior, name), &part(config, name)))
    });
    let blocks = block.blocks.iter().map(|(name, nested)| {
        (Arc::clone(name), merge_nested_block(nested, &part(prior, name), &part(config, name)))
    });
    Value::object(attributes.chain(blocks))
}

/// The attribute of an object; of an unknown or null object an unknown or null one.
pub(crate) fn part(object: &Value, name: &str) -> Value {
    if let Some(value) = object.get_attr(name) {
        return value.clone();
    }
    let ty = object.ty().attribute(name).cloned().unwrap_or(value::Type::Dynamic);
    if object.is_unknown() { Value::unknown(ty) } else { Value::null(ty) }
}

fn merge_attribute(attribute: &Attribute, prior: &Value, config: &Value) -> Value {
    if attribute.computed && config.is_null() {
        let cleared = attribute.optional && was_set_by_configuration(attribute, prior);
        return if cleared { config.clone() } else { prior.clone() };
    }
    match &attribute.kind {
        AttributeKind::Plain(_) => config.clone(),
        AttributeKind::Nested { nesting, attributes } => {
            let object = Object::Attributes(attributes);
            merge_nesting(*nesting, &object, prior, config)
        }
    }
}

fn merge_nested_block(nested: &NestedBlock, prior: &Value, config: &Value) -> Value {
    merge_nesting(nested.nesting, &Object::Block(&nested.block), prior, config)
}

/// What stands inside a nesting: a block or the attributes of a nested attribute.
enum Object<'a> {
    Block(&'a Block),
    Attributes(&'a BTreeMap<Arc<str>, Attribute>),
}

impl Object<'_> {
    fn merge(&self, prior: &Value, config: &Value) -> Value {
        match self {
            Self::Block(block) => {
                let empty;
                let prior = if prior.is_null() {
                    empty = block.empty_value();
                    &empty
                } else {
                    prior
                };
                merge_block(block, prior, config)
            }
            Self::Attributes(attributes) => {
                if config.is_null() || config.is_unknown() {
                    return config.clone();
                }
                Value::object(attributes.iter().map(|(name, attribute)| {
                    (
                        Arc::clone(name),
                        merge_attribute(attribute, &part(prior, name), &part(config, name)),
                    )
                }))
            }
        }
    }

    fn block(&self, name: &str) -> Option<&NestedBlock> {
        match self {
            Self::Block(block) => block.blocks.get(name),
            Self::Attributes(_) => None,
        }
    }

    fn attribute(&self, name: &str) -> Option<&Attribute> {
        match self {
            Self::Block(block) => block.attributes.get(name),
            Self::Attributes(attributes) => attributes.get(name),
        }
    }
}

fn merge_nesting(nesting: Nesting, object: &Object<'_>, prior: &Value, config: &Value) -> Value {
    if config.is_unknown() {
        return config.clone();
    }
    match nesting {
        Nesting::Group => object.merge(prior, config),
        _ if config.is_null() => config.clone(),
        Nesting::Single => object.merge(prior, config),
        Nesting::List => {
            let items = config.items().unwrap_or_default().iter().enumerate();
            let merged: Vec<Value> = items
                .map(|(at, item)| match prior.get_index(at) {
                    Some(prior) => object.merge(prior, item),
                    None => item.clone(),
                })
                .collect();
            like(config, merged)
        }
        Nesting::Map => {
            let entries = config.entries().into_iter().flatten().map(|(name, item)| {
                let merged = match prior.get_attr(name) {
                    Some(prior) => object.merge(prior, item),
                    None => item.clone(),
                };
                (Arc::clone(name), merged)
            });
            match config.ty() {
                value::Type::Map(element) => Value::map((*element).clone(), entries),
                _ => Value::object(entries),
            }
        }
        Nesting::Set => {
            let mut free: Vec<&Value> = prior.items().unwrap_or_default().iter().collect();
            let null = Value::null(config.ty().element().cloned().unwrap_or(value::Type::Dynamic));
            let merged = config
                .items()
                .unwrap_or_default()
                .iter()
                .map(|item| {
                    let found = free.iter().position(|prior| came_from(object, prior, item));
                    let prior = found.map_or(&null, |at| free.remove(at));
                    object.merge(prior, item)
                })
                .collect();
            like(config, merged)
        }
    }
}

fn like(collection: &Value, items: Vec<Value>) -> Value {
    match collection.ty() {
        value::Type::List(element) => Value::list((*element).clone(), items),
        value::Type::Set(element) => Value::set((*element).clone(), items),
        _ => Value::tuple(items),
    }
}

/// Says whether a prior element of a set may have been made from this configured one: they differ only in
/// computed attributes that the configuration leaves out.
fn came_from(object: &Object<'_>, prior: &Value, config: &Value) -> bool {
    let (Some(before), Some(wanted)) = (prior.entries(), config.entries()) else {
        return prior.equals_ignoring_refinements(config);
    };
    before.keys().eq(wanted.keys())
        && before.iter().zip(wanted.values()).all(|((name, before), wanted)| {
            if before.equals_ignoring_refinements(wanted) {
                return true;
            }
            match (object.attribute(name), object.block(name)) {
                (Some(attribute), _) if attribute.computed && wanted.is_null() => true,
                (
                    Some(Attribute { kind: AttributeKind::Nested { nesting, attributes }, .. }),
                    _,
                ) => nested_came_from(*nesting, &Object::Attributes(attributes), before, wanted),
                (None, Some(nested)) => {
                    nested_came_from(nested.nesting, &Object::Block(&nested.block), before, wanted)
                }
                _ => false,
            }
        })
}

/// The same for what is nested in an element. Sets within sets must be equal: their elements cannot be paired.
fn nested_came_from(nesting: Nesting, inner: &Object<'_>, prior: &Value, config: &Value) -> bool {
    if prior.is_null() || config.is_null() || config.is_unknown() {
        return false;
    }
    match nesting {
        Nesting::Single | Nesting::Group => came_from(inner, prior, config),
        Nesting::Set => false,
        Nesting::List => {
            let (before, wanted) =
                (prior.items().unwrap_or_default(), config.items().unwrap_or_default());
            before.len() == wanted.len()
                && before
                    .iter()
                    .zip(wanted)
                    .all(|(before, wanted)| came_from(inner, before, wanted))
        }
        Nesting::Map => match (prior.entries(), config.entries()) {
            (Some(before), Some(wanted)) => {
                before.keys().eq(wanted.keys())
                    && before.values().zip(wanted.values()).all(|(b, w)| came_from(inner, b, w))
            }
            _ => false,
        },
    }
}

/// Says whether a nested attribute holds what only a configuration can have put there.
fn was_set_by_configuration(attribute: &Attribute, prior: &Value) -> bool {
    let AttributeKind::Nested { attributes, .. } = &attribute.kind else { return false };
    let set_in = |object: &Value| {
        attributes.iter().any(|(name, inner)| {
            let value = part(object, name);
            !value.is_null() && (!inner.computed || was_set_by_configuration(inner, &value))
        })
    };
    if prior.is_object() {
        return set_in(prior);
    }
    prior.elements().any(|(_, element)| set_in(element))
}

#[cfg(test)]
mod tests {
    use super::*;
    use value::Type;

    /// A rule with a computed id, and within it a list of ports with a computed id of their own.
    fn rules() -> Block {
        let port = Block::new().required("port", Type::Number, "").computed("id", Type::String, "");
        let nested = |nesting, block| NestedBlock { nesting, block, min_items: 0, max_items: 0 };
        let rule = Block::new()
            .required("name", Type::String, "")
            .computed("id", Type::String, "")
            .block("port", nested(Nesting::List, port));
        Block::new().block("rule", nested(Nesting::Set, rule))
    }

    fn body(rules: &[(&str, Option<&str>, i64, Option<&str>)]) -> Value {
        let text = |text: Option<&str>| text.map_or_else(|| Value::null(Type::String), Value::from);
        let rules: Vec<Value> = rules
            .iter()
            .map(|(name, id, port, port_id)| {
                let port = Value::object([("id", text(*port_id)), ("port", Value::from(*port))]);
                Value::object([
                    ("id", text(*id)),
                    ("name", Value::from(*name)),
                    ("port", Value::list(port.ty(), vec![port])),
                ])
            })
            .collect();
        Value::object([("rule", Value::set(rules[0].ty(), rules))])
    }

    #[test]
    fn elements_of_a_set_keep_what_was_computed_for_them_however_deep() {
        let prior = body(&[("a", Some("1"), 80, Some("11")), ("b", Some("2"), 443, Some("22"))]);
        let config = body(&[("b", None, 443, None), ("a", None, 80, None)]);
        assert_eq!(propose(&rules(), &prior, &config), prior);
    }

    #[test]
    fn an_element_that_differs_in_what_is_configured_is_a_new_one() {
        let prior = body(&[("a", Some("1"), 80, Some("11"))]);
        let config = body(&[("a", None, 81, None)]);
        assert_eq!(propose(&rules(), &prior, &config), config);
    }
}
