//! `module "name" { … }`

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use syntax::{Block, Diagnostics, Expr, ExprKind, ObjectKey};

use super::{Decoder, Meta, check_local_name, duplicate, label, rest};
use crate::error::ConfigError;
use crate::load::call_step;
use crate::module::{Module, ModuleCall, ProviderName};
use crate::rule::RuleError;

const RESERVED: [&str; 3] = ["lifecycle", "locals", "provider"];
const META: &[&str] = &["source", "version", "count", "for_each", "depends_on", "providers"];

pub(crate) fn decode(module: &mut Module, block: &Block, diagnostics: &mut Diagnostics) {
    let Some(name) = label(block) else { return };
    let step = call_step(&name.text);
    if let Some(first) = module.calls.get(&step) {
        return diagnostics.push(duplicate("module call", &name.text, first.header, block.header));
    }
    let mut decoder = Decoder::new(block, diagnostics);
    if decoder.attribute("source").is_none() {
        decoder.required("source");
    }
    let source = decoder.text("source");
    if let (Some(version), Some((source, _))) = (decoder.attribute("version"), &source)
        && (source.starts_with("./") || source.starts_with("../"))
    {
        let name = name.text.to_string();
        let span = version.name.span;
        decoder.diagnostics.push(RuleError::VersionOfFolder { name, span });
    }
    let version = decoder.text("version").map(|(text, _)| text.to_string());
    let count = decoder.expression("count");
    let for_each = decoder.expression("for_each");
    let depends_on = decoder.references("depends_on");
    let providers = decoder
        .attribute("providers")
        .map(|attribute| providers(&attribute.expr, decoder.diagnostics));
    let meta = Meta { arguments: &|name| META.contains(&name), blocks: &[], reserved: &RESERVED };
    let body = rest(block, &meta, decoder.diagnostics);
    let mut inputs = IndexMap::new();
    let mut input_spans = BTreeMap::new();
    for attribute in &body.attributes {
        inputs.insert(Arc::clone(&attribute.name.text), decoder.compile(&attribute.expr));
        input_spans.insert(Arc::clone(&attribute.name.text), attribute.name.span);
    }
    if let Some((_, span)) = &source {
        input_spans.insert("source".into(), *span);
    }
    for inner in &body.blocks {
        diagnostics.push(ConfigError::UnsupportedBlock {
            name: inner.kind.text.to_string(),
            block: "module".to_owned(),
            span: inner.kind.span,
            suggestion: Some(format!("a variable is set by `{} = …`", inner.kind)),
        });
    }
    let call = ModuleCall {
        step: step.clone(),
        source: source.map(|(text, _)| text.to_string()).unwrap_or_default(),
        version,
        inputs,
        input_spans,
        count,
        for_each,
        depends_on,
        providers: providers.unwrap_or_default(),
        span: block.span,
        header: block.header,
    };
    check_repetition(&call.count, &call.for_each, diagnostics);
    module.calls.insert(step, call);
}

/// Complains of a block that has both `count` and `for_each`.
pub(crate) fn check_repetition(
    count: &Option<lang::Expression>,
    for_each: &Option<lang::Expression>,
    diagnostics: &mut Diagnostics,
) {
    if let (Some(count), Some(for_each)) = (count, for_each) {
        diagnostics
            .push(ConfigError::CountAndForEach { count: count.span(), for_each: for_each.span() });
    }
}

pub(super) fn providers(
    expr: &Expr,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<ProviderName, ProviderName> {
    let expected = "a map of provider configurations, such as `{ aws = aws.west }`";
    let wrong = |span, diagnostics: &mut Diagnostics| {
        diagnostics.push(ConfigError::ConstantRequired {
            name: "providers".to_owned(),
            expected,
            span,
        });
    };
    let ExprKind::Object(items) = &expr.kind else {
        wrong(expr.span, diagnostics);
        return BTreeMap::new();
    };
    let mut found = BTreeMap::new();
    for item in items {
        let inner = match &item.key {
            ObjectKey::Name(name) => {
                Some(ProviderName { local: Arc::clone(&name.text), alias: None })
            }
            ObjectKey::Expr(expr) => provider_name(expr),
        };
        match (inner, provider_name(&item.value)) {
            (Some(inner), Some(outer)) => {
                check_local_name(&inner.local, item.key.span(), diagnostics);
                check_local_name(&outer.local, item.value.span, diagnostics);
                found.insert(inner, outer);
            }
            _ => wrong(item.value.span, diagnostics),
        }
    }
    found
}

/// `aws` or `aws.west`, as an expression or as a string of JSON.
pub(crate) fn provider_name(expr: &Expr) -> Option<ProviderName> {
    match &expr.kind {
        ExprKind::Variable(name) => {
            Some(ProviderName { local: Arc::clone(&name.text), alias: None })
        }
        ExprKind::GetAttr(inner, alias) => match &inner.kind {
            ExprKind::Variable(name) => Some(ProviderName {
                local: Arc::clone(&name.text),
                alias: Some(Arc::clone(&alias.text)),
            }),
            _ => None,
        },
        ExprKind::Parens(inner) => provider_name(inner),
        ExprKind::String(text) => match text.split_once('.') {
            Some((local, alias)) => {
                Some(ProviderName { local: local.into(), alias: Some(alias.into()) })
            }
            None => Some(ProviderName { local: Arc::clone(text), alias: None }),
        },
        _ => None,
    }
}
