//! Values for the variables of a module under test.
//!
//! Those of the command line and of variable files, then those of the test folder's own variable files, those of the
//! test file, and those of the run: a later one overrules an earlier one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use config::test_file::{TestNames, TestVariable};
use config::{ConfigError, InputRequest, InputSource, Module, TestError, TestFile, TestRun};
use lang::{Expression, World};
use syntax::{Diagnostics, SourceMap};
use value::Value;

use super::Tests;
use crate::args::Given;
use crate::session::problem;

/// What a run needs to know of variables.
pub(super) struct Variables {
    /// Values of the module's variables.
    pub(super) inputs: BTreeMap<Arc<str>, Value>,
    /// What names in the test file mean.
    pub(super) names: TestNames,
}

/// Works out the values for a run. Files are added to `sources`.
pub(super) fn of_run(
    tests: &Tests<'_>,
    file: &TestFile,
    run: &TestRun,
    module: &Module,
    runs: &TestNames,
    further: &[lang::Traversal],
    sources: &mut SourceMap,
) -> (Variables, Diagnostics) {
    let world: &dyn World = &*tests.session.world;
    let (given, mut found) = sources_of(tests, file);
    let request = InputRequest { sources: given, module, world };
    let (global, errors) = config::read_values(request, sources);
    found.extend(errors);
    let mut names = TestNames { variables: BTreeMap::new(), runs: BTreeMap::new() };
    names.variables.extend(global.into_iter().map(|(name, input)| (name, input.value)));
    let wanted = wanted(run, module, further);
    // Variables of the file see those from outside, and no run.
    let mut of_file = TestNames { variables: names.variables.clone(), runs: runs.runs.clone() };
    let mut work = Work { module, world, found };
    let useful = file.variables.values().filter(|one| wanted.contains(&one.name.text));
    let values = work.values(useful, &of_file);
    of_file.variables.extend(values);
    let used: BTreeSet<Arc<str>> = named(run.assertions_references()).collect();
    for variable in run.variables.values() {
        let (name, span) = (&variable.name.text, variable.name.span);
        if !module.variables.contains_key(name) && !used.contains(name) {
            work.found.push(TestError::UnusedVariable { name: name.to_string(), span });
        }
    }
    let values = work.values(run.variables.values(), &of_file);
    let mut names = of_file;
    names.variables.extend(values);
    let mut inputs = BTreeMap::new();
    for (name, variable) in &module.variables {
        match names.variables.get(name) {
            Some(value) => {
                inputs.insert(Arc::clone(name), value.clone());
            }
            None if variable.default.is_none() && !work.found.has_errors() => {
                let name = name.to_string();
                work.found.push(ConfigError::MissingVariable { name, span: variable.span });
            }
            None => {}
        }
    }
    (Variables { inputs, names }, work.found)
}

/// The variables of the file that a run has a use for: others are not worth an error.
fn wanted(run: &TestRun, module: &Module, further: &[lang::Traversal]) -> BTreeSet<Arc<str>> {
    let own = run.expressions().flat_map(|one| one.references());
    named(own.chain(further)).chain(module.variables.keys().cloned()).collect()
}

/// The variables that references name.
fn named<'t>(
    references: impl Iterator<Item = &'t lang::Traversal>,
) -> impl Iterator<Item = Arc<str>> {
    let of_variables = references.filter(|one| one.root.as_str() == "var");
    of_variables.filter_map(|one| Some(Arc::clone(&one.steps.first()?.as_attribute()?.text)))
}

struct Work<'a> {
    module: &'a Module,
    world: &'a dyn World,
    found: Diagnostics,
}

impl Work<'_> {
    fn values<'v>(
        &mut self,
        variables: impl IntoIterator<Item = &'v TestVariable>,
        names: &TestNames,
    ) -> Vec<(Arc<str>, Value)> {
        let values = variables.into_iter().filter_map(|variable| {
            let name = &variable.name.text;
            let value = self.value(&variable.value, names)?;
            Some((Arc::clone(name), self.accept(name, value, &variable.value)?))
        });
        values.collect()
    }

    fn value(&mut self, expression: &Expression, names: &TestNames) -> Option<Value> {
        match config::under_test::evaluate(expression, names, self.world) {
            Ok(value) => Some(value),
            Err(errors) => {
                self.found.extend(errors);
                None
            }
        }
    }

    /// The value in the type of the variable, if the module declares it.
    fn accept(&mut self, name: &str, value: Value, at: &Expression) -> Option<Value> {
        let Some(variable) = self.module.variables.get(name) else { return Some(value) };
        match variable.ty.accept(value) {
            Ok(value) => Some(value),
            Err(error) => {
                self.found.push(ConfigError::VariableType {
                    name: name.to_owned(),
                    source_text: "the test file".to_owned(),
                    message: error.to_string(),
                    wanted: variable.ty.ty.to_string(),
                    span: Some(at.span()),
                });
                None
            }
        }
    }
}

/// The values from outside, the weakest first.
fn sources_of(tests: &Tests<'_>, file: &TestFile) -> (Vec<InputSource>, Diagnostics) {
    let session = tests.session;
    let (mut sources, mut found) = session.input_sources(&tests.args.given);
    let Some(folder) = Path::new(&file.name).parent().filter(|dir| !dir.as_os_str().is_empty())
    else {
        return (sources, found);
    };
    let mut names: Vec<String> =
        ["terraform.tfvars", "terraform.tfvars.json"].map(str::to_owned).to_vec();
    let entries = session.world.read_dir(folder).unwrap_or_default();
    let automatic = entries.into_iter().filter(|entry| {
        let name = &entry.name;
        !entry.is_dir && (name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json"))
    });
    names.extend(automatic.map(|entry| entry.name));
    for name in names {
        let path = folder.join(name);
        if !session.world.exists(&path) {
            continue;
        }
        match session.input_source(Given::File(path.display().to_string())) {
            Ok(source) => sources.push(source),
            Err(message) => found.push(problem(&message)),
        }
    }
    (sources, found)
}
