//! What a provider is to the engine, and what it takes to write one.
//!
//! In: objects as [`value::Value`]s, without marks. Out: answers with [`Problem`]s that name attributes by
//! path; nothing here knows of source lines. **The planner sees a [`Reader`], on which nothing that changes
//! the world exists; only apply holds a [`Provider`].**
//!
//! Read in this order:
//!
//! 1. [`schema`], [`schemas`]: what a resource type looks like, and many of them.
//! 2. [`problem`]: what can go wrong in an answer, and in getting one.
//! 3. [`provider`]: the two traits, near the life cycle of the Terraform provider protocol.
//! 4. [`registry`]: which providers there are.
//! 5. [`mock`]: objects that tests make up.
//! 6. [`native`]: how to write one in Rust with little more than create, read, update and delete.
//! 7. [`typed`]: objects as Rust structs.
//! 8. [`guard`]: what keeps a provider's faults to itself.
//! 9. [`conformance`] and [`faulty`]: the promises, as a test that each resource runs, and a provider that breaks
//!    them for tests of the engine.

pub mod schema;

pub mod schemas;

pub mod problem;

pub mod provider;

pub mod registry;

pub mod mock;

pub mod native;

pub mod typed;

pub mod guard;

pub mod pace;

pub mod conformance;

pub mod faulty;

/// What implementors of the traits put before their `impl`.
pub use async_trait::async_trait;
pub use native::{
    Call, Created, DataSource, EphemeralResource, Function, NativeProvider, Object, Resource,
};
pub use problem::{Problem, Problems, ProviderError, Retry, Severity};
pub use provider::{
    Answer, ApplyAnswer, ApplyRequest, ConfigureRequest, Context, DataAnswer, DataRequest,
    Deferral, ImportKey, Imported, Listed, MoveRequest, Moved, Offer, Opened, PlanAnswer,
    PlanRequest, Private, ProgressSink, Provider, ReadAnswer, ReadRequest, Reader, Renewed,
    TokenAnswer, UpgradeRequest,
};
pub use registry::{Factory, Registry};
pub use schema::{
    Accepts, Attribute, AttributeKind, Block, Capabilities, FunctionSchema, IdentityAttribute,
    IdentitySchema, Modifiers, NestedBlock, Nesting, ProviderSchema, Schema,
};
pub use schemas::Schemas;
