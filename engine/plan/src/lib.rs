//! Decides what must happen to each resource instance, and changes nothing.
//!
//! In: a [`config::Configuration`] with its placements expanded, a [`state::StateSnapshot`], providers that
//! can only look ([`Readers`]). Out: a [`Plan`], which apply carries out and the report shows.
//!
//! Read in this order:
//!
//! 1. [`model`]: what a plan is.
//! 2. [`create`], below: the stages.
//! 3. `prepare`: bodies compiled against schemas (`decode`), references sorted; `moved`: new addresses.
//! 4. `graph`: blocks and their references; finds rings. `exclusion`: what is left alone.
//! 5. [`evaluation`]: module instances and the values of their names.
//! 6. `walk`: visits ready instances at once, evaluates them, asks their providers. The one place where values
//!    flow back, from a planned instance to those that refer to it.
//! 7. `instance`: one instance, from what is recorded to its [`Action`]; `propose`, `validity`, `action` and
//!    `data` hold its rules.
//! 8. `steps`: the order in which apply goes; `restore`: an earlier state in the place of blocks.
//! 9. [`mod@file`]: a plan on disk; [`mod@explain`]: why it is as it is.
//!
//! # Invariants
//!
//! * Answers are gathered by address, never by arrival, so that equal inputs give an equal plan.
//! * A provider's answer is checked before anything else sees it; providers are not trusted.
//!
//! # Why instances and not blocks
//!
//! `b[0]` that reads only `a[0]` must not wait for a slow `a[999]`. A graph of blocks cannot say that, and a
//! block that is split later would have to be ordered twice. The graph of blocks is kept beside it for what
//! is true of all instances: rings, `create_before_destroy`, and what `-target` leaves out.

pub mod model;

mod moved;

mod decode;
mod decode_blocks;
mod normalise;
mod prepare;
mod provisioner;

mod check;

mod import;

mod restore;

mod function;

mod graph;

mod exclusion;

pub mod drawing;

pub mod explain;

pub mod evaluation;

mod walk;

mod data;
pub mod ephemeral;
mod instance;

mod propose;

mod validity;

pub mod action;

mod problem;

mod provider;

mod steps;

pub mod file;

mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use address::{ProviderAddress, ProviderConfig, ResourceInstance, ResourceMode, Target};
use component::Decision;
use config::Configuration;
use lang::World;
use state::{Dependency, StateSnapshot};
use syntax::Diagnostics;
use value::{Marks, Value};

use crate::evaluation::{Evaluation, ModuleId, ROOT};
use crate::exclusion::Exclusion;
use crate::graph::{BlockGraph, Object};
use crate::moved::Records;
use crate::walk::{NodeId, Walk, Walked};

pub use action::{Action, ActionReason, ReplaceOrder, choose_action};
pub use error::{ERROR_DOCS, KnownValues, PlanError};
pub use evaluation::assertion;
pub use evaluation::{Contribution, LookedAt, LookedUp};
pub use import::{Unwritten, unwritten};
pub use instance::{Final, mark_echoes, sensitive_paths};
pub use model::{
    ChangeIdentity, Counts, DeferredChange, DeferredReason, DriftAttribute, DriftChange, Mode,
    OutputChange, Plan, ResourceChange, Step, StepKind,
};
pub use problem::{Place, as_warnings, without_secrets};
pub use provider::Readers;
pub use provisioner::Provision;
pub use restore::Goal;
pub use validity::{Violation, check_compatible};

/// What this run's options say.
#[derive(Debug, Clone)]
pub struct Options {
    /// The kind of plan.
    pub mode: Mode,
    /// Whether real objects are looked at.
    pub refresh: bool,
    /// Only these, and what they need; empty for everything.
    pub targets: Vec<Target>,
    /// Instances to be replaced whatever the difference.
    pub replace: Vec<ResourceInstance>,
    /// Objects to be imported beside those of `import` blocks: where to, and their ids at the provider.
    pub imports: Vec<(ResourceInstance, String)>,
    /// Not these, nor what cannot be changed without them.
    pub excludes: Vec<Target>,
    /// How many provider calls may run at once.
    pub parallelism: usize,
    /// Whether providers may put work off to a later run.
    pub allow_deferral: bool,
    /// What is led back to, in [`Mode::Undo`].
    pub goal: Option<Arc<Goal>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mode: Mode::Normal,
            refresh: true,
            targets: Vec::new(),
            excludes: Vec::new(),
            replace: Vec::new(),
            imports: Vec::new(),
            parallelism: 10,
            allow_deferral: false,
            goal: None,
        }
    }
}

/// Everything that a plan is made from.
pub struct Request<'a> {
    /// The configuration, components expanded, free of static errors.
    pub configuration: Arc<Configuration>,
    /// Values of root variables that have been given.
    pub inputs: BTreeMap<Arc<str>, Value>,
    /// The placements in the configuration.
    pub decisions: Vec<Decision>,
    /// Checks of components that wait for values, in words.
    pub deferred_checks: Vec<String>,
    /// What is recorded.
    pub snapshot: &'a StateSnapshot,
    /// The providers.
    pub readers: &'a Readers,
    /// Where providers run.
    pub context: sdk::Context,
    /// The world that functions see.
    pub world: Arc<dyn World>,
    /// The workspace's name.
    pub workspace: Arc<str>,
    /// This run's options.
    pub options: Options,
}

/// Makes a plan. `None` if there are errors; warnings come with the plan.
pub async fn create(request: Request<'_>) -> (Option<Plan>, Diagnostics) {
    match attempt(request).await {
        (Attempt::Planned(plan), found) => (Some(*plan), found),
        (Attempt::Failed(_), found) => (None, found),
    }
}

/// What comes of planning.
#[derive(Debug)]
pub enum Attempt {
    /// A plan.
    Planned(Box<Plan>),
    /// There are errors. What could be planned in spite of them, with values as good as they could be made; `None` if
    /// nothing was evaluated.
    Failed(Option<Box<Plan>>),
}

/// Makes a plan, or keeps what is known in spite of errors.
pub async fn attempt(request: Request<'_>) -> (Attempt, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let configuration = Arc::clone(&request.configuration);
    let mut recorded: BTreeSet<ProviderConfig> =
        request.snapshot.managed().map(|(_, record)| record.provider.clone()).collect();
    recorded.extend(restore::providers(&request.options));
    let blocks = configuration.modules.values().flat_map(|module| module.resources.values());
    let used: BTreeSet<ProviderAddress> = blocks
        .map(|block| block.provider.provider.clone())
        .chain(recorded.iter().map(|config| config.provider.clone()))
        .collect();
    let schemas = match request.readers.schemas(&used).await {
        Ok(schemas) => schemas,
        Err((provider, error)) => {
            let place = Place {
                address: provider.to_string(),
                locate: &|_| None,
                given: &problem::nothing,
            };
            let found = place.failure(&provider.short_name(), "start", &error).into();
            return (Attempt::Failed(None), found);
        }
    };
    let (prepared, found) =
        prepare::prepare(&configuration, &schemas, &request.readers.names(), &recorded);
    let found = if request.options.imports.is_empty() { found } else { import::tolerated(found) };
    diagnostics.extend(found);
    let graph = BlockGraph::build(&configuration, &prepared);
    diagnostics.extend(graph.cycles());
    diagnostics.extend(moved::check(&configuration));
    if diagnostics.has_errors() {
        return (Attempt::Failed(None), diagnostics);
    }
    let records = request
        .snapshot
        .managed()
        .map(|(address, record)| (address.clone(), (Arc::clone(record), None)))
        .collect();
    let records = if let Some(goal) = &request.options.goal {
        restore::moved_back(records, request.snapshot, goal)
    } else {
        let (records, found) = moved::apply(&configuration, records);
        diagnostics.extend(found);
        records
    };
    let mut targets = component_targets(&request.options.targets, &configuration);
    if request.options.mode == Mode::Destroy {
        targets.extend(made_from(&targets, &records));
    }
    if let Some(goal) = request.options.goal.as_ref().filter(|_| !targets.is_empty()) {
        // What was not there goes, and takes with it what is made from it; what was there comes back with its sources.
        let goes = |address: &&ResourceInstance| {
            goal.object(address).is_none() && targets.iter().any(|target| target.covers(address))
        };
        let gone: Vec<Target> =
            records.keys().filter(goes).cloned().map(Target::Instance).collect();
        targets.extend(made_from(&gone, &records));
        targets.extend(goal.sources(&targets).into_iter().map(Target::Instance));
    }
    let addresses = moves_outside(&targets, &records);
    if !addresses.is_empty() {
        let options: Vec<_> = addresses.iter().map(|one| format!("`-target={one}`")).collect();
        let options = options.join(" ");
        diagnostics.push(PlanError::MovedOutsideTarget { addresses, options });
    }
    let included = included_blocks(&targets, &graph, &prepared, &request.options);
    let excludes = component_targets(&request.options.excludes, &configuration);
    let exclusion = Exclusion::new(excludes, &graph, &prepared, &records);
    let limited = included.is_some() || !exclusion.is_empty();
    if limited {
        diagnostics.push(PlanError::Targeted);
    }
    let create_before_destroy = graph.create_before_destroy(&prepared);
    let ephemeral_blocks =
        prepared.blocks.keys().filter(|block| block.resource.mode == ResourceMode::Ephemeral);
    let ephemeral_users = ephemeral_blocks
        .filter_map(|block| Some((block.clone(), graph.users_of(block)?)))
        .collect();
    let mut evaluation = Evaluation::new(
        Arc::clone(&configuration),
        Arc::clone(&request.world),
        Arc::clone(&request.workspace),
        request.inputs.clone(),
    );
    evaluation.use_functions(request.readers);
    // Only what follows the configuration looks at its `import` blocks.
    let imports = match request.options.mode {
        Mode::Normal => import::wanted(&mut evaluation),
        _ => Ok(BTreeMap::new()),
    };
    let imports = imports.and_then(|mut imports| {
        let asked = import::asked_for(&configuration, &records, &request.options.imports)?;
        imports.extend(asked);
        Ok(imports)
    });
    let imports = match imports {
        Ok(imports) => imports,
        Err(found) => {
            diagnostics.extend(found);
            return (Attempt::Failed(None), diagnostics);
        }
    };
    let moves = records
        .iter()
        .filter_map(|(address, (_, previous))| Some((previous.clone()?, address.clone())))
        .collect();
    let imported: Vec<_> = imports.iter().map(|(a, one)| (a.clone(), one.span)).collect();
    let walk = Walk::new(
        &request,
        prepared,
        evaluation,
        records,
        create_before_destroy,
        included,
        exclusion,
        targets,
        imports,
        ephemeral_users,
    );
    let deposed = walk.deposed_changes();
    let mut walked = walk.walk().await;
    diagnostics.extend(std::mem::take(&mut walked.diagnostics));
    if let Some(offline) = walked.offline.take() {
        diagnostics.push(offline);
    }
    if !limited && request.options.mode == Mode::Normal && !diagnostics.has_errors() {
        for (address, span) in imported {
            let put_off = walked.deferred.contains_key(&address);
            let planned = walked.results.get(&address).is_some_and(|one| one.node.is_some());
            if !planned && !put_off {
                let address = address.to_string();
                diagnostics.push(PlanError::ImportWithoutBlock { address, span });
            }
        }
    }
    for address in &request.options.replace {
        if !walked.results.contains_key(address) && !walked.deferred.contains_key(address) {
            diagnostics.push(PlanError::UnknownTarget {
                option: "-replace",
                address: address.to_string(),
            });
        }
    }
    for (address, _) in &request.options.imports {
        if !diagnostics.has_errors() && !walked.results.contains_key(address) {
            diagnostics.push(PlanError::ImportTarget {
                address: address.to_string(),
                reason: "the configuration makes no such instance".to_owned(),
                help:
                    "look at `count` or `for_each` of its block, and write the key that they give"
                        .to_owned(),
            });
        }
    }
    let scope = Scope { limited, errored: diagnostics.has_errors() };
    match assemble(&request, walked, deposed, moves, scope, &graph) {
        Ok(plan) if scope.errored => (Attempt::Failed(Some(Box::new(plan))), diagnostics),
        Ok(plan) => (Attempt::Planned(Box::new(plan)), diagnostics),
        Err(found) => {
            diagnostics.extend(found);
            (Attempt::Failed(None), diagnostics)
        }
    }
}

/// A target that names a component means the component's module.
fn component_targets(targets: &[Target], configuration: &Configuration) -> Vec<Target> {
    let as_module = |target: &Target| {
        let (module, resource, key) = match target {
            Target::Resource(block) => (&block.module, &block.resource, address::InstanceKey::None),
            Target::Instance(instance) => {
                (&instance.module, &instance.resource, instance.key.clone())
            }
            Target::Module(_) => return None,
        };
        let declared = configuration.modules.get(&module.module())?;
        let step = address::ModulePathStep {
            kind: address::ModuleKind::Component,
            type_name: Arc::clone(&resource.type_name),
            name: Arc::clone(&resource.name),
        };
        declared.calls.contains_key(&step).then(|| {
            Target::Module(module.child(address::ModuleStep {
                kind: step.kind,
                type_name: step.type_name.clone(),
                name: step.name.clone(),
                key,
            }))
        })
    };
    targets.iter().map(|target| as_module(target).unwrap_or_else(|| target.clone())).collect()
}

/// Recorded instances that were made from what is named, or from others that were: they cannot outlive it.
fn made_from(targets: &[Target], records: &Records) -> Vec<Target> {
    let mut users: BTreeMap<&Dependency, Vec<&ResourceInstance>> = BTreeMap::new();
    for (address, (record, _)) in records {
        for dependency in record.current.iter().flat_map(|object| &object.dependencies) {
            users.entry(dependency).or_default().push(address);
        }
    }
    let named = |address: &&ResourceInstance| targets.iter().any(|one| one.covers(address));
    let mut found: BTreeSet<&ResourceInstance> = records.keys().filter(named).collect();
    let mut waiting: Vec<&ResourceInstance> = found.iter().copied().collect();
    while let Some(gone) = waiting.pop() {
        for dependency in [Dependency::Instance(gone.clone()), Dependency::Block(gone.block())] {
            let users = users.get(&dependency).into_iter().flatten().copied();
            waiting.extend(users.filter(|user| found.insert(user)));
        }
    }
    let further = found.into_iter().filter(|address| !named(address));
    further.cloned().map(Target::Instance).collect()
}

/// Both ends of moves that reach beyond what is named, as `-target` would name them.
fn moves_outside(targets: &[Target], records: &Records) -> Vec<String> {
    if targets.is_empty() {
        return Vec::new();
    }
    let moved = records.iter().filter_map(|(to, (_, from))| Some((from.as_ref()?, to)));
    let is_outside =
        |address: &&ResourceInstance| !targets.iter().any(|target| target.covers(address));
    let ends = moved.flat_map(|(from, to)| [from, to]);
    ends.filter(is_outside).map(ToString::to_string).collect()
}

fn included_blocks(
    targets: &[Target],
    graph: &BlockGraph,
    prepared: &prepare::Prepared,
    options: &Options,
) -> Option<BTreeSet<address::ConfigResource>> {
    if targets.is_empty() {
        return None;
    }
    let named = |block: &address::ConfigResource| {
        targets.iter().any(|target| match target {
            Target::Module(module) => {
                let path = module.module();
                block.module.steps().starts_with(path.steps())
            }
            Target::Resource(resource) => resource.config() == *block,
            Target::Instance(instance) => instance.block().config() == *block,
        })
    };
    let start: Vec<Object> = prepared
        .blocks
        .keys()
        .filter(|block| named(block))
        .cloned()
        .map(Object::Resource)
        .collect();
    let found: BTreeSet<address::ConfigResource> = if options.mode == Mode::Normal {
        let needed = graph.needed_by(start);
        needed
            .into_iter()
            .filter_map(|object| match object {
                Object::Resource(resource) => Some(resource.clone()),
                _ => None,
            })
            .collect()
    } else {
        let data = graph.needed_by(start).into_iter().filter_map(|object| match object {
            Object::Resource(block) if block.resource.mode == ResourceMode::Data => Some(block),
            _ => None,
        });
        // What data sources give may be what a provider is set up with.
        let named = prepared.blocks.keys().filter(|block| named(block));
        named.chain(data).cloned().collect()
    };
    Some(found)
}

/// The settings of a provider, evaluated, with their marks and those of the schema.
pub(crate) fn evaluation_of_provider(
    evaluation: &Evaluation,
    module: ModuleId,
    block: &prepare::ProviderBlock,
) -> Result<Value, Diagnostics> {
    match &block.program {
        Some(program) => {
            let single = evaluation::Repetition::single();
            let config =
                evaluation.with_context(module, &single, None, |ctx| program.evaluate(ctx))?;
            let secret = block.schema.provider.block.sensitive_paths(&config).into_iter();
            let secret: Vec<_> = secret.map(|path| (path, Marks::SENSITIVE)).collect();
            Ok(config.mark_paths(&secret))
        }
        None => Ok(block.schema.provider.block.empty_value()),
    }
}

/// What a plan does not hold.
#[derive(Clone, Copy)]
struct Scope {
    /// It was asked to leave something out.
    limited: bool,
    /// There were errors.
    errored: bool,
}

fn assemble(
    request: &Request<'_>,
    walked: Walked,
    deposed: Vec<ResourceChange>,
    moves: Vec<(ResourceInstance, ResourceInstance)>,
    scope: Scope,
    graph: &BlockGraph,
) -> Result<Plan, Diagnostics> {
    let deferred = walked.deferred.into_values().collect();
    let count = walked.results.len() + deposed.len();
    let mut changes = Vec::with_capacity(count);
    let mut nodes_of: Vec<Option<NodeId>> = Vec::with_capacity(count);
    let mut prior_dependencies: Vec<Vec<Dependency>> = Vec::with_capacity(count);
    let mut drift = Vec::new();
    let mut refreshed = Vec::new();
    let mut deposed = deposed.into_iter().peekable();
    let mut evaluation = walked.evaluation;
    for (address, planned) in walked.results {
        while let Some(change) = deposed.next_if(|change| change.address < address) {
            changes.push(change);
            nodes_of.push(None);
            prior_dependencies.push(Vec::new());
        }
        let output = *planned.output;
        drift.extend(output.drift.map(|drift| *drift));
        if let Some(object) = output.refreshed {
            refreshed.push((address.clone(), *object));
        }
        let absent = output.change.action == Action::NoOp
            && output.change.before.is_null()
            && output.change.after.is_null();
        if absent {
            continue;
        }
        changes.push(output.change);
        nodes_of.push(planned.node);
        prior_dependencies.push(output.prior_dependencies);
    }
    for change in deposed {
        changes.push(change);
        nodes_of.push(None);
        prior_dependencies.push(Vec::new());
    }
    let planned = steps::Planned {
        changes: &changes,
        nodes_of: &nodes_of,
        prior_dependencies: &prior_dependencies,
        nodes: &walked.nodes,
    };
    // What is never carried out has no order.
    let steps = if scope.errored { Vec::new() } else { steps::steps(&planned)? };
    evaluation.blocks = walked.prepared.blocks;
    evaluation.providers = walked.prepared.providers;
    if scope.errored {
        evaluation.fail();
    }
    let outputs = match &request.options.goal {
        Some(goal) => restore::outputs(request, goal, &mut evaluation, &walked.lost),
        None => outputs(request, &evaluation, scope, graph),
    };
    let unplanned = if scope.errored { unplanned(request, &evaluation) } else { BTreeMap::new() };
    let deferred_checks = request.deferred_checks.clone();
    Ok(Plan {
        unplanned,
        mode: request.options.mode,
        changes,
        drift,
        outputs,
        decisions: match &request.options.goal {
            Some(goal) => goal.decisions(),
            None => request.decisions.clone(),
        },
        moves,
        refreshed,
        steps,
        deferred,
        limited: scope.limited,
        errored: scope.errored,
        deferred_checks,
        lineage: request.snapshot.lineage.clone(),
        serial: request.snapshot.serial,
        evaluation,
    })
}

fn outputs(
    request: &Request<'_>,
    evaluation: &Evaluation,
    scope: Scope,
    graph: &BlockGraph,
) -> BTreeMap<Arc<str>, OutputChange> {
    let mut outputs = BTreeMap::new();
    let configured = &evaluation.module(ROOT).module.outputs;
    let recorded = |name: &str| recorded_output(request.snapshot, name);
    for (name, output) in configured {
        if output.ephemeral || (scope.limited && !is_covered(graph, name, request, evaluation)) {
            continue;
        }
        if scope.errored && !evaluation.root_outputs().contains_key(name) {
            continue;
        }
        let before = recorded(name);
        let after = match request.options.mode {
            Mode::Destroy => Value::dynamic_null(),
            _ => {
                evaluation.root_outputs().get(name).cloned().unwrap_or_else(Value::dynamic_unknown)
            }
        };
        let action = match (&before, request.options.mode) {
            (None, Mode::Destroy) => continue,
            (Some(_), Mode::Destroy) => Action::Delete,
            (None, _) if after.is_null() => Action::NoOp,
            (None, _) => Action::Create,
            (Some(before), _) if same_output(before, &after) => Action::NoOp,
            (Some(_), _) => Action::Update,
        };
        let change = OutputChange {
            action,
            before: before.unwrap_or_else(Value::dynamic_null),
            after,
            sensitive: output.sensitive,
        };
        outputs.insert(Arc::clone(name), change);
    }
    if !scope.limited {
        for name in request.snapshot.outputs.keys().filter(|name| !configured.contains_key(*name)) {
            let Some(before) = recorded(name) else { continue };
            let sensitive = before.is_sensitive();
            let change = OutputChange {
                action: Action::Delete,
                before,
                after: Value::dynamic_null(),
                sensitive,
            };
            outputs.insert(Arc::clone(name), change);
        }
    }
    outputs
}

/// What the state records of outputs that have no value because of errors.
fn unplanned(request: &Request<'_>, evaluation: &Evaluation) -> BTreeMap<Arc<str>, OutputChange> {
    let configured = evaluation.module(ROOT).module.outputs.iter();
    let open = configured.filter(|(name, _)| !evaluation.root_outputs().contains_key(*name));
    open.filter_map(|(name, output)| {
        let before = recorded_output(request.snapshot, name)?;
        let (action, after) = (Action::NoOp, Value::dynamic_unknown());
        let change = OutputChange { action, before, after, sensitive: output.sensitive };
        Some((Arc::clone(name), change))
    })
    .collect()
}

/// What a state says of an output of the root module.
pub(crate) fn recorded_output(snapshot: &StateSnapshot, name: &str) -> Option<Value> {
    let record = snapshot.outputs.get(name)?;
    let value = record.value()?;
    Some(if record.sensitive { value.mark(Marks::SENSITIVE) } else { value })
}

pub(crate) fn same_output(before: &Value, after: &Value) -> bool {
    after.is_wholly_known()
        && value::json::to_string(before) == value::json::to_string(after)
        && before.is_sensitive() == after.is_sensitive()
}

/// Says whether a limited plan knows all that an output is made from.
fn is_covered(
    graph: &BlockGraph,
    name: &Arc<str>,
    request: &Request<'_>,
    evaluation: &Evaluation,
) -> bool {
    let output = Object::Output(address::ModulePath::root(), Arc::clone(name));
    let blocks = graph.needed_by([output]);
    let mut resources = blocks
        .into_iter()
        .filter_map(|object| match object {
            Object::Resource(block) => Some(block),
            _ => None,
        })
        .peekable();
    // What is made from no resource belongs to none that was named.
    let rests_on_some = resources.peek().is_some();
    let all_planned = resources.all(|block| {
        evaluation.modules().filter(|(_, state)| state.module.path == block.module).all(
            |(_, state)| {
                state
                    .resources
                    .get(&block.resource)
                    .is_none_or(|b| b.instances.values().all(|v| !v.is_unknown()))
            },
        )
    });
    rests_on_some && all_planned && request.options.mode == Mode::Normal
}

/// Where providers find the folder of the stack and the engine's own.
pub fn provider_context(
    working_dir: PathBuf,
    executable: PathBuf,
    version: &str,
    home_dir: PathBuf,
) -> sdk::Context {
    sdk::Context {
        working_dir,
        executable,
        engine_version: version.to_owned(),
        home_dir,
        deferral_allowed: false,
    }
}

/// The values of a configuration before anything is planned: enough for the settings of providers that depend
/// on variables alone.
pub async fn settings(request: &Request<'_>) -> Result<Evaluation, Diagnostics> {
    let recorded: BTreeSet<ProviderConfig> =
        request.snapshot.managed().map(|(_, record)| record.provider.clone()).collect();
    let blocks =
        request.configuration.modules.values().flat_map(|module| module.resources.values());
    let used: BTreeSet<ProviderAddress> = blocks
        .map(|block| block.provider.provider.clone())
        .chain(recorded.iter().map(|config| config.provider.clone()))
        .collect();
    let schemas = request.readers.schemas(&used).await.map_err(|(provider, error)| {
        let place =
            Place { address: provider.to_string(), locate: &|_| None, given: &problem::nothing };
        Diagnostics::from(place.failure(&provider.short_name(), "start", &error))
    })?;
    let (prepared, found) =
        prepare::prepare(&request.configuration, &schemas, &request.readers.names(), &recorded);
    if found.has_errors() {
        return Err(found);
    }
    let mut evaluation = Evaluation::new(
        Arc::clone(&request.configuration),
        Arc::clone(&request.world),
        Arc::clone(&request.workspace),
        request.inputs.clone(),
    );
    evaluation.use_functions(request.readers);
    evaluation.blocks = prepared.blocks;
    evaluation.providers = prepared.providers;
    Ok(evaluation)
}

/// Checks a configuration against the providers' schemas, and for rings; looks at no object.
pub async fn check(request: &Request<'_>) -> Diagnostics {
    let blocks =
        request.configuration.modules.values().flat_map(|module| module.resources.values());
    let used: BTreeSet<ProviderAddress> =
        blocks.map(|block| block.provider.provider.clone()).collect();
    let schemas = match request.readers.schemas(&used).await {
        Ok(schemas) => schemas,
        Err((provider, error)) => {
            let place = Place {
                address: provider.to_string(),
                locate: &|_| None,
                given: &problem::nothing,
            };
            return place.failure(&provider.short_name(), "start", &error).into();
        }
    };
    let names = request.readers.names();
    let (prepared, mut found) =
        prepare::prepare(&request.configuration, &schemas, &names, &BTreeSet::new());
    found.extend(BlockGraph::build(&request.configuration, &prepared).cycles());
    if !found.has_errors() {
        found.extend(check::check(request, &prepared).await);
    }
    found
}

/// What a drawing shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Resources alone.
    Resources,
    /// Everything.
    Whole,
}

/// The graph of a configuration, to be drawn.
///
/// # Errors
///
/// Faults that keep the blocks from being read, and rings.
pub async fn draw(request: &Request<'_>, view: View) -> Result<drawing::Drawing, Diagnostics> {
    let blocks =
        request.configuration.modules.values().flat_map(|module| module.resources.values());
    let used: BTreeSet<ProviderAddress> =
        blocks.map(|block| block.provider.provider.clone()).collect();
    let schemas = request.readers.schemas(&used).await.map_err(|(provider, error)| {
        let place =
            Place { address: provider.to_string(), locate: &|_| None, given: &problem::nothing };
        Diagnostics::from(place.failure(&provider.short_name(), "start", &error))
    })?;
    let names = request.readers.names();
    let (prepared, mut found) =
        prepare::prepare(&request.configuration, &schemas, &names, &BTreeSet::new());
    let graph = BlockGraph::build(&request.configuration, &prepared);
    found.extend(graph.cycles());
    if found.has_errors() {
        return Err(found);
    }
    Ok(match view {
        View::Resources => drawing::resources(&graph),
        View::Whole => drawing::whole(&graph, &prepared),
    })
}
