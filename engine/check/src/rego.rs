//! Rules of one's own in Rego: `rego` blocks of the `stack` block.
//!
//! ```hcl
//! stack {
//!   rego "ours" {
//!     source = "./policy"      # a file, or a folder of files that end in .rego
//!   }
//! }
//! ```
//!
//! `input` is the plan as `show -json` has it, without anything sensitive. Every package of the files may have `deny`,
//! which refuses the plan, and `warn`. Each of them is a set or a list of texts, or of objects with `msg` and, if they
//! are about an object, its `address`.

use std::path::{Path, PathBuf};

use config::Configuration;
use lang::World;
use syntax::{Block, Diagnostics, Report, Severity, Span};

use crate::rule::Grade;

/// The files of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The block's label.
    pub name: String,
    /// Paths and texts, in the order of the paths.
    pub files: Vec<(String, String)>,
    /// The block's header.
    pub span: Span,
}

/// What a policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegoFinding {
    /// The policy.
    pub policy: String,
    /// The package, without `data.`.
    pub package: String,
    /// Whether it refuses the plan.
    pub grade: Grade,
    /// What it says.
    pub message: String,
    /// The object that it names.
    pub address: Option<String>,
}

/// Reads the policies of a configuration.
pub fn read(configuration: &Configuration, world: &dyn World) -> (Vec<Policy>, Diagnostics) {
    let mut faults = Diagnostics::new();
    let Some(stack) = &configuration.root().stack else { return (Vec::new(), faults) };
    let dir = &configuration.root().dir;
    let mut found: Vec<Policy> = Vec::new();
    for block in stack.body.blocks_checked("rego", 1, &mut faults) {
        match one(&block, dir, world) {
            Ok(policy) if found.iter().any(|other| other.name == policy.name) => {
                let message = format!("there are two blocks `rego \"{}\"`", policy.name);
                faults.push(fault(message, block.header, "give one of them another name"));
            }
            Ok(policy) => found.push(policy),
            Err(report) => faults.push(*report),
        }
    }
    (found, faults)
}

fn one(block: &Block, dir: &Path, world: &dyn World) -> Result<Policy, Box<Report>> {
    let help = "write `source = \"./policy\"`, a file or a folder of files that end in `.rego`";
    let refused = |message: String, span: Span| Box::new(fault(message, span, help));
    if let Some(name) = block.body.names().find(|name| name.as_str() != "source") {
        return Err(refused(format!("a `rego` block has no `{name}`"), name.span));
    }
    let Some(attribute) = block.body.attribute("source") else {
        return Err(refused("a `rego` block has a `source`".to_owned(), block.header));
    };
    let source = lang::compile(&attribute.expr)
        .0
        .as_constant()
        .and_then(|one| one.as_str().map(str::to_owned));
    let Some(source) = source else {
        return Err(refused(
            "`source` is a string that is written out".to_owned(),
            attribute.expr.span,
        ));
    };
    let place = config::load::join(dir, &source);
    let unreadable = |path: &Path, reason: String| {
        refused(format!("`{}` cannot be read: {reason}", path.display()), attribute.expr.span)
    };
    let paths: Vec<PathBuf> = match world.read_dir(&place) {
        Ok(mut entries) => {
            entries.sort();
            let own =
                entries.into_iter().filter(|entry| !entry.is_dir && entry.name.ends_with(".rego"));
            own.filter(|entry| !entry.name.ends_with("_test.rego"))
                .map(|entry| config::load::join(&place, &entry.name))
                .collect()
        }
        Err(_) => vec![place.clone()],
    };
    if paths.is_empty() {
        return Err(unreadable(&place, "no file in it ends in `.rego`".to_owned()));
    }
    let mut files = Vec::new();
    for path in paths {
        let bytes = world.read_file(&path).map_err(|error| unreadable(&path, error.to_string()))?;
        let text =
            String::from_utf8(bytes).map_err(|_| unreadable(&path, "it is no UTF-8".to_owned()))?;
        files.push((path.display().to_string(), text));
    }
    let name = block.labels.first().map(|label| label.text.to_string()).unwrap_or_default();
    Ok(Policy { name, files, span: block.header })
}

fn fault(message: String, span: Span, help: &str) -> Report {
    Report {
        severity: Severity::Error,
        code: "stratiform::check::rego".to_owned(),
        message,
        labels: vec![(span, String::new())],
        help: Some(help.to_owned()),
        detail: None,
        address: None,
    }
}

/// What all policies say of a plan, in the order of policies, packages and texts.
#[cfg(feature = "rego")]
pub fn judge(policies: &[Policy], input: &serde_json::Value) -> (Vec<RegoFinding>, Diagnostics) {
    let (mut found, mut faults) = (Vec::new(), Diagnostics::new());
    let input = input.to_string();
    for policy in policies {
        match asked(policy, &input) {
            Ok(own) => found.extend(own),
            Err(error) => {
                let help = "the policy is read as Rego of version 1";
                let message = format!("the policy `{}` cannot be evaluated", policy.name);
                faults.push(Report { detail: Some(error), ..fault(message, policy.span, help) });
            }
        }
    }
    (found, faults)
}

/// A build without Rego refuses what it cannot look at.
#[cfg(not(feature = "rego"))]
pub fn judge(policies: &[Policy], _: &serde_json::Value) -> (Vec<RegoFinding>, Diagnostics) {
    let mut faults = Diagnostics::new();
    for policy in policies {
        let message = "this build of Stratiform knows no Rego".to_owned();
        faults.push(fault(message, policy.span, "build it with the feature `rego`"));
    }
    (Vec::new(), faults)
}

#[cfg(feature = "rego")]
fn asked(policy: &Policy, input: &str) -> Result<Vec<RegoFinding>, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string().trim().to_owned();
    let mut engine = regorus::Engine::new();
    let mut packages = std::collections::BTreeSet::new();
    for (path, text) in &policy.files {
        let package =
            engine.add_policy(path.clone(), text.clone()).map_err(|error| words(&error))?;
        packages.insert(package);
    }
    engine.set_input_json(input).map_err(|error| words(&error))?;
    let mut found = Vec::new();
    for package in &packages {
        for (rule, grade) in [("deny", Grade::Error), ("warn", Grade::Warning)] {
            let results = engine
                .eval_query(format!("{package}.{rule}"), false)
                .map_err(|error| words(&error))?;
            let values = results.result.iter().flat_map(|result| &result.expressions);
            for value in values.map(|expression| &expression.value) {
                if *value == regorus::Value::Undefined {
                    continue;
                }
                let json = value.to_json_str().map_err(|error| words(&error))?;
                let said: serde_json::Value =
                    serde_json::from_str(&json).map_err(|error| words(&error))?;
                let package = package.trim_start_matches("data.");
                found.extend(findings(policy, package, rule, grade, &said)?);
            }
        }
    }
    Ok(found)
}

#[cfg(feature = "rego")]
fn findings(
    policy: &Policy,
    package: &str,
    rule: &str,
    grade: Grade,
    said: &serde_json::Value,
) -> Result<Vec<RegoFinding>, String> {
    let expected = || format!("`{package}.{rule}` is a set of texts, or of objects with `msg`");
    let all = said.as_array().ok_or_else(expected)?;
    let one = |value: &serde_json::Value| {
        let text = value.as_str().or_else(|| value["msg"].as_str()).ok_or_else(expected)?;
        Ok(RegoFinding {
            policy: policy.name.clone(),
            package: package.to_owned(),
            grade,
            message: text.to_owned(),
            address: value["address"].as_str().map(str::to_owned),
        })
    };
    all.iter().map(one).collect()
}
