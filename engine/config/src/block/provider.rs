//! `provider "name" { … }`

use syntax::{Block, Body, Diagnostics};

use super::{Decoder, duplicate, is_name, label};
use crate::error::ConfigError;
use crate::module::{Module, ProviderBlock, ProviderName};
use crate::rule::RuleError;

const RESERVED: [&str; 4] = ["count", "for_each", "depends_on", "source"];

/// Says whether a local name is in the form that source addresses have.
pub(crate) fn is_normal(name: &str) -> bool {
    let allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || !c.is_ascii();
    !name.is_empty()
        && name.chars().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

pub(crate) fn decode(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let Some(local) = label(block) else { return };
    let mut decoder = Decoder::new(block, diagnostics);
    let alias = decoder.text("alias");
    if let Some((alias, span)) = &alias
        && !is_name(alias)
    {
        let name = alias.to_string();
        decoder.diagnostics.push(ConfigError::InvalidName { name, span: *span });
    }
    let alias = alias.map(|(text, _)| text);
    if let Some((version, span)) = decoder.text("version")
        && !crate::version::is_constraint(&version)
    {
        let text = version.to_string();
        decoder.diagnostics.push(RuleError::VersionConstraint { text, span });
    }
    for attribute in block.body.attributes.iter().filter(|a| RESERVED.contains(&a.name.as_str())) {
        diagnostics.push(RuleError::ReservedArgument {
            name: attribute.name.text.to_string(),
            block: "provider",
            span: attribute.name.span,
        });
    }
    if !is_normal(&local.text) {
        let name = local.text.to_string();
        diagnostics.push(RuleError::ProviderLocalName { name, span: local.span });
    }
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
        .filter(|a| !RESERVED.contains(&a.name.as_str()))
        .cloned()
        .collect();
    let body = Body { attributes, blocks: block.body.blocks.clone(), ..*block.body };
    module.provider_configs.insert(name.clone(), ProviderBlock { name, body, span: block.header });
}
