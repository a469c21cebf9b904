//! Test files: `variables`, `provider`, `mock_provider`, `override_…` and `run` blocks.
//!
//! `test_run` holds what stands in a run, `test_mock` mocks and overrides.

use std::sync::Arc;

use indexmap::IndexMap;
use syntax::{Block, Body, Diagnostics, suggest};

use super::{duplicate, is_name, provider, test_mock, test_run};
use crate::error::ConfigError;
use crate::module::{Module, ProviderName};
use crate::test_error::TestError;
use crate::test_file::{During, MockProvider, TestFile, TestProvider, TestVariable};

/// Kinds of blocks in a test file, with how many labels each takes.
const KINDS: &[(&str, usize)] = &[
    ("run", 1),
    ("variables", 0),
    ("provider", 1),
    ("mock_provider", 1),
    ("override_resource", 0),
    ("override_data", 0),
    ("override_module", 0),
];

/// Kinds of blocks in a file of mocks.
const MOCK_KINDS: &[(&str, usize)] = &[
    ("mock_resource", 1),
    ("mock_data", 1),
    ("override_resource", 0),
    ("override_data", 0),
    ("override_module", 0),
];

/// Decodes a test file.
pub(crate) fn decode(body: &Body) -> (TestFile, Diagnostics) {
    let mut found = Diagnostics::new();
    let mut file = TestFile::default();
    let mut variables = None;
    for block in blocks(body, KINDS, "a test file", &mut found) {
        match block.kind.as_str() {
            "variables" => {
                if let Some(first) = variables {
                    found.push(duplicate("block", "variables", first, block.header));
                    continue;
                }
                variables = Some(block.header);
                file.variables = decode_variables(&block, &mut found);
            }
            "run" => {
                let run = test_run::decode(&block, &mut found);
                let first = file.runs.iter().find(|one| one.name.text == run.name.text);
                if let Some(first) = first {
                    found.push(duplicate("run", &run.name.text, first.span, run.span));
                    continue;
                }
                file.runs.push(run);
            }
            "provider" => {
                // A module of its own, since a name may stand in the file and in the module under test.
                let mut module = Module::default();
                provider::decode(&mut module, &without_version(&block, &mut found), &mut found);
                for (name, block) in module.provider_configs {
                    add_provider(&mut file, name, TestProvider::Real(block), &mut found);
                }
            }
            "mock_provider" => {
                if let Some(mock) = test_mock::decode(&block, &mut found) {
                    let name = mock.name.clone();
                    add_provider(&mut file, name, TestProvider::Mock(mock), &mut found);
                }
            }
            _ => test_mock::decode_override(
                &block,
                During::default(),
                &mut file.overrides,
                &mut found,
            ),
        }
    }
    (file, found)
}

/// The block of a provider, with a complaint where it says a version.
fn without_version(block: &Block, found: &mut Diagnostics) -> Block {
    let mut block = block.clone();
    let mut body = Body::clone(&block.body);
    body.attributes.retain(|attribute| {
        let is_version = attribute.name.as_str() == "version";
        if is_version {
            let name =
                block.labels.first().map_or_else(String::new, |label| label.text.to_string());
            found.push(TestError::ProviderVersion { name, span: attribute.span });
        }
        !is_version
    });
    block.body = Arc::new(body);
    block
}

/// Decodes a file of mocks: the provider is that of whoever names the folder.
pub(crate) fn decode_mock_file(body: &Body, during: During) -> (MockProvider, Diagnostics) {
    let mut found = Diagnostics::new();
    let mut mock = MockProvider {
        name: ProviderName { local: "".into(), alias: None },
        resources: std::collections::BTreeMap::new(),
        data: std::collections::BTreeMap::new(),
        overrides: Vec::new(),
        source: None,
        during,
        span: body.span,
    };
    for block in blocks(body, MOCK_KINDS, "a file of mocks", &mut found) {
        test_mock::decode_inner(&block, &mut mock, &mut found);
    }
    (mock, found)
}

fn add_provider(
    file: &mut TestFile,
    name: ProviderName,
    provider: TestProvider,
    found: &mut Diagnostics,
) {
    if let Some(first) = file.providers.get(&name) {
        let (first, second) = (first.span(), provider.span());
        return found.push(duplicate("provider configuration", &name.to_string(), first, second));
    }
    file.providers.insert(name, provider);
}

/// Values for variables: whatever names stand in the block.
pub(super) fn decode_variables(
    block: &Block,
    found: &mut Diagnostics,
) -> IndexMap<Arc<str>, TestVariable> {
    for inner in &block.body.blocks {
        found.push(ConfigError::UnsupportedBlock {
            name: inner.kind.text.to_string(),
            block: "variables".to_owned(),
            span: inner.kind.span,
            suggestion: Some(format!("write `{} = {{ … }}`", inner.kind)),
        });
    }
    let attributes = block.body.attributes.iter().map(|attribute| {
        let (value, errors) = lang::compile(&attribute.expr);
        found.extend(errors);
        let name = attribute.name.clone();
        (Arc::clone(&name.text), TestVariable { name, value })
    });
    attributes.collect()
}

/// The blocks of a file that holds nothing else, in source order, with the right number of labels each.
fn blocks(
    body: &Body,
    kinds: &[(&'static str, usize)],
    within: &str,
    found: &mut Diagnostics,
) -> Vec<Block> {
    let labels_of = |name: &str| kinds.iter().find(|(kind, _)| *kind == name).map(|(_, n)| *n);
    let near = |name: &str| {
        suggest(name, kinds.iter().map(|(kind, _)| *kind))
            .map(|near| format!("did you mean `{near}`?"))
    };
    let mut all = Vec::new();
    for block in &body.blocks {
        match labels_of(block.kind.as_str()) {
            None => found.push(ConfigError::UnsupportedBlock {
                name: block.kind.text.to_string(),
                block: within.to_owned(),
                span: block.kind.span,
                suggestion: near(block.kind.as_str()),
            }),
            Some(labels) if labels != block.labels.len() => found.push(ConfigError::Labels {
                kind: block.kind.text.to_string(),
                expected: if labels == 0 { "no labels" } else { "one label" },
                span: block.header,
                found: block.labels.len(),
                help: format!(
                    "write `{}{} {{ … }}`",
                    block.kind,
                    if labels == 0 { "" } else { " \"name\"" }
                ),
            }),
            Some(_) => all.push(block.clone()),
        }
    }
    for attribute in &body.attributes {
        let name = attribute.name.as_str();
        match labels_of(name) {
            Some(labels) if body.json => all.extend(body.blocks_checked(name, labels, found)),
            _ => found.push(ConfigError::UnsupportedArgument {
                name: name.to_owned(),
                block: within.to_owned(),
                span: attribute.name.span,
                suggestion: near(name),
            }),
        }
    }
    for block in &all {
        for label in block.labels.iter().filter(|label| !is_name(&label.text)) {
            let (name, span) = (label.text.to_string(), label.span);
            found.push(ConfigError::InvalidName { name, span });
        }
    }
    all
}
