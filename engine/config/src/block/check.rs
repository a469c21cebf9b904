//! `check "name" { … }`, with the data source that only it can see.

use std::sync::Arc;

use address::ResourceMode;
use syntax::{Block, Diagnostics};

use super::{Decoder, condition, duplicate, label, resource};
use crate::module::{Check, Module};
use crate::rule::RuleError;

pub(crate) fn decode(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let Some(name) = label(block).cloned() else { return };
    if let Some(first) = module.checks.iter().find(|check| check.name.text == name.text) {
        return diagnostics.push(duplicate("check", &name.text, first.span, block.header));
    }
    let mut decoder = Decoder::new(block, diagnostics);
    let asserts = decoder.blocks("assert", 0);
    let data = decoder.blocks("data", 2);
    let incomplete = decoder.body.incomplete;
    decoder.finish();
    if let [_, second, ..] = data.as_slice() {
        diagnostics.push(duplicate("block", "data", data[0].header, second.header));
    }
    for data in data.iter().take(1) {
        let mode = ResourceMode::Data;
        if let Some(address) = resource::decode(module, data, mode, diagnostics)
            && let Some(block) = module.resources.get_mut(&address)
        {
            Arc::make_mut(block).check = Some(Arc::clone(&name.text));
        }
    }
    if asserts.is_empty() && !incomplete {
        let name = name.text.to_string();
        diagnostics.push(RuleError::CheckWithoutAssert { name, span: block.header });
    }
    let assertions = condition::decode_all(&asserts, diagnostics);
    module.checks.push(Check { name, assertions, span: block.header });
}
