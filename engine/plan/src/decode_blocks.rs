//! Attributes that are written as blocks.
//!
//! Old provider SDKs declare some lists and sets of objects as attributes, so that `name = []` can be told from
//! nothing, and count on the engine to take blocks of that name for elements.
//!
//! Source: observed behaviour of Terraform 1.11 with security groups and route tables of the AWS provider.

use std::borrow::Cow;

use sdk::{Attribute, AttributeKind, Block, NestedBlock, Nesting};
use syntax::Body;
use value::Type;

/// The schema for a body: attributes for which the body has blocks are blocks in it.
pub(crate) fn fit<'a>(body: &Body, block: &'a Block) -> Cow<'a, Block> {
    let written = |name: &str| {
        body.blocks.iter().any(|inner| {
            inner.kind.as_str() == name
                || (inner.kind.as_str() == "dynamic"
                    && inner.labels.first().is_some_and(|label| label.as_str() == name))
        })
    };
    let as_blocks = || {
        block.attributes.iter().filter_map(|(name, attribute)| {
            Some((name.clone(), nested(attribute)?)).filter(|_| written(name))
        })
    };
    if body.blocks.is_empty() || as_blocks().next().is_none() {
        return Cow::Borrowed(block);
    }
    let mut fitted = Block::new().describe(&block.description);
    fitted.markdown = block.markdown;
    fitted.deprecated = block.deprecated;
    fitted.attributes = block.attributes.clone();
    fitted.blocks = block.blocks.clone();
    for (name, nested) in as_blocks() {
        fitted.attributes.remove(&name);
        fitted.blocks.insert(name, nested);
    }
    Cow::Owned(fitted)
}

/// The block in place of an attribute, if its type allows one.
fn nested(attribute: &Attribute) -> Option<NestedBlock> {
    let AttributeKind::Plain(ty) = &attribute.kind else { return None };
    let (nesting, element) = match ty {
        Type::List(element) => (Nesting::List, element),
        Type::Set(element) => (Nesting::Set, element),
        _ => return None,
    };
    let Type::Object(object) = &**element else { return None };
    let block = object.attributes.iter().fold(Block::new(), |block, (name, inner)| {
        block.optional(name, inner.ty.without_optional(), "")
    });
    Some(NestedBlock { nesting, block, min_items: 0, max_items: 0 })
}
