//! The Terraform provider protocol: hosts provider binaries, and serves native providers to Terraform.
//!
//! In: a provider's binary, or one of our own providers. Out: for the engine a [`sdk::Factory`] whose providers
//! cannot be told from native ones; for Terraform a go-plugin server.
//!
//! Read in this order:
//!
//! 1. `wire`, `rpc`: the messages and the calls, versions 5 and 6.
//! 2. `convert`, `schema`: from messages to values and schemas, and back.
//! 3. [`handshake`], `tls`, `connection`: how both sides find and trust each other.
//! 4. [`binary`], `process`, [`launch`], [`log`]: a provider's process from start to end.
//! 5. [`host`], [`cache`], [`record`]: binaries as providers of the engine; [`known`]: those without a binary.
//! 6. [`serve`], [`reattach`], [`package`]: providers of ours for Terraform.
//!
//! # Invariants
//!
//! * Nothing that a provider sends makes the engine panic: every length, type, path and text is checked.
//! * No process outlives the run, whatever it forks and however the run ends.
//! * Values are sent without marks.

mod wire;

mod rpc;

mod convert;
mod schema;

pub mod handshake;

mod connection;
mod tls;

pub mod binary;
pub mod launch;
pub mod log;
mod process;

pub mod cache;
pub mod host;
mod kept;
pub mod known;
pub mod record;

pub mod check;
pub mod package;
pub mod reattach;
pub mod serve;

pub use cache::SchemaCache;
pub use handshake::Endpoint;
pub use host::{Check, HostOptions, Hosted, Source};
pub use log::{Level, LogSink};
pub use process::StartOptions;
pub use record::Recorder;
pub use rpc::Version;
