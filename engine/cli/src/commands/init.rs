//! `init`: brings modules and providers, and writes the lock file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::TestFile;
use install::event::Event;
use install::provider::Outcome;
use install::{Fetcher, InstallError, Lock, module, provider};
use serde_json::json;
use state::StateSnapshot;
use syntax::{Diagnostics, SourceMap};

use crate::args::InitArgs;
use crate::exit::Exit;
use crate::fetching::{self, Teller};
use crate::place;
use crate::session::Session;
use crate::ui::Ui;

/// Brings what the configuration needs.
pub(crate) async fn init(session: &Session, args: &InitArgs) -> Exit {
    let ui = Ui::new(&args.common, session.clock());
    let mut fetcher = match fetching::fetcher(session, &ui) {
        Ok(fetcher) => fetcher,
        Err(error) => return ui.fail_with(error),
    };
    if !args.plugin_dir.is_empty() {
        let folders: Vec<PathBuf> =
            args.plugin_dir.iter().map(|dir| session.context.working_dir.join(dir)).collect();
        fetcher.settings.only_folders(&folders);
    }
    let data_dir = fetching::data_dir();
    let now = fetching::timestamp(&*session.clock());
    let nothing = BTreeMap::new();
    let mut request = module::Request {
        root: Path::new("."),
        data_dir: &data_dir,
        upgrade: args.upgrade,
        tests: &nothing,
        now: &now,
    };
    let teller = Teller::new(&ui);
    let listener = |event| teller.tell(event);
    if let Some(source) = &args.from_module {
        phase(
            &ui,
            "copying_configuration_message",
            &format!("Copying configuration from \"{source}\"..."),
        );
        if let Err(error) = module::copy_into(&fetcher, &request, source, &listener) {
            return ui.fail_with(error);
        }
    }
    if !config::has_files(&*session.world, Path::new(".")) {
        phase(
            &ui,
            "output_init_empty_message",
            "Stratiform initialized in an empty directory!\n\n\
             The directory has no configuration files. Write some, and run `stratiform init` again.",
        );
        return Exit::Success;
    }
    if args.backend != Some(false) {
        phase(&ui, "initializing_backend_message", "Initializing the backend...");
        if let Err(message) = place::choose(&args.backend_config, args.reconfigure) {
            return ui.fail_message(&message);
        }
    }
    let mut sources = SourceMap::new();
    let directory = args.test_directory.as_deref();
    let (tests, faults) = fetching::tests(&*session.world, directory, &mut sources);
    if faults.has_errors() {
        return ui.fail(&faults, &sources);
    }
    let calls = fetching::test_calls(&tests);
    request.tests = &calls;
    if args.get != Some(false) {
        if module::has_calls(Path::new("."), &mut SourceMap::new()) || !calls.is_empty() {
            phase(&ui, "initializing_modules_message", "Initializing modules...");
        }
        if let Err(errors) = module::install(&fetcher, &request, &mut sources, &listener) {
            return fetching::fail(&ui, errors, &sources);
        }
    }
    let faults = fetching::check_test_providers(&*session.world, &tests);
    if faults.has_errors() {
        return ui.fail(&faults, &sources);
    }
    phase(&ui, "initializing_provider_plugin_message", "Initializing provider plugins...");
    if let Err(exit) = providers(session, args, &tests, &fetcher, &data_dir, &ui, &teller).await {
        return exit;
    }
    success(&ui);
    Exit::Success
}

/// Chooses and installs providers.
async fn providers(
    session: &Session,
    args: &InitArgs,
    tests: &[TestFile],
    fetcher: &Fetcher,
    data_dir: &Path,
    ui: &Ui,
    teller: &Teller<'_>,
) -> Result<(), Exit> {
    let (stack, found) = session.stack_without_providers(&StateSnapshot::default()).await;
    let sources = &stack.configuration.sources;
    let found = without_inputs(found);
    if found.has_errors() {
        // What cannot be loaded says nothing of providers. What does not make sense is for `validate` to tell.
        let (_, unloadable) = fetching::load_blocks(&*session.world);
        if without_inputs(unloadable).has_errors() {
            return Err(ui.fail(&found, sources));
        }
    }
    let (mut requirements, own, mut found) = fetching::requirements(session, &stack.configuration);
    let configuration = &stack.configuration;
    found.extend(config::built_in_versions(configuration));
    found.extend(fetching::add_requirements_of_tests(
        session,
        configuration,
        tests,
        &mut requirements,
    ));
    if found.has_errors() {
        return Err(ui.fail(&found, sources));
    }
    for provider in own {
        teller.tell(Event::BuiltIn(provider));
    }
    let old = fetching::lock().map_err(|error| ui.fail_with(error))?;
    let request = provider::Request {
        requirements: &requirements,
        lock: &old,
        upgrade: args.upgrade,
        data_dir,
    };
    let listener = |event| teller.tell(event);
    let Outcome { mut lock, incomplete } = if requirements.providers.is_empty() {
        Outcome { lock: Lock::default(), incomplete: Vec::new() }
    } else {
        provider::install(fetcher, &request, &listener)
            .map_err(|errors| fetching::fail(ui, errors, sources))?
    };
    // What a folder replaces for now keeps its entry.
    for (address, entry) in &old.providers {
        if fetcher.settings.dev_overrides.contains_key(address) {
            lock.providers.insert(address.clone(), entry.clone());
        }
    }
    write_lock(args, &old, &lock, ui)?;
    if !incomplete.is_empty() && args.lockfile.is_none() {
        let names: Vec<String> =
            incomplete.iter().map(address::ProviderAddress::short_name).collect();
        let platform = install::platform::Platform::current();
        ui.warn(&format!(
            "Warning: the lock file knows hashes of {} for {platform} alone; other platforms will refuse them. \
             Run `stratiform providers lock -platform=OS_ARCH` for each",
            names.join(", ")
        ));
    }
    Ok(())
}

fn write_lock(args: &InitArgs, old: &Lock, new: &Lock, ui: &Ui) -> Result<(), Exit> {
    if old == new {
        return Ok(());
    }
    if args.lockfile.is_some() {
        let versions = |lock: &Lock| -> Vec<_> {
            let all = lock.providers.iter();
            all.map(|(provider, entry)| (provider.clone(), entry.version.clone())).collect()
        };
        let (before, after) = (versions(old), versions(new));
        let changed: Vec<String> = after
            .iter()
            .filter(|one| !before.contains(one))
            .chain(before.iter().filter(|one| !after.contains(one)))
            .map(|(provider, _)| format!("`{}`", provider.short_name()))
            .collect();
        if changed.is_empty() {
            ui.warn("Warning: more is known now than the lock file says; `-lockfile=readonly` keeps it as it is");
            return Ok(());
        }
        let mut providers = changed;
        providers.dedup();
        return Err(ui.fail_with(InstallError::LockReadOnly { providers: providers.join(", ") }));
    }
    new.write(Path::new(install::lock::FILE_NAME)).map_err(|error| ui.fail_with(error))?;
    if old.providers.is_empty() {
        ui.note(
            "The lock file .terraform.lock.hcl was made to record these choices. Keep it in version control, so that\n\
             everybody gets the same providers.",
        );
    } else {
        ui.note("The lock file .terraform.lock.hcl was changed to record these choices. Review and commit it.");
    }
    Ok(())
}

/// Values for variables are the business of plan, and without them placement says nothing that counts.
fn without_inputs(found: Diagnostics) -> Diagnostics {
    let counts = |code: &str| {
        code != "stratiform::config::missing_variable"
            && (code == "stratiform::component::unknown_block"
                || !code.starts_with("stratiform::component::"))
    };
    found.into_iter().filter(|one| one.code().is_none_or(|code| counts(&code.to_string()))).fold(
        Diagnostics::new(),
        |mut all, one| {
            all.push_boxed(one);
            all
        },
    )
}

fn phase(ui: &Ui, code: &str, text: &str) {
    if ui.is_json() {
        let mut message = ui.messages().log("info", text);
        message["type"] = json!("init_output");
        message["message_code"] = json!(code);
        ui.say(&message);
    } else {
        ui.note(text);
    }
}

fn success(ui: &Ui) {
    let text = "Stratiform has been successfully initialized!";
    if ui.is_json() {
        phase(ui, "output_init_success_message", text);
    } else {
        ui.note(&ui.style.green(text));
    }
}
