//! `run "name" { … }` in a test file.

use address::{ResourceInstance, Target};
use syntax::{Block, Diagnostics, ExprKind, Ident};

use super::{Decoder, condition, duplicate, module_call, test_file, test_mock};
use crate::error::ConfigError;
use crate::rule::RuleError;
use crate::test_error::TestError;
use crate::test_file::{During, RunCommand, RunModule, RunOptions, TestRun};

pub(super) fn decode(block: &Block, found: &mut Diagnostics) -> TestRun {
    let name = block.labels.first().cloned();
    let name = name.unwrap_or_else(|| Ident::new("", block.header));
    let mut decoder = Decoder::new(block, found);
    let command = word(&mut decoder, "command", &["plan", "apply"], "`plan` or `apply`");
    let command = if command == Some("plan") { RunCommand::Plan } else { RunCommand::Apply };
    let expect_failures = decoder.references("expect_failures");
    let providers = decoder.attribute("providers");
    let providers_span = providers.map(|attribute| attribute.name.span);
    let providers = providers
        .map(|attribute| module_call::providers(&attribute.expr, decoder.diagnostics))
        .unwrap_or_default();
    let state_key = decoder.text("state_key").map(|(text, _)| text);
    let asserts = decoder.blocks("assert", 0);
    let variables = only(&mut decoder, "variables");
    let module = only(&mut decoder, "module");
    let options = only(&mut decoder, "plan_options");
    let mut overrides = Vec::new();
    for kind in ["override_resource", "override_data", "override_module"] {
        overrides.extend(decoder.blocks(kind, 0));
    }
    decoder.finish();
    let mut decoded = Vec::new();
    for block in &overrides {
        test_mock::decode_override(block, During::default(), &mut decoded, found);
    }
    TestRun {
        name,
        command,
        options: options.map(|block| decode_options(&block, found)).unwrap_or_default(),
        variables: variables
            .map(|block| test_file::decode_variables(&block, found))
            .unwrap_or_default(),
        assertions: condition::decode_all(&asserts, found),
        expect_failures,
        module: module.and_then(|block| decode_module(&block, found)),
        providers,
        providers_span,
        overrides: decoded,
        state_key,
        span: block.header,
    }
}

/// A block that may stand once.
fn only(decoder: &mut Decoder<'_>, kind: &'static str) -> Option<Block> {
    let blocks = decoder.blocks(kind, 0);
    if let [first, second, ..] = blocks.as_slice() {
        decoder.diagnostics.push(duplicate("block", kind, first.header, second.header));
    }
    blocks.into_iter().next()
}

/// A word that stands without quotes, save in JSON, which has no other spelling.
pub(super) fn word(
    decoder: &mut Decoder<'_>,
    name: &'static str,
    words: &[&'static str],
    expected: &'static str,
) -> Option<&'static str> {
    let attribute = decoder.attribute(name)?;
    let text = match &attribute.expr.kind {
        ExprKind::Variable(word) => Some(word.as_str()),
        ExprKind::String(word) if decoder.body.json => Some(&**word),
        _ => None,
    };
    let found = words.iter().find(|known| Some(**known) == text).copied();
    if found.is_none() {
        let span = attribute.expr.span;
        decoder.diagnostics.push(RuleError::Keyword { name: name.to_owned(), expected, span });
    }
    found
}

fn decode_module(block: &Block, found: &mut Diagnostics) -> Option<RunModule> {
    let mut decoder = Decoder::new(block, found);
    let source = decoder.text("source");
    if source.is_none() && decoder.attribute("source").is_none() {
        decoder.required("source");
    }
    let version = decoder.text("version").map(|(text, _)| text.to_string());
    decoder.finish();
    let (source, span) = source?;
    Some(RunModule { source: source.to_string(), version, span })
}

fn decode_options(block: &Block, found: &mut Diagnostics) -> RunOptions {
    let mut decoder = Decoder::new(block, found);
    let words = ["normal", "refresh-only"];
    let mode = word(&mut decoder, "mode", &words, "`normal` or `refresh-only`");
    let refresh = decoder.flag("refresh").unwrap_or(true);
    let refresh_only = mode == Some("refresh-only");
    if refresh_only && !refresh {
        let span = decoder.attribute("refresh").map_or(block.header, |found| found.span);
        decoder.diagnostics.push(TestError::RunOptions { span });
    }
    let targets =
        addresses::<Target>(&mut decoder, "target", "the address of a resource or module");
    let replace = addresses::<ResourceInstance>(
        &mut decoder,
        "replace",
        "the address of a resource instance",
    );
    decoder.finish();
    RunOptions { refresh_only, refresh, targets, replace }
}

fn addresses<T: std::str::FromStr>(
    decoder: &mut Decoder<'_>,
    name: &'static str,
    expected: &'static str,
) -> Vec<T> {
    let mut all = Vec::new();
    for traversal in decoder.references(name) {
        match traversal.to_string().parse() {
            Ok(address) => all.push(address),
            Err(_) => decoder.diagnostics.push(ConfigError::InvalidAddress {
                text: traversal.to_string(),
                expected,
                span: traversal.span,
            }),
        }
    }
    all
}
