//! The life cycle that every provider follows, native or hosted.
//!
//! Two traits, so that who holds a [`Reader`] cannot change the world. Objects carry no marks. Names and
//! meaning follow the Terraform provider protocol, versions 5 and 6.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use address::AttributePath;
use async_trait::async_trait;
use value::Value;

use crate::problem::{Problems, ProviderError};
use crate::schema::ProviderSchema;

/// Where a provider runs.
#[derive(Debug, Clone)]
pub struct Context {
    /// The folder of the stack.
    pub working_dir: PathBuf,
    /// The engine's own binary, which native providers start as a helper.
    pub executable: PathBuf,
    /// The engine's version.
    pub engine_version: String,
    /// The machine-wide folder of the engine, shared by all stacks of a user.
    pub home_dir: PathBuf,
    /// Whether the provider may put work off.
    pub deferral_allowed: bool,
    /// Whether answers that earlier runs have kept will do: this run is told not to look at what there is.
    pub reuse_answers: bool,
}

/// Why a provider puts work off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deferral {
    /// It does not say.
    Unknown,
    /// The configuration of the resource is not known yet.
    ResourceConfigUnknown,
    /// The configuration of the provider is not known yet.
    ProviderConfigUnknown,
    /// Something that it needs does not exist yet.
    AbsentPrerequisite,
}

/// How an object is found that is to be imported.
#[derive(Debug, Clone, PartialEq)]
pub enum ImportKey {
    /// By its id.
    Id(String),
    /// By its identity, an object of the identity schema's type.
    Identity(Value),
}

/// The provider's settings.
#[derive(Debug, Clone)]
pub struct ConfigureRequest {
    /// An object of the provider schema's type; parts may be unknown while planning.
    pub config: Value,
    /// Where it runs.
    pub context: Context,
}

/// A stored object to be brought to the current schema.
#[derive(Debug, Clone)]
pub struct UpgradeRequest {
    /// The resource type.
    pub type_name: Arc<str>,
    /// Schema version that the object was stored with.
    pub version: u64,
    /// The stored object, as JSON text.
    pub state_json: Arc<str>,
}

/// A provider's own data about an object. Cheap to clone; `Debug` shows its size alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Private(Option<Arc<[u8]>>);

impl Private {
    /// No data.
    pub const EMPTY: Self = Self(None);

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl From<&[u8]> for Private {
    fn from(bytes: &[u8]) -> Self {
        Self((!bytes.is_empty()).then(|| bytes.into()))
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Private({} bytes)", self.as_bytes().len())
    }
}

/// An answer with a result.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// What was asked for; absent if problems kept it from being made.
    pub value: Option<T>,
    /// The provider's complaints.
    pub problems: Problems,
}

impl<T> Answer<T> {
    /// A result without complaints.
    pub fn new(value: T) -> Self {
        Self { value: Some(value), problems: Vec::new() }
    }

    /// Complaints without a result.
    pub fn failed(problems: Problems) -> Self {
        Self { value: None, problems }
    }
}

/// A stored object of another type, to be taken over.
#[derive(Debug, Clone)]
pub struct MoveRequest {
    /// The type that takes it over.
    pub target_type: Arc<str>,
    /// Source address of the provider that it belongs to.
    pub source_provider: String,
    /// Its type.
    pub source_type: Arc<str>,
    /// Schema version that it was stored with.
    pub source_version: u64,
    /// The stored object, as JSON text.
    pub source_json: Arc<str>,
    /// The other provider's own data.
    pub source_private: Private,
    /// The version of the identity's schema and the stored identity as JSON text, where there is one.
    pub source_identity: Option<(u64, Arc<str>)>,
}

/// An object that was taken over.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The object in its new type.
    pub state: Value,
    /// The provider's own data.
    pub private: Private,
    /// What tells the object from all others.
    pub identity: Option<Value>,
}

/// An object to be looked at.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// The resource type.
    pub type_name: Arc<str>,
    /// What is recorded.
    pub current: Value,
    /// The provider's own data.
    pub private: Private,
    /// What tells the object from all others.
    pub identity: Option<Value>,
    /// What the module tells the provider about itself.
    pub meta: Option<Value>,
}

/// What is really there.
#[derive(Debug, Clone)]
pub struct ReadAnswer {
    /// The object; null if it is gone.
    pub new: Value,
    /// The provider's own data.
    pub private: Private,
    /// What tells the object from all others.
    pub identity: Option<Value>,
    /// Set if the provider cannot look yet.
    pub deferred: Option<Deferral>,
    /// The provider's complaints.
    pub problems: Problems,
}

/// A change to be planned.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// The resource type.
    pub type_name: Arc<str>,
    /// The object as it is; null if there is none.
    pub prior: Value,
    /// The configuration filled up from the prior object; null for a destruction.
    pub proposed: Value,
    /// The configuration; null for a destruction.
    pub config: Value,
    /// The provider's own data about the prior object.
    pub prior_private: Private,
    /// What tells the prior object from all others.
    pub prior_identity: Option<Value>,
    /// What the module tells the provider about itself.
    pub meta: Option<Value>,
}

/// A planned change.
#[derive(Debug, Clone)]
pub struct PlanAnswer {
    /// The object as it will be; unknown where only apply will know.
    pub planned: Value,
    /// Attributes whose change needs a new object.
    pub requires_replace: Vec<AttributePath>,
    /// The provider's own data about the plan.
    pub planned_private: Private,
    /// What will tell the object from all others; unknown where only apply will know.
    pub planned_identity: Option<Value>,
    /// Set if the provider puts the change off; the plan is what it can say so far.
    pub deferred: Option<Deferral>,
    /// The provider's complaints.
    pub problems: Problems,
    /// The provider keeps to looser rules; only hosted ones may.
    pub legacy_types: bool,
}

/// A change to be made.
#[derive(Clone)]
pub struct ApplyRequest {
    /// The resource type.
    pub type_name: Arc<str>,
    /// The object as it is; null if there is none.
    pub prior: Value,
    /// The object as planned; null for a destruction.
    pub planned: Value,
    /// The configuration, wholly known; null for a destruction.
    pub config: Value,
    /// The provider's own data about the plan.
    pub planned_private: Private,
    /// What tells the object from all others, as planned.
    pub planned_identity: Option<Value>,
    /// What the module tells the provider about itself.
    pub meta: Option<Value>,
    /// Names this try of this change: a create that is repeated with the same token makes no second object.
    pub token: String,
    /// For lines that tell people how far a long call is.
    pub progress: ProgressSink,
}

/// A change that was made, or as much of it as was.
#[derive(Debug, Clone)]
pub struct ApplyAnswer {
    /// The object as it is now; null if there is none.
    pub new: Value,
    /// The provider's own data.
    pub private: Private,
    /// What tells the object from all others.
    pub identity: Option<Value>,
    /// The provider's complaints.
    pub problems: Problems,
    /// The provider keeps to looser rules; only hosted ones may.
    pub legacy_types: bool,
}

/// An object that came by import.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The resource type.
    pub type_name: Arc<str>,
    /// What is known of it; often little more than its id. Null if it is put off.
    pub state: Value,
    /// Set if the provider cannot look it up yet.
    pub deferred: Option<Deferral>,
    /// The provider's own data.
    pub private: Private,
    /// What tells the object from all others.
    pub identity: Option<Value>,
}

/// A data source to be read.
#[derive(Debug, Clone)]
pub struct DataRequest {
    /// The type.
    pub type_name: Arc<str>,
    /// The configuration, wholly known.
    pub config: Value,
    /// What the module tells the provider about itself.
    pub meta: Option<Value>,
}

/// What a data source has given.
#[derive(Debug, Clone)]
pub struct DataAnswer {
    /// The object; absent if problems kept it from being made.
    pub value: Option<Value>,
    /// Set if the provider cannot read it yet.
    pub deferred: Option<Deferral>,
    /// The provider's complaints.
    pub problems: Problems,
}

impl From<Answer<Value>> for DataAnswer {
    fn from(answer: Answer<Value>) -> Self {
        Self { value: answer.value, deferred: None, problems: answer.problems }
    }
}

/// An object that a provider knows to exist.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The id by which it can be imported.
    pub id: String,
    /// The token of the create that made it, where the backend keeps it.
    pub token: Option<String>,
    /// The object.
    pub state: Value,
}

/// What became of a create that was tried with a token.
#[derive(Debug, Clone)]
pub enum TokenAnswer {
    /// The provider cannot tell.
    Unsupported,
    /// It made nothing.
    Absent,
    /// It made this object.
    Present {
        /// The object.
        state: Value,
        /// The provider's own data.
        private: Private,
    },
    /// The backend is still at it.
    InProgress,
}

/// An ephemeral object that is open. `Debug` shows no value.
#[derive(Clone)]
pub struct Opened {
    /// The object; nobody looks at it if it is put off.
    pub result: Value,
    /// Set if the provider cannot make it yet. Nothing is open then.
    pub deferred: Option<Deferral>,
    /// The provider's own data.
    pub private: Private,
    /// When it must be renewed, in milliseconds since 1970; `None` if it lasts.
    pub renew_at_unix_ms: Option<u64>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("renew_at_unix_ms", &self.renew_at_unix_ms)
            .finish_non_exhaustive()
    }
}

/// An ephemeral object that lasts longer now.
#[derive(Debug, Clone)]
pub struct Renewed {
    /// The provider's own data.
    pub private: Private,
    /// When it must be renewed again; `None` if it lasts.
    pub renew_at_unix_ms: Option<u64>,
}

/// What a backend can sell right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The backend: `local`, `aws`, …
    pub backend: Arc<str>,
    /// Unique within the backend and stable over time.
    pub name: Arc<str>,
    /// An object; `capacity` in it is a map of numbers that demands are taken from.
    pub attributes: Value,
    /// Where the facts come from.
    pub source: String,
    /// When they were true, as YYYY-MM-DD; empty for what was looked up just now.
    pub date: String,
}

/// Takes lines for people while a call runs. Cheap to clone.
#[derive(Clone)]
pub struct ProgressSink(Arc<dyn Fn(&str) + Send + Sync>);

impl ProgressSink {
    /// A sink that calls a function.
    pub fn new(sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// A sink that drops everything.
    pub fn none() -> Self {
        Self::new(|_| {})
    }

    /// Says a line. It must hold no secret.
    pub fn tell(&self, line: &str) {
        (self.0)(line);
    }
}

impl fmt::Debug for ProgressSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProgressSink")
    }
}

/// The part of a provider that only looks.
///
/// Every call may be repeated without effect on the world.
#[async_trait]
pub trait Reader: Send + Sync {
    /// All schemas. Cheap.
    fn schema(&self) -> Arc<ProviderSchema>;

    /// Checks the provider's settings.
    async fn validate_provider(&self, config: &Value) -> Result<Problems, ProviderError>;

    /// Checks a resource's configuration; parts of it may be unknown.
    async fn validate_resource(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError>;

    /// Checks a data source's configuration; parts of it may be unknown.
    async fn validate_data(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError>;

    /// Checks an ephemeral resource's configuration; parts of it may be unknown.
    async fn validate_ephemeral(
        &self,
        _type_name: &str,
        _config: &Value,
    ) -> Result<Problems, ProviderError> {
        Ok(Vec::new())
    }

    /// The same provider for questions that hold secrets: it keeps no answer between runs, and takes none that was
    /// kept. `None` if it never does.
    fn forgetful(&self) -> Option<Arc<dyn Reader>> {
        None
    }

    /// Says that nothing more will be asked: a process that runs for this provider alone may end.
    async fn release(&self) {}

    /// Takes the settings. Called once before all calls that follow.
    async fn configure(&self, request: ConfigureRequest) -> Result<Problems, ProviderError>;

    /// Brings a stored object to the current schema.
    async fn upgrade(&self, request: UpgradeRequest) -> Result<Answer<Value>, ProviderError>;

    /// Brings a stored identity to the current schema.
    async fn upgrade_identity(
        &self,
        request: UpgradeRequest,
    ) -> Result<Answer<Value>, ProviderError> {
        let what = format!("identities of `{}` of version {}", request.type_name, request.version);
        Err(ProviderError::Unsupported { what })
    }

    /// Takes over a stored object of another type, for those whose schema says that they can.
    async fn move_state(&self, request: MoveRequest) -> Result<Answer<Moved>, ProviderError> {
        Err(ProviderError::Unsupported {
            what: format!("taking over `{}` as `{}`", request.source_type, request.target_type),
        })
    }

    /// Looks at an object.
    async fn read(&self, request: ReadRequest) -> Result<ReadAnswer, ProviderError>;

    /// Plans a change.
    async fn plan(&self, request: PlanRequest) -> Result<PlanAnswer, ProviderError>;

    /// Reads a data source.
    async fn read_data(&self, request: DataRequest) -> Result<DataAnswer, ProviderError>;

    /// Looks up an object.
    async fn import(
        &self,
        type_name: &str,
        key: &ImportKey,
    ) -> Result<Answer<Vec<Imported>>, ProviderError>;

    /// Lists objects that exist.
    async fn list(&self, type_name: &str) -> Result<Answer<Vec<Listed>>, ProviderError> {
        Err(ProviderError::Unsupported { what: format!("listing `{type_name}`") })
    }

    /// Says what became of a create.
    async fn find_by_token(
        &self,
        _type_name: &str,
        _token: &str,
    ) -> Result<TokenAnswer, ProviderError> {
        Ok(TokenAnswer::Unsupported)
    }

    /// Calls a function.
    async fn call_function(
        &self,
        name: &str,
        _arguments: Vec<Value>,
    ) -> Result<Answer<Value>, ProviderError> {
        Err(ProviderError::Unsupported { what: format!("the function `{name}`") })
    }

    /// Makes an ephemeral object, which is stored nowhere.
    async fn open_ephemeral(
        &self,
        type_name: &str,
        _config: &Value,
    ) -> Result<Answer<Opened>, ProviderError> {
        Err(ProviderError::Unsupported { what: format!("the ephemeral resource `{type_name}`") })
    }

    /// Makes an ephemeral object last longer.
    async fn renew_ephemeral(
        &self,
        type_name: &str,
        _private: Private,
    ) -> Result<Answer<Renewed>, ProviderError> {
        Err(ProviderError::Unsupported { what: format!("the ephemeral resource `{type_name}`") })
    }

    /// Ends an ephemeral object.
    async fn close_ephemeral(
        &self,
        type_name: &str,
        _private: Private,
    ) -> Result<Problems, ProviderError> {
        Err(ProviderError::Unsupported { what: format!("the ephemeral resource `{type_name}`") })
    }

    /// Says whether objects of a type exist in the state alone: making, changing and destroying one touches
    /// nothing in the world, and one that a crash loses is made again without harm. Such changes need no intent
    /// that is durable before the call.
    fn lives_in_state(&self, _type_name: &str) -> bool {
        false
    }

    /// Says whether nothing but the provider's schemas is there: it can look at nothing and change nothing.
    fn has_schemas_only(&self) -> bool {
        false
    }

    /// Says what the backend can sell right now; nothing for providers that sell nothing.
    async fn offers(&self) -> Result<Answer<Vec<Offer>>, ProviderError> {
        Ok(Answer::new(Vec::new()))
    }

    /// Asks running calls to end soon.
    async fn stop(&self) {}
}

/// The part of a provider that changes the world.
#[async_trait]
pub trait Provider: Reader {
    /// Makes, changes or destroys an object. The caller has written its intent to the journal.
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyAnswer, ProviderError>;
}
