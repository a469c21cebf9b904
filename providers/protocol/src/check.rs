//! Checks any provider's binary against the protocol, and says what was found in lines for people.
//!
//! Nothing is configured and nothing is changed: what can be asked of a provider without its settings is asked.

use std::sync::Arc;

use sdk::{
    Attribute, AttributeKind, Block, Factory as _, Nesting, Problem, Provider, ProviderError,
    ProviderSchema, Schemas,
};
use value::{Type, Value};

use crate::host::Hosted;

/// Of each kind so many types are asked.
const ASKED_TYPES: usize = 200;
/// So many faults of one check are shown.
const SHOWN_FAULTS: usize = 10;

/// What came of all checks.
#[derive(Debug, Default)]
pub struct Report(Vec<Check>);

#[derive(Debug)]
struct Check {
    name: &'static str,
    detail: String,
    faults: Vec<String>,
}

impl Report {
    /// True if nothing is wrong.
    pub fn passed(&self) -> bool {
        self.0.iter().all(|check| check.faults.is_empty())
    }

    /// The report, line by line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for check in &self.0 {
            let word = if check.faults.is_empty() { "ok    " } else { "FAILED" };
            let detail =
                if check.detail.is_empty() { String::new() } else { format!(": {}", check.detail) };
            lines.push(format!("{word} {}{detail}", check.name));
            for fault in check.faults.iter().take(SHOWN_FAULTS) {
                lines.push(format!("       - {}", fault.replace('\n', "\n         ")));
            }
            if check.faults.len() > SHOWN_FAULTS {
                lines.push(format!("       - and {} more", check.faults.len() - SHOWN_FAULTS));
            }
        }
        let failed = self.0.iter().filter(|check| !check.faults.is_empty()).count();
        lines.push(format!("{} checks, {failed} failed", self.0.len()));
        lines
    }

    fn add(&mut self, name: &'static str, detail: String, faults: Vec<String>) {
        self.0.push(Check { name, detail, faults });
    }
}

/// Runs all checks.
pub async fn run(hosted: &Hosted) -> Report {
    let mut report = Report::default();
    let Some(provider) = start(hosted, &mut report).await else { return report };
    let schema = provider.schema();
    schemas(&schema, &mut report);
    settings(&provider, &mut report).await;
    types(&provider, &mut report).await;
    strangers(&provider, &mut report).await;
    report
}

async fn start(hosted: &Hosted, report: &mut Report) -> Option<Arc<dyn Provider>> {
    match hosted.version().await {
        Ok(version) => {
            report.add("start and handshake", format!("protocol {}", version.number()), Vec::new());
        }
        Err(error) => {
            report.add("start and handshake", String::new(), vec![error.to_string()]);
            return None;
        }
    }
    match hosted.create().await {
        Ok(provider) => {
            let schema = provider.schema();
            let detail = format!(
                "{} resources, {} data sources, {} ephemeral resources, {} functions{}",
                schema.resources.len(),
                schema.data_sources.len(),
                schema.ephemerals.len(),
                schema.functions.len(),
                if schema.capabilities.schema_optional {
                    ""
                } else {
                    "; must be asked in each run"
                },
            );
            report.add("schemas can be read", detail, Vec::new());
            Some(provider)
        }
        Err(error) => {
            report.add("schemas can be read", String::new(), vec![error.to_string()]);
            None
        }
    }
}

/// The rules that schemas keep.
fn schemas(schema: &ProviderSchema, report: &mut Report) {
    let mut faults = Vec::new();
    block("provider", &schema.provider.block, true, &mut faults);
    for (kind, schemas) in [
        ("", &schema.resources),
        ("data.", &schema.data_sources),
        ("ephemeral.", &schema.ephemerals),
    ] {
        for (name, schema) in schemas {
            block(&format!("{kind}{name}"), &schema.block, false, &mut faults);
        }
    }
    report.add("schemas keep the rules", String::new(), faults);
}

fn block(at: &str, block_schema: &Block, settings: bool, faults: &mut Vec<String>) {
    for (name, attribute) in &block_schema.attributes {
        let at = format!("{at}.{name}");
        if !is_name(name) {
            faults.push(format!("`{at}`: a name has small letters, digits and underscores"));
        }
        if block_schema.blocks.contains_key(name) {
            faults.push(format!("`{at}` is an attribute and a block at once"));
        }
        flags(&at, attribute, settings, faults);
    }
    for (name, nested) in &block_schema.blocks {
        let at = format!("{at}.{name}");
        let limits = (nested.min_items, nested.max_items);
        match nested.nesting {
            Nesting::Single if !matches!(limits, (0, 0 | 1) | (1, 1)) => {
                faults.push(format!("`{at}`: a single block has 0 to 0 or 1 to 1 items"));
            }
            Nesting::Group | Nesting::Map if limits != (0, 0) => {
                faults.push(format!("`{at}`: a group or map of blocks has no limits"));
            }
            Nesting::Set if nested.block.ty().has_dynamic() => {
                faults.push(format!("`{at}`: a set of blocks holds no `dynamic`"));
            }
            _ if limits.1 > 0 && limits.0 > limits.1 => {
                faults.push(format!("`{at}` needs more items than it may have"));
            }
            _ => {}
        }
        block(&at, &nested.block, settings, faults);
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn flags(at: &str, attribute: &Attribute, settings: bool, faults: &mut Vec<String>) {
    let (required, optional, computed) =
        (attribute.required, attribute.optional, attribute.computed);
    if required && (optional || computed) {
        faults.push(format!("`{at}` is required, and must not be optional or computed too"));
    }
    if !required && !optional && !computed {
        faults.push(format!("`{at}` is neither required nor optional nor computed"));
    }
    if attribute.write_only && (computed || settings) {
        faults.push(format!("`{at}` cannot be write-only here"));
    }
    if let AttributeKind::Nested { attributes, .. } = &attribute.kind {
        for (name, inner) in attributes {
            flags(&format!("{at}.{name}"), inner, settings, faults);
        }
    }
}

/// A provider must be able to look at settings that are not known yet.
async fn settings(provider: &Arc<dyn Provider>, report: &mut Report) {
    let block = &provider.schema().provider.block;
    let mut faults = Vec::new();
    for (what, config) in [("absent", block.empty_value()), ("unknown", unknown(block))] {
        if let Err(error) = provider.validate_provider(&config).await {
            faults.push(format!("{what} settings: {error}"));
        }
    }
    report.add("settings are checked without a crash", String::new(), faults);
}

/// A body in which whatever may be configured is unknown.
fn unknown(block: &Block) -> Value {
    let config = block.attributes.iter().filter(|(_, a)| a.required || a.optional);
    config.fold(block.empty_value(), |value, (name, attribute)| {
        value.with_attr(name, Value::unknown(attribute.ty()))
    })
}

/// Each type must be able to look at a configuration that is not known yet.
async fn types(provider: &Arc<dyn Provider>, report: &mut Report) {
    let schema = provider.schema();
    let mut faults = Vec::new();
    let mut asked = 0;
    let kinds: [(&str, &Schemas); 3] = [
        ("resource", &schema.resources),
        ("data", &schema.data_sources),
        ("ephemeral", &schema.ephemerals),
    ];
    for (kind, schemas) in kinds {
        for (name, schema) in schemas.iter().take(ASKED_TYPES) {
            for config in [schema.block.empty_value(), unknown(&schema.block)] {
                asked += 1;
                let answer = match kind {
                    "resource" => provider.validate_resource(name, &config).await,
                    "data" => provider.validate_data(name, &config).await,
                    _ => provider.validate_ephemeral(name, &config).await,
                };
                match answer {
                    Ok(problems) => paths(name, &schema.block, &problems, &mut faults),
                    Err(ProviderError::Unsupported { .. }) => {}
                    Err(error) => faults.push(format!("{kind} `{name}`: {error}")),
                }
            }
        }
    }
    report.add("types check configurations without a crash", format!("{asked} calls"), faults);
}

/// Complaints must be about something that is there.
fn paths(name: &str, block: &Block, problems: &[Problem], faults: &mut Vec<String>) {
    for path in problems.iter().filter_map(|problem| problem.path.as_ref()) {
        let first = path.first_attribute();
        let known = first.is_none_or(|first| {
            block.attributes.contains_key(first) || block.blocks.contains_key(first)
        });
        if !known {
            faults.push(format!("`{name}` complains about `{path}`, which it does not have"));
        }
    }
}

/// What a provider does not know must cost an error, not the process.
async fn strangers(provider: &Arc<dyn Provider>, report: &mut Report) {
    let mut faults = Vec::new();
    let schema = provider.schema();
    for (name, one) in schema.resources.iter().take(5) {
        let request = sdk::UpgradeRequest {
            type_name: Arc::clone(name),
            version: one.version,
            state_json: "{}".into(),
        };
        match provider.upgrade(request).await {
            Ok(answer) => {
                let fits = answer.value.is_none_or(|value| {
                    value.conforms(&one.block.ty())
                        && (value.is_wholly_known() || value.ty() == Type::Dynamic)
                });
                if !fits {
                    faults.push(format!("`{name}`: an empty stored object comes back unfit"));
                }
            }
            Err(error @ ProviderError::Call { .. }) if error.to_string().contains("crashed") => {
                faults.push(format!("`{name}`: an empty stored object: {error}"));
            }
            Err(_) => {}
        }
    }
    report.add("stored objects are taken without a crash", String::new(), faults);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_schemas_are_checked_one_by_one() {
        let mut both = Attribute::plain(Type::String, "");
        (both.required, both.computed) = (true, true);
        let block_schema = Block::new()
            .attribute("Neither", Attribute::plain(Type::String, ""))
            .attribute("both", both);
        let mut faults = Vec::new();
        block("t", &block_schema, false, &mut faults);
        assert_eq!(
            faults,
            [
                "`t.Neither`: a name has small letters, digits and underscores",
                "`t.Neither` is neither required nor optional nor computed",
                "`t.both` is required, and must not be optional or computed too",
            ]
        );
    }
}
