//! Mocks and overrides: objects that are made up instead of asked of a provider.

use std::collections::BTreeMap;

use address::{ResourceMode, Target};
use syntax::{Block, Diagnostics, Span};
use value::Value;

use super::{Decoder, check_local_name, duplicate, is_name, label, test_run};
use crate::error::ConfigError;
use crate::module::ProviderName;
use crate::test_error::TestError;
use crate::test_file::{During, MockProvider, MockType, Override};

const INNER: [(&str, usize); 5] = [
    ("mock_resource", 1),
    ("mock_data", 1),
    ("override_resource", 0),
    ("override_data", 0),
    ("override_module", 0),
];

pub(super) fn decode(block: &Block, found: &mut Diagnostics) -> Option<MockProvider> {
    let local = label(block)?;
    check_local_name(&local.text, local.span, found);
    let mut decoder = Decoder::new(block, found);
    let alias = decoder.text("alias");
    if let Some((alias, span)) = alias.as_ref().filter(|(alias, _)| !is_name(alias)) {
        let (name, span) = (alias.to_string(), *span);
        decoder.diagnostics.push(ConfigError::InvalidName { name, span });
    }
    let source = decoder.text("source").map(|(text, span)| (text.to_string(), span));
    let during = during(&mut decoder).unwrap_or_default();
    let mut inner = Vec::new();
    for (kind, labels) in INNER {
        inner.extend(decoder.blocks(kind, labels));
    }
    decoder.finish();
    let mut mock = MockProvider {
        name: ProviderName { local: local.text.clone(), alias: alias.map(|(text, _)| text) },
        resources: BTreeMap::new(),
        data: BTreeMap::new(),
        overrides: Vec::new(),
        source,
        during,
        span: block.header,
    };
    for block in &inner {
        decode_inner(block, &mut mock, found);
    }
    Some(mock)
}

/// A block within a mocked provider, or in a file of mocks.
pub(super) fn decode_inner(block: &Block, mock: &mut MockProvider, found: &mut Diagnostics) {
    let kind = block.kind.as_str();
    let types = match kind {
        "mock_resource" => &mut mock.resources,
        "mock_data" => &mut mock.data,
        _ => return decode_override(block, mock.during, &mut mock.overrides, found),
    };
    let Some(name) = label(block) else {
        return found.push(ConfigError::Labels {
            kind: kind.to_owned(),
            expected: "one label: the type",
            span: block.header,
            found: block.labels.len(),
            help: format!("write `{kind} \"type\" {{ … }}`"),
        });
    };
    let mut decoder = Decoder::new(block, found);
    let defaults = object(&mut decoder, "defaults");
    let during = during(&mut decoder).unwrap_or(mock.during);
    decoder.finish();
    let ty = MockType { defaults, during, span: block.header };
    if let Some(first) = types.get(&name.text) {
        let kind = if kind == "mock_data" { "mocked data source" } else { "mocked resource" };
        return found.push(duplicate(kind, &name.text, first.span, block.header));
    }
    types.insert(name.text.clone(), ty);
}

/// An `override_…` block. `outer` says when its values come unless it says so itself.
pub(super) fn decode_override(
    block: &Block,
    outer: During,
    overrides: &mut Vec<Override>,
    found: &mut Diagnostics,
) {
    let kind = block.kind.as_str();
    let mut decoder = Decoder::new(block, found);
    let target = target(&mut decoder);
    let values = object(&mut decoder, if kind == "override_module" { "outputs" } else { "values" });
    let during = during(&mut decoder).unwrap_or(outer);
    decoder.finish();
    let Some((target, span)) = target else { return };
    let mode = |target: &Target| match target {
        Target::Module(_) => None,
        Target::Resource(block) => Some(block.resource.mode),
        Target::Instance(instance) => Some(instance.resource.mode),
    };
    let (wanted, expected) = match kind {
        "override_module" => (None, "only modules can be overridden so"),
        "override_data" => (Some(ResourceMode::Data), "only data sources can be overridden so"),
        _ => (Some(ResourceMode::Managed), "only resources can be overridden so"),
    };
    if mode(&target) != wanted {
        let (block, target) = (kind.to_owned(), target.to_string());
        return found.push(TestError::OverrideTarget { block, target, expected, span });
    }
    if let Some(first) = overrides.iter().find(|one| one.target == target) {
        let name = target.to_string();
        return found.push(duplicate("override of", &name, first.span, block.header));
    }
    overrides.push(Override { target, values, during, span: block.header });
}

fn during(decoder: &mut Decoder<'_>) -> Option<During> {
    let words = ["plan", "apply"];
    let word = test_run::word(decoder, "override_during", &words, "`plan` or `apply`")?;
    Some(if word == "plan" { During::Plan } else { During::Apply })
}

fn target(decoder: &mut Decoder<'_>) -> Option<(Target, Span)> {
    decoder.required("target")?;
    let attribute = decoder.attribute("target")?;
    let parsed = decoder.reference(&attribute.expr).and_then(|one| one.to_string().parse().ok());
    if parsed.is_none() {
        decoder.diagnostics.push(ConfigError::InvalidAddress {
            text: "target".to_owned(),
            expected: "the address of a resource, data source or module",
            span: attribute.expr.span,
        });
    }
    Some((parsed?, attribute.expr.span))
}

/// An object that is written out; the empty one where nothing is written.
fn object(decoder: &mut Decoder<'_>, name: &'static str) -> Value {
    const EXPECTED: &str = "an object that is written out";
    let Some((value, span)) = decoder.constant(name, EXPECTED) else {
        return Value::empty_object();
    };
    if value.is_null() || !(value.is_object() || value.is_map()) {
        decoder.diagnostics.push(ConfigError::ConstantRequired {
            name: name.to_owned(),
            expected: EXPECTED,
            span,
        });
        return Value::empty_object();
    }
    value
}
