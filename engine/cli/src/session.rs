//! The stages from files to a plan, as every command needs them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use catalog::{Catalog, CatalogError};
use component::{Decision, Offer, PlaceRequest};
use config::{Configuration, InputRequest, InputSource};
use lang::World;
use plan::file::PlanFileError;
use plan::{Options, Plan, Readers};
use sdk::{ConfigureRequest, Context, Registry};
use state::StateSnapshot;
use syntax::{Diagnostics, Severity, SourceMap};
use value::Value;

use crate::args::{Common, Given, PlanArgs};
use crate::judge::Bench;
use crate::world::{RealWorld, SavedFiles};
use crate::{hosted, store, terminal};

/// A configuration that is ready to be planned.
pub(crate) struct Stack {
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) inputs: BTreeMap<Arc<str>, Value>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) deferred_checks: Vec<String>,
    /// Where the values of variables come from.
    pub(crate) origins: Origins,
    /// The components as they were written, for the checks.
    pub(crate) components: Vec<component::PlacedComponent>,
}

/// Where the values of the root module's variables come from.
pub(crate) type Origins = BTreeMap<Arc<str>, report::explain::Given>;

/// What all stages share.
pub(crate) struct Session {
    pub(crate) world: Arc<RealWorld>,
    pub(crate) registry: Registry,
    /// Those that are linked in; they alone sell something.
    native: Registry,
    hosted: Vec<protocol::Hosted>,
    /// Providers that stand in for installed ones, for those who develop them.
    overriding: BTreeSet<address::ProviderAddress>,
    /// Providers of which at least the schemas are there.
    known: BTreeSet<address::ProviderAddress>,
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
        let factories: [Arc<dyn sdk::Factory>; 5] = [
            Arc::new(provider_core::Builtin::new(store::outputs_of)),
            Arc::new(provider_core::Core),
            Arc::new(provider_local::LocalFactory),
            provider_sim::Sim::factory(),
            Arc::new(crate::offers::Offers { world: Arc::clone(&world) as Arc<dyn World> }),
        ];
        let limits = call_limits();
        let rates = call_rates();
        let guarded = |factory: Arc<dyn sdk::Factory>| -> Arc<dyn sdk::Factory> {
            let rates = rates_of(&factory.address(), &rates);
            Arc::new(sdk::guard::GuardedFactory::new(factory, limits).paced(rates))
        };
        let native: Vec<Arc<dyn sdk::Factory>> = factories.into_iter().map(guarded).collect();
        let context = Context {
            working_dir: world.working_dir(),
            executable: std::env::current_exe().unwrap_or_default(),
            engine_version: env!("CARGO_PKG_VERSION").to_owned(),
            home_dir: home,
            deferral_allowed: false,
        };
        let found = hosted::find(&context, &*world);
        let overriding = found.overriding.iter().map(sdk::Factory::address).collect();
        let known = found.known.iter().map(sdk::Factory::address).collect();
        let as_factory = |one: &protocol::Hosted| guarded(Arc::new(one.clone()));
        // The later one of the same address counts.
        let registry = Registry::new(
            (found.known.iter().map(|one| Arc::new(one.clone()) as Arc<dyn sdk::Factory>))
                .chain(found.installed.iter().map(as_factory))
                .chain(native.iter().cloned())
                .chain(found.overriding.iter().map(as_factory)),
        );
        let hosted = found.installed.into_iter().chain(found.overriding).collect();
        Self {
            world,
            registry,
            native: Registry::new(native),
            hosted,
            overriding,
            known,
            context,
            catalog: OnceLock::new(),
        }
    }

    /// From now on no provider's program is started: what earlier runs have kept of it has to do.
    pub(crate) fn go_offline(&mut self) {
        let kept = self.hosted.iter().map(|one| {
            let offline: Arc<dyn sdk::Factory> = Arc::new(protocol::known::Offline(one.clone()));
            offline
        });
        self.registry = self.registry.with(kept);
    }

    /// Says whether a provider needs no installing.
    pub(crate) fn has_at_hand(&self, address: &address::ProviderAddress) -> bool {
        self.native.get(address).is_some() || self.overriding.contains(address)
    }

    /// Says whether at least the schemas of a provider are there.
    pub(crate) fn has_schemas_of(&self, address: &address::ProviderAddress) -> bool {
        self.known.contains(address)
    }

    /// A provider that is linked in.
    pub(crate) fn native(
        &self,
        address: &address::ProviderAddress,
    ) -> Option<Arc<dyn sdk::Factory>> {
        self.native.get(address).cloned()
    }

    /// A binary as a provider, whatever its address is.
    pub(crate) fn host_binary(&self, binary: &Path) -> protocol::Hosted {
        let address = address::ProviderAddress::implied("checked");
        let options = hosted::options("checked", None, &self.context);
        protocol::Hosted::new(address, protocol::Source::Binary(binary.to_owned()), options)
    }

    /// How processes of providers are started.
    pub(crate) fn start_options(&self, name: &str) -> protocol::StartOptions {
        hosted::options(name, None, &self.context).start
    }

    /// Ends every provider process that this run has started.
    pub(crate) async fn shut_down(&self) {
        protocol::host::shut_down_all(&self.hosted).await;
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
        wanted: &Wanted,
        snapshot: &StateSnapshot,
    ) -> (Stack, Diagnostics) {
        let (stack, mut found) = self.stack_of(wanted, snapshot).await;
        if !found.has_errors() {
            found.extend(crate::fetching::missing(self, &stack.configuration));
        }
        (stack, found)
    }

    /// The same without variables and for whoever brings providers: they need not be installed.
    pub(crate) async fn stack_without_providers(
        &self,
        snapshot: &StateSnapshot,
    ) -> (Stack, Diagnostics) {
        self.stack_of(&Wanted::Nothing, snapshot).await
    }

    async fn stack_of(&self, wanted: &Wanted, snapshot: &StateSnapshot) -> (Stack, Diagnostics) {
        let world: &dyn World = &*self.world;
        let (mut configuration, mut found) = match wanted {
            Wanted::Saved { saved, .. } => crate::fetching::load_saved(&saved.files),
            Wanted::Tested { configuration, .. } => (configuration.clone(), Diagnostics::new()),
            _ => crate::fetching::load(world),
        };
        let mut sources = SourceMap::clone(&configuration.sources);
        let mut origins = Origins::new();
        let inputs = match wanted {
            Wanted::Saved { saved, given } => {
                let (inputs, errors) =
                    self.saved_inputs(saved, given, &configuration, &mut sources);
                found.extend(errors);
                inputs
            }
            // What depends on values is the business of plan.
            Wanted::Nothing => BTreeMap::new(),
            Wanted::Tested { inputs, .. } => inputs.clone(),
            Wanted::Inputs { given, asks, .. } => {
                let (read, errors) = self.inputs(given, *asks, &configuration, &mut sources);
                found.extend(errors);
                let mut inputs = BTreeMap::new();
                for (name, input) in read {
                    let given = report::explain::Given { source: input.source, span: input.span };
                    origins.insert(Arc::clone(&name), given);
                    inputs.insert(name, input.value);
                }
                inputs
            }
        };
        configuration.sources = Arc::new(sources);
        let has_components =
            configuration.modules.values().any(|module| !module.components.is_empty());
        let mut decisions = Vec::new();
        let mut deferred_checks = Vec::new();
        let mut components = Vec::new();
        let has_moved = configuration
            .modules
            .values()
            .any(|module| config::moved_component_types(module).next().is_some());
        if has_moved && !has_components {
            let (types, errors) = component::load_types(&mut configuration, world);
            found.extend(errors);
            found.extend(config::check_moves(&configuration, &|name| types.get(name).is_some()));
        }
        if has_components {
            let world: &dyn World = match wanted {
                Wanted::Saved { saved, .. } => &saved.files,
                _ => world,
            };
            let (types, errors) = component::load_types(&mut configuration, world);
            found.extend(errors);
            found.extend(config::check_moves(&configuration, &|name| types.get(name).is_some()));
            let (mut offers, errors) = self.offers().await;
            found.extend(errors);
            offers.extend(self.market(&types, &offers, &mut found));
            let mut prior: BTreeMap<String, Decision> = BTreeMap::new();
            if component::lock::is_wanted(&configuration) {
                let (locked, errors) = locked(&*self.world);
                found.extend(errors);
                prior.extend(locked);
            }
            prior.extend(decided(snapshot));
            if let Wanted::Saved { saved, .. } = wanted {
                let planned = saved.decisions.iter().cloned();
                prior = planned.map(|one| (one.component.clone(), one)).collect();
            }
            let request = PlaceRequest {
                types: &types,
                offers: &offers,
                inputs: &inputs,
                prior: &prior,
                reoptimize: wanted.reoptimizes(),
                world,
            };
            let (placed, errors) = component::place(configuration, &request);
            found.extend(errors);
            configuration = placed.configuration;
            decisions = placed.decisions;
            components = placed.components;
            let deferred = placed.deferred.into_iter();
            deferred_checks =
                deferred.map(|one| format!("{}: {}", one.component, one.check)).collect();
        }
        if !found.has_errors() {
            found.extend(config::validate(&configuration));
        }
        let found = report::calls::with_calls(found, &configuration);
        (
            Stack {
                configuration: Arc::new(configuration),
                inputs,
                decisions,
                deferred_checks,
                origins,
                components,
            },
            found,
        )
    }

    /// Values of the root module's variables; people are asked for those that are missing.
    fn inputs(
        &self,
        given: &[Given],
        asks: bool,
        configuration: &Configuration,
        sources: &mut SourceMap,
    ) -> (BTreeMap<Arc<str>, config::InputValue>, Diagnostics) {
        let world: &dyn World = &*self.world;
        let root = Arc::clone(configuration.root());
        let (mut request, mut found) = self.input_sources(given);
        let read = |request: &[InputSource], sources: &mut SourceMap| {
            let request = InputRequest { sources: request.to_vec(), module: &root, world };
            config::read_inputs(request, sources)
        };
        let (mut inputs, mut errors) = read(&request, &mut sources.clone());
        if asks {
            let missing = root.variables.values().filter(|variable| {
                variable.default.is_none() && !inputs.contains_key(&variable.name.text)
            });
            let answers: Vec<InputSource> = missing.filter_map(ask_for).collect();
            request.extend(answers);
        }
        (inputs, errors) = {
            drop((inputs, errors));
            read(&request, sources)
        };
        found.extend(errors);
        (inputs, found)
    }

    /// The values of a plan file, and those of ephemeral variables, which are in none. Another value for a variable
    /// that the file has is refused.
    fn saved_inputs(
        &self,
        saved: &SavedStack,
        given: &[Given],
        configuration: &Configuration,
        sources: &mut SourceMap,
    ) -> (BTreeMap<Arc<str>, Value>, Diagnostics) {
        let mut root = config::Module::clone(configuration.root());
        let is_ephemeral: BTreeMap<Arc<str>, bool> =
            root.variables.iter().map(|(name, one)| (Arc::clone(name), one.ephemeral)).collect();
        let ephemeral = |name: &str| is_ephemeral.get(name).copied().unwrap_or(false);
        for (name, variable) in &mut root.variables {
            if !variable.ephemeral {
                let value = saved.inputs.get(name).cloned();
                variable.default =
                    value.or(variable.default.take()).or(Some(Value::dynamic_null()));
            }
        }
        let (from_around, mut found) = self.input_sources(&[]);
        let mut request: Vec<InputSource> = from_around
            .into_iter()
            .filter(
                |source| matches!(source, InputSource::Environment { name, .. } if ephemeral(name)),
            )
            .collect();
        for given in given {
            match self.input_source(given.clone()) {
                Ok(source) => request.push(source),
                Err(message) => found.push(problem(&message)),
            }
        }
        let request = InputRequest { sources: request, module: &root, world: &*self.world };
        let (read, errors) = config::read_inputs(request, sources);
        found.extend(errors);
        let mut inputs = saved.inputs.clone();
        for (name, input) in read {
            let planned = inputs
                .get(&name)
                .or(root.variables.get(&name).and_then(|one| one.default.as_ref()));
            if !ephemeral(&name) && planned != Some(&input.value) {
                found.push(PlanFileError::Variable { name: name.to_string() });
            }
            inputs.insert(name, input.value);
        }
        (inputs, found)
    }

    pub(crate) fn input_sources(&self, given: &[Given]) -> (Vec<InputSource>, Diagnostics) {
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
        let files = files.into_iter().map(Given::File);
        for given in files.chain(given.iter().cloned()) {
            match self.input_source(given) {
                Ok(source) => sources.push(source),
                Err(message) => found.push(problem(&message)),
            }
        }
        (sources, found)
    }

    pub(crate) fn input_source(&self, given: Given) -> Result<InputSource, String> {
        match given {
            Given::File(path) => match self.world.read_file(Path::new(&path)) {
                Ok(bytes) => Ok(InputSource::File { path, bytes }),
                Err(error) => Err(format!("variables file `{path}` cannot be read: {error}")),
            },
            Given::Value(var) => match var.split_once('=') {
                Some((name, _)) if name.trim() != name => {
                    Err(format!("`-var '{var}'` has a space beside the name: write `NAME=VALUE`"))
                }
                Some((name, text)) => {
                    Ok(InputSource::Argument { name: name.to_owned(), text: text.to_owned() })
                }
                None => Err(format!("`-var {var}` is not of the form NAME=VALUE")),
            },
        }
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
        for address in self.native.addresses() {
            let Some(factory) = self.native.get(address) else { continue };
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
        match self.attempt(stack, snapshot, options, &self.registry).await {
            (plan::Attempt::Planned(plan), found) => (Some(*plan), found),
            (plan::Attempt::Failed(_), found) => (None, found),
        }
    }

    /// Plans a stack, whatever it costs.
    pub(crate) async fn plan_unchecked(
        &self,
        stack: Stack,
        snapshot: &StateSnapshot,
        options: Options,
    ) -> (Option<Plan>, Diagnostics) {
        let readers = Readers::new(&self.registry);
        let configuration = Arc::clone(&stack.configuration);
        let unmet = config::root_aliases(&configuration);
        if unmet.has_errors() {
            return (None, unmet);
        }
        let (plan, found) = plan::create(self.request(stack, snapshot, options, &readers)).await;
        (plan, report::calls::with_calls(found, &configuration))
    }

    /// Plans a stack with these providers and checks what is planned; in spite of errors, what could be planned.
    pub(crate) async fn attempt(
        &self,
        stack: Stack,
        snapshot: &StateSnapshot,
        options: Options,
        registry: &Registry,
    ) -> (plan::Attempt, Diagnostics) {
        let readers = Readers::new(registry);
        let (configuration, inputs) = (Arc::clone(&stack.configuration), stack.inputs.clone());
        let unmet = config::root_aliases(&configuration);
        if unmet.has_errors() {
            return (plan::Attempt::Failed(None), unmet);
        }
        let components = stack.components.clone();
        let request = self.request(stack, snapshot, options, &readers);
        let (attempt, found) = plan::attempt(request).await;
        let mut found = report::calls::with_calls(found, &configuration);
        let plan::Attempt::Planned(mut plan) = attempt else { return (attempt, found) };
        let bench = Bench {
            session: self,
            configuration: &configuration,
            inputs: &inputs,
            snapshot,
            components: &components,
        };
        let judged = bench.judge(&mut plan);
        let refused = judged.has_errors();
        found.extend(judged);
        if refused {
            plan.errored = true;
            return (plan::Attempt::Failed(Some(plan)), found);
        }
        (plan::Attempt::Planned(plan), found)
    }

    /// The plan of a plan file, ready to be carried out; `None` if what the file holds does not fit together.
    pub(crate) async fn saved_plan(
        &self,
        stack: Stack,
        stored: &serde_json::Value,
    ) -> Result<Option<Plan>, Diagnostics> {
        let readers = Readers::new(&self.registry);
        let request = plan::file::Request {
            configuration: stack.configuration,
            inputs: stack.inputs,
            readers: &readers,
            world: self.clock(),
            workspace: store::workspace().into(),
        };
        plan::file::read(stored, request).await
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
            context: Context { deferral_allowed: options.allow_deferral, ..self.context.clone() },
            world,
            workspace: store::workspace().into(),
            options,
        }
    }
}

/// Which values a command needs.
pub(crate) enum Wanted {
    /// None: what holds whatever the values are.
    Nothing,
    /// Those of all variables of the root module.
    Inputs {
        /// From the command line.
        given: Vec<Given>,
        /// Whether people are asked for what is missing.
        asks: bool,
        /// Whether components are placed as if nothing had been placed.
        reoptimize: bool,
    },
    /// A module as a run of a test file sees it.
    Tested {
        /// The module, with its providers and without what is overridden.
        configuration: Configuration,
        /// Values of its variables.
        inputs: BTreeMap<Arc<str>, Value>,
    },
    /// What a plan file holds.
    Saved {
        /// The file's.
        saved: SavedStack,
        /// From the command line, for ephemeral variables.
        given: Vec<Given>,
    },
}

/// What a plan file holds of the stack that it was made from.
pub(crate) struct SavedStack {
    /// The configuration.
    pub(crate) files: SavedFiles,
    /// The values of variables.
    pub(crate) inputs: BTreeMap<Arc<str>, Value>,
    /// Where components go.
    pub(crate) decisions: Vec<Decision>,
}

impl Wanted {
    pub(crate) fn nothing() -> Self {
        Self::Nothing
    }

    /// All values, asked for where somebody can answer and nothing forbids it.
    pub(crate) fn of(args: &PlanArgs) -> Self {
        match Self::given(args.inputs(), &args.common) {
            Self::Inputs { given, asks, .. } => {
                Self::Inputs { given, asks, reoptimize: args.reoptimize }
            }
            other => other,
        }
    }

    /// Whether components are placed as if nothing had been placed.
    fn reoptimizes(&self) -> bool {
        matches!(self, Self::Inputs { reoptimize: true, .. })
    }

    /// These values, and those of other variables, as for a plan.
    pub(crate) fn given(given: Vec<Given>, common: &Common) -> Self {
        let refused =
            store::env("TF_INPUT").is_some_and(|text| matches!(text.as_str(), "0" | "false"));
        let allowed = common.input.unwrap_or(!refused) && !common.json;
        Self::Inputs { given, asks: allowed && terminal::can_ask(), reoptimize: false }
    }
}

/// Asks a person for the value of a variable.
fn ask_for(variable: &config::Variable) -> Option<InputSource> {
    let name = variable.name.text.to_string();
    let about =
        variable.description.as_deref().map(|text| format!("  {text}\n")).unwrap_or_default();
    let text = terminal::ask(&format!("var.{name}\n{about}\n  Enter a value: "))?;
    Some(InputSource::Argument { name, text })
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

/// How often providers may be asked in a second, by `STRATIFORM_RATES`.
fn call_rates() -> BTreeMap<String, f64> {
    let text = store::env("STRATIFORM_RATES").unwrap_or_default();
    sdk::pace::parse_rates(&text).unwrap_or_else(|fault| {
        terminal::error_line(&format!("Warning: `STRATIFORM_RATES` is left out: {fault}"));
        BTreeMap::new()
    })
}

/// Those of a provider: its own by its short name, and those of its types.
fn rates_of(
    provider: &address::ProviderAddress,
    rates: &BTreeMap<String, f64>,
) -> sdk::pace::Rates {
    let types = rates.iter().filter(|(name, _)| **name != *provider.type_name);
    sdk::pace::Rates {
        all: rates.get(&*provider.type_name).copied(),
        types: types.map(|(name, rate)| (name.as_str().into(), *rate)).collect(),
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
    let mut options = Options {
        mode,
        refresh: args.refresh.unwrap_or(true),
        allow_deferral: args.allow_deferral,
        ..Options::default()
    };
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
    for text in &args.excludes {
        match text.parse() {
            Ok(target) => options.excludes.push(target),
            Err(_) => found.push(problem(&format!("`-exclude={text}` is not an address"))),
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

/// The diagnostics without the complaint that a folder has no configuration: not every command needs one.
pub(crate) fn without_no_files(found: Diagnostics) -> Diagnostics {
    without(found, "stratiform::config::no_files")
}

/// The diagnostics without those of a code.
pub(crate) fn without(found: Diagnostics, unwanted: &str) -> Diagnostics {
    let is_other = |code: Option<Box<dyn std::fmt::Display + '_>>| {
        code.is_none_or(|code| code.to_string() != unwanted)
    };
    let mut kept = Diagnostics::new();
    found.into_iter().filter(|one| is_other(one.code())).for_each(|one| kept.push_boxed(one));
    kept
}
