//! What backends sell and what is known about it: chips, instance types, regions, prices, limits, ends of life.
//!
//! In: tables of text, those that the binary carries and a user's own. Out: [`Catalog`]. It knows no component, no
//! resource and no provider, and it asks nobody: a price that no table gives is unknown, never zero.
//!
//! Read in this order:
//!
//! 1. [`table`](mod@table): the written form, which `modules/catalog/README.md` describes.
//! 2. [`fact`]: chips, machine types, regions and the others, a struct each, made from one row.
//! 3. [`catalog`](mod@catalog): all of them together, overlays, look-up.
//! 4. [`offer`]: machine types joined with where they are offered and what they cost there.
//!
//! # Invariants
//!
//! * Every fact names its source, and every source has a licence and a date.
//! * A price is no proof that something is offered: an offer needs a row that says where the type is sold.
//! * Memory is in MiB, money in millionths of a US dollar per hour, both whole numbers.

pub mod table;

pub mod fact;

pub mod catalog;
pub mod offer;

mod error;
mod money;

pub use catalog::{Catalog, sanity};
pub use error::{CatalogError, ERROR_DOCS};
pub use fact::{
    Chip, Ending, Limit, MachineType, MigProfile, Place, Price, Purchase, Rate, Region, Source,
    Tpu, Unit,
};
pub use money::{HOURS_PER_MONTH, UsdPerHour};
pub use offer::{Filter, Offer};

/// Facts that are older than this are warned of.
pub const MAX_AGE_DAYS: u32 = 90;
