//! The stages from files to a plan, as every command needs them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use catalog::{Catalog, CatalogError};
use component::{Decision, Offer, PlaceRequest};
use config::{Configuration, InputRequest, InputSource, LoadRequest};
use lang::World;
use plan::{Options, Plan, Readers};
use sdk::{ConfigureRequest, Context, Registry};
use state::StateSnapshot;
use syntax::{Diagnostics, Severity, SourceMap};
use value::Value;

use crate::args::PlanArgs;
use crate::judge::Bench;
use crate::store;
use crate::world::RealWorld;

/// A configuration that is ready to be planned.
pub(crate) struct Stack {
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) inputs: BTreeMap<Arc<str>, Value>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) deferred_checks: Vec<String>,
}

/// What all stages share.
pub(crate) struct Session {
    pub(crate) world: Arc<RealWorld>,
    pub(crate) registry: Registry,
    pub(crate) context: Context,
    /// What backends sell; read when it is first asked for.
    catalog: OnceLock<Arc<Catalog>>,
}

impl Session {
    pub(crate) fn new() -> Self {
        let world = Arc::new(RealWorld::new());
        let home = store::env("STRATIFORM_HOME").map_or_else(
            || world.home_dir().unwrap_or_else(std::env::temp_dir).join(".stratiform"),
            std::path::PathBuf::from,
        );
        let factories: [Arc<dyn sdk::Factory>; 4] = [
            Arc::new(provider_core::Builtin),
            Arc::new(provider_core::Core),
            Arc::new(provider_local::LocalFactory),
            provider_sim::Sim::factory(),
        ];
        let limits = call_limits();
        let factories = factories.into_iter().map(|factory| {
            let guarded: Arc<dyn sdk::Factory> =
                Arc::new(sdk::guard::GuardedFactory::new(factory, limits));
            guarded
        });
        let context = Context {
            working_dir: world.working_dir(),
            executable: std::env::current_exe().unwrap_or_default(),
            engine_version: env!("CARGO_PKG_VERSION").to_owned(),
            home_dir: home,
        };
        let registry = Registry::new(factories);
        Self { world, registry, context, catalog: OnceLock::new() }
    }

    /// What backends sell, with the user's tables over it.
    pub(crate) fn catalog(&self) -> Result<Arc<Catalog>, CatalogError> {
        if let Some(catalog) = self.catalog.get() {
            return Ok(Arc::clone(catalog));
        }
        let read = Arc::new(crate::commands::catalog::load(&*self.world)?);
        Ok(Arc::clone(self.catalog.get_or_init(|| read)))
    }

    /// The clock, for whoever only tells the time.
    pub(crate) fn clock(&self) -> Arc<dyn World> {
        Arc::clone(&self.world) as Arc<dyn World>
    }

    /// Loads, reads variables, places components and checks. The configuration comes even with errors, for its
    /// sources.
    pub(crate) async fn stack(
        &self,
        vars: &[String],
        var_files: &[String],
        snapshot: &StateSnapshot,
        reoptimize: bool,
    ) -> (Stack, Diagnostics) {
        let world: &dyn World = &*self.world;
        let (mut configuration, mut found) =
            config::load(LoadRequest { root: Path::new("."), world, sources: SourceMap::new() });
        let mut sources = SourceMap::clone(&configuration.sources);
        let (request, errors) = self.input_sources(vars, var_files);
        found.extend(errors);
        let root = Arc::clone(configuration.root());
        let request = InputRequest { sources: request, module: &root, world };
        let (inputs, errors) = config::read_inputs(request, &mut sources);
        found.extend(errors);
        configuration.sources = Arc::new(sources);
        let inputs: BTreeMap<Arc<str>, Value> =
            inputs.into_iter().map(|(name, input)| (name, input.value)).collect();
        let has_components =
            configuration.modules.values().any(|module| !module.components.is_empty());
        let mut decisions = Vec::new();
        let mut deferred_checks = Vec::new();
        if has_components {
            let (types, errors) = component::load_types(&mut configuration, world);
            found.extend(errors);
            let (mut offers, errors) = self.offers().await;
            found.extend(errors);
            offers.extend(self.market(&types, &offers, &mut found));
            let mut prior: BTreeMap<String, Decision> = BTreeMap::new();
            if component::lock::is_wanted(&configuration) {
                let (locked, errors) = locked(world);
                found.extend(errors);
                prior.extend(locked);
            }
            prior.extend(decided(snapshot));
            let request = PlaceRequest {
                types: &types,
                offers: &offers,
                inputs: &inputs,
                prior: &prior,
                reoptimize,
                world,
            };
            let (placed, errors) = component::place(configuration, &request);
            found.extend(errors);
            configuration = placed.configuration;
            decisions = placed.decisions;
            let deferred = placed.deferred.into_iter();
            deferred_checks =
                deferred.map(|one| format!("{}: {}", one.component, one.check)).collect();
        }
        if !found.has_errors() {
            found.extend(config::validate(&configuration));
        }
        (
            Stack { configuration: Arc::new(configuration), inputs, decisions, deferred_checks },
            found,
        )
    }

    fn input_sources(
        &self,
        vars: &[String],
        var_files: &[String],
    ) -> (Vec<InputSource>, Diagnostics) {
        let mut found = Diagnostics::new();
        let mut sources = Vec::new();
        for (name, text) in std::env::vars_os() {
            let (Some(name), Some(text)) = (name.to_str(), text.to_str()) else { continue };
            if let Some(name) = name.strip_prefix("TF_VAR_") {
                sources.push(InputSource::Environment {
                    name: name.to_owned(),
                    text: text.to_owned(),
                });
            }
        }
        let mut files: Vec<String> =
            ["terraform.tfvars", "terraform.tfvars.json"].map(str::to_owned).to_vec();
        let entries = self.world.read_dir(Path::new(".")).unwrap_or_default();
        let automatic = entries.into_iter().filter(|entry| {
            !entry.is_dir
                && (entry.name.ends_with(".auto.tfvars")
                    || entry.name.ends_with(".auto.tfvars.json"))
        });
        files.extend(automatic.map(|entry| entry.name));
        files.retain(|file| self.world.exists(Path::new(file)));
        files.extend(var_files.iter().cloned());
        for path in files {
            match self.world.read_file(Path::new(&path)) {
                Ok(bytes) => sources.push(InputSource::File { path, bytes }),
                Err(error) => {
                    found
                        .push(problem(&format!("variables file `{path}` cannot be read: {error}")));
                }
            }
        }
        for var in vars {
            match var.split_once('=') {
                Some((name, text)) => sources.push(InputSource::Argument {
                    name: name.trim().to_owned(),
                    text: text.to_owned(),
                }),
                None => found.push(problem(&format!("`-var {var}` is not of the form NAME=VALUE"))),
            }
        }
        (sources, found)
    }

    /// What the catalog says of backends that a component type is made for and that no provider speaks for.
    fn market(
        &self,
        types: &component::Types,
        offered: &[Offer],
        found: &mut Diagnostics,
    ) -> Vec<Offer> {
        let made_for = types.0.values().flat_map(|ty| &ty.implementations);
        let backends: std::collections::BTreeSet<String> = made_for
            .map(|one| one.backend.to_string())
            .filter(|backend| offered.iter().all(|offer| *offer.backend != **backend))
            .collect();
        if backends.is_empty() {
            return Vec::new();
        }
        match self.catalog() {
            Ok(catalog) => component::catalog_offers(&catalog, &backends),
            Err(error) => {
                found.push(error);
                Vec::new()
            }
        }
    }

    /// What all backends can sell right now.
    async fn offers(&self) -> (Vec<Offer>, Diagnostics) {
        let mut offers = Vec::new();
        let mut found = Diagnostics::new();
        for address in self.registry.addresses() {
            let Some(factory) = self.registry.get(address) else { continue };
            let Ok(provider) = factory.create().await else { continue };
            let config = provider.schema().provider.block.empty_value();
            let request = ConfigureRequest { config, context: self.context.clone() };
            if provider.configure(request).await.is_err() {
                continue;
            }
            match provider.offers().await {
                Ok(answer) => {
                    for offer in answer.value.unwrap_or_default() {
                        offers.push(Offer {
                            backend: offer.backend,
                            name: offer.name,
                            attributes: offer.attributes,
                            source: offer.source,
                            date: offer.date,
                        });
                    }
                    for complaint in answer.problems {
                        found
                            .push(problem(&format!("{}: {}", complaint.summary, complaint.detail)));
                    }
                }
                Err(error) => found.push(problem(&format!("provider `{address}`: {error}"))),
            }
        }
        (offers, found)
    }

    /// Plans a stack and checks what is planned. A plan that does not stand is no plan.
    pub(crate) async fn plan(
        &self,
        stack: Stack,
        snapshot: &StateSnapshot,
        options: Options,
    ) -> (Option<Plan>, Diagnostics) {
        let configuration = Arc::clone(&stack.configuration);
        let inputs = stack.inputs.clone();
        let (plan, mut found) = self.plan_unchecked(stack, snapshot, options).await;
        let Some(mut plan) = plan else { return (None, found) };
        let bench =
            Bench { session: self, configuration: &configuration, inputs: &inputs, snapshot };
        found.extend(bench.judge(&mut plan));
        (Some(plan).filter(|_| !found.has_errors()), found)
    }

    /// Plans a stack, whatever it costs.
    pub(crate) async fn plan_unchecked(
        &self,
        stack: Stack,
        snapshot: &StateSnapshot,
        options: Options,
    ) -> (Option<Plan>, Diagnostics) {
        let readers = Readers::new(&self.registry);
        plan::create(self.request(stack, snapshot, options, &readers)).await
    }

    /// What a plan is made from.
    pub(crate) fn request<'a>(
        &self,
        stack: Stack,
        snapshot: &'a StateSnapshot,
        options: Options,
        readers: &'a Readers,
    ) -> plan::Request<'a> {
        let world: Arc<dyn World> = Arc::clone(&self.world) as Arc<dyn World>;
        plan::Request {
            configuration: stack.configuration,
            inputs: stack.inputs,
            decisions: stack.decisions,
            deferred_checks: stack.deferred_checks,
            snapshot,
            readers,
            context: self.context.clone(),
            world,
            workspace: store::workspace().into(),
            options,
        }
    }
}

/// The placements that a state records, by component.
pub(crate) fn decided(snapshot: &StateSnapshot) -> BTreeMap<String, Decision> {
    let records = snapshot.decisions.values();
    records
        .filter_map(|record| Decision::from_json(&serde_json::from_str(&record.json).ok()?))
        .map(|decision| (decision.component.clone(), decision))
        .collect()
}

/// The placements of the lock file, by component.
fn locked(world: &dyn World) -> (BTreeMap<String, Decision>, Diagnostics) {
    let mut found = Diagnostics::new();
    let path = Path::new(component::lock::PATH);
    if !world.exists(path) {
        return (BTreeMap::new(), found);
    }
    let text = world.read_file(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    match text.ok().and_then(|text| component::lock::read(&text)) {
        Some(decisions) => {
            let named = decisions.into_iter().map(|one| (one.component.clone(), one));
            (named.collect(), found)
        }
        None => {
            found.push(problem(&format!(
                "`{}` is no lock file of placements of this version; remove it, and apply writes it anew",
                component::lock::PATH
            )));
            (BTreeMap::new(), found)
        }
    }
}

/// How long a provider may take for one call: `STRATIFORM_CALL_TIMEOUT_S` sets one limit for all calls.
fn call_limits() -> sdk::guard::Limits {
    let set = store::env("STRATIFORM_CALL_TIMEOUT_S").and_then(|text| text.parse::<f64>().ok());
    match set.and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok()) {
        Some(limit) => sdk::guard::Limits { look: limit, change: limit },
        None => sdk::guard::Limits::default(),
    }
}

/// A fault without a place.
pub(crate) fn problem(message: &str) -> syntax::Report {
    syntax::Report {
        severity: Severity::Error,
        code: "stratiform::cli::problem".to_owned(),
        message: message.to_owned(),
        labels: Vec::new(),
        help: None,
        detail: None,
        address: None,
    }
}

/// The options of a plan.
pub(crate) fn options(args: &PlanArgs, mode: plan::Mode) -> Result<Options, Diagnostics> {
    let mut found = Diagnostics::new();
    let mut options = Options { mode, refresh: args.refresh.unwrap_or(true), ..Options::default() };
    if let Some(parallelism) = args.parallelism {
        if parallelism == 0 {
            found.push(problem("`-parallelism` must be at least 1"));
        }
        options.parallelism = parallelism;
    }
    for text in &args.targets {
        match text.parse() {
            Ok(target) => options.targets.push(target),
            Err(_) => found.push(problem(&format!("`-target={text}` is not an address"))),
        }
    }
    for text in &args.replace {
        match text.parse() {
            Ok(address) => options.replace.push(address),
            Err(_) => found.push(problem(&format!(
                "`-replace={text}` is not the address of a resource instance"
            ))),
        }
    }
    if found.is_empty() { Ok(options) } else { Err(found) }
}
