//! Carries out a plan: its steps, in their order, as parallel as the providers allow.
//!
//! In: a [`plan::Plan`], a state store, providers. Out: [`Event`]s while it goes, a [`Summary`] at the end. **Apply
//! decides nothing**: what is done and what waits for what stands in the plan's steps.
//!
//! Read in this order:
//!
//! 1. [`schedule`]: which step may run now; a pure state machine.
//! 2. [`run()`]: the one loop; it owns the schedule, the journal and the values.
//! 3. `step`: one step's calls to its provider, and what they leave behind.
//! 4. `providers`: configured providers, made when they are first needed.
//! 5. [`event`]: what is told while it goes.
//! 6. [`recover()`]: what an earlier run has left open.
//!
//! # Invariants
//!
//! * Before a call that changes the world, the journal holds the intent, durably.
//! * Outcomes are written together with the intents that follow them: parallel work shares a flush.
//! * A failed step stops only the steps that need it.

pub mod schedule;

mod run;

mod provisioner;
mod step;

mod providers;

pub mod event;

mod recover;

mod error;

pub use error::{ApplyError, ERROR_DOCS};
pub use event::{Event, Summary};
pub use recover::{Found, Settled, recover};
pub use run::{Given, LastLook, Options, Request, run};
