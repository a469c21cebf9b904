//! Component types, placement and expansion: from portable blocks to ordinary module calls.
//!
//! In: a [`config::Configuration`] whose unknown top-level blocks may be components, the offers of the
//! backends, the values of root variables, the decisions of earlier runs. Out: [`Placed`], where each component
//! is a module call of its implementation, with the [`Decision`]s that led there. **No component type is
//! known here by name**: all come from `component_type` blocks, of the user or of the standard library.
//!
//! Read in this order:
//!
//! 1. [`types`]: what a component type declares, and where declarations are found.
//! 2. [`inputs`]: what a component sets, nested blocks included.
//! 3. [`known`]: what can be known of values before anything is planned.
//! 4. [`place`](mod@place): which implementation and offer each component gets. `ready` reads a component, `choose`
//!    and `candidate` judge what suits it, `joint` puts the choice of all to [`solve`](mod@solve).
//! 5. `expand`: the module call that a placed component becomes.
//! 6. [`eject`](mod@eject): the same as a text, for whoever goes on without components.
//! 7. [`decision`]: the record of a placement, and [`lock`], the file of it; [`stack`]: the settings of the whole.
//!
//! # Invariants
//!
//! * What was placed stays, as long as its implementation and offer exist and suit it.
//! * A check whose input is not known yet is listed as deferred, never skipped.
//! * Equal inputs give equal decisions: candidates are compared by score, then by the order in which backends,
//!   implementations and offers are given.

pub mod types;

pub mod inputs;

pub mod known;

mod candidate;
mod choose;
pub(crate) mod joint;
mod ladder;
pub mod place;
mod ready;
pub mod solve;

mod asked;
mod expand;
mod market;

pub mod eject;

pub mod decision;
pub mod lock;
pub mod stack;

mod error;

pub use asked::{Again, Asked};
pub use decision::{Decision, Rejected};
pub use error::{ComponentError, error_docs};
pub use market::catalog_offers;
pub use place::{Deferred, Offer, PlaceRequest, Placed, PlacedComponent, place};
pub use ready::unknown_blocks;
pub use types::{ComponentType, Implementation, Types, load_types};
