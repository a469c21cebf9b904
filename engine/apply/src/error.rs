//! What can go wrong while a plan is carried out.

use miette::Diagnostic;
use state::StateError;
use syntax::ErrorDoc;
use syntax::error_doc as doc;
use thiserror::Error;

/// A fault that ends the whole run. What goes wrong with one instance is an event.
#[derive(Debug, Error, Diagnostic)]
pub enum ApplyError {
    /// The state cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    State(#[from] StateError),
    /// The state has changed since the plan was made.
    #[error(
        "the plan is stale: it was made for serial {planned}, but the state is at serial {found}"
    )]
    #[diagnostic(
        code(stratiform::apply::stale_plan),
        help("make a new plan; another run has changed the state since")
    )]
    StalePlan {
        /// Serial of the plan.
        planned: u64,
        /// Serial of the state.
        found: u64,
    },
    /// The plan is for another state.
    #[error(
        "the plan is for another state: its lineage is `{planned}`, but the state's is `{found}`"
    )]
    #[diagnostic(
        code(stratiform::apply::other_state),
        help("apply the plan in the folder and workspace that it was made in")
    )]
    OtherState {
        /// Lineage of the plan.
        planned: String,
        /// Lineage of the state.
        found: String,
    },
}

/// The codes of this crate, for the reference.
pub const ERROR_DOCS: &[ErrorDoc] = &[
    doc(
        "stratiform::apply::stale_plan",
        "Stale plan",
        "The state has changed since the plan was made.",
    ),
    doc("stratiform::apply::other_state", "Other state", "The plan was made for another state."),
    doc(
        "stratiform::apply::provisioner_failed",
        "Provisioner failed",
        "A command around a resource's creation or destruction did not end well. A new object counts as half-made then.",
    ),
    doc("stratiform::apply::failed", "Failed", "A provider could not make a change."),
];
