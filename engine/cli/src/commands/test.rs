//! `test`: runs the test files of a module.
//!
//! Read in this order: `suite` (a file: its runs, its states, the clean-up), `run` (one run, from its module to its
//! assertions), `module` (the module as a run sees it), `variables` (values for its variables), `object` (plan, apply
//! and destroy on a state in memory), `voice` (what is told while it goes), `interrupt`.
//!
//! # Invariants
//!
//! * The state of the working folder is neither read nor written.
//! * Whatever a run has made is destroyed at the end of its file, or listed.

mod interrupt;
mod module;
mod object;
mod run;
mod suite;
mod variables;
mod voice;

use std::path::{Component, Path};
use std::sync::Arc;

use config::test_file::{TestRequest, TestRun};
use config::{ConfigError, Found, RuleError, TestFile, load_tests};
use lang::World;
use report::test::{FileResult, Status, overall};
use syntax::{Diagnostics, SourceMap};

use crate::args::TestArgs;
use crate::exit::Exit;
use crate::fetching;
use crate::session::{Session, without_no_files};

use self::interrupt::Interrupts;
pub(super) use self::module::all_providers;
use self::voice::Voice;

/// What all tests share.
pub(super) struct Tests<'a> {
    session: &'a Session,
    args: &'a TestArgs,
    voice: Voice,
    interrupts: Interrupts,
    /// The test files; every module under test is read on top of them, so that their places stay.
    sources: SourceMap,
}

/// Runs the tests.
pub(crate) async fn test(session: &Session, args: &TestArgs) -> Exit {
    let voice = Voice::new(session, args);
    if !is_within(&args.test_directory) {
        return voice.fail_message(&format!(
            "`-test-directory={}` must be a folder within this one",
            args.test_directory
        ));
    }
    let (files, sources, found) = load(session, args);
    if found.has_errors() {
        return voice.fail(&found, &sources);
    }
    voice.diagnostics(&found, &sources);
    voice.begin(&files);
    let interrupts = Interrupts::listen(voice.ui());
    let tests = Tests { session, args, voice, interrupts, sources: sources.clone() };
    let mut results: Vec<FileResult> = Vec::new();
    for file in &files {
        results.push(suite::run(&tests, file).await);
    }
    tests.voice.end(&results);
    if let Some(path) = &args.junit_xml
        && let Err(error) = std::fs::write(path, report::junit::document(&results))
    {
        return tests.voice.fail_message(&format!("`{path}` cannot be written: {error}"));
    }
    if overall(&results) > Status::Pass || tests.interrupts.at_once() {
        Exit::Failure
    } else {
        Exit::Success
    }
}

/// The test files, and everything that is wrong with them and with the module before anything is run.
fn load(session: &Session, args: &TestArgs) -> (Vec<TestFile>, SourceMap, Diagnostics) {
    let world: &dyn World = &*session.world;
    let mut sources = SourceMap::new();
    let request = TestRequest {
        root: Path::new("."),
        directory: &args.test_directory,
        filter: &args.filter,
        world,
    };
    let (files, mut found) = load_tests(&request, &mut sources);
    for file in &files {
        for run in &file.runs {
            found.extend(missing_module(file, run, world));
        }
    }
    let (configuration, errors) = fetching::load_under_test(
        world,
        fetching::UnderTest {
            dir: Path::new("."),
            key: "",
            providers: &all_providers(&files),
            sources: sources.clone(),
        },
    );
    found.extend(without_no_files(errors));
    found.extend(fetching::check_test_providers(world, &files));
    let mut all = SourceMap::clone(&configuration.sources);
    let providers = all_providers(&files);
    let depth = fetching::Depth::Blocks;
    found.extend(fetching::faults_of_test_modules(world, &files, &providers, depth, &mut all));
    if found.has_errors() {
        sources = all;
    }
    (files, sources, found)
}

/// Complains of a module that a run names and that is not there.
fn missing_module(file: &TestFile, run: &TestRun, world: &dyn World) -> Diagnostics {
    let Some(module) = &run.module else { return Diagnostics::new() };
    let (text, span) = (module.source.clone(), module.span);
    if let Some(dir) = module.local_dir(Path::new(".")) {
        if world.read_dir(&dir).is_ok() {
            return Diagnostics::new();
        }
        return ConfigError::ModuleMissing { dir: dir.display().to_string(), span }.into();
    }
    match fetching::installed_for_test(&file.module_key(run), module) {
        Found::Dir(_) => Diagnostics::new(),
        Found::Nowhere => ConfigError::ModuleSource { source_text: text, span }.into(),
        Found::Senseless(reason) => RuleError::ModuleAddress { text, reason, span }.into(),
    }
}

/// Says whether a path stays below the folder that it starts from.
fn is_within(path: &str) -> bool {
    let mut depth = 0usize;
    for component in Path::new(path).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(_) => depth += 1,
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}

/// The same sources, to be shared.
fn shared(sources: &SourceMap) -> Arc<SourceMap> {
    Arc::new(sources.clone())
}
