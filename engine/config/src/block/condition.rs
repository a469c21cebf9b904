//! `validation`, `precondition`, `postcondition` and `assert` blocks: all hold a condition and a message.

use syntax::{Block, Diagnostics};

use super::Decoder;
use crate::module::Condition;

pub(crate) fn decode(block: &Block, diagnostics: &mut Diagnostics) -> Option<Condition> {
    let mut decoder = Decoder::new(block, diagnostics);
    let condition = decoder.required("condition");
    let error_message = decoder.required("error_message");
    decoder.finish();
    Some(Condition { condition: condition?, error_message: error_message?, span: block.header })
}

pub(crate) fn decode_all(blocks: &[Block], diagnostics: &mut Diagnostics) -> Vec<Condition> {
    blocks.iter().filter_map(|block| decode(block, diagnostics)).collect()
}
