//! One file per command, and the choice between them.

mod apply;
pub(crate) mod catalog;
mod console;
mod cost;
mod drift;
mod eject;
mod explain;
mod fmt;
mod generate;
mod get;
mod graph;
mod history;
mod import;
mod init;
mod metadata;
mod output;
mod plan;
pub(crate) mod planfile;
mod provider;
mod providers;
mod recover;
mod report;
mod show;
mod state;
mod takeover;
mod test;
mod undo;
mod validate;
mod workspace;

use ::report::Style;
use syntax::{Diagnostics, SourceMap};

use crate::args::{self, Command, Common};
use crate::exit::Exit;
use crate::session::{Session, problem};
use crate::{shared, store, terminal};

pub(crate) use provider::by_own_name;

/// Runs a command line.
pub(crate) fn run(raw: Vec<std::ffi::OsString>) -> Exit {
    let args = match args::normalise(raw, store::env) {
        Ok(args) => args,
        Err(name) => {
            terminal::error_line(&format!(
                "{name} cannot be split into words: a quote is not closed, or a backslash stands at the end"
            ));
            return Exit::Failure;
        }
    };
    let cli = match args::parse(args) {
        Ok(cli) => cli,
        Err(error) => {
            let failed = error.use_stderr();
            // The message is complete; where it cannot be printed there is nobody to read it.
            let _ = error.print();
            return if failed { Exit::Failure } else { Exit::Success };
        }
    };
    if let Some(dir) = &cli.chdir
        && let Err(error) = std::env::set_current_dir(dir)
    {
        terminal::error_line(&format!("`-chdir={dir}`: {error}"));
        return Exit::Failure;
    }
    if let Command::Version(args) = &cli.command {
        return version(args);
    }
    if let Command::Completion(args) = &cli.command {
        terminal::print(&args::completion(args.shell));
        return Exit::Success;
    }
    if let Command::Fmt(args) = &cli.command {
        return fmt::fmt(args);
    }
    let workspace = store::workspace();
    if !store::is_workspace_name(&workspace) && !matches!(cli.command, Command::Get(_)) {
        let from = if store::env("TF_WORKSPACE").is_some() {
            "TF_WORKSPACE"
        } else {
            "`.terraform/environment`"
        };
        let message = format!("{from} says `{workspace}`, which {}", store::NO_WORKSPACE_NAME);
        return fail_message(&message, terminal::style(false));
    }
    // One thread beside this one: what drives the connections to providers goes on while an expression is evaluated.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    // Its threads hand values to providers, and those are as deep as here.
    runtime.worker_threads(1).thread_stack_size(crate::STACK_BYTES).enable_all();
    let runtime = match runtime.build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::error_line(&format!("no runtime can be started: {error}"));
            return Exit::Failure;
        }
    };
    runtime.block_on(dispatch(cli.command))
}

async fn dispatch(command: Command) -> Exit {
    let mut session = Session::new();
    if let Command::Plan(args) = &command
        && args.offline
    {
        session.go_offline();
    }
    let exit = run_command(&session, command).await;
    session.shut_down().await;
    match shared::publish(&Common::default(), &*session.world) {
        Ok(()) => exit,
        Err(error) => fail_with(error, terminal::style(false)),
    }
}

async fn run_command(session: &Session, command: Command) -> Exit {
    match command {
        // Answered before there is a session.
        Command::Version(_) | Command::Completion(_) => Exit::Success,
        Command::Fmt(args) => fmt::fmt(&args),
        Command::Init(args) => init::init(session, &args).await,
        Command::Get(args) => get::get(session, &args),
        Command::Validate(args) => validate::validate(session, &args).await,
        Command::Console(args) => console::console(session, &args).await,
        Command::Test(args) => test::test(session, &args).await,
        Command::Metadata { command } => metadata::metadata(&command),
        Command::Plan(args) => plan::plan(session, &args).await,
        Command::Apply(args) => apply::apply(session, &args, "apply").await,
        Command::Destroy(mut args) => {
            args.plan.destroy = true;
            apply::apply(session, &args, "destroy").await
        }
        Command::Refresh(mut args) => {
            args.plan.refresh_only = true;
            args.auto_approve = true;
            apply::apply(session, &args, "refresh").await
        }
        Command::Show(args) => show::show(session, &args).await,
        Command::Explain(args) => explain::explain(session, &args).await,
        Command::Eject(args) => eject::eject(session, &args).await,
        Command::Report(args) => report::report(&args),
        Command::Output(args) => output::output(session, &args),
        Command::State { command } => state::state(session, &command).await,
        Command::Import(args) => import::import(session, &args).await,
        Command::Taint(args) => state::edit::taint(session, &args),
        Command::Untaint(args) => state::edit::untaint(session, &args),
        Command::Workspace { command } => workspace::workspace(session, &command),
        Command::Drift(args) => drift::drift(session, &args).await,
        Command::Undo(args) => undo::undo(session, &args).await,
        Command::Recover(args) => recover::recover(session, &args).await,
        Command::History(args) => history::run(session, &args),
        Command::ForceUnlock(args) => history::force_unlock(session, &args),
        Command::Graph(args) => graph::graph(session, &args).await,
        Command::Cost(args) => cost::cost(session, &args).await,
        Command::Catalog { command } => catalog::catalog(session, &command),
        Command::Provider { command } => provider::provider(session, &command).await,
        Command::Providers(args) => providers::providers(session, &args).await,
    }
}

/// The version, and that of the language.
fn version(args: &args::Version) -> Exit {
    let own = env!("CARGO_PKG_VERSION");
    if args.json {
        let platform = format!("{}_{}", platform_os(), platform_arch());
        let version = serde_json::json!({
            "terraform_version": config::LANGUAGE_VERSION,
            "platform": platform,
            "provider_selections": {},
            "terraform_outdated": false,
            "stratiform_version": own,
        });
        terminal::line(&format!("{version:#}"));
    } else {
        let language = config::LANGUAGE_VERSION;
        terminal::line(&format!("Stratiform v{own}\nfor the language of Terraform v{language}"));
    }
    Exit::Success
}

fn platform_os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

fn platform_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}

/// Prints faults; the exit code that they ask for.
fn fail(found: &Diagnostics, sources: &SourceMap, style: Style) -> Exit {
    terminal::diagnostics(found, sources, style);
    Exit::Failure
}

/// Prints one fault that has no place in the source.
fn fail_with(error: impl miette::Diagnostic + Send + Sync + 'static, style: Style) -> Exit {
    fail(&error.into(), &SourceMap::new(), style)
}

/// Prints a message as an error.
fn fail_message(message: &str, style: Style) -> Exit {
    fail_with(problem(message), style)
}
