//! Checks of planned resources against what the catalog knows, and what they cost.
//!
//! In: [`Subject`]s, the planned objects with their values as far as they are known; a [`catalog::Catalog`]. Out: a
//! [`Verdict`]: what is wrong, what could not be decided yet, how much was looked at. It changes nothing, and a plan
//! without resources that a rule is for is never looked at. **This crate alone knows resource types by name**; plan
//! and apply do not.
//!
//! Read in this order:
//!
//! 1. [`subject`]: what is looked at, and how a value that is not known yet is told from one that is not set;
//!    [`link`]: what a block refers to, through locals, variables and outputs; [`written`]: what it sets.
//! 2. [`model`]: arithmetic of training and serving; `workload` reads what it needs from components.
//! 3. [`rule`]: one file for each rule, and the list of them.
//! 4. [`exception`]: rules that people have set aside, with reason and last day; [`own`]: rules of their own.
//! 5. [`judge`](fn@judge): runs the rules.
//! 6. [`cost`]: what resources and components cost, [`prospect`](mod@prospect): what runs come to. [`budget`]: what they may cost.
//! 7. [`page`]: the documentation, made from the rules.

pub mod link;
pub mod subject;
pub mod written;

pub mod model;
mod when;
mod workload;

pub mod rule;
mod served;

pub mod exception;
mod judge;
pub mod own;

pub mod budget;
pub mod cost;
pub mod prospect;
pub mod rate;
pub mod rego;

pub mod page;

mod error;

#[cfg(test)]
mod testing;

pub use error::ERROR_DOCS;
pub use exception::Exception;
pub use judge::{Circumstances, Verdict, Waits, concerns, is_beside, is_seen, judge};
pub use link::Link;
pub use rule::{Finding, Grade, RULES, Rule};
pub use subject::{Everything, Field, Subject};
