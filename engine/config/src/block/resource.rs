//! `resource "type" "name" { … }`, and `data` and `ephemeral` likewise.

use std::sync::Arc;

use address::{ModulePath, ProviderAddress, ProviderConfig, Resource, ResourceMode};
use syntax::{Block, Diagnostics};

use super::module_call::{check_repetition, provider_name};
use super::{Decoder, Meta, check_local_name, duplicate, lifecycle, provisioner, rest};
use crate::error::ConfigError;
use crate::module::{Lifecycle, Module, ProviderName, ResourceBlock};
use crate::rule::RuleError;

const META_ATTRIBUTES: &[&str] = &["count", "for_each", "depends_on", "provider"];
const META_BLOCKS: &[&str] = &["lifecycle", "connection", "provisioner"];

pub(crate) fn decode(
    module: &mut Module,
    block: &Block,
    mode: ResourceMode,
    diagnostics: &mut Diagnostics,
) -> Option<Resource> {
    let [type_name, name] = block.labels.as_slice() else { return None };
    let address =
        Resource { mode, type_name: Arc::clone(&type_name.text), name: Arc::clone(&name.text) };
    if let Some(first) = module.resources.get(&address) {
        let kind = if mode == ResourceMode::Data { "data source" } else { "resource" };
        diagnostics.push(duplicate(kind, &address.to_string(), first.header, block.header));
        return None;
    }
    let mut decoder = Decoder::new(block, diagnostics);
    let count = decoder.expression("count");
    let for_each = decoder.expression("for_each");
    let depends_on = decoder.references("depends_on");
    let provider = match decoder.attribute("provider") {
        None => None,
        Some(attribute) => {
            if let Some(name) = provider_name(&attribute.expr) {
                check_local_name(&name.local, attribute.expr.span, decoder.diagnostics);
                Some(name)
            } else {
                decoder.diagnostics.push(ConfigError::ConstantRequired {
                    name: "provider".to_owned(),
                    expected: "a provider configuration, such as `aws.west`",
                    span: attribute.expr.span,
                });
                None
            }
        }
    };
    let lifecycles = decoder.blocks("lifecycle", 0);
    let connections = decoder.blocks("connection", 0);
    let provisioners = decoder.blocks("provisioner", 1);
    only_managed(mode, connections.iter().chain(&provisioners), diagnostics);
    let provisioners = provisioner::decode_all(&provisioners, &connections, diagnostics);
    if let [_, second, ..] = lifecycles.as_slice() {
        diagnostics.push(duplicate("block", "lifecycle", lifecycles[0].header, second.header));
    }
    let lifecycle = lifecycles
        .first()
        .map_or_else(Lifecycle::default, |block| lifecycle::decode(block, mode, diagnostics));
    check_repetition(&count, &for_each, diagnostics);
    let name = provider.unwrap_or_else(|| {
        let local = implied(&address).to_lowercase();
        check_local_name(&local, type_name.span, diagnostics);
        ProviderName { local: local.into(), alias: None }
    });
    let json = block.body.json;
    let meta = Meta {
        arguments: &|name| META_ATTRIBUTES.contains(&name) || (json && META_BLOCKS.contains(&name)),
        blocks: META_BLOCKS,
        reserved: &["locals"],
    };
    let block = ResourceBlock {
        span: block.span,
        header: block.header,
        count,
        for_each,
        depends_on,
        provider: unresolved(name),
        lifecycle,
        provisioners,
        check: None,
        body: rest(block, &meta, diagnostics),
        address: address.clone(),
    };
    module.resources.insert(address.clone(), Arc::new(block));
    Some(address)
}

pub(crate) fn mode_name(mode: ResourceMode) -> &'static str {
    match mode {
        ResourceMode::Managed => "managed resource",
        ResourceMode::Data => "data source",
        ResourceMode::Ephemeral => "ephemeral resource",
    }
}

fn only_managed<'a>(
    mode: ResourceMode,
    blocks: impl Iterator<Item = &'a Block>,
    diagnostics: &mut Diagnostics,
) {
    for block in blocks.filter(|_| mode != ResourceMode::Managed) {
        diagnostics.push(RuleError::BlockOutOfPlace {
            kind: mode_name(mode),
            name: block.kind.text.to_string(),
            help: "remove it, or use a managed resource such as `terraform_data`",
            span: block.header,
        });
    }
}

fn implied(address: &Resource) -> &str {
    address.implied_provider()
}

/// Carries the local name until `provider::resolve_resources` finds the configuration.
fn unresolved(name: ProviderName) -> ProviderConfig {
    let provider = ProviderAddress { type_name: name.local, ..ProviderAddress::implied("") };
    ProviderConfig { module: ModulePath::root(), provider, alias: name.alias }
}
