//! `provider "name" { … }`

use syntax::{Block, Body, Diagnostics};

use super::{Decoder, duplicate, label};
use crate::module::{Module, ProviderBlock, ProviderName};

pub(crate) fn decode(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let Some(local) = label(block) else { return };
    let mut decoder = Decoder::new(block, diagnostics);
    let alias = decoder.text("alias").map(|(text, _)| text);
    let name = ProviderName { local: local.text.clone(), alias };
    if let Some(first) = module.provider_configs.get(&name) {
        let shown = match &name.alias {
            Some(alias) => format!("{}.{alias}", name.local),
            None => name.local.to_string(),
        };
        return diagnostics.push(duplicate(
            "provider configuration",
            &shown,
            first.span,
            block.header,
        ));
    }
    let attributes = block
        .body
        .attributes
        .iter()
        .filter(|a| !matches!(a.name.as_str(), "alias" | "version"))
        .cloned()
        .collect();
    let body = Body { attributes, blocks: block.body.blocks.clone(), ..*block.body };
    module.provider_configs.insert(name.clone(), ProviderBlock { name, body, span: block.header });
}
