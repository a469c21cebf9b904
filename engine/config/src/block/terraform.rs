//! `terraform { … }`: versions, providers, and what this engine does in another way.

use std::sync::Arc;

use syntax::{Attribute, Block, Diagnostics, Expr, ExprKind, ObjectItem, ObjectKey};
use value::Value;

use super::body::constant;
use super::module_call::provider_name;
use super::provider::is_normal;
use super::{Decoder, check_local_name, duplicate, first_call};
use crate::error::ConfigError;
use crate::module::{Module, ProviderName, RequiredProvider};
use crate::rule::RuleError;

pub(crate) fn decode(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let mut decoder = Decoder::new(block, diagnostics);
    if let Some((wanted, span)) = decoder.text("required_version") {
        module.terraform.required_version.push((wanted.to_string(), span));
    }
    let experiments = decoder.attribute("experiments").map(|attribute| attribute.expr.clone());
    let required = decoder.blocks("required_providers", 0);
    let backends = decoder.blocks("backend", 1);
    let clouds = decoder.blocks("cloud", 0);
    let metas = decoder.blocks("provider_meta", 1);
    decoder.finish();
    if let Some(experiments) = experiments {
        refuse_experiments(&experiments, diagnostics);
    }
    only_once(module, &required, &backends, &clouds, diagnostics);
    check_metas(&metas, diagnostics);
    for meta in metas {
        if let Some(name) = meta.labels.first() {
            module.provider_metas.insert(Arc::clone(&name.text), meta);
        }
    }
    // Where the state is kept, the root module alone decides.
    let is_root = module.path.is_root();
    for backend in backends.into_iter().filter(|_| is_root) {
        let kind = backend.labels.first().map_or("", |label| label.as_str());
        if kind == "local" {
            check_local_backend(&backend, diagnostics);
        } else {
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
    for cloud in clouds.into_iter().filter(|_| is_root) {
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

/// Each of these blocks may stand once in a module.
fn only_once(
    module: &mut Module,
    required: &[Block],
    backends: &[Block],
    clouds: &[Block],
    diagnostics: &mut Diagnostics,
) {
    let mut once = |blocks: Vec<&Block>, name: &str, place: &mut Option<syntax::Span>| {
        for block in blocks {
            match place {
                Some(first) => diagnostics.push(duplicate("block", name, *first, block.header)),
                None => *place = Some(block.header),
            }
        }
    };
    let settings = &mut module.terraform;
    once(required.iter().collect(), "required_providers", &mut settings.required_providers);
    let storage = backends.iter().chain(clouds).collect();
    once(storage, "backend", &mut settings.storage);
}

/// What a module tells its providers about itself is written out, once for each of them.
fn check_metas(metas: &[Block], diagnostics: &mut Diagnostics) {
    for (at, meta) in metas.iter().enumerate() {
        let Some(name) = meta.labels.first() else { continue };
        check_local_name(&name.text, name.span, diagnostics);
        let same = |other: &&Block| other.labels.first().is_some_and(|o| o.text == name.text);
        if let Some(first) = metas[..at].iter().find(same) {
            let shown = format!("provider_meta \"{name}\"");
            diagnostics.push(duplicate("block", &shown, first.header, meta.header));
        }
        for inner in &meta.body.blocks {
            diagnostics.push(ConfigError::UnsupportedBlock {
                name: inner.kind.text.to_string(),
                block: "provider_meta".to_owned(),
                span: inner.kind.span,
                suggestion: Some(format!("write `{} = {{ … }}`", inner.kind)),
            });
        }
        for attribute in &meta.body.attributes {
            check_written_out(attribute, diagnostics);
        }
    }
}

fn check_written_out(attribute: &Attribute, diagnostics: &mut Diagnostics) {
    let name = attribute.name.text.to_string();
    if let Some(call) = first_call(&attribute.expr) {
        let (function, span) = (call.text.to_string(), call.span);
        return diagnostics.push(RuleError::CallNotAllowed { function, name, span });
    }
    let (expression, errors) = lang::compile(&attribute.expr);
    diagnostics.extend(errors);
    if let Some(reference) = expression.references().first() {
        let help = "write the value out: it is read before anything has a value";
        diagnostics.push(RuleError::ReferenceNotAllowed { name, help, span: reference.span });
    }
}

fn refuse_experiments(expr: &Expr, diagnostics: &mut Diagnostics) {
    let ExprKind::Tuple(items) = &expr.kind else {
        return diagnostics.push(ConfigError::ConstantRequired {
            name: "experiments".to_owned(),
            expected: "a list of names",
            span: expr.span,
        });
    };
    for item in items {
        let name = match &item.kind {
            ExprKind::Variable(name) => name.text.to_string(),
            ExprKind::String(name) => name.to_string(),
            _ => "…".to_owned(),
        };
        diagnostics.push(RuleError::Experiment { name, span: item.span });
    }
}

/// The state lies in a store of our own, so the settings are only checked.
fn check_local_backend(backend: &Block, diagnostics: &mut Diagnostics) {
    let mut decoder = Decoder::new(backend, diagnostics);
    for name in ["path", "workspace_dir"] {
        let Some(expression) = decoder.expression(name) else { continue };
        if let Some(reference) = expression.references().first() {
            decoder.diagnostics.push(RuleError::ReferenceNotAllowed {
                name: name.to_owned(),
                help: "write the text out: where the state is must be known before anything else",
                span: reference.span,
            });
        }
    }
    decoder.finish();
}

fn check_version(text: &str, span: syntax::Span, diagnostics: &mut Diagnostics) {
    if !crate::version::is_constraint(text) {
        diagnostics.push(RuleError::VersionConstraint { text: text.to_owned(), span });
    }
}

/// Complains of a source whose parts cannot be names of a registry.
fn check_source(
    address: &address::ProviderAddress,
    text: &str,
    span: syntax::Span,
    diagnostics: &mut Diagnostics,
) {
    let type_name = &*address.type_name;
    // Alone, the name stands in the namespace of HashiCorp, where such a name could be.
    let repeats = ["terraform-provider-", "terraform-"]
        .into_iter()
        .find_map(|prefix| type_name.strip_prefix(prefix))
        .filter(|_| text.contains('/'));
    let help = if let Some(bare) = repeats {
        if bare.is_empty() {
            "write the provider's name as its registry shows it".to_owned()
        } else {
            let short = text.rsplit_once('/').map_or("", |(front, _)| front);
            format!("leave out what the program's name begins with: `{short}/{bare}`")
        }
    } else if is_normal(&address.namespace) && is_normal(type_name) {
        return;
    } else {
        "a part of a source holds letters, digits and single dashes between them".to_owned()
    };
    diagnostics.push(RuleError::ProviderSource { text: text.to_owned(), help, span });
}

fn required_provider(
    attribute: &Attribute,
    diagnostics: &mut Diagnostics,
) -> Option<RequiredProvider> {
    let local = &attribute.name.text;
    check_local_name(local, attribute.name.span, diagnostics);
    let mut provider = RequiredProvider {
        address: address::ProviderAddress::implied(local),
        version: None,
        aliases: Vec::new(),
        span: attribute.span,
    };
    let span = attribute.expr.span;
    let items: &[ObjectItem] = match &attribute.expr.kind {
        ExprKind::Object(items) => items,
        // As it was written once: the version alone. A number counts as its text, here and nowhere else.
        _ => {
            let version = constant_of(&attribute.expr);
            let version = version.and_then(|one| value::convert(&one, &value::Type::String).ok());
            let Some(version) = version.as_ref().and_then(Value::as_str) else {
                diagnostics.push(ConfigError::ConstantRequired {
                    name: local.to_string(),
                    expected: "an object with `source` and `version`",
                    span,
                });
                return None;
            };
            check_version(version, span, diagnostics);
            provider.version = Some(version.to_owned());
            return Some(provider);
        }
    };
    for item in items {
        let key = match &item.key {
            ObjectKey::Name(name) => Some(&name.text),
            ObjectKey::Expr(_) => item.key.literal(),
        };
        let text = || constant_of(&item.value).and_then(|one| one.as_arc_str().cloned());
        match (key.map(|key| &**key), &item.value.kind, text()) {
            (Some("source"), _, Some(source)) => match source.parse() {
                Ok(address) => {
                    check_source(&address, &source, item.value.span, diagnostics);
                    provider.address = address;
                }
                Err(_) => diagnostics.push(ConfigError::InvalidAddress {
                    text: source.to_string(),
                    expected: "a provider source, such as `hashicorp/aws`",
                    span: item.value.span,
                }),
            },
            (Some("version"), _, Some(version)) => {
                check_version(&version, item.value.span, diagnostics);
                provider.version = Some(version.to_string());
            }
            (Some("configuration_aliases"), ExprKind::Tuple(names), _) => {
                for name in names {
                    // A name in quotes was never taken here.
                    let found = provider_name(name).filter(|_| constant_of(name).is_none());
                    match found.filter(|found| found.local == *local) {
                        Some(ProviderName { alias, .. }) => provider.aliases.extend(alias),
                        None => diagnostics.push(RuleError::ConfigurationAlias {
                            local: local.to_string(),
                            span: name.span,
                        }),
                    }
                }
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

/// The value of an expression that refers to nothing and calls nothing.
fn constant_of(expr: &Expr) -> Option<Value> {
    if first_call(expr).is_some() {
        return None;
    }
    let (expression, faults) = lang::compile(expr);
    constant(&expression).filter(|value| !faults.has_errors() && !value.is_null())
}
