//! The `stratiform` binary: wires the stages together. **It alone prints, exits and reads the environment.**
//!
//! Read in this order: `args` (what a command line says), `commands` (one file per command), `session` (the
//! stages from files to a plan, as every command needs them), `hosted` (provider binaries), `judge` (checks and prices
//! of a plan), `world` (files, clock, random source), `store` (where the state is), `fetching` (what `init` shares with
//! all that need installed things), `terminal` and `ui` (printing), `exit` (the codes).

mod args;
mod commands;
mod digest;
mod exit;
mod fetching;
mod hosted;
mod judge;
mod last_look;
mod offers;
mod place;
mod session;
mod shared;
mod store;
mod terminal;
mod ui;
mod world;

use std::process::ExitCode;

/// Deep expressions are evaluated by recursion; the limit on nesting fits this stack with room to spare.
pub(crate) const STACK_BYTES: usize = 256 * 1024 * 1024;

fn main() -> ExitCode {
    let raw: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if raw.get(1).is_some_and(|first| first == "__local-helper") {
        let code = provider_local::helper_main(&raw[1..]);
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    if raw.get(1).is_some_and(|first| first == protocol::launch::WORD) {
        let code = protocol::launch::main(&raw[2..]);
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    let raw = commands::by_own_name(raw);
    // On the first thread: the memory of others is had in small pieces, which costs a tenth of a plan.
    let run = std::panic::AssertUnwindSafe(|| stacker::grow(STACK_BYTES, || commands::run(raw)));
    let ran = std::panic::catch_unwind(run);
    // The panic's own message has been printed; what was begun is in the journal.
    ran.unwrap_or(exit::Exit::Failure).into()
}
