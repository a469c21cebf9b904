//! One run: its module, its plan, what is carried out, and what is asserted of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::ProviderAddress;
use config::test_file::{RunCommand, RunOptions, TestNames, TestRun};
use config::{Configuration, under_test};
use lang::World as _;
use plan::assertion::{Asserted, Expected, sort_failures};
use plan::evaluation::Evaluation;
use plan::{Attempt, Mode, Plan};
use report::test::Status;
use sdk::Registry;
use state::{MemoryStore, StateStore as _};
use syntax::{Diagnostics, SourceMap};
use value::Value;

use super::suite::{State, Suite};
use super::{Tests, module, object, shared, variables};
use crate::session::Wanted;

/// How a run has ended.
pub(super) struct Ended {
    pub(super) status: Status,
    pub(super) diagnostics: Diagnostics,
    pub(super) sources: Arc<SourceMap>,
    /// Messages of the assertions that do not hold.
    pub(super) failed: Vec<String>,
    /// What later runs see of it.
    pub(super) outputs: Option<Value>,
    /// The plan of a run that only plans.
    pub(super) plan: Option<Box<Plan>>,
    /// The providers of its module.
    pub(super) providers: BTreeSet<ProviderAddress>,
}

/// How the objects of a run are destroyed.
#[derive(Clone)]
pub(super) struct Kept {
    /// The module, with its providers and without what is overridden.
    pub(super) configuration: Configuration,
    /// Values of its variables.
    pub(super) inputs: BTreeMap<Arc<str>, Value>,
    /// The providers, with what is made up.
    pub(super) registry: Registry,
}

/// Carries out a run.
pub(super) async fn run(suite: &mut Suite<'_>, at: usize) -> Ended {
    let mut work = Work {
        tests: suite.tests,
        test: &suite.file.runs[at],
        found: Diagnostics::new(),
        sources: shared(&suite.tests.sources),
        failed: Vec::new(),
        broken: false,
        carried_out: false,
        plan: None,
        providers: BTreeSet::new(),
    };
    let outputs = work.run(suite, at).await;
    let status = if work.broken {
        Status::Error
    } else if work.failed.is_empty() {
        Status::Pass
    } else {
        Status::Fail
    };
    let Work { found, sources, failed, plan, providers, .. } = work;
    Ended { status, diagnostics: found, sources, failed, outputs, plan, providers }
}

struct Work<'a> {
    tests: &'a Tests<'a>,
    test: &'a TestRun,
    found: Diagnostics,
    sources: Arc<SourceMap>,
    failed: Vec<String>,
    /// The run could not be carried out as it should.
    broken: bool,
    /// It may have changed something.
    carried_out: bool,
    plan: Option<Box<Plan>>,
    providers: BTreeSet<ProviderAddress>,
}

impl Work<'_> {
    /// Takes faults in. False if there is an error among them.
    fn take(&mut self, found: Diagnostics) -> bool {
        let fine = !found.has_errors();
        self.broken |= !fine;
        self.found.extend(found);
        fine
    }

    /// The outputs, if the run came so far.
    async fn run(&mut self, suite: &mut Suite<'_>, at: usize) -> Option<Value> {
        let expected = self.expected()?;
        let (kept, names) = self.prepare(suite)?;
        let state = suite
            .states
            .entry(self.test.state_name())
            .or_insert_with(|| State { store: MemoryStore::empty(), last: None });
        let come_to = self.come_to(&state.store, kept.clone(), &expected).await;
        // A run that was not carried out leaves the state to whoever was last to change it.
        if self.carried_out {
            state.last = Some((at, kept));
        }
        let mut evaluation = come_to?;
        self.assert(&mut evaluation, &names);
        Some(evaluation.outputs_for_runs())
    }

    /// What is expected to fail.
    fn expected(&mut self) -> Option<Vec<Expected>> {
        let mut found = Diagnostics::new();
        let mut expected = Vec::new();
        for reference in &self.test.expect_failures {
            match Expected::of(reference) {
                Ok(one) => expected.push(one),
                Err(error) => found.push(error),
            }
        }
        self.take(found).then_some(expected)
    }

    /// The module with everything that the test says about it.
    fn prepare(&mut self, suite: &mut Suite<'_>) -> Option<(Kept, TestNames)> {
        let (tests, file, test) = (self.tests, suite.file, self.test);
        let providers = match module::providers(file, test) {
            Ok(providers) => providers,
            Err(found) => {
                self.take(found);
                return None;
            }
        };
        let (mut configuration, found) = module::load(tests, file, test, &providers);
        self.sources = Arc::clone(&configuration.sources);
        if !self.take(found) {
            return None;
        }
        if !self.take(module::missing_providers(tests.session, &configuration, test)) {
            return None;
        }
        suite.note_overrides(&configuration);
        let blocks = configuration.modules.values().flat_map(|module| module.resources.values());
        self.providers.extend(blocks.map(|block| block.provider.provider.clone()));
        let state = suite.states.get(&test.state_name());
        let recorded = state.and_then(|state| state.store.snapshot().ok()).unwrap_or_default();
        let used = module::used_providers(&configuration, &providers, &recorded);
        let mut sources = SourceMap::clone(&configuration.sources);
        let root = Arc::clone(configuration.root());
        let blocks = root.provider_configs.values().filter(|block| used.contains(&block.name));
        let bodies = blocks.map(|block| &block.body);
        let further: Vec<_> = bodies.flat_map(|body| under_test::body_references(body)).collect();
        let (variables, found) =
            variables::of_run(tests, file, test, &root, &suite.names, &further, &mut sources);
        configuration.sources = shared(&sources);
        self.sources = Arc::clone(&configuration.sources);
        if !self.take(found) {
            return None;
        }
        let world = &*tests.session.world;
        let names = &variables.names;
        let found = module::settle_providers(&mut configuration, &providers, &used, names, world);
        if !self.take(found) {
            return None;
        }
        let mut seed = [0u8; 8];
        world.random_bytes(&mut seed);
        let seed = u64::from_le_bytes(seed);
        let (mocks, found) = module::mock(&mut configuration, &providers, file, test, seed);
        self.take(found);
        let registry = tests.session.registry.with_mocks(mocks);
        Some((Kept { configuration, inputs: variables.inputs, registry }, variables.names))
    }

    /// Plans, and applies where that is asked for. The values that the run has come to, unless they make no sense.
    async fn come_to(
        &mut self,
        store: &MemoryStore,
        kept: Kept,
        expected: &[Expected],
    ) -> Option<Evaluation> {
        let snapshot = match store.snapshot() {
            Ok(snapshot) => snapshot,
            Err(error) => {
                self.take(error.into());
                return None;
            }
        };
        let Kept { configuration, inputs, registry } = kept;
        let session = self.tests.session;
        let wanted = Wanted::Tested { configuration, inputs };
        let (stack, found) = session.stack(&wanted, &snapshot).await;
        self.sources = Arc::clone(&stack.configuration.sources);
        if !self.take(found) {
            return None;
        }
        let options = options(&self.test.options);
        let (attempt, found) = session.attempt(stack, &snapshot, options, &registry).await;
        let sorted = sort_failures(found, expected);
        let mut met = sorted.met;
        let unexpected = !self.take(sorted.unexpected);
        let (plan, evaluation) = match attempt {
            Attempt::Planned(plan) => (Some(plan), None),
            Attempt::Failed(part) => (None, part.map(|part| part.evaluation)),
        };
        if unexpected {
            return None;
        }
        let evaluation = match (plan, self.test.command) {
            (None, RunCommand::Apply) => {
                self.broken = true;
                self.found.extend(met.iter().map(|at| expected[*at].in_plan()).collect());
                self.found.extend(sorted.expected);
                return None;
            }
            (None, RunCommand::Plan) => evaluation,
            (Some(plan), RunCommand::Plan) => {
                let mut plan = plan;
                let nothing = empty(&plan);
                let taken = std::mem::replace(&mut plan.evaluation, nothing);
                self.plan = Some(plan);
                Some(taken)
            }
            (Some(plan), RunCommand::Apply) => {
                self.carried_out = true;
                match object::carry_out(self.tests, store, *plan, &registry).await {
                    Ok(mut summary) => {
                        let stopped = summary.stopped;
                        let sorted =
                            sort_failures(std::mem::take(&mut summary.diagnostics), expected);
                        met.extend(sorted.met);
                        let fine = self.take(sorted.unexpected);
                        self.broken |= stopped;
                        if !fine || stopped {
                            return None;
                        }
                        summary.evaluation
                    }
                    Err(found) => {
                        self.take(found);
                        return None;
                    }
                }
            }
        };
        let missing = expected.iter().enumerate().filter(|(at, _)| !met.contains(at));
        let missing: Diagnostics = missing.map(|(_, one)| one.missing()).collect();
        if self.take(missing) { evaluation } else { None }
    }

    fn assert(&mut self, evaluation: &mut Evaluation, names: &TestNames) {
        for condition in &self.test.assertions {
            match evaluation.assert(condition, names) {
                Asserted::Holds => {}
                Asserted::Fails(found) => {
                    let message = found.iter().next().map(ToString::to_string);
                    self.failed.extend(message);
                    self.found.extend(found);
                }
                Asserted::Faulty(found) => {
                    self.take(found);
                }
            }
        }
    }
}

/// An evaluation in which nothing has a value, for a plan that is only shown from now on.
fn empty(plan: &Plan) -> Evaluation {
    let own = &plan.evaluation;
    Evaluation::new(
        Arc::clone(&own.config),
        Arc::clone(&own.world),
        Arc::clone(&own.workspace),
        BTreeMap::new(),
    )
}

fn options(wanted: &RunOptions) -> plan::Options {
    plan::Options {
        mode: if wanted.refresh_only { Mode::RefreshOnly } else { Mode::Normal },
        refresh: wanted.refresh,
        targets: wanted.targets.clone(),
        replace: wanted.replace.clone(),
        ..plan::Options::default()
    }
}
