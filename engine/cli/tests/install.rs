//! `init`, `get`, `providers lock` and `providers mirror`, against servers on loopback.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::format_push_string,
    reason = "a test binary"
)]

mod common;
#[path = "install/modules.rs"]
mod modules;
#[path = "install/providers.rs"]
mod providers;
#[path = "install/registry.rs"]
mod registry;
#[path = "install/server.rs"]
mod server;
