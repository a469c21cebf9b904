//! `output "name" { … }`

use std::sync::Arc;

use syntax::{Block, Diagnostics};

use super::{Decoder, condition, duplicate, label};
use crate::module::{Module, Output};
use crate::rule::RuleError;

pub(crate) fn decode(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let Some(name) = label(block).cloned() else { return };
    let mut decoder = Decoder::new(block, diagnostics);
    let value = decoder.required("value");
    let description = decoder.text("description").map(|(text, _)| text.to_string());
    let sensitive = decoder.flag("sensitive").unwrap_or(false);
    let ephemeral = decoder.flag("ephemeral").unwrap_or(false);
    let depends_on = decoder.references("depends_on");
    let preconditions = decoder.blocks("precondition", 0);
    decoder.finish();
    let preconditions = condition::decode_all(&preconditions, diagnostics);
    if ephemeral && module.path.is_root() {
        let name = name.text.to_string();
        diagnostics.push(RuleError::EphemeralOutput { name, span: block.header });
    }
    let Some(value) = value else { return };
    if let Some(first) = module.outputs.get(&name.text) {
        return diagnostics.push(duplicate("output", &name.text, first.span, block.header));
    }
    let key = Arc::clone(&name.text);
    let span = block.header;
    let output =
        Output { name, value, description, sensitive, ephemeral, depends_on, preconditions, span };
    module.outputs.insert(key, output);
}
