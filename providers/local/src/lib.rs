//! This machine as an accelerator backend: what it has, and resources on it that outlive the CLI.
//!
//! In: calls of the provider trait. Out: folders under one machine-wide home, helper processes,
//! and what `read` finds of both.
//!
//! Read in this order:
//!
//! 1. [`home`]: where things live; one folder per object, named by an id that its creation's
//!    token gives, so that a retried creation finds the first one.
//! 2. [`process`]: what a process is (pid *and* start time), and how one is signalled.
//! 3. [`discovery`]: CPU, memory, disk and GPUs of this machine.
//! 4. [`ledger`]: who has been promised which part of them.
//! 5. [`run`] and [`supervisor`]: a command that runs in a folder of its own, and who watches it.
//! 6. [`gateway`]: who serves an endpoint.
//! 7. [`resource`] and [`provider`]: the same as provider resources.
//!
//! # Why helper processes and no daemon
//!
//! A daemon would have to be installed, upgraded and restarted, and its death would take every
//! job's watch with it. Instead each job and each endpoint has a small process of its own, which
//! is this very binary (`__local-helper …`) and keeps its record in the object's folder.

mod home;
mod process;

mod discovery;

mod ledger;

mod tree;

mod run;
mod supervisor;

mod gateway;

mod resource;

mod provider;

mod clock;
mod error;
mod files;
mod helper;

pub use error::LocalError;
pub use helper::helper_main;
pub use provider::LocalFactory;
