//! Modules from elsewhere: what their addresses mean, how they are fetched, and the manifest of what is there.

pub mod address;

pub mod manifest;

mod calls;

mod fetch;

mod git;

mod storage;

mod install;

pub use calls::Call;
pub use install::{Request, copy_into, has_calls, install};
pub use manifest::{Manifest, Record};
