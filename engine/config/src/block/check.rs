//! `check "name" { … }`

use syntax::{Block, Diagnostics};

use super::{Decoder, condition, label};
use crate::error::ConfigError;
use crate::module::{Check, Module};

pub(crate) fn decode(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let Some(name) = label(block).cloned() else { return };
    let mut decoder = Decoder::new(block, diagnostics);
    let asserts = decoder.blocks("assert", 0);
    for data in decoder.blocks("data", 2) {
        decoder.diagnostics.push(ConfigError::Unsupported {
            what: "a `data` block within a check".to_owned(),
            span: data.header,
            help: Some("declare the data source beside the check".to_owned()),
        });
    }
    decoder.finish();
    let assertions = condition::decode_all(&asserts, diagnostics);
    module.checks.push(Check { name, assertions, span: block.header });
}
