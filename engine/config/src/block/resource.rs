//! `resource "type" "name" { … }`, and `data` and `ephemeral` likewise.

use std::sync::Arc;

use address::{ModulePath, ProviderAddress, ProviderConfig, Resource, ResourceMode};
use syntax::{Block, Body, Diagnostics};

use super::module_call::{check_repetition, provider_name};
use super::{Decoder, duplicate, lifecycle, provisioner};
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
    let name =
        provider.unwrap_or_else(|| ProviderName { local: implied(&address).into(), alias: None });
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
        body: rest(&block.body, diagnostics),
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

/// The body without what means the same in every resource.
fn rest(body: &Body, diagnostics: &mut Diagnostics) -> Body {
    let meta =
        |name: &str| META_ATTRIBUTES.contains(&name) || (body.json && META_BLOCKS.contains(&name));
    // A block named `_` holds arguments whose names would mean something else out here.
    let escapes = body.blocks_checked("_", 0, diagnostics);
    let body_without = Body {
        attributes: body.attributes.iter().filter(|a| !meta(a.name.as_str())).cloned().collect(),
        blocks: body
            .blocks
            .iter()
            .filter(|b| !META_BLOCKS.contains(&b.kind.as_str()) && b.kind.as_str() != "_")
            .cloned()
            .collect(),
        ..*body
    };
    escapes.iter().fold(body_without, |mut body, escape| {
        body.attributes.retain(|a| a.name.as_str() != "_");
        body.attributes.extend(escape.body.attributes.iter().cloned());
        body.blocks.extend(escape.body.blocks.iter().cloned());
        body
    })
}
