//! The stages from files to a plan, as every command needs them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use component::{Decision, Offer, PlaceRequest};
use config::{Configuration, InputRequest, InputSource};
use lang::World;
use plan::{Options, Plan, Readers};
use sdk::{ConfigureRequest, Context, Registry};
use state::StateSnapshot;
use syntax::{Diagnostics, Severity, SourceMap};
use value::Value;

use crate::args::{Common, Given, PlanArgs};
use crate::world::RealWorld;
use crate::{store, terminal};

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
        Self { world, registry: Registry::new(factories), context }
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
        let (mut configuration, mut found) = crate::fetching::load(world);
        let mut sources = SourceMap::clone(&configuration.sources);
        let inputs = match wanted {
            // What depends on values is the business of plan.
            Wanted::Nothing => BTreeMap::new(),
            Wanted::Inputs { given, asks } => {
                let (inputs, errors) = self.inputs(given, *asks, &configuration, &mut sources);
                found.extend(errors);
                inputs
            }
        };
        configuration.sources = Arc::new(sources);
        let has_components =
            configuration.modules.values().any(|module| !module.components.is_empty());
        let mut decisions = Vec::new();
        let mut deferred_checks = Vec::new();
        if has_components {
            let (types, errors) = component::load_types(&mut configuration, world);
            found.extend(errors);
            let (offers, errors) = self.offers().await;
            found.extend(errors);
            let prior: BTreeMap<String, Decision> = snapshot
                .decisions
                .values()
                .filter_map(|record| Decision::from_json(&serde_json::from_str(&record.json).ok()?))
                .map(|decision| (decision.component.clone(), decision))
                .collect();
            let request = PlaceRequest {
                types: &types,
                offers: &offers,
                inputs: &inputs,
                prior: &prior,
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
        let found = report::calls::with_calls(found, &configuration);
        (
            Stack { configuration: Arc::new(configuration), inputs, decisions, deferred_checks },
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
    ) -> (BTreeMap<Arc<str>, Value>, Diagnostics) {
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
        (inputs.into_iter().map(|(name, input)| (name, input.value)).collect(), found)
    }

    fn input_sources(&self, given: &[Given]) -> (Vec<InputSource>, Diagnostics) {
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

    fn input_source(&self, given: Given) -> Result<InputSource, String> {
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

    /// Plans a stack.
    pub(crate) async fn plan(
        &self,
        stack: Stack,
        snapshot: &StateSnapshot,
        options: Options,
    ) -> (Option<Plan>, Diagnostics) {
        let readers = Readers::new(&self.registry);
        let configuration = Arc::clone(&stack.configuration);
        let (plan, found) = plan::create(self.request(stack, snapshot, options, &readers)).await;
        (plan, report::calls::with_calls(found, &configuration))
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
    },
}

impl Wanted {
    pub(crate) fn nothing() -> Self {
        Self::Nothing
    }

    /// All values, asked for where somebody can answer and nothing forbids it.
    pub(crate) fn of(args: &PlanArgs) -> Self {
        Self::given(args.inputs(), &args.common)
    }

    /// These values, and those of other variables, as for a plan.
    pub(crate) fn given(given: Vec<Given>, common: &Common) -> Self {
        let refused =
            store::env("TF_INPUT").is_some_and(|text| matches!(text.as_str(), "0" | "false"));
        let allowed = common.input.unwrap_or(!refused) && !common.json;
        Self::Inputs { given, asks: allowed && terminal::can_ask() }
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
