//! `validation`, `precondition`, `postcondition` and `assert` blocks: all hold a condition and a message.

use syntax::{Block, Diagnostics};

use super::Decoder;
use crate::module::Condition;
use crate::rule::RuleError;

pub(crate) fn decode(block: &Block, diagnostics: &mut Diagnostics) -> Option<Condition> {
    let mut decoder = Decoder::new(block, diagnostics);
    let condition = decoder.required("condition");
    let error_message = decoder.required("error_message");
    decoder.finish();
    Some(Condition { condition: condition?, error_message: error_message?, span: block.header })
}

/// Decodes conditions, each of which must depend on something.
pub(crate) fn decode_all(blocks: &[Block], diagnostics: &mut Diagnostics) -> Vec<Condition> {
    let mut found = Vec::new();
    for block in blocks {
        let Some(condition) = decode(block, diagnostics) else { continue };
        if condition.condition.references().is_empty() {
            diagnostics.push(RuleError::ConstantCondition {
                block: kind(block),
                help: "refer to at least one object whose value decides".to_owned(),
                span: condition.condition.span(),
            });
        }
        found.push(condition);
    }
    found
}

fn kind(block: &Block) -> &'static str {
    const KINDS: [&str; 3] = ["precondition", "postcondition", "assert"];
    KINDS.into_iter().find(|kind| *kind == block.kind.as_str()).unwrap_or("condition")
}
