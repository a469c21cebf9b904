//! Brings what a provider has read into the form that the engine counts on.
//!
//! Providers built on old SDKs return null where no blocks are; the engine knows absent blocks as empty
//! collections. Without this every such object would differ from its configuration for ever.
//!
//! Source: the rules of the Terraform provider protocol for answers of `ReadResource`.

use std::sync::Arc;

use sdk::{Block, NestedBlock, Nesting};
use value::{Type, Value};

/// The object with absent blocks as the schema says. Blocks by label, and blocks that hold values of any type,
/// stay as they are.
pub(crate) fn normalise(block: &Block, object: Value) -> Value {
    if object.is_null() || object.is_unknown() {
        return object;
    }
    block.blocks.iter().fold(object, |object, (name, nested)| {
        let Some(before) = object.get_attr(name).cloned() else { return object };
        let after = blocks(nested, before.clone());
        if after == before { object } else { object.with_attr(name, after) }
    })
}

fn blocks(nested: &NestedBlock, value: Value) -> Value {
    if nested.nesting == Nesting::Map || nested.block.ty().has_dynamic() {
        return value;
    }
    match nested.nesting {
        Nesting::List | Nesting::Set | Nesting::Group if value.is_null() => nested.empty_value(),
        Nesting::Single | Nesting::Group => normalise(&nested.block, value),
        _ => {
            let Some(items) = value.items() else { return value };
            let items: Vec<Value> =
                items.iter().map(|item| normalise(&nested.block, item.clone())).collect();
            match value.ty() {
                Type::List(element) => Value::list(Arc::unwrap_or_clone(element), items),
                Type::Set(element) => Value::set(Arc::unwrap_or_clone(element), items),
                _ => value,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_blocks_are_empty_at_every_depth() {
        let nested = |nesting, block| NestedBlock { nesting, block, min_items: 0, max_items: 0 };
        let inner = Block::new()
            .optional("x", Type::String, "")
            .block("deep", nested(Nesting::Set, Block::new().optional("y", Type::String, "")));
        let schema = Block::new()
            .block("list", nested(Nesting::List, inner.clone()))
            .block("single", nested(Nesting::Single, inner.clone()));
        let ty = |block: &Block| block.ty();
        let deep = Value::null(inner.blocks["deep"].empty_value().ty());
        let one = Value::object([("deep", deep), ("x", Value::from("v"))]);
        let read =
            Value::object([("list", Value::null(Type::list(ty(&inner)))), ("single", one.clone())]);
        let fixed = normalise(&schema, read);
        assert_eq!(fixed.get_attr("list").and_then(Value::len), Some(0));
        let single = fixed.get_attr("single").expect("it is there");
        assert_eq!(single.get_attr("deep").and_then(Value::len), Some(0));
        assert_eq!(single.get_attr("x"), one.get_attr("x"));
    }
}
