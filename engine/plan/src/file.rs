//! A plan on its way to apply, as JSON and back.
//!
//! What is written is all that apply carries out: changes, steps, moves, and the values that they rest on
//! ([`write`]). The configuration and the variables are kept beside it by whoever makes the file, and must be the
//! same when it is read ([`read`]). Sensitive values are in it as they are, so the file must be sealed; ephemeral
//! ones are not.
//!
//! A plan that waits may be overtaken. [`basis`] says which records it rests on: those of the objects that it
//! touches, and of those that these are made from. The plan is good for as long as they stay as they are,
//! whatever else changes.

mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::{AttributePath, ProviderAddress, ProviderConfig, ResourceInstance, ResourceMode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use component::Decision;
use config::Configuration;
use lang::World;
use serde_json::{Value as Json, json};
use state::{Dependency, Object, StateSnapshot};
use syntax::Diagnostics;
use value::{Value, exact};

use crate::action::{Action, ActionReason};
use crate::evaluation::demand::output_references;
use crate::evaluation::{Evaluation, ROOT};
use crate::model::{
    ChangeIdentity, DeferredChange, DeferredReason, Mode, OutputChange, Plan, ResourceChange, Step,
    StepKind,
};
use crate::problem::Place;
use crate::{Readers, prepare};

pub use error::{PLAN_FILE_ERROR_DOCS, PlanFileError};

/// The digest of each record that something rests on; `None` where there was no record.
pub type Basis = BTreeMap<ResourceInstance, Option<String>>;

/// What a stored plan is read with.
pub struct Request<'a> {
    /// The configuration that it was made from.
    pub configuration: Arc<Configuration>,
    /// The values of root variables that it was made with, ephemeral ones given anew.
    pub inputs: BTreeMap<Arc<str>, Value>,
    /// The providers.
    pub readers: &'a Readers,
    /// The world that functions see.
    pub world: Arc<dyn World>,
    /// The workspace's name.
    pub workspace: Arc<str>,
}

/// The records that a plan rests on.
pub fn basis(plan: &Plan, snapshot: &StateSnapshot) -> Basis {
    let mut found: BTreeSet<ResourceInstance> = BTreeSet::new();
    let mut blocks = BTreeSet::new();
    let mut providers = BTreeSet::new();
    let touched = plan.changes.iter().filter(|change| is_touched(change));
    for change in touched {
        found.insert(change.address.clone());
        found.extend(change.previous_address.clone());
        providers.insert(&change.provider);
        for dependency in &*change.dependencies {
            match dependency {
                Dependency::Instance(instance) => {
                    found.insert(instance.clone());
                }
                Dependency::Block(block) => {
                    blocks.insert(block.clone());
                }
            }
        }
    }
    found.extend(plan.moves.iter().flat_map(|(from, to)| [from.clone(), to.clone()]));
    blocks.extend(plan.evaluation.blocks_behind(plan, &providers));
    let records = snapshot.records.keys().filter(|address| blocks.contains(&address.block()));
    found.extend(records.cloned());
    digests(found, snapshot)
}

/// The records that a plan writes anew without touching their objects, for what refreshing has found.
pub fn looked_at(plan: &Plan, snapshot: &StateSnapshot) -> Basis {
    digests(plan.refreshed.iter().map(|(address, _)| address.clone()), snapshot)
}

/// The first record that is not what it was.
pub fn overtaken(basis: &Basis, snapshot: &StateSnapshot) -> Option<ResourceInstance> {
    basis
        .iter()
        .find(|(address, digest)| digest_of(address, snapshot) != **digest)
        .map(|(a, _)| a.clone())
}

fn digests(
    addresses: impl IntoIterator<Item = ResourceInstance>,
    snapshot: &StateSnapshot,
) -> Basis {
    // What data sources have given is no object that somebody may have changed.
    let managed = |address: &ResourceInstance| address.resource.mode == ResourceMode::Managed;
    addresses
        .into_iter()
        .filter(managed)
        .map(|address| {
            let digest = digest_of(&address, snapshot);
            (address, digest)
        })
        .collect()
}

fn digest_of(address: &ResourceInstance, snapshot: &StateSnapshot) -> Option<String> {
    snapshot.records.get(address).map(|record| record.digest())
}

fn is_touched(change: &ResourceChange) -> bool {
    change.action != Action::NoOp || change.importing.is_some() || change.previous_address.is_some()
}

impl Evaluation {
    /// Blocks that changed outputs and the settings of these providers are made from.
    fn blocks_behind(
        &self,
        plan: &Plan,
        providers: &BTreeSet<&ProviderConfig>,
    ) -> BTreeSet<address::AbsResource> {
        let root = &self.module(ROOT).module;
        let changed = plan.outputs.iter().filter(|(_, output)| output.action != Action::NoOp);
        let outputs = changed
            .filter_map(|(name, _)| root.outputs.get(name))
            .map(|output| (ROOT, output_references(output)));
        let settings = providers.iter().filter_map(|address| {
            let references = self.providers.get(address)?.program.as_ref()?.references().to_vec();
            Some((self.module_of_provider(address), references))
        });
        let all: Vec<_> = outputs.chain(settings).collect();
        all.into_iter()
            .flat_map(|(module, references)| self.resources_named(module, &references))
            .map(|(module, resource)| address::AbsResource {
                module: self.module(module).instance.clone(),
                resource,
            })
            .collect()
    }
}

/// Writes a plan.
pub fn write(plan: &Plan) -> Json {
    let outputs: serde_json::Map<String, Json> = plan
        .outputs
        .iter()
        .map(|(name, output)| (name.to_string(), output_to_json(output)))
        .collect();
    let moves: Vec<Json> =
        plan.moves.iter().map(|(from, to)| json!([from.to_string(), to.to_string()])).collect();
    let refreshed: Vec<Json> = plan
        .refreshed
        .iter()
        .map(|(address, object)| json!([address.to_string(), object.as_ref().map(Object::to_text)]))
        .collect();
    let steps: Vec<Json> = plan
        .steps
        .iter()
        .map(|step| json!([name_of(&STEPS, &step.kind), step.change, step.after]))
        .collect();
    let deferred: Vec<Json> = plan
        .deferred
        .iter()
        .map(|one| json!([one.reason.name(), change_to_json(&one.change)]))
        .collect();
    json!({
        "mode": name_of(&MODES, &plan.mode),
        "limited": plan.limited,
        "errored": plan.errored,
        "changes": plan.changes.iter().map(change_to_json).collect::<Vec<_>>(),
        "outputs": outputs,
        "decisions": plan.decisions.iter().map(Decision::to_json).collect::<Vec<_>>(),
        "moves": moves,
        "refreshed": refreshed,
        "steps": steps,
        "deferred": deferred,
        "values": plan.evaluation.to_json(),
        "restored": plan.evaluation.restored_to_json(),
    })
}

/// Reads a plan. `None` if what was stored is none of this configuration.
///
/// Drift and deferred checks are told when a plan is made, and are not in it any more. Lineage and serial are empty.
///
/// # Errors
///
/// A provider that cannot be started.
pub async fn read(stored: &Json, request: Request<'_>) -> Result<Option<Plan>, Diagnostics> {
    let Some(parts) = read_parts(stored) else { return Ok(None) };
    let recorded: BTreeSet<ProviderConfig> =
        parts.changes.iter().map(|change| change.provider.clone()).collect();
    let blocks =
        request.configuration.modules.values().flat_map(|module| module.resources.values());
    let used: BTreeSet<ProviderAddress> = blocks
        .map(|block| block.provider.provider.clone())
        .chain(recorded.iter().map(|config| config.provider.clone()))
        .collect();
    let schemas = request.readers.schemas(&used).await.map_err(|(provider, error)| {
        let place = Place {
            address: provider.to_string(),
            locate: &|_| None,
            given: &crate::problem::nothing,
        };
        Diagnostics::from(place.failure(&provider.short_name(), "start", &error))
    })?;
    let names = request.readers.names();
    let (prepared, found) = prepare::prepare(&request.configuration, &schemas, &names, &recorded);
    if found.has_errors() {
        return Err(found);
    }
    let mut evaluation =
        Evaluation::new(request.configuration, request.world, request.workspace, request.inputs);
    evaluation.use_functions(request.readers);
    evaluation.blocks = prepared.blocks;
    evaluation.providers = prepared.providers;
    let restored = stored.get("values").and_then(|values| evaluation.restore(values));
    let led_back = stored.get("restored").and_then(|stored| evaluation.restore_restored(stored));
    Ok(restored.and(led_back).map(|()| Plan {
        mode: parts.mode,
        limited: parts.limited,
        errored: parts.errored,
        changes: parts.changes,
        drift: Vec::new(),
        outputs: parts.outputs,
        unplanned: BTreeMap::new(),
        decisions: parts.decisions,
        moves: parts.moves,
        refreshed: parts.refreshed,
        steps: parts.steps,
        deferred: parts.deferred,
        deferred_checks: Vec::new(),
        lineage: String::new(),
        serial: 0,
        evaluation,
    }))
}

/// A plan without its values.
struct Parts {
    mode: Mode,
    limited: bool,
    errored: bool,
    changes: Vec<ResourceChange>,
    outputs: BTreeMap<Arc<str>, OutputChange>,
    decisions: Vec<Decision>,
    moves: Vec<(ResourceInstance, ResourceInstance)>,
    refreshed: Vec<(ResourceInstance, Option<Object>)>,
    steps: Vec<Step>,
    deferred: Vec<DeferredChange>,
}

fn read_parts(stored: &Json) -> Option<Parts> {
    let list = |name: &str| stored.get(name)?.as_array();
    let outputs = stored.get("outputs")?.as_object()?.iter();
    let moves =
        list("moves")?.iter().map(|pair| Some((parsed(pair.get(0)?)?, parsed(pair.get(1)?)?)));
    let refreshed = list("refreshed")?.iter().map(|pair| {
        let object = match pair.get(1)? {
            Json::Null => None,
            text => Some(Object::from_text(text.as_str()?)?),
        };
        Some((parsed(pair.get(0)?)?, object))
    });
    let deferred = list("deferred")?.iter().map(|pair| {
        let reason = DeferredReason::from_name(pair.get(0)?.as_str()?)?;
        Some(DeferredChange { reason, change: change_from_json(pair.get(1)?)? })
    });
    Some(Parts {
        mode: value_of(&MODES, stored.get("mode")?)?,
        limited: stored.get("limited")?.as_bool()?,
        errored: stored.get("errored")?.as_bool()?,
        changes: list("changes")?.iter().map(change_from_json).collect::<Option<_>>()?,
        outputs: outputs
            .map(|(name, output)| Some((Arc::from(name.as_str()), output_from_json(output)?)))
            .collect::<Option<_>>()?,
        decisions: list("decisions")?.iter().map(Decision::from_json).collect::<Option<_>>()?,
        moves: moves.collect::<Option<_>>()?,
        refreshed: refreshed.collect::<Option<_>>()?,
        steps: steps(list("steps")?)?,
        deferred: deferred.collect::<Option<_>>()?,
    })
}

/// The steps, if each waits for earlier ones alone.
fn steps(stored: &[Json]) -> Option<Vec<Step>> {
    let step = |(at, step): (usize, &Json)| {
        let change = match step.get(1)? {
            Json::Null => None,
            change => Some(usize::try_from(change.as_u64()?).ok()?),
        };
        let after = step.get(2)?.as_array()?.iter();
        let after: Vec<usize> = after
            .map(|one| usize::try_from(one.as_u64()?).ok().filter(|one| *one < at))
            .collect::<Option<_>>()?;
        Some(Step { kind: value_of(&STEPS, step.get(0)?)?, change, after })
    };
    stored.iter().enumerate().map(step).collect()
}

const MODES: [(&str, Mode); 4] = [
    ("normal", Mode::Normal),
    ("destroy", Mode::Destroy),
    ("refresh-only", Mode::RefreshOnly),
    ("undo", Mode::Undo),
];

const STEPS: [(&str, StepKind); 7] = [
    ("create", StepKind::Create),
    ("update", StepKind::Update),
    ("delete", StepKind::Delete),
    ("forget", StepKind::Forget),
    ("read", StepKind::Read),
    ("import", StepKind::Import),
    ("join", StepKind::Join),
];

const REASONS: [(&str, ActionReason); 15] = [
    ("difference", ActionReason::Difference),
    ("cannot-update", ActionReason::CannotUpdate),
    ("tainted", ActionReason::Tainted),
    ("requested", ActionReason::Requested),
    ("triggered", ActionReason::Triggered),
    ("no-resource", ActionReason::NoResource),
    ("no-module", ActionReason::NoModule),
    ("no-key", ActionReason::NoKey),
    ("wrong-repetition", ActionReason::WrongRepetition),
    ("config-unknown", ActionReason::ConfigUnknown),
    ("dependency-pending", ActionReason::DependencyPending),
    ("check-nested", ActionReason::CheckNested),
    ("destroying", ActionReason::Destroying),
    ("deposed", ActionReason::Deposed),
    ("led-back", ActionReason::LedBack),
];

/// Actions by their names, joined.
fn action_from(names: &str) -> Option<Action> {
    use crate::action::ReplaceOrder::{CreateThenDelete, DeleteThenCreate};
    let all = [
        Action::NoOp,
        Action::Create,
        Action::Read,
        Action::Update,
        Action::Replace(DeleteThenCreate),
        Action::Replace(CreateThenDelete),
        Action::Delete,
        Action::Forget,
    ];
    all.into_iter().find(|action| action.names().join("+") == names)
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], wanted: &T) -> &'static str {
    names.iter().find(|(_, value)| value == wanted).map_or("", |(name, _)| name)
}

fn value_of<T: Copy>(names: &[(&str, T)], json: &Json) -> Option<T> {
    let wanted = json.as_str()?;
    names.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value)
}

fn parsed<T: std::str::FromStr>(json: &Json) -> Option<T> {
    json.as_str()?.parse().ok()
}

/// Reads what may be null.
fn optional<T>(json: Option<&Json>, read: impl Fn(&Json) -> Option<T>) -> Option<Option<T>> {
    match json {
        None | Some(Json::Null) => Some(None),
        Some(json) => read(json).map(Some),
    }
}

fn change_to_json(change: &ResourceChange) -> Json {
    let dependencies: Vec<Json> = change
        .dependencies
        .iter()
        .map(|one| match one {
            Dependency::Instance(instance) => json!(["instance", instance.to_string()]),
            Dependency::Block(block) => json!(["block", block.to_string()]),
        })
        .collect();
    json!({
        "address": change.address.to_string(),
        "deposed": change.deposed.as_ref().map(ToString::to_string),
        "previous_address": change.previous_address.as_ref().map(ToString::to_string),
        "provider": change.provider.to_string(),
        "action": change.action.names().join("+"),
        "reason": name_of(&REASONS, &change.reason),
        "before": exact::to_json(&change.before),
        "after": exact::to_json(&change.after),
        "requires_replace": change.requires_replace.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "prior_private": STANDARD.encode(&change.prior_private),
        "planned_private": STANDARD.encode(&change.planned_private),
        "schema_version": change.schema_version,
        "dependencies": dependencies,
        "create_before_destroy": change.create_before_destroy,
        "importing": change.importing,
        "remarks": change.remarks,
        "identity": change.identity.as_ref().map(|one| json!({
            "before": one.before.as_ref().map(exact::to_json),
            "after": one.after.as_ref().map(exact::to_json),
            "version": one.version,
            "imports": one.imports,
        })),
    })
}

fn change_from_json(json: &Json) -> Option<ResourceChange> {
    let bytes = |name: &str| STANDARD.decode(json.get(name)?.as_str()?).ok();
    let dependency = |one: &Json| match one.get(0)?.as_str()? {
        "instance" => Some(Dependency::Instance(parsed(one.get(1)?)?)),
        _ => Some(Dependency::Block(parsed(one.get(1)?)?)),
    };
    let dependencies = json.get("dependencies")?.as_array()?.iter().map(dependency);
    let paths = json.get("requires_replace")?.as_array()?.iter().map(parsed::<AttributePath>);
    Some(ResourceChange {
        address: parsed(json.get("address")?)?,
        deposed: optional(json.get("deposed"), parsed)?,
        previous_address: optional(json.get("previous_address"), parsed)?,
        provider: parsed(json.get("provider")?)?,
        action: action_from(json.get("action")?.as_str()?)?,
        reason: value_of(&REASONS, json.get("reason")?)?,
        before: exact::from_json(json.get("before")?).ok()?,
        after: exact::from_json(json.get("after")?).ok()?,
        requires_replace: paths.collect::<Option<_>>()?,
        prior_private: bytes("prior_private")?,
        planned_private: bytes("planned_private")?,
        schema_version: json.get("schema_version")?.as_u64()?,
        dependencies: dependencies.collect::<Option<Vec<_>>>()?.into(),
        create_before_destroy: json.get("create_before_destroy")?.as_bool()?,
        importing: optional(json.get("importing"), |id| id.as_str().map(str::to_owned))?,
        remarks: (json.get("remarks")?.as_array()?.iter())
            .map(|remark| remark.as_str().map(str::to_owned))
            .collect::<Option<_>>()?,
        identity: optional(json.get("identity"), |one| {
            let value = |name| optional(one.get(name), |json| exact::from_json(json).ok());
            Some(Box::new(ChangeIdentity {
                before: value("before")?,
                after: value("after")?,
                version: one.get("version")?.as_u64()?,
                imports: one.get("imports")?.as_bool()?,
            }))
        })?,
    })
}

fn output_to_json(output: &OutputChange) -> Json {
    json!({
        "action": output.action.names().join("+"),
        "before": exact::to_json(&output.before),
        "after": exact::to_json(&output.after),
        "sensitive": output.sensitive,
    })
}

fn output_from_json(json: &Json) -> Option<OutputChange> {
    Some(OutputChange {
        action: action_from(json.get("action")?.as_str()?)?,
        before: exact::from_json(json.get("before")?).ok()?,
        after: exact::from_json(json.get("after")?).ok()?,
        sensitive: json.get("sensitive")?.as_bool()?,
    })
}
