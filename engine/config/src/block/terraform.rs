//! `terraform { … }`: versions, providers, and what this engine does in another way.

use std::sync::Arc;

use syntax::{Attribute, Block, Diagnostics, ExprKind, ObjectItem, ObjectKey};

use super::Decoder;
use super::module_call::provider_name;
use crate::error::ConfigError;
use crate::module::{Module, RequiredProvider};

pub(crate) fn decode(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let mut decoder = Decoder::new(block, diagnostics);
    if let Some((wanted, span)) = decoder.text("required_version") {
        module.terraform.required_version.push((wanted.to_string(), span));
    }
    decoder.attribute("experiments");
    let required = decoder.blocks("required_providers", 0);
    let backends = decoder.blocks("backend", 1);
    let clouds = decoder.blocks("cloud", 0);
    decoder.blocks("provider_meta", 1);
    decoder.finish();
    for backend in backends {
        let kind = backend.labels.first().map_or("", |label| label.as_str());
        if kind != "local" {
            diagnostics.push(ConfigError::Unsupported {
                what: format!("the state storage `{kind}`"),
                span: backend.header,
                help: Some(
                    "remove the block: state is kept in `.stratiform/state` beside the stack"
                        .to_owned(),
                ),
            });
        }
    }
    for cloud in clouds {
        diagnostics.push(ConfigError::Unsupported {
            what: "a `cloud` block".to_owned(),
            span: cloud.header,
            help: Some(
                "remove the block: state is kept in `.stratiform/state` beside the stack"
                    .to_owned(),
            ),
        });
    }
    for block in required {
        for attribute in &block.body.attributes {
            if let Some(provider) = required_provider(attribute, diagnostics) {
                module.required_providers.insert(Arc::clone(&attribute.name.text), provider);
            }
        }
    }
}

fn required_provider(
    attribute: &Attribute,
    diagnostics: &mut Diagnostics,
) -> Option<RequiredProvider> {
    let local = &attribute.name.text;
    let mut provider = RequiredProvider {
        address: address::ProviderAddress::implied(local),
        version: None,
        aliases: Vec::new(),
        span: attribute.span,
    };
    let items: &[ObjectItem] = match &attribute.expr.kind {
        ExprKind::Object(items) => items,
        ExprKind::String(version) => {
            provider.version = Some(version.to_string());
            return Some(provider);
        }
        _ => {
            diagnostics.push(ConfigError::ConstantRequired {
                name: local.to_string(),
                expected: "an object with `source` and `version`",
                span: attribute.expr.span,
            });
            return None;
        }
    };
    for item in items {
        let key = match &item.key {
            ObjectKey::Name(name) => Some(&name.text),
            ObjectKey::Expr(_) => item.key.literal(),
        };
        match (key.map(|key| &**key), &item.value.kind) {
            (Some("source"), ExprKind::String(source)) => match source.parse() {
                Ok(address) => provider.address = address,
                Err(_) => diagnostics.push(ConfigError::InvalidAddress {
                    text: source.to_string(),
                    expected: "a provider source, such as `hashicorp/aws`",
                    span: item.value.span,
                }),
            },
            (Some("version"), ExprKind::String(version)) => {
                provider.version = Some(version.to_string());
            }
            (Some("configuration_aliases"), ExprKind::Tuple(names)) => {
                provider.aliases =
                    names.iter().filter_map(|name| provider_name(name)?.alias).collect();
            }
            _ => diagnostics.push(ConfigError::UnsupportedArgument {
                name: key.map_or_else(|| "?".to_owned(), ToString::to_string),
                block: "required_providers".to_owned(),
                span: item.key.span(),
                suggestion: Some(
                    "an entry has `source`, `version` and `configuration_aliases`".to_owned(),
                ),
            }),
        }
    }
    Some(provider)
}
