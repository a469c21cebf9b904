//! Chooses where components go and makes module calls of them.
//!
//! In: a [`config::Configuration`] whose modules hold blocks of kinds that config does not know, the offers of
//! the backends, earlier decisions. Out: the configuration with every component as a call of its
//! implementation, and a [`Decision`] with its reasons for each. **This crate knows no component type by name**;
//! they are declared in HCL, in the standard library or by the user.
//!
//! Read in this order:
//!
//! 1. [`types`]: component types, from `component_type` blocks.
//! 2. [`settings`]: the `stack` block.
//! 3. [`decision`]: what was chosen, as it is shown and recorded.
//! 4. [`place()`]: the choice, and the expansion.
//! 5. `inputs`: what a component block says, as values and as expressions.

pub mod types;

pub mod settings;

pub mod decision;

mod inputs;
mod place;
mod scope;

mod error;

pub use decision::{Decision, Rejected};
pub use error::{ComponentError, ERROR_DOCS};
pub use place::{Offer, PlaceRequest, Placed, place};
pub use settings::Settings;
pub use types::{ComponentType, Implementation, Requirement, Types, load_types};
