//! Names for everything that a plan can speak of.
//!
//! Owns the addresses of modules, resources, instances and providers, and paths to attributes; how
//! they are written, read back and ordered. Knows no value and no block.
//!
//! Read in this order: [`key`], [`module`], [`resource`], [`provider`], [`path`], [`target`]; the
//! reader of all their text forms is [`parse`](mod@parse).
//!
//! # Invariants
//!
//! * `Display` and `FromStr` are inverse to each other for every address.
//! * `Ord` is the order in which people are shown addresses: by module path, then managed before
//!   data, type, name and key, numbers before strings and by size.
//! * Cloning copies a few pointers, never text.
//!
//! # Why components are a kind of module
//!
//! A component expands into a module, and its resources need addresses that do not change when the
//! expansion is ejected into plain files. So `cluster.train` is a step of a module path like
//! `module.net`, and differs from it in spelling alone.

pub mod error;
pub mod key;
pub mod module;
pub mod parse;
pub mod path;
pub mod provider;
pub mod resource;
pub mod target;

pub use error::AddressError;
pub use key::InstanceKey;
pub use module::{ModuleInstance, ModuleKind, ModulePath, ModulePathStep, ModuleStep};
pub use path::{AttributePath, PathStep};
pub use provider::{ProviderAddress, ProviderConfig};
pub use resource::{AbsResource, ConfigResource, Resource, ResourceInstance, ResourceMode};
pub use target::Target;
