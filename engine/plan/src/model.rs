//! The plan: what will change, and in which order.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{AttributePath, ProviderConfig, ResourceInstance};
use component::Decision;
use state::{Dependency, DeposedKey, Object, Record};
use value::Value;

use crate::action::{Action, ActionReason};
use crate::evaluation::Evaluation;

/// What kind of plan is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Bring the world to what the configuration says.
    Normal,
    /// Destroy what the state holds.
    Destroy,
    /// Bring the state to what the world is.
    RefreshOnly,
    /// Bring the world back to what an earlier state records.
    Undo,
}

/// All changes that apply will make, and nothing else.
#[derive(Debug)]
pub struct Plan {
    /// What was asked for.
    pub mode: Mode,
    /// One for each planned object, no-ops included, in the order of their addresses; deposed objects follow
    /// the current one.
    pub changes: Vec<ResourceChange>,
    /// Objects whose real state differs from the recorded one.
    pub drift: Vec<DriftChange>,
    /// Root outputs by name.
    pub outputs: BTreeMap<Arc<str>, OutputChange>,
    /// Root outputs that errors have kept from being planned, with what the state records of them.
    pub unplanned: BTreeMap<Arc<str>, OutputChange>,
    /// Placements by component; they are recorded when the plan is applied.
    pub decisions: Vec<Decision>,
    /// Records that get a new address before anything else is done.
    pub moves: Vec<(ResourceInstance, ResourceInstance)>,
    /// Records that hold something else after refreshing; `None` means that the object is gone.
    pub refreshed: Vec<(ResourceInstance, Option<Object>)>,
    /// What apply carries out. A step comes after all steps that it waits for.
    pub steps: Vec<Step>,
    /// Changes that are put off to a later run, in the order of addresses.
    pub deferred: Vec<DeferredChange>,
    /// Whether it was asked to leave something out.
    pub limited: bool,
    /// Whether planning met errors: it holds what could be planned, and is never carried out.
    pub errored: bool,
    /// Checks whose inputs are not known yet, in words.
    pub deferred_checks: Vec<String>,
    /// Lineage of the state that was planned against.
    pub lineage: String,
    /// Serial of the state that was planned against.
    pub serial: u64,
    /// The values of the configuration as far as they are known.
    pub evaluation: Evaluation,
}

/// One planned object.
#[derive(Debug, Clone)]
pub struct ResourceChange {
    /// Where it is.
    pub address: ResourceInstance,
    /// Set for an object that an unfinished replacement left behind.
    pub deposed: Option<DeposedKey>,
    /// Where it was before a `moved` block led here.
    pub previous_address: Option<ResourceInstance>,
    /// Who manages it.
    pub provider: ProviderConfig,
    /// What is to be done.
    pub action: Action,
    /// Why.
    pub reason: ActionReason,
    /// The refreshed object; null if there is none. With marks.
    pub before: Value,
    /// The planned object; null if there will be none. With marks, and unknown where only apply will know.
    pub after: Value,
    /// What made a replacement necessary.
    pub requires_replace: Vec<AttributePath>,
    /// The provider's own data about the prior object.
    pub prior_private: Vec<u8>,
    /// The provider's own data about the plan.
    pub planned_private: Vec<u8>,
    /// Version of the schema that the objects follow.
    pub schema_version: u64,
    /// What the object is made from.
    pub dependencies: Arc<[Dependency]>,
    /// Whether a replacement makes the new object first.
    pub create_before_destroy: bool,
    /// The id that an `import` block names, for an object that comes into the state.
    pub importing: Option<String>,
    /// What else people should know of it, in words; nothing sensitive.
    pub remarks: Vec<String>,
    /// What tells the object from all others; `None` for types that have no identities.
    pub identity: Option<Box<ChangeIdentity>>,
}

/// What tells the object of a change from all others of its type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChangeIdentity {
    /// Of the object as it is.
    pub before: Option<Value>,
    /// Of the object as it will be; unknown where only apply will know.
    pub after: Option<Value>,
    /// The version of the identity's schema.
    pub version: u64,
    /// Whether the object is imported by it and not by its id.
    pub imports: bool,
}

/// A change that cannot be planned to its end yet: a later run will.
#[derive(Debug, Clone)]
pub struct DeferredChange {
    /// Why.
    pub reason: DeferredReason,
    /// The change as far as it can be told.
    pub change: ResourceChange,
}

/// Why a change is put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeferredReason {
    /// Its provider says so.
    Provider(sdk::Deferral),
    /// It is made from something whose change is put off.
    Prerequisite,
}

impl DeferredReason {
    /// The reason as Terraform names it.
    pub fn name(self) -> &'static str {
        use sdk::Deferral;
        match self {
            Self::Provider(Deferral::Unknown) => "unknown",
            Self::Provider(Deferral::ResourceConfigUnknown) => "resource_config_unknown",
            Self::Provider(Deferral::ProviderConfigUnknown) => "provider_config_unknown",
            Self::Provider(Deferral::AbsentPrerequisite) => "absent_prereq",
            Self::Prerequisite => "deferred_prereq",
        }
    }

    /// The reason of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        use sdk::Deferral;
        let all = [
            Self::Provider(Deferral::Unknown),
            Self::Provider(Deferral::ResourceConfigUnknown),
            Self::Provider(Deferral::ProviderConfigUnknown),
            Self::Provider(Deferral::AbsentPrerequisite),
            Self::Prerequisite,
        ];
        all.into_iter().find(|reason| reason.name() == name)
    }
}

/// An object that is not what the state records.
#[derive(Debug, Clone)]
pub struct DriftChange {
    /// Where it is.
    pub address: ResourceInstance,
    /// Who manages it.
    pub provider: ProviderConfig,
    /// What the state records.
    pub recorded: Value,
    /// What is there; null if it is gone.
    pub real: Value,
    /// The attributes that differ; empty if the object is gone.
    pub attributes: Vec<DriftAttribute>,
    /// The block, if one is configured.
    pub span: Option<syntax::Span>,
    /// Whether nothing differs but nulls that have become empty, or the reverse, from a provider that cannot tell
    /// the two apart: no change that anybody has made.
    pub spelling: bool,
}

/// One attribute that drifted.
#[derive(Debug, Clone)]
pub struct DriftAttribute {
    /// Which.
    pub path: AttributePath,
    /// The recorded value, with its marks.
    pub recorded: Value,
    /// The real value, with its marks.
    pub real: Value,
    /// The configuration line that put the recorded value there.
    pub span: Option<syntax::Span>,
    /// Whether one is null and the other empty, and the provider cannot tell the two apart.
    pub spelling: bool,
}

/// One root output.
#[derive(Debug, Clone)]
pub struct OutputChange {
    /// What is to be done.
    pub action: Action,
    /// The recorded value; null if there is none. With marks.
    pub before: Value,
    /// The planned value. With marks.
    pub after: Value,
    /// Whether its value is shown.
    pub sensitive: bool,
}

/// One thing that apply does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub kind: StepKind,
    /// The change in [`Plan::changes`] that it carries out; `None` for a join.
    pub change: Option<usize>,
    /// Steps that must be done before, by their place in [`Plan::steps`]; each is smaller than the step's own.
    pub after: Vec<usize>,
}

/// The kinds of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepKind {
    /// Make the object of the change; in a replacement that creates first, the old one is deposed.
    Create,
    /// Change the object in place.
    Update,
    /// Destroy the object; in a replacement that creates first, the deposed one.
    Delete,
    /// Drop the object from the state.
    Forget,
    /// Read a data source.
    Read,
    /// Put an imported object into the state.
    Import,
    /// Nothing: stands for many edges.
    Join,
}

impl ResourceChange {
    /// An identity of the change's object, as the state keeps it. `None` if it is not wholly known.
    pub fn stored_identity(&self, identity: Option<&Value>) -> Option<state::Identity> {
        state::Identity::of(self.identity.as_ref()?.version, identity?)
    }
}

impl Plan {
    /// The record of an object that a change imports, without doing anything else to it. `None` if it imports none.
    pub fn imported(&self, change: &ResourceChange) -> Option<Record> {
        change.importing.as_ref()?;
        let ty = self.evaluation.object_type(&change.address)?;
        let (value, _) = change.before.clone().unmark_deep();
        let json = value::json::encode_string(&value, &ty).ok()?;
        let object = Object {
            identity: change
                .identity
                .as_ref()
                .and_then(|one| change.stored_identity(one.before.as_ref())),
            private: change.prior_private.clone(),
            dependencies: change.dependencies.to_vec(),
            create_before_destroy: change.create_before_destroy,
            sensitive_paths: crate::sensitive_paths(&change.before),
            ..Object::new(change.schema_version, json)
        };
        Some(Record::new(change.address.clone(), change.provider.clone(), object))
    }

    /// How many objects are added, changed and destroyed, as Terraform counts.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.changes {
            counts.imported += usize::from(change.importing.is_some());
            match change.action {
                Action::Create => counts.added += 1,
                Action::Update => counts.changed += 1,
                Action::Delete => counts.destroyed += 1,
                Action::Replace(_) => {
                    counts.added += 1;
                    counts.destroyed += 1;
                }
                Action::Forget => counts.forgotten += 1,
                Action::NoOp | Action::Read => {}
            }
        }
        counts
    }

    /// True if applying would change neither an object nor an output nor the record of what is real.
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| {
            (change.action == Action::NoOp || change.reason == ActionReason::CheckNested)
                && change.importing.is_none()
                && change.previous_address.is_none()
        }) && self.outputs.values().all(|output| output.action == Action::NoOp)
            && (self.mode != Mode::RefreshOnly || self.drift.is_empty())
    }
}

/// How many objects a plan touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Created, halves of replacements included.
    pub added: usize,
    /// Updated in place.
    pub changed: usize,
    /// Destroyed, halves of replacements included.
    pub destroyed: usize,
    /// Dropped from the state.
    pub forgotten: usize,
    /// Brought into the state.
    pub imported: usize,
}
