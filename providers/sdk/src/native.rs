//! Writing a provider in Rust: one type per resource, with create, read, update and delete.
//!
//! [`NativeProvider`] does the rest of the protocol: planning (what is computed and not set is unknown on
//! create and stays on update), replacement by the schema's flags, upgrade of stored objects, dispatch.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use address::AttributePath;
use async_trait::async_trait;
use value::{Refinement, Type, Value};

use crate::problem::{Problem, Problems, ProviderError};
use crate::provider::{
    Answer, ApplyAnswer, ApplyRequest, ConfigureRequest, Context, DataAnswer, DataRequest,
    Deferral, ImportKey, Imported, Listed, MoveRequest, Moved, Offer, Opened, PlanAnswer,
    PlanRequest, Private, ProgressSink, Provider, ReadAnswer, ReadRequest, Reader, Renewed,
    TokenAnswer, UpgradeRequest,
};
use crate::schema::{Capabilities, FunctionSchema, IdentitySchema, ProviderSchema, Schema};

mod planning;
mod stored;

pub use planning::plan as plan_by_schema;

/// What a create or an update made, or as much of it as came to be.
#[derive(Debug, Clone)]
pub struct Created {
    /// The object; null if nothing came to be.
    pub object: Value,
    /// Complaints; with an error, the object is in doubt.
    pub problems: Problems,
}

impl Created {
    /// An object without complaints.
    pub fn of(object: Value) -> Self {
        Self { object, problems: Vec::new() }
    }
}

impl From<Problem> for Created {
    fn from(problem: Problem) -> Self {
        Self { object: Value::dynamic_null(), problems: vec![problem] }
    }
}

/// What each call of a resource gets beside its object.
pub struct Call<'a> {
    /// Where the provider runs.
    pub context: &'a Context,
    /// The provider's settings.
    pub settings: &'a Value,
    /// The configuration, in which write-only attributes stand; null where there is none.
    pub config: &'a Value,
    /// What the module tells the provider about itself; null where it says nothing.
    pub meta: &'a Value,
    /// Names this try; the id of a new object can be made from it.
    pub token: &'a str,
    /// For lines that tell people how far the call is.
    pub progress: &'a ProgressSink,
}

/// A managed resource type.
#[async_trait]
pub trait Resource: Send + Sync {
    /// The type's name.
    fn name(&self) -> &'static str;

    /// Its schema.
    fn schema(&self) -> Schema;

    /// Checks a configuration beyond its types; parts may be unknown.
    fn validate(&self, _config: &Value) -> Problems {
        Vec::new()
    }

    /// Changes a default plan: `planned` holds unknowns for what is computed on create, prior values on
    /// update. Returns the plan and the attributes that need a new object beside those of the schema.
    fn plan(&self, _prior: &Value, planned: Value, _config: &Value) -> (Value, Vec<AttributePath>) {
        (planned, Vec::new())
    }

    /// Makes the object.
    async fn create(&self, planned: Value, call: Call<'_>) -> Created;

    /// Looks at the object; null if it is gone.
    async fn read(&self, current: Value, call: Call<'_>) -> Result<Value, Problem>;

    /// Changes the object in place.
    async fn update(&self, prior: Value, planned: Value, call: Call<'_>) -> Created;

    /// Destroys the object. One that is gone already is no error.
    async fn delete(&self, prior: Value, call: Call<'_>) -> Result<(), Problem>;

    /// What tells its objects apart, where the type has identities.
    fn identity_schema(&self) -> Option<IdentitySchema> {
        None
    }

    /// The identity of an object, for types that have identities: by itself, the attributes of the same names.
    fn identity(&self, object: &Value) -> Value {
        let schema = self.identity_schema().unwrap_or_default();
        let part = |(name, one): (&Arc<str>, &crate::schema::IdentityAttribute)| {
            let found = object.get_attr(name).cloned();
            (Arc::clone(name), found.unwrap_or_else(|| Value::null(one.ty.clone())))
        };
        Value::object(schema.attributes.iter().map(part))
    }

    /// Brings a stored identity of an older schema version to the current one, as JSON. What the schema does not have is
    /// dropped afterwards, what the identity lacks is null.
    fn upgrade_identity(
        &self,
        _version: u64,
        stored: serde_json::Value,
    ) -> Result<serde_json::Value, Problem> {
        Ok(stored)
    }

    /// Looks up an object by its identity.
    async fn import_by_identity(
        &self,
        _identity: Value,
        _call: Call<'_>,
    ) -> Result<Value, Problem> {
        let message = format!("`{}` cannot be imported by its identity", self.name());
        Err(Problem::error(message, "write the object's `id` instead"))
    }

    /// Says whether it takes over objects of other types.
    fn takes_over(&self) -> bool {
        false
    }

    /// Takes over an object of another type; `None` if it cannot take over objects of that one.
    fn take_over(&self, _from: &MoveRequest) -> Option<Result<Value, Problem>> {
        None
    }

    /// Says whether a change has to be put off. Asked only where the engine allows that.
    fn puts_off(&self, _config: &Value, _call: &Call<'_>) -> Option<Deferral> {
        None
    }

    /// Says whether looking up an object for an import has to be put off. Asked only where the engine allows that.
    fn puts_off_import(&self, _key: &ImportKey, _call: &Call<'_>) -> Option<Deferral> {
        None
    }

    /// Looks up an object by its id.
    async fn import(&self, id: &str, _call: Call<'_>) -> Result<Value, Problem> {
        let message = format!("`{}` cannot be imported", self.name());
        Err(Problem::error(message, format!("there is no way to find `{id}` by its id")))
    }

    /// Says whether objects exist in the state alone, as [`Reader::lives_in_state`] describes it.
    fn lives_in_state(&self) -> bool {
        false
    }

    /// Lists the objects that exist.
    async fn list(&self, _call: Call<'_>) -> Option<Result<Vec<Listed>, Problem>> {
        None
    }

    /// Says what became of a create.
    async fn find_by_token(&self, _token: &str, _call: Call<'_>) -> TokenAnswer {
        TokenAnswer::Unsupported
    }

    /// Brings a stored object of an older schema version to the current one, as JSON. What the schema does not
    /// have is dropped afterwards, what the object lacks is null.
    fn upgrade(
        &self,
        _version: u64,
        stored: serde_json::Value,
    ) -> Result<serde_json::Value, Problem> {
        Ok(stored)
    }
}

/// A value that lives as long as a run, and is stored nowhere.
#[async_trait]
pub trait EphemeralResource: Send + Sync {
    /// The type's name.
    fn name(&self) -> &'static str;

    /// Its schema.
    fn schema(&self) -> Schema;

    /// Says whether making it has to be put off. Asked only where the engine allows that.
    fn puts_off(&self, _config: &Value, _call: &Call<'_>) -> Option<Deferral> {
        None
    }

    /// Makes it.
    async fn open(&self, config: Value, call: Call<'_>) -> Result<Opened, Problem>;

    /// Makes it last longer.
    async fn renew(&self, private: Private, _call: Call<'_>) -> Result<Renewed, Problem> {
        Ok(Renewed { private, renew_at_unix_ms: None })
    }

    /// Ends it.
    async fn close(&self, _private: Private, _call: Call<'_>) -> Result<(), Problem> {
        Ok(())
    }
}

/// A function that the language can call as `provider::NAME::FUNCTION(…)`. Pure: equal arguments, equal result.
pub trait Function: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Its parameters and result.
    fn schema(&self) -> FunctionSchema;

    /// Calls it. The arguments fit the schema and are wholly known.
    fn call(&self, arguments: &[Value]) -> Result<Value, Problem>;
}

/// A data source.
#[async_trait]
pub trait DataSource: Send + Sync {
    /// The type's name.
    fn name(&self) -> &'static str;

    /// Its schema.
    fn schema(&self) -> Schema;

    /// Checks a configuration beyond its types; parts may be unknown.
    fn validate(&self, _config: &Value) -> Problems {
        Vec::new()
    }

    /// Reads it.
    async fn read(&self, config: Value, call: Call<'_>) -> Result<Value, Problem>;
}

/// What a backend's offers come from.
pub type OfferSource = fn(&Context) -> Result<Vec<Offer>, Problem>;

static NO_CONFIG: std::sync::LazyLock<Value> = std::sync::LazyLock::new(Value::dynamic_null);

/// A provider made of resources and data sources.
pub struct NativeProvider {
    schema: Arc<ProviderSchema>,
    resources: BTreeMap<&'static str, Box<dyn Resource>>,
    data_sources: BTreeMap<&'static str, Box<dyn DataSource>>,
    ephemerals: BTreeMap<&'static str, Box<dyn EphemeralResource>>,
    functions: BTreeMap<&'static str, Box<dyn Function>>,
    offers: Option<OfferSource>,
    settings_check: Option<fn(&Value) -> Problems>,
    settings: OnceLock<(Value, Context)>,
}

impl NativeProvider {
    /// A provider with these settings, resources and data sources.
    pub fn new(
        settings: Schema,
        resources: Vec<Box<dyn Resource>>,
        data_sources: Vec<Box<dyn DataSource>>,
    ) -> Self {
        let identities = resources.iter();
        let identities =
            identities.filter_map(|one| Some((one.name().into(), one.identity_schema()?)));
        let schema = ProviderSchema {
            identities: identities.collect(),
            capabilities: Capabilities {
                move_resource: resources.iter().any(|one| one.takes_over()),
                ..Capabilities::default()
            },
            provider: settings,
            resources: resources.iter().map(|r| (r.name().into(), r.schema())).collect(),
            data_sources: data_sources.iter().map(|d| (d.name().into(), d.schema())).collect(),
            ..ProviderSchema::default()
        };
        Self {
            schema: Arc::new(schema),
            resources: resources.into_iter().map(|resource| (resource.name(), resource)).collect(),
            data_sources: data_sources.into_iter().map(|data| (data.name(), data)).collect(),
            ephemerals: BTreeMap::new(),
            functions: BTreeMap::new(),
            offers: None,
            settings_check: None,
            settings: OnceLock::new(),
        }
    }

    /// The same provider, with these ephemeral resources.
    #[must_use]
    pub fn with_ephemerals(mut self, ephemerals: Vec<Box<dyn EphemeralResource>>) -> Self {
        let schema = Arc::make_mut(&mut self.schema);
        schema.ephemerals = ephemerals.iter().map(|e| (e.name().into(), e.schema())).collect();
        self.ephemerals = ephemerals.into_iter().map(|e| (e.name(), e)).collect();
        self
    }

    /// The same provider, with these functions.
    #[must_use]
    pub fn with_functions(mut self, functions: Vec<Box<dyn Function>>) -> Self {
        let schema = Arc::make_mut(&mut self.schema);
        schema.functions = functions.iter().map(|f| (f.name().into(), f.schema())).collect();
        self.functions = functions.into_iter().map(|f| (f.name(), f)).collect();
        self
    }

    /// The same provider, which takes what modules tell about themselves.
    #[must_use]
    pub fn with_meta(mut self, meta: Schema) -> Self {
        Arc::make_mut(&mut self.schema).meta = Some(meta);
        self
    }

    /// The same provider, selling what this function says.
    #[must_use]
    pub fn with_offers(mut self, offers: OfferSource) -> Self {
        self.offers = Some(offers);
        self
    }

    /// The same provider, whose settings this function checks beyond their types; parts may be unknown.
    #[must_use]
    pub fn with_settings_check(mut self, check: fn(&Value) -> Problems) -> Self {
        self.settings_check = Some(check);
        self
    }

    fn resource(&self, name: &str) -> Result<&dyn Resource, ProviderError> {
        let found = self.resources.get(name);
        found
            .map(|resource| &**resource)
            .ok_or_else(|| ProviderError::Unsupported { what: format!("`{name}`") })
    }

    fn data_source(&self, name: &str) -> Result<&dyn DataSource, ProviderError> {
        let found = self.data_sources.get(name);
        found
            .map(|data| &**data)
            .ok_or_else(|| ProviderError::Unsupported { what: format!("`{name}`") })
    }

    fn configured(&self) -> Result<&(Value, Context), ProviderError> {
        self.settings.get().ok_or_else(|| ProviderError::Protocol {
            message: "it was called before it was configured".to_owned(),
        })
    }

    fn call<'a>(
        &'a self,
        token: &'a str,
        progress: &'a ProgressSink,
    ) -> Result<Call<'a>, ProviderError> {
        let (settings, context) = self.configured()?;
        Ok(Call { context, settings, config: &NO_CONFIG, meta: &NO_CONFIG, token, progress })
    }

    /// Something where the engine allows that work is put off.
    fn may_put_off(&self) -> Option<()> {
        self.settings.get().filter(|(_, context)| context.deferral_allowed).map(|_| ())
    }

    fn ephemeral(&self, name: &str) -> Result<&dyn EphemeralResource, ProviderError> {
        let found = self.ephemerals.get(name);
        found
            .map(|ephemeral| &**ephemeral)
            .ok_or_else(|| ProviderError::Unsupported { what: format!("`{name}`") })
    }

    /// What tells an object from all others; `None` for types without identities and where there is no object.
    fn identity_of(&self, resource: &dyn Resource, object: &Value) -> Option<Value> {
        let has = self.schema.identities.contains_key(resource.name());
        (has && !object.is_null()).then(|| resource.identity(object))
    }

    fn schema_of(&self, type_name: &str) -> Result<&Schema, ProviderError> {
        let found = self.schema.resources.get(type_name);
        found.ok_or_else(|| ProviderError::Unsupported { what: format!("`{type_name}`") })
    }
}

#[async_trait]
impl Reader for NativeProvider {
    fn schema(&self) -> Arc<ProviderSchema> {
        Arc::clone(&self.schema)
    }

    async fn validate_provider(&self, config: &Value) -> Result<Problems, ProviderError> {
        Ok(self.settings_check.map_or_else(Vec::new, |check| check(config)))
    }

    async fn validate_resource(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        Ok(self.resource(type_name)?.validate(config))
    }

    async fn validate_data(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        Ok(self.data_source(type_name)?.validate(config))
    }

    async fn configure(&self, request: ConfigureRequest) -> Result<Problems, ProviderError> {
        // A second call would be a fault of the engine; the first settings stay.
        let _ = self.settings.set((request.config, request.context));
        Ok(Vec::new())
    }

    async fn upgrade(&self, request: UpgradeRequest) -> Result<Answer<Value>, ProviderError> {
        let schema = self.schema_of(&request.type_name)?;
        let resource = self.resource(&request.type_name)?;
        Ok(match stored::read(resource, schema, request.version, &request.state_json) {
            Ok(object) => Answer::new(object),
            Err(problem) => Answer::failed(vec![problem]),
        })
    }

    async fn upgrade_identity(
        &self,
        request: UpgradeRequest,
    ) -> Result<Answer<Value>, ProviderError> {
        let resource = self.resource(&request.type_name)?;
        let Some(schema) = self.schema.identities.get(&request.type_name) else {
            return Err(ProviderError::Unsupported {
                what: format!("identities of `{}`", request.type_name),
            });
        };
        let read = stored::identity(resource, schema, request.version, &request.state_json);
        Ok(read.map_or_else(|problem| Answer::failed(vec![problem]), Answer::new))
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadAnswer, ProviderError> {
        let progress = ProgressSink::none();
        let call = self.call("", &progress)?;
        let call = Call { meta: request.meta.as_ref().unwrap_or(&NO_CONFIG), ..call };
        let ty = self.schema_of(&request.type_name)?.block.ty();
        let current = request.current.clone();
        let resource = self.resource(&request.type_name)?;
        let (new, problems) = match resource.read(request.current, call).await {
            Ok(new) if new.is_null() => (Value::null(ty), Vec::new()),
            Ok(new) => (new, Vec::new()),
            Err(problem) => (current, vec![problem]),
        };
        let identity = self.identity_of(resource, &new).or(request.identity);
        Ok(ReadAnswer { new, private: request.private, identity, deferred: None, problems })
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanAnswer, ProviderError> {
        let resource = self.resource(&request.type_name)?;
        let schema = self.schema_of(&request.type_name)?;
        let progress = ProgressSink::none();
        let deferred = match self.settings.get() {
            Some((_, context)) if context.deferral_allowed => {
                resource.puts_off(&request.config, &self.call("", &progress)?)
            }
            _ => None,
        };
        let answer = |planned, requires_replace| PlanAnswer {
            // An object that is there keeps what tells it from others.
            planned_identity: request
                .prior_identity
                .clone()
                .or_else(|| self.identity_of(resource, &planned)),
            deferred,
            planned,
            requires_replace,
            planned_private: request.prior_private.clone(),
            problems: Vec::new(),
            legacy_types: false,
        };
        if request.proposed.is_null() {
            return Ok(answer(request.proposed, Vec::new()));
        }
        let planned = planning::plan(&schema.block, &request);
        let (planned, mut requires_replace) =
            resource.plan(&request.prior, planned, &request.config);
        if !request.prior.is_null() {
            requires_replace.extend(planning::replaced(&schema.block, &request.prior, &planned));
        }
        Ok(answer(planned, requires_replace))
    }

    async fn read_data(&self, request: DataRequest) -> Result<DataAnswer, ProviderError> {
        let progress = ProgressSink::none();
        let call = self.call("", &progress)?;
        let call = Call { meta: request.meta.as_ref().unwrap_or(&NO_CONFIG), ..call };
        let answer = match self.data_source(&request.type_name)?.read(request.config, call).await {
            Ok(value) => Answer::new(value),
            Err(problem) => Answer::failed(vec![problem]),
        };
        Ok(answer.into())
    }

    async fn move_state(&self, request: MoveRequest) -> Result<Answer<Moved>, ProviderError> {
        let resource = self.resource(&request.target_type)?;
        Ok(match resource.take_over(&request) {
            Some(Ok(state)) => {
                let identity = self.identity_of(resource, &state);
                Answer::new(Moved { state, private: Private::EMPTY, identity })
            }
            Some(Err(problem)) => Answer::failed(vec![problem]),
            None => Answer::failed(vec![Problem::error(
                format!("`{}` does not take over `{}`", request.target_type, request.source_type),
                "remove the `moved` block and import the object instead",
            )]),
        })
    }

    async fn import(
        &self,
        type_name: &str,
        key: &ImportKey,
    ) -> Result<Answer<Vec<Imported>>, ProviderError> {
        let progress = ProgressSink::none();
        let call = self.call("", &progress)?;
        let resource = self.resource(type_name)?;
        if let Some(deferral) =
            self.may_put_off().and_then(|()| resource.puts_off_import(key, &call))
        {
            return Ok(Answer::new(vec![Imported {
                type_name: type_name.into(),
                state: Value::null(self.schema_of(type_name)?.block.ty()),
                deferred: Some(deferral),
                private: Private::EMPTY,
                identity: None,
            }]));
        }
        let found = match key {
            ImportKey::Id(id) => resource.import(id, call).await,
            ImportKey::Identity(identity) => {
                resource.import_by_identity(identity.clone(), call).await
            }
        };
        Ok(match found {
            Ok(state) => Answer::new(vec![Imported {
                type_name: type_name.into(),
                identity: self.identity_of(resource, &state),
                state,
                deferred: None,
                private: Private::EMPTY,
            }]),
            Err(problem) => Answer::failed(vec![problem]),
        })
    }

    async fn list(&self, type_name: &str) -> Result<Answer<Vec<Listed>>, ProviderError> {
        let progress = ProgressSink::none();
        let call = self.call("", &progress)?;
        match self.resource(type_name)?.list(call).await {
            None => Err(ProviderError::Unsupported { what: format!("listing `{type_name}`") }),
            Some(Ok(found)) => Ok(Answer::new(found)),
            Some(Err(problem)) => Ok(Answer::failed(vec![problem])),
        }
    }

    async fn find_by_token(
        &self,
        type_name: &str,
        token: &str,
    ) -> Result<TokenAnswer, ProviderError> {
        let progress = ProgressSink::none();
        let call = self.call(token, &progress)?;
        Ok(self.resource(type_name)?.find_by_token(token, call).await)
    }

    async fn call_function(
        &self,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<Answer<Value>, ProviderError> {
        let Some(function) = self.functions.get(name) else {
            return Err(ProviderError::Unsupported { what: format!("the function `{name}`") });
        };
        Ok(match function.call(&arguments) {
            Ok(value) => Answer::new(value),
            Err(problem) => Answer::failed(vec![problem]),
        })
    }

    async fn open_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Answer<Opened>, ProviderError> {
        let progress = ProgressSink::none();
        let call = self.call("", &progress)?;
        let ephemeral = self.ephemeral(type_name)?;
        let deferral = self.may_put_off().and_then(|()| ephemeral.puts_off(config, &call));
        if deferral.is_some() {
            return Ok(Answer::new(Opened {
                result: Value::null(config.ty()),
                deferred: deferral,
                private: Private::EMPTY,
                renew_at_unix_ms: None,
            }));
        }
        Ok(match ephemeral.open(config.clone(), call).await {
            Ok(opened) => Answer::new(opened),
            Err(problem) => Answer::failed(vec![problem]),
        })
    }

    async fn renew_ephemeral(
        &self,
        type_name: &str,
        private: Private,
    ) -> Result<Answer<Renewed>, ProviderError> {
        let progress = ProgressSink::none();
        let call = self.call("", &progress)?;
        Ok(match self.ephemeral(type_name)?.renew(private, call).await {
            Ok(renewed) => Answer::new(renewed),
            Err(problem) => Answer::failed(vec![problem]),
        })
    }

    async fn close_ephemeral(
        &self,
        type_name: &str,
        private: Private,
    ) -> Result<Problems, ProviderError> {
        let progress = ProgressSink::none();
        let call = self.call("", &progress)?;
        Ok(self.ephemeral(type_name)?.close(private, call).await.err().into_iter().collect())
    }

    fn lives_in_state(&self, type_name: &str) -> bool {
        self.resource(type_name).is_ok_and(|resource| resource.lives_in_state())
    }

    async fn offers(&self) -> Result<Answer<Vec<Offer>>, ProviderError> {
        let Some(offers) = self.offers else { return Ok(Answer::new(Vec::new())) };
        let (_, context) = self.configured()?;
        Ok(match offers(context) {
            Ok(offers) => Answer::new(offers),
            Err(problem) => Answer::failed(vec![problem]),
        })
    }
}

#[async_trait]
impl Provider for NativeProvider {
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        let resource = self.resource(&request.type_name)?;
        let schema = self.schema_of(&request.type_name)?;
        let call = Call {
            config: &request.config,
            meta: request.meta.as_ref().unwrap_or(&NO_CONFIG),
            ..self.call(&request.token, &request.progress)?
        };
        let null = Value::null(schema.block.ty());
        let operation = match (request.prior.is_null(), request.planned.is_null()) {
            (_, true) => "delete",
            (true, false) => "create",
            (false, false) => "update",
        };
        let limits = if request.planned.is_null() { &request.prior } else { &request.planned };
        let limit = planning::time_limit(limits, operation);
        let prior = request.prior.clone();
        let work = async {
            if request.planned.is_null() {
                match resource.delete(request.prior.clone(), call).await {
                    Ok(()) => Created::of(null.clone()),
                    Err(problem) => Created { object: request.prior, problems: vec![problem] },
                }
            } else if request.prior.is_null() {
                resource.create(request.planned, call).await
            } else {
                let mut updated =
                    resource.update(request.prior.clone(), request.planned, call).await;
                if updated.object.is_null() && !updated.problems.is_empty() {
                    updated.object = request.prior;
                }
                updated
            }
        };
        let created = match limit {
            None => work.await,
            Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Created {
                object: prior,
                problems: vec![Problem::error(
                    format!("the {operation} took longer than {} s", limit.as_secs_f64()),
                    format!("`timeouts.{operation}` sets the limit; raise it, or find out why it takes so long"),
                )],
            }),
        };
        let object = if created.object.is_null() {
            null
        } else {
            planning::clear_write_only(&schema.block, &created.object)
        };
        Ok(ApplyAnswer {
            identity: self.identity_of(resource, &object),
            new: object,
            private: Private::EMPTY,
            problems: created.problems,
            legacy_types: false,
        })
    }
}

/// Reading parts of an object by name, for resources.
pub trait Object {
    /// A string; `None` if it is null, unknown or not there.
    fn text(&self, name: &str) -> Option<&str>;
    /// An integer; `None` if it is null, unknown, a fraction or not there.
    fn integer(&self, name: &str) -> Option<i64>;
    /// A float; `None` if it is null, unknown or not there.
    fn float(&self, name: &str) -> Option<f64>;
    /// A bool; `None` if it is null, unknown or not there.
    fn flag(&self, name: &str) -> Option<bool>;
    /// A list of strings; empty if it is null, unknown or not there.
    fn texts(&self, name: &str) -> Vec<String>;
    /// A map of strings; empty if it is null, unknown or not there.
    fn text_map(&self, name: &str) -> BTreeMap<String, String>;
    /// The object with an attribute that will be known after apply, and will not be null.
    #[must_use]
    fn with_unknown(self, name: &str) -> Self;
}

impl Object for Value {
    fn text(&self, name: &str) -> Option<&str> {
        self.get_attr(name)?.as_str()
    }

    fn integer(&self, name: &str) -> Option<i64> {
        self.get_attr(name)?.as_number()?.to_i64()
    }

    fn float(&self, name: &str) -> Option<f64> {
        Some(self.get_attr(name)?.as_number()?.to_f64())
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.get_attr(name)?.as_bool()
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let items = self.get_attr(name).and_then(Value::items).unwrap_or_default();
        items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn text_map(&self, name: &str) -> BTreeMap<String, String> {
        let entries = self.get_attr(name).and_then(Value::entries).into_iter().flatten();
        entries
            .filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned())))
            .collect()
    }

    fn with_unknown(self, name: &str) -> Self {
        let ty = self.get_attr(name).map_or(Type::Dynamic, Value::ty);
        self.with_attr(name, Value::unknown_refined(ty, Refinement::not_null()))
    }
}
