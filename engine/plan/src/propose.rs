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
            before.equals_ignoring_refinements(wanted)
                || object.attribute(name).is_some_and(|attribute| {
                    (attribute.computed && wanted.is_null())
                        || matches!(&attribute.kind, AttributeKind::Nested { nesting: Nesting::Single, attributes }
                            if came_from(&Object::Attributes(attributes), before, wanted))
                })
        })
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
