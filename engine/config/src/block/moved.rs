//! `moved`, `removed` and `import` blocks: how objects and addresses meet.

use address::Target;
use lang::Traversal;
use syntax::{Attribute, Block, Diagnostics};

use super::Decoder;
use crate::error::ConfigError;
use crate::module::{Import, Module, Moved, Removed};

pub(crate) fn decode_moved(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let mut decoder = Decoder::new(block, diagnostics);
    let from = target(&mut decoder, "from");
    let to = target(&mut decoder, "to");
    decoder.finish();
    if let (Some(from), Some(to)) = (from, to) {
        module.moved.push(Moved { from, to, span: block.header });
    }
}

pub(crate) fn decode_removed(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let mut decoder = Decoder::new(block, diagnostics);
    let from = target(&mut decoder, "from");
    let lifecycles = decoder.blocks("lifecycle", 0);
    decoder.finish();
    let mut destroy = true;
    for lifecycle in &lifecycles {
        let mut decoder = Decoder::new(lifecycle, diagnostics);
        destroy = decoder.flag("destroy").unwrap_or(true);
        decoder.finish();
    }
    if let Some(from) = from {
        module.removed.push(Removed { from, destroy, span: block.header });
    }
}

pub(crate) fn decode_import(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let mut decoder = Decoder::new(block, diagnostics);
    decoder.required("to");
    let to = decoder.attribute("to").and_then(|to| traversal(to, &mut decoder));
    let id = decoder.required("id");
    let for_each = decoder.expression("for_each");
    decoder.attribute("provider");
    decoder.finish();
    if let (Some(to), Some(id)) = (to, id) {
        module.imports.push(Import { to, id, for_each, span: block.header });
    }
}

fn target(decoder: &mut Decoder<'_>, name: &'static str) -> Option<Target> {
    decoder.required(name)?;
    let attribute = decoder.attribute(name)?;
    let parsed =
        traversal(attribute, decoder).and_then(|traversal| traversal.to_string().parse().ok());
    if parsed.is_none() {
        decoder.diagnostics.push(ConfigError::InvalidAddress {
            text: name.to_owned(),
            expected: "the address of a resource or module",
            span: attribute.expr.span,
        });
    }
    parsed
}

fn traversal(attribute: &Attribute, decoder: &mut Decoder<'_>) -> Option<Traversal> {
    if decoder.body.json {
        return decoder.reference(&attribute.expr);
    }
    decoder.compile(&attribute.expr).as_traversal().cloned()
}
