//! What a test file says: `*.tftest.hcl` and `*.tftest.json`.
//!
//! In: the folder of a module. Out: its [`TestFile`]s, decoded and checked as far as they can be without the module.
//! Whoever runs them gives their expressions a meaning through [`TestNames`].
//!
//! Source: Terraform's documentation of test files, 1.11.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use address::{ResourceInstance, Target};
use indexmap::IndexMap;
use lang::{Expression, Lookup, Scope, Step, Traversal, World};
use syntax::{Body, Diagnostics, Ident, SourceMap, Span};
use value::Value;

use crate::block::test_file as block;
use crate::error::ConfigError;
use crate::load::join;
use crate::module::{Condition, ProviderBlock, ProviderName};
use crate::test_error::TestError;

/// Where tests are looked for beside the folder of the module.
pub const TEST_DIRECTORY: &str = "tests";

/// One file of tests.
#[derive(Debug, Clone, Default)]
pub struct TestFile {
    /// Its path from the folder of the module: `tests/net.tftest.hcl`.
    pub name: String,
    /// Values for all its runs.
    pub variables: IndexMap<Arc<str>, TestVariable>,
    /// Provider configurations that take the place of the module's own.
    pub providers: BTreeMap<ProviderName, TestProvider>,
    /// Objects that are not asked of their providers, in all runs.
    pub overrides: Vec<Override>,
    /// The runs, in order.
    pub runs: Vec<TestRun>,
}

/// A value for a variable of the module under test.
#[derive(Debug, Clone)]
pub struct TestVariable {
    /// The variable.
    pub name: Ident,
    /// Its value.
    pub value: Expression,
}

/// A provider configuration of a test file.
#[derive(Debug, Clone)]
pub enum TestProvider {
    /// A real one with settings of its own.
    Real(ProviderBlock),
    /// One that makes values up.
    Mock(MockProvider),
}

impl TestProvider {
    /// Where the block is written.
    pub fn span(&self) -> Span {
        match self {
            Self::Real(block) => block.span,
            Self::Mock(mock) => mock.span,
        }
    }
}

/// `mock_provider "aws" { … }`
#[derive(Debug, Clone)]
pub struct MockProvider {
    /// Local name and alias.
    pub name: ProviderName,
    /// Values of computed attributes by resource type.
    pub resources: BTreeMap<Arc<str>, MockType>,
    /// The same of data sources.
    pub data: BTreeMap<Arc<str>, MockType>,
    /// Objects with values of their own.
    pub overrides: Vec<Override>,
    /// A folder with further mocks: the path as written.
    pub source: Option<(String, Span)>,
    /// When values come where nothing nearer says so.
    pub during: During,
    /// The block's first line.
    pub span: Span,
}

/// What a mocked type gives where nothing is configured.
#[derive(Debug, Clone)]
pub struct MockType {
    /// An object; attributes that it lacks are made up.
    pub defaults: Value,
    /// When.
    pub during: During,
    /// The block's first line.
    pub span: Span,
}

/// When made-up values come to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum During {
    /// A plan knows them already.
    Plan,
    /// As with real providers.
    #[default]
    Apply,
}

/// `override_resource`, `override_data` or `override_module`.
#[derive(Debug, Clone)]
pub struct Override {
    /// What is overridden.
    pub target: Target,
    /// Values of computed attributes, or of outputs: an object.
    pub values: Value,
    /// When they come to be.
    pub during: During,
    /// The block's first line.
    pub span: Span,
}

/// `run "name" { … }`
#[derive(Debug, Clone)]
pub struct TestRun {
    /// Its name.
    pub name: Ident,
    /// What it does.
    pub command: RunCommand,
    /// How it plans.
    pub options: RunOptions,
    /// Values for this run alone.
    pub variables: IndexMap<Arc<str>, TestVariable>,
    /// What must hold.
    pub assertions: Vec<Condition>,
    /// What must fail.
    pub expect_failures: Vec<Traversal>,
    /// Another module than that of the folder.
    pub module: Option<RunModule>,
    /// Provider configurations of the module, and those of the file that stand for them.
    pub providers: BTreeMap<ProviderName, ProviderName>,
    /// Where `providers` is written.
    pub providers_span: Option<Span>,
    /// Objects that are not asked of their providers.
    pub overrides: Vec<Override>,
    /// Names the state of this run.
    pub state_key: Option<Arc<str>>,
    /// The block's first line.
    pub span: Span,
}

/// What a run does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RunCommand {
    /// Plans alone.
    Plan,
    /// Plans and carries out.
    #[default]
    Apply,
}

/// How a run plans.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Brings the state to what is real, and nothing else.
    pub refresh_only: bool,
    /// Whether real objects are looked at.
    pub refresh: bool,
    /// Only these.
    pub targets: Vec<Target>,
    /// To be replaced.
    pub replace: Vec<ResourceInstance>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { refresh_only: false, refresh: true, targets: Vec::new(), replace: Vec::new() }
    }
}

/// The module that a run is about.
#[derive(Debug, Clone)]
pub struct RunModule {
    /// Its source as written.
    pub source: String,
    /// The version as written; for modules from a registry.
    pub version: Option<String>,
    /// Where the source is written.
    pub span: Span,
}

impl TestFile {
    /// The key of a run's module among those that are installed, as Terraform has it: `test.tests.net.setup`.
    pub fn module_key(&self, run: &TestRun) -> String {
        format!("{}.{}", self.key(), run.name.text)
    }

    /// The file as Terraform names it where modules are named: `test.tests.net`.
    pub fn key(&self) -> String {
        let name = self.name.trim_end_matches(".json").trim_end_matches(".hcl");
        format!("test.{}", name.trim_end_matches(".tftest").replace('/', "."))
    }
}

impl RunModule {
    /// The folder of a module that is named by a path from `root`.
    pub fn local_dir(&self, root: &Path) -> Option<PathBuf> {
        let local = self.source.starts_with("./") || self.source.starts_with("../");
        local.then(|| join(root, &self.source))
    }
}

impl TestRun {
    /// What tells its state from others in the file: runs of one key share a state.
    pub fn state_name(&self) -> Arc<str> {
        match (&self.state_key, &self.module) {
            (Some(key), _) => Arc::clone(key),
            (None, Some(module)) => module.source.as_str().into(),
            (None, None) => "".into(),
        }
    }

    /// Every expression of the run in which names stand.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.variables.values().map(|variable| &variable.value).chain(self.asserted())
    }

    /// The references in its assertions.
    pub fn assertions_references(&self) -> impl Iterator<Item = &Traversal> {
        self.asserted().flat_map(Expression::references)
    }

    fn asserted(&self) -> impl Iterator<Item = &Expression> {
        self.assertions.iter().flat_map(|one| [&one.condition, &one.error_message])
    }
}

/// Which tests are to be read.
pub struct TestRequest<'a> {
    /// The folder of the module, relative to the working directory.
    pub root: &'a Path,
    /// The folder of tests within it.
    pub directory: &'a str,
    /// Only these files; empty for all.
    pub filter: &'a [String],
    /// Where files come from.
    pub world: &'a dyn World,
}

/// Reads the tests of a folder, by the order of their names. Files are added to `sources`.
pub fn load_tests(
    request: &TestRequest<'_>,
    sources: &mut SourceMap,
) -> (Vec<TestFile>, Diagnostics) {
    let mut found = Diagnostics::new();
    let mut names = test_names(request.root, "", request.world);
    let directory = join(Path::new(""), request.directory).display().to_string();
    if !directory.is_empty() {
        names.extend(test_names(request.root, &directory, request.world));
    }
    let wanted: Vec<PathBuf> = request.filter.iter().map(|one| join(Path::new(""), one)).collect();
    names.retain(|name| wanted.is_empty() || wanted.iter().any(|one| one == Path::new(name)));
    let mut files = Vec::new();
    for name in names {
        let path = join(request.root, &name);
        let Some(body) = read(&path, &name, request.world, sources, &mut found) else { continue };
        let (mut file, errors) = block::decode(&body);
        found.extend(errors);
        file.name = name;
        for provider in file.providers.values_mut() {
            if let TestProvider::Mock(mock) = provider {
                found.extend(add_mocks(mock, request, sources));
            }
        }
        files.push(file);
    }
    (files, found)
}

/// The test files of a folder within `root`.
fn test_names(root: &Path, folder: &str, world: &dyn World) -> BTreeSet<String> {
    let dir = if folder.is_empty() { root.to_path_buf() } else { join(root, folder) };
    let dir = if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir };
    let entries = world.read_dir(&dir).unwrap_or_default().into_iter();
    let tests = entries.filter(|entry| !entry.is_dir && is_test(&entry.name));
    tests
        .map(
            |entry| {
                if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) }
            },
        )
        .collect()
}

/// Says whether a file is one of tests by its name.
fn is_test(name: &str) -> bool {
    let hidden = name.starts_with('.') || name.ends_with('~');
    !hidden && (name.ends_with(".tftest.hcl") || name.ends_with(".tftest.json"))
}

fn read(
    path: &Path,
    shown: &str,
    world: &dyn World,
    sources: &mut SourceMap,
    found: &mut Diagnostics,
) -> Option<Body> {
    match world.read_file(path) {
        Ok(bytes) => {
            let (body, errors) = if shown.ends_with(".json") {
                syntax::parse_json(sources, shown, &bytes)
            } else {
                syntax::parse(sources, shown, &bytes)
            };
            found.extend(errors);
            Some(body)
        }
        Err(error) => {
            let path = path.display().to_string();
            found.push(ConfigError::Unreadable { path, reason: error.to_string(), span: None });
            None
        }
    }
}

/// Adds what the mock files of a folder say; what stands in the block itself counts more.
fn add_mocks(
    mock: &mut MockProvider,
    request: &TestRequest<'_>,
    sources: &mut SourceMap,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    let Some((folder, span)) = mock.source.clone() else { return found };
    let dir = join(request.root, &folder);
    let mut names: Vec<String> = match request.world.read_dir(&dir) {
        Ok(entries) => entries
            .into_iter()
            .filter(|entry| {
                !entry.is_dir
                    && (entry.name.ends_with(".tfmock.hcl") || entry.name.ends_with(".tfmock.json"))
            })
            .map(|entry| entry.name)
            .collect(),
        Err(error) => {
            let (path, reason) = (dir.display().to_string(), error.to_string());
            found.push(ConfigError::Unreadable { path, reason, span: Some(span) });
            return found;
        }
    };
    names.sort();
    for name in names {
        let path = join(&dir, &name);
        let shown = path.display().to_string();
        let Some(body) = read(&path, &shown, request.world, sources, &mut found) else { continue };
        let (more, errors) = block::decode_mock_file(&body, mock.during);
        found.extend(errors);
        for (name, ty) in more.resources {
            mock.resources.entry(name).or_insert(ty);
        }
        for (name, ty) in more.data {
            mock.data.entry(name).or_insert(ty);
        }
        for one in more.overrides {
            if mock.overrides.iter().all(|own| own.target != one.target) {
                mock.overrides.push(one);
            }
        }
    }
    found
}

/// What names mean in a test file: `var`, and `run` for what earlier runs gave.
#[derive(Debug, Clone, Default)]
pub struct TestNames {
    /// Values of variables, those that the module does not declare too.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// Runs of the file by name: their outputs, or nothing for those that have not run.
    pub runs: BTreeMap<Arc<str>, Option<Value>>,
}

impl TestNames {
    /// The value of `run.name…`.
    ///
    /// # Errors
    ///
    /// There is no such run, it has not been executed, or it has no such output.
    pub fn run(&self, steps: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        let fault = |name: &str, reason: String| -> Diagnostics {
            TestError::RunReference { name: name.to_owned(), reason, span }.into()
        };
        let Some(Step::Attribute(name)) = steps.first() else {
            return Err(fault("run", "the name of a run must follow".to_owned()));
        };
        let outputs = match self.runs.get(&name.text) {
            Some(Some(outputs)) => outputs,
            Some(None) => {
                return Err(fault(
                    &format!("run.{name}"),
                    "it has not been executed yet".to_owned(),
                ));
            }
            None => {
                let near = syntax::suggest(&name.text, self.runs.keys().map(|name| &**name));
                let near = near.map(|near| format!("; did you mean `run.{near}`?"));
                let reason =
                    format!("there is no such run in this file{}", near.unwrap_or_default());
                return Err(fault(&format!("run.{name}"), reason));
            }
        };
        match steps.get(1) {
            Some(Step::Attribute(output)) => match outputs.get_attr(&output.text) {
                Some(value) => Ok(Lookup { value: value.clone(), used: 2 }),
                None => Err(fault(
                    &format!("run.{name}.{output}"),
                    "the module of this run has no such output".to_owned(),
                )),
            },
            _ => Ok(Lookup { value: outputs.clone(), used: 1 }),
        }
    }
}

impl Scope for TestNames {
    fn lookup(&self, root: &Ident, steps: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        match (root.as_str(), steps.first()) {
            ("run", _) => self.run(steps, span),
            ("var", Some(Step::Attribute(name))) => match self.variables.get(&name.text) {
                Some(value) => Ok(Lookup { value: value.clone(), used: 1 }),
                None => {
                    Err(TestError::VariableReference { name: name.text.to_string(), span }.into())
                }
            },
            _ => Err(TestError::NameReference { name: root.text.to_string(), span }.into()),
        }
    }
}
