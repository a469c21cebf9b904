//! `providers`, `providers lock`, `providers mirror` and `providers schema`.

use std::collections::BTreeSet;
use std::path::Path;

use address::ProviderAddress;
use install::platform::Platform;
use install::provider::{self, Requirements};
use install::settings::{Method, Place};
use install::{Fetcher, Lock};
use state::StateSnapshot;

use super::{fail, fail_message, graph};
use crate::args::{Common, ProvidersArgs, ProvidersCommand, ProvidersLock, ProvidersMirror};
use crate::exit::Exit;
use crate::fetching::{self, Teller};
use crate::session::{Session, Wanted};
use crate::terminal;
use crate::ui::Ui;

/// Chooses among the subcommands.
pub(crate) async fn providers(session: &Session, args: &ProvidersArgs) -> Exit {
    match &args.command {
        None => graph::providers(session, args).await,
        Some(ProvidersCommand::Lock(args)) => lock(session, args).await,
        Some(ProvidersCommand::Mirror(args)) => mirror(session, args).await,
        Some(ProvidersCommand::Schema(args)) => schema(session, args).await,
    }
}

/// What the configuration needs; the exit code where that cannot be said.
async fn needed(session: &Session, ui: &Ui) -> Result<Requirements, Exit> {
    let (stack, _) = session.stack_without_providers(&StateSnapshot::default()).await;
    let (requirements, _, found) = fetching::requirements(session, &stack.configuration);
    if found.has_errors() {
        Err(ui.fail(&found, &stack.configuration.sources))
    } else {
        Ok(requirements)
    }
}

fn platforms(texts: &[String], ui: &Ui) -> Result<Vec<Platform>, Exit> {
    if texts.is_empty() {
        return Ok(vec![Platform::current()]);
    }
    let parsed = texts.iter().map(|text| {
        text.parse().map_err(|()| {
            ui.fail_message(&format!(
                "`-platform={text}` is not of the form OS_ARCH, such as linux_amd64"
            ))
        })
    });
    parsed.collect()
}

async fn lock(session: &Session, args: &ProvidersLock) -> Exit {
    let ui = Ui::new(&args.common, session.clock());
    match lock_inner(session, args, &ui).await {
        Ok(()) => Exit::Success,
        Err(exit) => exit,
    }
}

async fn lock_inner(session: &Session, args: &ProvidersLock, ui: &Ui) -> Result<(), Exit> {
    let mut requirements = needed(session, ui).await?;
    let mut only: Vec<ProviderAddress> = Vec::new();
    for text in &args.providers {
        match text.parse() {
            Ok(provider) => only.push(provider),
            Err(_) => return Err(ui.fail_message(&format!("`{text}` is not a provider address"))),
        }
    }
    if let Some(unknown) = only.iter().find(|one| !requirements.providers.contains_key(one)) {
        return Err(
            ui.fail_message(&format!("provider `{unknown}` is not used in the configuration"))
        );
    }
    if !only.is_empty() {
        requirements.providers.retain(|provider, _| only.contains(provider));
    }
    let mut fetcher = fetching::fetcher(session, ui).map_err(|error| ui.fail_with(error))?;
    // Hashes come from where providers are published, whatever this machine uses otherwise.
    let place = match (&args.fs_mirror, &args.net_mirror) {
        (Some(_), Some(_)) => {
            return Err(ui.fail_message("`-fs-mirror` and `-net-mirror` exclude each other"));
        }
        (Some(dir), None) => Place::Folder(session.context.working_dir.join(dir)),
        (None, Some(url)) => Place::Mirror(format!("{}/", url.trim_end_matches('/'))),
        (None, None) => Place::Registry,
    };
    fetcher.settings.methods = vec![Method::all(place)];
    let platforms = platforms(&args.platform, ui)?;
    let old = fetching::lock().map_err(|error| ui.fail_with(error))?;
    let teller = Teller::new(ui);
    let data_dir = fetching::data_dir();
    let scratch = provider::providers_dir(&data_dir);
    let listener = |event| teller.tell(event);
    let new =
        provider::lock_platforms(&fetcher, &requirements, &old, &platforms, &scratch, &listener)
            .map_err(|errors| fetching::fail(ui, errors, &syntax::SourceMap::new()))?;
    if new == old {
        ui.note("The lock file knows all hashes already.");
        return Ok(());
    }
    new.write(Path::new(install::lock::FILE_NAME)).map_err(|error| ui.fail_with(error))?;
    ui.note("The lock file .terraform.lock.hcl has been updated. Review and commit it.");
    Ok(())
}

async fn mirror(session: &Session, args: &ProvidersMirror) -> Exit {
    let ui = Ui::new(&args.common, session.clock());
    match mirror_inner(session, args, &ui).await {
        Ok(()) => Exit::Success,
        Err(exit) => exit,
    }
}

async fn mirror_inner(session: &Session, args: &ProvidersMirror, ui: &Ui) -> Result<(), Exit> {
    let requirements = needed(session, ui).await?;
    let fetcher: Fetcher = fetching::fetcher(session, ui).map_err(|error| ui.fail_with(error))?;
    let platforms = platforms(&args.platform, ui)?;
    let lock = match args.lock_file {
        Some(false) => Lock::default(),
        _ => fetching::lock().map_err(|error| ui.fail_with(error))?,
    };
    let teller = Teller::new(ui);
    let dir = session.context.working_dir.join(&args.dir);
    let listener = |event| teller.tell(event);
    provider::mirror(&fetcher, &requirements, &lock, &platforms, &dir, &listener)
        .map_err(|errors| fetching::fail(ui, errors, &syntax::SourceMap::new()))
}

/// Prints the schemas of the providers that the configuration uses.
pub(crate) async fn schema(session: &Session, args: &Common) -> Exit {
    let style = terminal::style(args.no_color);
    if !args.json {
        return fail_message("`providers schema` prints JSON alone: add `-json`", style);
    }
    let (stack, found) = session.stack(&Wanted::nothing(), &StateSnapshot::default()).await;
    let configuration = &stack.configuration;
    if found.has_errors() {
        return fail(&found, &configuration.sources, style);
    }
    let mut used = BTreeSet::new();
    for module in configuration.modules.values() {
        used.extend(module.resources.values().map(|block| block.provider.provider.clone()));
        used.extend(module.required_providers.values().map(|one| one.address.clone()));
        let blocks = module.provider_configs.values();
        used.extend(blocks.map(|block| config::local_address(module, &block.name.local)));
    }
    match plan::Readers::new(&session.registry).schemas(&used).await {
        Ok(schemas) => {
            let schemas = schemas.iter().map(|(address, schema)| (address, &**schema));
            terminal::line(&report::schema_json::providers(schemas).to_string());
            Exit::Success
        }
        Err((address, error)) => fail_message(&format!("provider `{address}`: {error}"), style),
    }
}
