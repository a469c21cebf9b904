//! The helper entry alone, so that this crate's tests can start helpers without the CLI.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let code = stratiform_provider_local::helper_main(&args);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
