//! Which module needs which providers, as a tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::ModulePath;
use config::{Configuration, Module};

/// A test file with the modules of their own that its runs name.
pub struct Tested {
    /// Such as `test.tests.net`.
    pub name: String,
    /// Such runs by name, in order.
    pub runs: Vec<(String, Arc<Configuration>)>,
}

/// A tree of modules with their providers, in the form of `terraform providers`.
pub fn tree(configuration: &Configuration, tests: &[Tested]) -> String {
    let mut out = String::from(".\n");
    branches(configuration, &ModulePath::root(), "", tests, &mut out);
    out
}

fn branches(
    configuration: &Configuration,
    path: &ModulePath,
    indent: &str,
    tests: &[Tested],
    out: &mut String,
) {
    let Some(module) = configuration.modules.get(path) else { return };
    let providers = required(module);
    let mut left = providers.len() + module.calls.len() + tests.len();
    for (provider, version) in &providers {
        left -= 1;
        let text = format!("provider[{provider}] {version}");
        branch(out, indent, left == 0, text.trim_end());
    }
    for step in module.calls.keys() {
        left -= 1;
        let indent = branch(out, indent, left == 0, &step.to_string());
        branches(configuration, &path.child(step.clone()), &indent, &[], out);
    }
    for test in tests {
        left -= 1;
        let indent = branch(out, indent, left == 0, &test.name);
        for (at, (run, configuration)) in test.runs.iter().enumerate() {
            let last = at + 1 == test.runs.len();
            let indent = branch(out, &indent, last, &format!("run.{run}"));
            branches(configuration, &ModulePath::root(), &indent, &[], out);
        }
    }
}

/// One line; the indent of what lies below it.
fn branch(out: &mut String, indent: &str, last: bool, text: &str) -> String {
    let (own, below) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
    out.push_str(indent);
    out.push_str(own);
    out.push_str(text);
    out.push('\n');
    format!("{indent}{below}")
}

/// What the module declares, and what its resources use, each once.
fn required(module: &Module) -> BTreeMap<String, String> {
    let declared = module.required_providers.values();
    let mut found: BTreeMap<String, String> = declared
        .map(|one| (one.address.to_string(), one.version.clone().unwrap_or_default()))
        .collect();
    for block in module.resources.values() {
        found.entry(block.provider.provider.to_string()).or_default();
    }
    found
}
