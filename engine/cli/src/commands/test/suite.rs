//! One test file: its runs in order, the states that they share, and the clean-up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use address::ProviderAddress;
use config::test_file::{RunCommand, TestNames};
use config::under_test::is_declared;
use config::{Configuration, TestError, TestFile};
use report::Style;
use report::test::{FileResult, Left, RunResult, Status};
use serde_json::Value as Json;
use state::{MemoryStore, StateStore as _};
use syntax::Diagnostics;

use super::Tests;
use super::object;
use super::run::{self, Ended, Kept};

/// How often machines hear of a run that goes on.
const STILL: Duration = Duration::from_secs(2);

/// What the runs of a file have in common.
pub(super) struct Suite<'a> {
    pub(super) tests: &'a Tests<'a>,
    pub(super) file: &'a TestFile,
    /// States by their name.
    pub(super) states: BTreeMap<Arc<str>, State>,
    /// Outputs of runs.
    pub(super) names: TestNames,
    /// Whether a module was read at all, and the overrides of the file that lead somewhere in one, by their place.
    looked: bool,
    useful: BTreeSet<usize>,
}

/// A state that lives as long as its file is run.
pub(super) struct State {
    pub(super) store: MemoryStore,
    /// The last run that may have made something, by its place in the file, and how its objects are destroyed.
    pub(super) last: Option<(usize, Kept)>,
}

/// Runs a file and cleans up.
pub(super) async fn run(tests: &Tests<'_>, file: &TestFile) -> FileResult {
    let runs = file.runs.iter().map(|run| (Arc::clone(&run.name.text), None));
    let names = TestNames { runs: runs.collect(), ..TestNames::default() };
    let mut suite = Suite {
        tests,
        file,
        states: BTreeMap::new(),
        names,
        looked: false,
        useful: BTreeSet::new(),
    };
    tests.voice.file_begins(&file.name);
    let mut result = FileResult { name: file.name.clone(), ..FileResult::default() };
    for at in 0..file.runs.len() {
        let stopped = result.status == Status::Error || tests.interrupts.asked();
        let ended = if stopped { suite.skip(at) } else { suite.execute(at).await };
        result.status = result.status.max(ended.status);
        result.runs.push(ended);
    }
    if file.runs.is_empty() {
        result.status = Status::Pass;
    }
    tests.voice.file_cleans_up(&file.name);
    if !suite.clean_up().await {
        result.status = Status::Error;
    }
    tests.voice.file_ends(&file.name, result.status);
    tests.voice.tell(&file.name, None, &suite.useless(), &tests.sources);
    result
}

impl Suite<'_> {
    /// Remembers which overrides of the file lead somewhere in a module.
    pub(super) fn note_overrides(&mut self, configuration: &Configuration) {
        self.looked = true;
        for (at, one) in self.file.overrides.iter().enumerate() {
            if is_declared(configuration, &one.target) {
                self.useful.insert(at);
            }
        }
    }

    /// Warnings of the overrides that lead nowhere in any module.
    fn useless(&self) -> Diagnostics {
        let overrides = self.file.overrides.iter().enumerate();
        let useless = overrides.filter(|(at, _)| self.looked && !self.useful.contains(at));
        useless
            .map(|(_, one)| {
                let target = one.target.to_string();
                TestError::OverrideNowhere { target, span: one.span }
            })
            .collect()
    }

    fn skip(&self, at: usize) -> RunResult {
        let name = self.file.runs[at].name.text.to_string();
        let result = RunResult { name, ..RunResult::default() };
        let nothing = Diagnostics::new();
        self.tests.voice.run_ends(&self.file.name, &result, &nothing, &self.tests.sources);
        result
    }

    async fn execute(&mut self, at: usize) -> RunResult {
        let voice = &self.tests.voice;
        let (file, test) = (self.file, &self.file.runs[at]);
        voice.run_begins(&file.name, &test.name.text);
        let (began, began_ms) = (voice.timestamp(), voice.now_ms());
        let ended = {
            let work = run::run(self, at);
            tokio::pin!(work);
            let mut clock = tokio::time::interval(STILL);
            clock.tick().await;
            loop {
                tokio::select! {
                    ended = &mut work => break ended,
                    _ = clock.tick() => {
                        let elapsed_ms = voice.now_ms().saturating_sub(began_ms);
                        voice.run_progress(&file.name, &test.name.text, "running", elapsed_ms);
                    }
                }
            }
        };
        let Ended { status, diagnostics, sources, failed, outputs, plan, providers } = ended;
        let result = RunResult {
            name: test.name.text.to_string(),
            status,
            began,
            elapsed_ms: voice.now_ms().saturating_sub(began_ms),
            faults: report::diagnostics::all_text(&diagnostics, &sources, Style::PLAIN),
            failed,
            assertions: test.assertions.len(),
        };
        voice.run_ends(&file.name, &result, &diagnostics, &sources);
        if self.tests.args.verbose {
            let schemas = self.schemas(&providers).await;
            match (plan, test.command) {
                (Some(plan), RunCommand::Plan) => {
                    voice.plan(&file.name, &test.name.text, &plan, schemas);
                }
                (_, RunCommand::Apply) => {
                    let state = self.states.get(&test.state_name());
                    if let Some(Ok(snapshot)) = state.map(|state| state.store.snapshot()) {
                        voice.state(&file.name, &test.name.text, &snapshot, schemas);
                    }
                }
                _ => {}
            }
        }
        self.names.runs.insert(Arc::clone(&test.name.text), outputs);
        result
    }

    /// The schemas of providers, for machines.
    async fn schemas(&self, providers: &BTreeSet<ProviderAddress>) -> Json {
        if !self.tests.voice.wants_schemas() {
            return Json::Null;
        }
        let readers = plan::Readers::new(&self.tests.session.registry);
        match readers.schemas(providers).await {
            Ok(schemas) => {
                let schemas = schemas.iter().map(|(address, schema)| (address, &**schema));
                report::schema_json::providers(schemas)
            }
            // That they cannot be asked is an error of the run already.
            Err(_) => Json::Null,
        }
    }

    /// Destroys what the runs have made, that of later runs first. False if something is left.
    async fn clean_up(&mut self) -> bool {
        let mut states: Vec<State> = std::mem::take(&mut self.states).into_values().collect();
        states.sort_by_key(|state| std::cmp::Reverse(state.last.as_ref().map(|(at, _)| *at)));
        let mut clean = true;
        for State { store, last } in states {
            let Some((at, kept)) = last else { continue };
            let left = remaining(&store);
            if left.is_empty() {
                continue;
            }
            let (file, run) = (&self.file.name, &self.file.runs[at].name.text);
            let voice = &self.tests.voice;
            if self.tests.interrupts.at_once() {
                voice.abandoned(file, run, &left);
                clean = false;
                continue;
            }
            voice.run_progress(file, run, "teardown", 0);
            let (found, sources) = object::destroy(self.tests, &store, kept).await;
            let left = remaining(&store);
            let failed = found.has_errors() || !left.is_empty();
            voice.tell(file, Some(run), &found, &sources);
            if !left.is_empty() {
                voice.left_over(file, run, &left);
            }
            clean &= !failed;
        }
        clean
    }
}

/// The objects that a state holds.
fn remaining(store: &MemoryStore) -> Vec<Left> {
    let Ok(snapshot) = store.snapshot() else { return Vec::new() };
    let managed = snapshot
        .records
        .iter()
        .filter(|(address, _)| address.resource.mode == address::ResourceMode::Managed);
    let objects = managed.flat_map(|(address, record)| {
        let left = |deposed| Left { address: address.to_string(), deposed };
        let current = record.current.iter().map(|_| left(None));
        let deposed = record.deposed.keys().map(|key| left(Some(key.to_string())));
        current.chain(deposed).collect::<Vec<_>>()
    });
    objects.collect()
}
