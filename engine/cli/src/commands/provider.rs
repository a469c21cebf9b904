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
        ProviderCommand::New { name, out, sdk } => begin(name, out.as_deref(), sdk.as_deref()),
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

/// The files of a new provider, each with what is in it before its name is put in.
const TEMPLATE: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("../../template/provider/Cargo.toml.txt")),
    ("src/main.rs", include_str!("../../template/provider/main.rs")),
    ("README.md", include_str!("../../template/provider/README.md.txt")),
    ("example/main.tf", include_str!("../../template/provider/example.tf")),
];

/// Begins a provider of one's own.
fn begin(name: &str, out: Option<&str>, sdk: Option<&str>) -> Result<(), String> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(letters) {
        return Err(format!(
            "`{name}` is no name of a provider: write small letters and digits, since the types of its resources \
             begin with it, as in `mycloud_file`"
        ));
    }
    let sources =
        sdk.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), Into::into);
    let sources =
        std::fs::canonicalize(&sources).ok().filter(|one| one.join("providers/sdk").is_dir());
    let sources = sources.ok_or_else(|| {
        let what = sdk.map_or_else(String::new, |sdk| format!("; `{sdk}` does not hold them"));
        format!(
            "the provider builds on Stratiform's sources{what}: say where they are with `-sdk=DIR`"
        )
    })?;
    let folder = out.map_or_else(|| format!("{PREFIX}{name}"), str::to_owned);
    let folder = Path::new(&folder);
    let shown = folder.display();
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!("`{shown}` is not empty: name another folder with `-out=DIR`"));
    }
    for (file, text) in TEMPLATE {
        let path = folder.join(file);
        let text = text.replace("note", name).replace("SDK", &sources.display().to_string());
        path.parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| format!("`{}` cannot be written: {error}", path.display()))?;
    }
    terminal::line(&format!("A provider `{name}` was begun in {shown}. Build it with:"));
    terminal::line(&format!(
        "  cargo build --manifest-path {}",
        folder.join("Cargo.toml").display()
    ));
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
