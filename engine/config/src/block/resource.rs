//! `resource "type" "name" { … }`, and `data` and `ephemeral` likewise.

use std::sync::Arc;

use address::{ModulePath, ProviderAddress, ProviderConfig, Resource, ResourceMode};
use syntax::{Block, Body, Diagnostics};

use super::module_call::{check_repetition, provider_name};
use super::{Decoder, duplicate, lifecycle};
use crate::error::ConfigError;
use crate::module::{Lifecycle, Module, ProviderName, ResourceBlock};

const META_ATTRIBUTES: &[&str] = &["count", "for_each", "depends_on", "provider"];
const META_BLOCKS: &[&str] = &["lifecycle", "connection", "provisioner"];

pub(crate) fn decode(
    module: &mut Module,
    block: &Block,
    mode: ResourceMode,
    diagnostics: &mut Diagnostics,
) {
    let [type_name, name] = block.labels.as_slice() else { return };
    let address =
        Resource { mode, type_name: Arc::clone(&type_name.text), name: Arc::clone(&name.text) };
    if let Some(first) = module.resources.get(&address) {
        let kind = if mode == ResourceMode::Data { "data source" } else { "resource" };
        return diagnostics.push(duplicate(kind, &address.to_string(), first.header, block.header));
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
    for kind in ["connection", "provisioner"] {
        let labels = usize::from(kind == "provisioner");
        for found in decoder.blocks(kind, labels) {
            decoder.diagnostics.push(ConfigError::Unsupported {
                what: format!("a `{kind}` block"),
                span: found.header,
                help: Some("a `local_job` runs commands as a resource of its own".to_owned()),
            });
        }
    }
    if let [_, second, ..] = lifecycles.as_slice() {
        diagnostics.push(duplicate("block", "lifecycle", lifecycles[0].header, second.header));
    }
    let lifecycle = lifecycles
        .first()
        .map_or_else(Lifecycle::default, |block| lifecycle::decode(block, diagnostics));
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
        body: rest(&block.body),
        address: address.clone(),
    };
    module.resources.insert(address, block);
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
fn rest(body: &Body) -> Body {
    let meta =
        |name: &str| META_ATTRIBUTES.contains(&name) || (body.json && META_BLOCKS.contains(&name));
    Body {
        attributes: body.attributes.iter().filter(|a| !meta(a.name.as_str())).cloned().collect(),
        blocks: body
            .blocks
            .iter()
            .filter(|b| !META_BLOCKS.contains(&b.kind.as_str()))
            .cloned()
            .collect(),
        ..*body
    }
}
