//! `provider`: serves a native provider to Terraform, packages it, checks any provider, begins a new one.

use std::path::Path;
use std::sync::Arc;

use address::ProviderAddress;
use protocol::serve::{self, ServeOptions};

use super::fail_message;
use crate::args::ProviderCommand;
use crate::exit::Exit;
use crate::session::Session;
use crate::store::env;
use crate::terminal;

/// The beginning of a file's name by which Terraform finds a provider.
const PREFIX: &str = "terraform-provider-";

/// The providers that are linked in, by the names under which they are served.
const NATIVE: [&str; 3] = ["core", "local", "sim"];

/// Called under the name of a provider, the binary is that provider: gives the command line that says so.
pub(crate) fn by_own_name(raw: Vec<std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    let name = raw.first().map(|own| Path::new(own).file_name().unwrap_or_default());
    let name = name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some(rest) = name.strip_prefix(PREFIX) else { return raw };
    let name = rest.split("_v").next().unwrap_or(rest).trim_end_matches(".exe");
    let line = ["stratiform", "provider", "serve", name].map(std::ffi::OsString::from);
    line.into_iter().chain(raw.into_iter().skip(1)).collect()
}

pub(crate) async fn provider(session: &Session, command: &ProviderCommand) -> Exit {
    let style = terminal::style(false);
    let done = match command {
        ProviderCommand::Serve { name, reattach, tcp } => {
            serve(session, name, *reattach, *tcp).await
        }
        ProviderCommand::Package { name, out, version } => package(session, name, out, version),
        ProviderCommand::Check { binary } => return check(session, binary).await,
        ProviderCommand::Record { binary } => record(session, binary).await,
    };
    match done {
        Ok(()) => Exit::Success,
        Err(message) => fail_message(&message, style),
    }
}

fn native(session: &Session, name: &str) -> Result<Arc<dyn sdk::Factory>, String> {
    let address =
        ProviderAddress { namespace: "stratiform".into(), ..ProviderAddress::implied(name) };
    let known = NATIVE.contains(&name).then(|| session.native(&address)).flatten();
    known.ok_or_else(|| {
        format!("no provider `{name}` is linked in; there are: {}", NATIVE.join(", "))
    })
}

async fn serve(session: &Session, name: &str, reattach: bool, tcp: bool) -> Result<(), String> {
    let options = ServeOptions { tcp, reattach, ..ServeOptions::read(&env) };
    serve::serve(native(session, name)?, session.context.clone(), options).await
}

fn package(session: &Session, name: &str, out: &str, version: &str) -> Result<(), String> {
    let address = native(session, name)?.address();
    let executable = &session.context.executable;
    let (target, hash) = protocol::package::lay_out(executable, Path::new(out), &address, version)
        .map_err(|error| format!("the package cannot be written to `{out}`: {error}"))?;
    terminal::line(&format!("{}", target.display()));
    terminal::line(&format!("{address} {version} {} {hash}", protocol::package::platform()));
    Ok(())
}

async fn check(session: &Session, binary: &str) -> Exit {
    let found = session.host_binary(Path::new(binary));
    let report = protocol::check::run(&found).await;
    found.shut_down().await;
    for line in report.lines() {
        terminal::line(&line);
    }
    if report.passed() { Exit::Success } else { Exit::Failure }
}

async fn record(session: &Session, binary: &str) -> Result<(), String> {
    let path = env("STRATIFORM_RECORD_PROVIDERS")
        .ok_or("`STRATIFORM_RECORD_PROVIDERS` must name the file that calls are written to")?;
    let recorder = protocol::Recorder::open(Path::new(&path))
        .map_err(|error| format!("`{path}` cannot be written: {error}"))?;
    let options = ServeOptions::read(&env);
    let start = session.start_options("recorded");
    serve::forward(Path::new(binary), start, recorder, options).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binarys_own_name_says_which_provider_it_is() {
        let line = |name: &str| -> Vec<String> {
            let raw = vec![name.into(), "-reattach".into()];
            by_own_name(raw).iter().map(|arg| arg.to_string_lossy().into_owned()).collect()
        };
        let served = ["stratiform", "provider", "serve", "local", "-reattach"];
        assert_eq!(line("/x/terraform-provider-local"), served);
        assert_eq!(line("terraform-provider-local_v0.1.0"), served);
        assert_eq!(line("/x/stratiform"), ["/x/stratiform", "-reattach"]);
    }
}
