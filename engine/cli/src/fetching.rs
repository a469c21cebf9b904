//! What `init`, `get` and `providers` share with every command that needs installed things: where they are, how they
//! are found, and how their coming is told.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use address::ProviderAddress;
use config::test_file::TestRequest;
use config::under_test::TestProviders;
use config::{Configuration, Found, LoadRequest, TestFile};
use install::constraint::Constraints;
use install::event::Trust;
use install::installed::Search;
use install::module::Manifest;
use install::provider::Requirements;
use install::{Environment, Event, Fetcher, InstallError, Lock, Settings};
use lang::World;
use syntax::{Diagnostics, SourceMap, Span};

use crate::session::{Session, without};
use crate::ui::Ui;
use crate::world::SavedFiles;
use crate::{store, terminal};

/// `.terraform`, or what `TF_DATA_DIR` says.
pub(crate) fn data_dir() -> PathBuf {
    store::env("TF_DATA_DIR").map_or_else(|| PathBuf::from(".terraform"), PathBuf::from)
}

/// What the lock file says.
pub(crate) fn lock() -> Result<Lock, InstallError> {
    Lock::read(Path::new(install::lock::FILE_NAME))
}

/// The command-line configuration, with warnings.
pub(crate) fn settings(world: &dyn World) -> Result<(Settings, Vec<String>), InstallError> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Settings::read(&Environment {
        home: world.home_dir(),
        working_dir: world.working_dir(),
        variables: variables.collect(),
    })
}

/// Where hashes of packages are remembered.
pub(crate) fn hash_cache(context: &sdk::Context) -> PathBuf {
    context.home_dir.join("hashes")
}

/// Loads the configuration of the working folder, with the modules that are installed.
pub(crate) fn load(world: &dyn World) -> (Configuration, Diagnostics) {
    let manifest = Manifest::read(&data_dir());
    let find = |key: &str, call: &config::ModuleCall| {
        if let Err(reason) = install::module::address::parse(&call.source) {
            return Found::Senseless(reason);
        }
        manifest
            .dir(key, &call.source, call.version.as_deref())
            .filter(|dir| dir.is_dir())
            .map_or(Found::Nowhere, |dir| Found::Dir(dir.to_path_buf()))
    };
    let request = LoadRequest { root: Path::new("."), world, sources: SourceMap::new() };
    config::load_with(request, &find)
}

/// Loads the same, and complains of what `init` and `get` tell: what blocks say, and not
/// what their names lead to.
pub(crate) fn load_blocks(world: &dyn World) -> (Configuration, Diagnostics) {
    let (mut configuration, found) = load(world);
    let found = without(found, "stratiform::lang::unknown_function");
    let mut found = without(found, "stratiform::config::unknown_provider_config");
    if configuration.modules.values().any(|module| !module.components.is_empty()) {
        let (types, errors) = component::load_types(&mut configuration, world);
        found.extend(errors);
        found.extend(component::unknown_blocks(&configuration, &types));
    }
    (configuration, found)
}

/// A module that a run of a test file is about.
pub(crate) struct UnderTest<'a> {
    /// Its folder.
    pub(crate) dir: &'a Path,
    /// The key that installed modules of its tree begin with; empty for the working folder's own.
    pub(crate) key: &'a str,
    /// Provider configurations that take the place of its own.
    pub(crate) providers: &'a TestProviders,
    /// Files that are known already.
    pub(crate) sources: SourceMap,
}

/// Loads a module as a test sees it, with the modules that are installed.
pub(crate) fn load_under_test(
    world: &dyn World,
    module: UnderTest<'_>,
) -> (Configuration, Diagnostics) {
    let manifest = Manifest::read(&data_dir());
    let find = |key: &str, call: &config::ModuleCall| {
        if let Err(reason) = install::module::address::parse(&call.source) {
            return Found::Senseless(reason);
        }
        let key =
            if module.key.is_empty() { key.to_owned() } else { format!("{}.{key}", module.key) };
        manifest
            .dir(&key, &call.source, call.version.as_deref())
            .filter(|dir| dir.is_dir())
            .map_or(Found::Nowhere, |dir| Found::Dir(dir.to_path_buf()))
    };
    let request = LoadRequest { root: module.dir, world, sources: module.sources };
    let (configuration, found) = config::load_under_test(request, &find, module.providers);
    (configuration, config::under_test::without_storage(found))
}

/// The test files of the working folder, and what is wrong with them.
pub(crate) fn tests(
    world: &dyn World,
    directory: Option<&str>,
    sources: &mut SourceMap,
) -> (Vec<TestFile>, Diagnostics) {
    let directory = directory.unwrap_or(config::test_file::TEST_DIRECTORY);
    let request = TestRequest { root: Path::new("."), directory, filter: &[], world };
    config::load_tests(&request, sources)
}

/// What is wrong with the modules that runs name, each told once. Their files are added to `sources`.
pub(crate) fn faults_of_test_modules(
    world: &dyn World,
    tests: &[TestFile],
    providers: &TestProviders,
    depth: Depth,
    sources: &mut SourceMap,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut seen = std::collections::BTreeSet::new();
    for (key, module) in run_modules(tests) {
        let Some(dir) = dir_for_test(&key, module) else { continue };
        if !seen.insert(dir.clone()) || world.read_dir(&dir).is_err() {
            continue;
        }
        let under = UnderTest { dir: &dir, key: &key, providers, sources: sources.clone() };
        let (configuration, errors) = load_under_test(world, under);
        *sources = SourceMap::clone(&configuration.sources);
        if depth == Depth::References && !errors.has_errors() {
            found.extend(config::validate(&configuration));
        }
        found.extend(errors);
    }
    found
}

/// Complains of provider configurations of test files that stand for different providers in different runs.
pub(crate) fn check_test_providers(world: &dyn World, tests: &[TestFile]) -> Diagnostics {
    let mut found = Diagnostics::new();
    // Many runs are about one module, and most about the folder itself.
    let known = RefCell::new(BTreeMap::new());
    for file in tests.iter().filter(|file| !file.providers.is_empty()) {
        let module = |run: &config::TestRun| {
            let (dir, key) = match &run.module {
                None => (PathBuf::from("."), String::new()),
                Some(module) => {
                    let key = file.module_key(run);
                    (dir_for_test(&key, module)?, key)
                }
            };
            let mut known = known.borrow_mut();
            let root = known.entry((dir, key)).or_insert_with_key(|(dir, key)| {
                Arc::clone(load_for_run(world, dir, key).0.root())
            });
            Some(Arc::clone(root))
        };
        found.extend(config::check_test_providers(file, &module));
    }
    found
}

/// The module of a run with the providers of its own.
fn load_for_run(world: &dyn World, dir: &Path, key: &str) -> (Configuration, Diagnostics) {
    let (providers, sources) = (TestProviders::new(), SourceMap::new());
    load_under_test(world, UnderTest { dir, key, providers: &providers, sources })
}

/// A test file with the modules that its runs name, as far as they are there.
pub(crate) fn tested(world: &dyn World, file: &TestFile) -> report::providers_text::Tested {
    let runs = file.runs.iter().filter_map(|run| {
        let key = file.module_key(run);
        let dir = dir_for_test(&key, run.module.as_ref()?)?;
        Some((run.name.text.to_string(), Arc::new(load_for_run(world, &dir, &key).0)))
    });
    report::providers_text::Tested { name: file.key(), runs: runs.collect() }
}

/// How closely modules are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What their blocks say.
    Blocks,
    /// And what names in them lead to.
    References,
}

/// The modules that runs name, with the keys under which they are installed.
fn run_modules(
    tests: &[TestFile],
) -> impl Iterator<Item = (String, &config::test_file::RunModule)> {
    let runs = tests.iter().flat_map(|file| file.runs.iter().map(move |run| (file, run)));
    runs.filter_map(|(file, run)| Some((file.module_key(run), run.module.as_ref()?)))
}

/// The folder of a module that a run names, if it is there.
fn dir_for_test(key: &str, module: &config::test_file::RunModule) -> Option<PathBuf> {
    module.local_dir(Path::new(".")).or_else(|| match installed_for_test(key, module) {
        Found::Dir(dir) => Some(dir),
        Found::Nowhere | Found::Senseless(_) => None,
    })
}

/// The modules of all runs, by the keys under which they are installed.
pub(crate) fn test_calls(tests: &[TestFile]) -> BTreeMap<String, install::module::Call> {
    let call = |module: &config::test_file::RunModule| install::module::Call {
        source: module.source.clone(),
        version: module.version.clone(),
        span: module.span,
    };
    run_modules(tests).map(|(key, module)| (key, call(module))).collect()
}

/// Adds what the modules of runs and the providers of test files ask for.
pub(crate) fn add_requirements_of_tests(
    session: &Session,
    root: &Configuration,
    tests: &[TestFile],
    all: &mut Requirements,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    for name in tests.iter().flat_map(|file| file.providers.keys()) {
        let provider = config::local_address(root.root(), &name.local);
        if session.native(&provider).is_none() && !all.providers.contains_key(&provider) {
            all.ask(&provider, "the test files", Constraints::default());
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for (key, module) in run_modules(tests) {
        let Some(dir) = dir_for_test(&key, module) else { continue };
        if !seen.insert(dir.clone()) {
            continue;
        }
        let (configuration, _) = load_for_run(&*session.world, &dir, &key);
        let (more, _, errors) = requirements(session, &configuration);
        found.extend(errors);
        for (provider, asked) in more.providers {
            all.providers.entry(provider).or_default().extend(asked);
        }
    }
    found
}

/// The folder of a module that a run names by something else than a path.
pub(crate) fn installed_for_test(key: &str, module: &config::test_file::RunModule) -> Found {
    if let Err(reason) = install::module::address::parse(&module.source) {
        return Found::Senseless(reason);
    }
    Manifest::read(&data_dir())
        .dir(key, &module.source, module.version.as_deref())
        .filter(|dir| dir.is_dir())
        .map_or(Found::Nowhere, |dir| Found::Dir(dir.to_path_buf()))
}

/// Loads the configuration of a plan file.
pub(crate) fn load_saved(saved: &SavedFiles) -> (Configuration, Diagnostics) {
    let find =
        |key: &str, _: &config::ModuleCall| saved.module(key).map_or(Found::Nowhere, Found::Dir);
    let request = LoadRequest { root: Path::new("."), world: saved, sources: SourceMap::new() };
    config::load_with(request, &find)
}

/// Providers that the configuration uses, that are not part of this program, and that cannot be started as they are.
pub(crate) fn missing(session: &Session, configuration: &Configuration) -> Diagnostics {
    let blocks = configuration.modules.values().flat_map(|module| module.resources.values());
    missing_of(session, blocks.map(|block| (&block.provider.provider, block.header)))
}

/// Those of these providers, with the places that ask for them, that cannot be started as they are.
pub(crate) fn missing_of<'a>(
    session: &Session,
    asked: impl Iterator<Item = (&'a ProviderAddress, Span)>,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut used = BTreeMap::new();
    for (provider, place) in asked.filter(|(provider, _)| !session.has_at_hand(provider)) {
        used.entry(provider).or_insert(place);
    }
    if used.is_empty() {
        return found;
    }
    let (settings, lock) = match (settings(&*session.world), lock()) {
        (Ok((settings, _)), Ok(lock)) => (settings, lock),
        (Err(error), _) | (_, Err(error)) => return error.into(),
    };
    let data_dir = data_dir();
    let cache = hash_cache(&session.context);
    let search =
        Search { data_dir: &data_dir, lock: &lock, settings: &settings, hash_cache: Some(&cache) };
    for (provider, place) in used {
        match install::installed(&search, provider) {
            Ok(_) => {}
            Err(InstallError::NotInstalled { .. }) if session.has_schemas_of(provider) => {}
            Err(InstallError::NotInstalled { provider, .. }) => {
                found.push(InstallError::NotInstalled { provider, span: Some(place) });
            }
            Err(error) => found.push(error),
        }
    }
    found
}

/// What the modules of a configuration ask for, without what is part of this program; and that.
pub(crate) fn requirements(
    session: &Session,
    configuration: &Configuration,
) -> (Requirements, Vec<address::ProviderAddress>, Diagnostics) {
    let mut all = Requirements::default();
    let mut found = Diagnostics::new();
    for module in configuration.modules.values() {
        let by = if module.path.is_root() {
            "the root module".to_owned()
        } else {
            format!("`{}`", module.path)
        };
        for (name, required) in &module.required_providers {
            let text = required.version.as_deref().unwrap_or_default();
            let constraints = text.parse::<Constraints>().unwrap_or_else(|_| {
                found.push(bad_constraint(text, name, required.span));
                Constraints::default()
            });
            all.ask(&required.address, &by, constraints);
        }
        let implied = module.resources.values().map(|block| &block.provider.provider).cloned();
        let configured = module
            .provider_configs
            .keys()
            .map(|name| config::provider::local_address(module, &name.local));
        for provider in implied.chain(configured) {
            if !all.providers.get(&provider).is_some_and(|asked| asked.iter().any(|a| a.by == by)) {
                all.ask(&provider, &by, Constraints::default());
            }
        }
    }
    let own: Vec<_> = all
        .providers
        .keys()
        .filter(|provider| session.native(provider).is_some())
        .cloned()
        .collect();
    all.providers.retain(|provider, _| !own.contains(provider));
    (all, own, found)
}

fn bad_constraint(text: &str, name: &str, span: Span) -> InstallError {
    InstallError::Constraint {
        text: text.to_owned(),
        what: format!("provider `{name}`"),
        span: Some(span),
    }
}

/// The time as requests are signed with it: `20260102T030405Z`.
pub(crate) fn timestamp(world: &dyn World) -> String {
    crate::world::rfc3339(store::now_ms(world)).replace(['-', ':'], "")
}

/// A client for the settings; warnings are printed.
pub(crate) fn fetcher(session: &Session, ui: &Ui) -> Result<Fetcher, InstallError> {
    let (settings, warnings) = settings(&*session.world)?;
    for warning in warnings {
        ui.warn(&format!("Warning: {warning}"));
    }
    Ok(Fetcher::new(settings))
}

/// Prints all faults of an installation.
pub(crate) fn fail(ui: &Ui, errors: Vec<InstallError>, sources: &SourceMap) -> crate::exit::Exit {
    let mut found = Diagnostics::new();
    for error in errors {
        found.push(error);
    }
    ui.fail(&found, sources)
}

/// Tells events as they come.
pub(crate) struct Teller<'a> {
    ui: &'a Ui,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    /// Quarters of a large file that have been told.
    quarters: BTreeMap<String, u64>,
    /// Whether a line of progress stands on the terminal.
    line: bool,
}

/// Smaller files come before anybody asks.
const LARGE: u64 = 16 << 20;

impl<'a> Teller<'a> {
    pub(crate) fn new(ui: &'a Ui) -> Self {
        Self { ui, shown: Mutex::default() }
    }

    pub(crate) fn tell(&self, event: Event) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Event::Progress { what, done, total } = &event {
            return self.progress(&mut shown, what, *done, *total);
        }
        if std::mem::take(&mut shown.line) {
            terminal::print("\r\u{1b}[K");
        }
        let words = if self.ui.is_json() { json_words(&event) } else { text_words(&event) };
        match event {
            Event::Warning(..) => self.ui.warn(&words),
            _ => self.ui.note(&words),
        }
    }

    fn progress(&self, shown: &mut Shown, what: &str, done: u64, total: Option<u64>) {
        let Some(total) = total.filter(|total| *total >= LARGE) else { return };
        let mib = |bytes: u64| bytes >> 20;
        if !self.ui.is_json() && std::io::stdout().is_terminal() {
            shown.line = true;
            return terminal::print(&format!(
                "\r\u{1b}[K  {what}: {} of {} MiB",
                mib(done),
                mib(total)
            ));
        }
        let quarter = done.saturating_mul(4) / total;
        let told = shown.quarters.entry(what.to_owned()).or_default();
        if quarter > *told {
            *told = quarter;
            self.ui.note(&format!("  {what}: {} of {} MiB", mib(done), mib(total)));
        }
    }
}

fn trust_words(trust: &Trust) -> String {
    match trust {
        Trust::Unauthenticated => "unauthenticated".to_owned(),
        Trust::VerifiedChecksum => "verified checksum".to_owned(),
        Trust::SignedBy { hashicorp: true, .. } => "signed by HashiCorp".to_owned(),
        Trust::SignedBy { key_id, .. } => format!("self-signed, key ID {key_id}"),
    }
}

fn text_words(event: &Event) -> String {
    match event {
        Event::Finding(provider, text) if text.is_empty() => {
            format!("- Finding latest version of {}...", provider.short_name())
        }
        Event::Finding(provider, text) => {
            format!("- Finding {} versions matching \"{text}\"...", provider.short_name())
        }
        Event::Reusing(provider) => format!(
            "- Reusing previous version of {} from the dependency lock file",
            provider.short_name()
        ),
        Event::BuiltIn(provider) => format!("- {provider} is built in to Stratiform"),
        Event::UsingPrevious(provider, version) => {
            format!("- Using previously-installed {} v{version}", provider.short_name())
        }
        Event::UsingCache(provider, version) => {
            format!("- Using {} v{version} from the shared cache directory", provider.short_name())
        }
        Event::Installing(provider, version) => {
            format!("- Installing {} v{version}...", provider.short_name())
        }
        Event::InstalledProvider(provider, version, trust) => {
            format!("- Installed {} v{version} ({})", provider.short_name(), trust_words(trust))
        }
        Event::Overridden(provider, dir) => format!(
            "- {} comes from {dir}: a `dev_overrides` entry of the command-line configuration says so",
            provider.short_name()
        ),
        Event::Warning(provider, text) => {
            format!("Warning: the registry says of {}: {text}", provider.short_name())
        }
        Event::DownloadingModule { key, source, version: Some(version) } => {
            format!("Downloading {source} {version} for {key}...")
        }
        Event::DownloadingModule { key, source, .. } => {
            format!("Downloading {source} for {key}...")
        }
        Event::InstalledModule { key, dir } => format!("- {key} in {dir}"),
        Event::Progress { .. } => String::new(),
    }
}

/// Terraform has words of its own for machines.
fn json_words(event: &Event) -> String {
    match event {
        Event::Finding(provider, text) if text.is_empty() => {
            format!("{}: Finding latest version...", provider.short_name())
        }
        Event::Finding(provider, text) => format!(
            "Finding matching versions for provider: {}, version_constraint: \"{text}\"",
            provider.short_name()
        ),
        Event::Reusing(provider) => format!(
            "{}: Reusing previous version from the dependency lock file",
            provider.short_name()
        ),
        Event::UsingPrevious(provider, version) => {
            format!(
                "{} v{version}: Using previously-installed provider version",
                provider.short_name()
            )
        }
        Event::Installing(provider, version) => {
            format!("Installing provider version: {} v{version}...", provider.short_name())
        }
        Event::InstalledProvider(provider, version, trust) => format!(
            "Installed provider version: {} v{version} ({})",
            provider.short_name(),
            trust_words(trust)
        ),
        other => text_words(other).trim_start_matches("- ").to_owned(),
    }
}
