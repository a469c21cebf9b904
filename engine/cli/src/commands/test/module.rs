//! The module under test, as a run sees it: with providers of the file, without what is overridden.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use address::{ModulePath, ProviderConfig, Target};
use config::test_file::{During, MockType, Override, TestNames, TestProvider, TestRun};
use config::under_test::{self, TestProviders};
use config::{ConfigError, Configuration, Found, ProviderBlock, ProviderName, TestError, TestFile};
use lang::World;
use sdk::mock::{MockTypes, Mocked, Mocks};
use state::StateSnapshot;
use syntax::{Body, Diagnostics};

use super::Tests;
use crate::fetching::{self, UnderTest};
use crate::session::Session;

/// All provider configurations of all files: whatever a module refers to may be in one of them.
pub(in crate::commands) fn all_providers(files: &[TestFile]) -> TestProviders {
    let providers = files.iter().flat_map(|file| &file.providers);
    providers.map(|(name, provider)| (name.clone(), block(name, provider))).collect()
}

/// A provider of a test file as a block; its settings are not evaluated yet.
fn block(name: &ProviderName, provider: &TestProvider) -> ProviderBlock {
    match provider {
        TestProvider::Real(block) => ProviderBlock { name: name.clone(), ..block.clone() },
        TestProvider::Mock(mock) => ProviderBlock {
            name: name.clone(),
            body: Arc::new(Body { span: mock.span, ..Body::default() }),
            mocked: true,
            span: mock.span,
        },
    }
}

/// The providers that a run gives to its module: those that it names, else all of the file.
pub(super) fn providers(
    file: &TestFile,
    run: &TestRun,
) -> Result<Vec<(ProviderName, TestProvider)>, Diagnostics> {
    if run.providers_span.is_none() || run.providers.is_empty() {
        return Ok(file.providers.clone().into_iter().collect());
    }
    let mut found = Diagnostics::new();
    let mut given = Vec::new();
    for (inner, outer) in &run.providers {
        match file.providers.get(outer) {
            Some(provider) => given.push((inner.clone(), provider.clone())),
            None => found.push(ConfigError::UnknownProviderConfig {
                name: outer.to_string(),
                span: run.providers_span.unwrap_or(run.span),
                help: "a run can be given what `provider` and `mock_provider` blocks of its file configure".to_owned(),
            }),
        }
    }
    if found.has_errors() { Err(found) } else { Ok(given) }
}

/// Reads the module of a run.
pub(super) fn load(
    tests: &Tests<'_>,
    file: &TestFile,
    run: &TestRun,
    providers: &[(ProviderName, TestProvider)],
) -> (Configuration, Diagnostics) {
    let own = file.module_key(run);
    let (dir, key) = match &run.module {
        None => (PathBuf::from("."), String::new()),
        Some(module) => match module.local_dir(Path::new(".")) {
            Some(dir) => (dir, own),
            None => match fetching::installed_for_test(&own, module) {
                Found::Dir(dir) => (dir, own),
                // That it is not there was told before anything was run.
                Found::Nowhere | Found::Senseless(_) => (PathBuf::from("."), own),
            },
        },
    };
    let providers = providers.iter().map(|(name, one)| (name.clone(), block(name, one))).collect();
    let module =
        UnderTest { dir: &dir, key: &key, providers: &providers, sources: tests.sources.clone() };
    fetching::load_under_test(&*tests.session.world, module)
}

/// The provider configuration that a name in a test file means to a module.
fn config_of(configuration: &Configuration, name: &ProviderName) -> ProviderConfig {
    ProviderConfig {
        module: ModulePath::root(),
        provider: config::local_address(configuration.root(), &name.local),
        alias: name.alias.clone(),
    }
}

/// Those providers that a module or a state has a use for. The settings of others are not even looked at: they may
/// depend on runs that come later.
pub(super) fn used_providers(
    configuration: &Configuration,
    providers: &[(ProviderName, TestProvider)],
    recorded: &StateSnapshot,
) -> BTreeSet<ProviderName> {
    let blocks = configuration.modules.values().flat_map(|module| module.resources.values());
    let used: BTreeSet<&ProviderConfig> = blocks
        .map(|block| &block.provider)
        .chain(recorded.records.values().map(|record| &record.provider))
        .collect();
    let names = providers.iter().map(|(name, _)| name);
    names.filter(|name| used.contains(&config_of(configuration, name))).cloned().collect()
}

/// Providers that a run names for its module and that are not there, whether the module knows them or not.
pub(super) fn missing_providers(
    session: &Session,
    configuration: &Configuration,
    run: &TestRun,
) -> Diagnostics {
    let span = run.providers_span.unwrap_or(run.span);
    let named = run.providers.keys();
    let named: Vec<_> =
        named.map(|name| config::local_address(configuration.root(), &name.local)).collect();
    fetching::missing_of(session, named.iter().map(|provider| (provider, span)))
}

/// Gives the providers of the file their settings.
pub(super) fn settle_providers(
    configuration: &mut Configuration,
    providers: &[(ProviderName, TestProvider)],
    used: &BTreeSet<ProviderName>,
    names: &TestNames,
    world: &dyn World,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut settled = TestProviders::new();
    for (name, provider) in providers {
        let mut block = block(name, provider);
        if !used.contains(name) {
            (block.body, block.mocked) = (Arc::default(), true);
        }
        match under_test::settled(&block.body, names, world) {
            Ok(body) => block.body = Arc::new(body),
            Err(errors) => found.extend(errors),
        }
        settled.insert(name.clone(), block);
    }
    under_test::set_providers(configuration, &settled);
    found
}

/// Puts the outputs of overridden modules in their place, and says what is made up in the rest.
pub(super) fn mock(
    configuration: &mut Configuration,
    providers: &[(ProviderName, TestProvider)],
    file: &TestFile,
    run: &TestRun,
    seed: u64,
) -> (Mocks, Diagnostics) {
    let mut found = Diagnostics::new();
    let mut mocks = Mocks { seed, ..Mocks::default() };
    // What a run says counts more than what its file says, and that more than what a mocked provider says.
    let mut overrides: Vec<(&Override, Option<ProviderConfig>)> = Vec::new();
    overrides.extend(run.overrides.iter().map(|one| (one, None)));
    overrides.extend(file.overrides.iter().map(|one| (one, None)));
    for (name, provider) in providers {
        let TestProvider::Mock(mock) = provider else { continue };
        let config = config_of(configuration, name);
        overrides.extend(mock.overrides.iter().map(|one| (one, Some(config.clone()))));
        let types = |types: &std::collections::BTreeMap<Arc<str>, MockType>| {
            types
                .iter()
                .map(|(name, ty)| (Arc::clone(name), mocked(&ty.defaults, ty.during)))
                .collect()
        };
        let types = MockTypes {
            resources: types(&mock.resources),
            data_sources: types(&mock.data),
            at_plan: mock.during == During::Plan,
        };
        mocks.configurations.insert(config, types);
    }
    let mut taken: Vec<&Target> = Vec::new();
    for (one, within) in &overrides {
        if taken.contains(&&one.target) {
            continue;
        }
        if !under_test::is_declared(configuration, &one.target) {
            // One that counts for several runs need not fit this one.
            if run.overrides.iter().any(|own| own.span == one.span) {
                let target = one.target.to_string();
                found.push(TestError::OverrideNowhere { target, span: one.span });
            }
            continue;
        }
        if within.as_ref().is_some_and(|config| !belongs(configuration, &one.target, config)) {
            continue;
        }
        taken.push(&one.target);
        if !under_test::override_module(configuration, one) {
            mocks.objects.push((one.target.clone(), mocked(&one.values, one.during)));
        }
    }
    // Single instances count more than whole blocks.
    mocks.objects.sort_by_key(|(target, _)| !matches!(target, Target::Instance(_)));
    (mocks, found)
}

fn mocked(values: &value::Value, during: During) -> Mocked {
    Mocked { values: values.clone(), at_plan: during == During::Plan }
}

/// Says whether what is named is managed by a provider configuration.
fn belongs(configuration: &Configuration, target: &Target, config: &ProviderConfig) -> bool {
    let (module, resource) = match target {
        Target::Module(_) => return true,
        Target::Resource(block) => (&block.module, &block.resource),
        Target::Instance(instance) => (&instance.module, &instance.resource),
    };
    let module = configuration.modules.get(&module.module());
    let block = module.and_then(|module| module.resources.get(resource));
    block.is_some_and(|block| block.provider == *config)
}
