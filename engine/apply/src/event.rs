//! What is told while a plan is carried out.

use address::ResourceInstance;
use plan::{Action, StepKind};
use syntax::Diagnostics;

/// Something has happened.
#[derive(Debug)]
pub enum Event {
    /// A step has begun.
    Started {
        /// The instance.
        address: ResourceInstance,
        /// The planned action.
        action: Action,
        /// Which half of it.
        kind: StepKind,
        /// The `id` of the object that there is, if it may be shown.
        id: Option<String>,
    },
    /// The provider says how far it is.
    Progress {
        /// The instance.
        address: ResourceInstance,
        /// One line.
        line: String,
    },
    /// A provisioner begins.
    ProvisionerStarted {
        /// The instance.
        address: ResourceInstance,
        /// Its kind.
        kind: std::sync::Arc<str>,
    },
    /// A provisioner has ended.
    ProvisionerEnded {
        /// The instance.
        address: ResourceInstance,
        /// Its kind.
        kind: std::sync::Arc<str>,
        /// Whether it has failed, tolerated or not.
        failed: bool,
    },
    /// A provisioner says something.
    Provisioner {
        /// The instance.
        address: ResourceInstance,
        /// Its kind.
        kind: std::sync::Arc<str>,
        /// One line.
        line: String,
    },
    /// A step has been done.
    Finished {
        /// The instance.
        address: ResourceInstance,
        /// The planned action.
        action: Action,
        /// Which half of it.
        kind: StepKind,
        /// The object's `id`, if it has one that may be shown.
        id: Option<String>,
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
    },
    /// A step has failed.
    Failed {
        /// The instance.
        address: ResourceInstance,
        /// The planned action.
        action: Action,
        /// Which half of it.
        kind: StepKind,
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
    },
    /// Something has happened to an ephemeral object.
    Ephemeral(plan::ephemeral::Told),
    /// The run was asked to stop: nothing new begins.
    Stopping,
}

/// How a run has ended.
#[derive(Debug, Default)]
pub struct Summary {
    /// Objects made.
    pub added: usize,
    /// Objects changed.
    pub changed: usize,
    /// Objects destroyed.
    pub destroyed: usize,
    /// Objects brought into the state.
    pub imported: usize,
    /// Objects dropped from the state.
    pub forgotten: usize,
    /// Instances whose step failed.
    pub failed: Vec<ResourceInstance>,
    /// Instances that were not reached because something before them failed, or because of a stop.
    pub not_reached: Vec<ResourceInstance>,
    /// True if the run was asked to stop.
    pub stopped: bool,
    /// Faults and warnings.
    pub diagnostics: Diagnostics,
    /// Root outputs by name, as they are now: value and whether it is shown.
    pub outputs: std::collections::BTreeMap<std::sync::Arc<str>, (value::Value, bool)>,
    /// The values of the configuration, as they are now.
    pub evaluation: Option<plan::evaluation::Evaluation>,
}

impl Summary {
    /// True if everything that was planned has been done.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.not_reached.is_empty() && !self.diagnostics.has_errors()
    }
}
