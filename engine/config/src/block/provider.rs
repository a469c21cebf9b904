//! `provider "name" { … }`

use syntax::{Block, Diagnostics, Span};

use super::{Decoder, Meta, duplicate, is_name, label, rest};
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

/// Complains of a local name that is not in its normal form.
pub(crate) fn check_local_name(name: &str, span: Span, diagnostics: &mut Diagnostics) {
    if !is_normal(name) {
        diagnostics.push(RuleError::ProviderLocalName { name: name.to_owned(), span });
    }
}

const RESERVED_BLOCKS: [&str; 2] = ["lifecycle", "locals"];

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
    check_local_name(&local.text, local.span, diagnostics);
    let name = ProviderName { local: local.text.clone(), alias };
    if let Some(first) = module.provider_configs.get(&name) {
        let (kind, shown) = ("provider configuration", name.to_string());
        return diagnostics.push(duplicate(kind, &shown, first.span, block.header));
    }
    let meta = Meta {
        arguments: &|name| matches!(name, "alias" | "version") || RESERVED.contains(&name),
        blocks: &[],
        reserved: &RESERVED_BLOCKS,
    };
    let body = rest(block, &meta, diagnostics);
    let provider = ProviderBlock { name: name.clone(), body, mocked: false, span: block.header };
    module.provider_configs.insert(name, provider);
}
