//! Provider binaries as the engine's providers.
//!
//! A process starts when a call needs one, and serves every instance of the provider that has the same settings:
//! who only checks or calls functions shares any process, who configures one has it alone, or shares it with
//! those whose settings are equal. A process that has crashed is replaced for the calls that come after.

mod calls;
mod recall;

use std::path::PathBuf;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use address::ProviderAddress;
use bytes::Bytes;
use prost::Message;
use sdk::{Factory, Problems, Provider, ProviderError, ProviderSchema, async_trait};
use tokio::sync::{Mutex, Notify, OnceCell};
use tokio::time::Instant;
use value::Value;

use crate::cache::SchemaCache;
use crate::handshake::Endpoint;
use crate::kept::Kept;
use crate::process::{CallError, Process, StartOptions};
use crate::record::Recorder;
use crate::rpc::{Method, Version};
use crate::{schema, wire};

/// So many processes of one provider live at once, unless a person says otherwise.
pub const MAX_PROCESSES: usize = 16;

/// A process whose last call has ended this long ago gives way to another. Calls about one object come one after the
/// other, and would else start its process anew each time.
const GRACE: Duration = Duration::from_millis(100);

/// How long somebody who waits for a process to become idle waits before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// After so many crashes a provider is not started again in this run.
const MAX_CRASHES: usize = 5;

/// Where a provider comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A program.
    Binary(PathBuf),
    /// A process that somebody else started.
    Reattach {
        /// Where it listens.
        endpoint: Endpoint,
        /// What it speaks.
        version: Version,
    },
}

/// Makes sure that a program is the one that is wanted; else says what is wrong with it. May read a lot.
pub type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// How providers are hosted.
#[derive(Clone)]
pub struct HostOptions {
    /// How processes are started.
    pub start: StartOptions,
    /// Where schemas are kept between runs.
    pub cache: Option<SchemaCache>,
    /// Asked right before a program starts; what it says keeps the program from starting.
    pub check: Option<Check>,
    /// Takes every call down.
    pub recorder: Option<Recorder>,
    /// What else of their surroundings providers may go by, as a digest; answers are kept between runs where it is set.
    pub surroundings: Option<String>,
    /// The version of Terraform that providers are told.
    pub terraform_version: String,
    /// How many processes of the provider may live at once; at least 1.
    pub max_processes: usize,
}

/// A hosted provider. Cheap to clone.
#[derive(Clone)]
pub struct Hosted(Arc<Host>);

struct Host {
    address: ProviderAddress,
    source: Source,
    options: HostOptions,
    schema: OnceCell<Arc<ProviderSchema>>,
    slots: Mutex<Slots>,
    /// Told when a call has ended.
    idle: Notify,
    /// What earlier runs were answered.
    kept: Kept,
    /// The work that finds out the program's digest.
    storing: StdMutex<Option<tokio::task::JoinHandle<()>>>,
}

#[derive(Default)]
struct Slots {
    live: Vec<Arc<Slot>>,
    crashes: usize,
    closed: bool,
}

/// A process, and whose settings it has.
struct Slot {
    process: Process,
    /// Set once somebody has claimed it.
    settings: std::sync::OnceLock<Value>,
    /// What came of giving it the settings.
    configured: OnceCell<Problems>,
    /// How many instances have it as theirs.
    claims: AtomicUsize,
    /// How many hold it for a call.
    busy: AtomicUsize,
    /// Set once it gives way to another process.
    retired: AtomicBool,
    /// When its last call has ended.
    freed: StdMutex<Instant>,
}

/// A process that stays for as long as this is held.
struct Held {
    host: Arc<Host>,
    slot: Arc<Slot>,
}

impl Held {
    /// Holds a process; `None` if it gives way to another, or has ended.
    fn try_new(host: &Arc<Host>, slot: &Arc<Slot>) -> Option<Self> {
        // First counted, then looked at: whoever retires it does the same the other way round.
        slot.busy.fetch_add(1, SeqCst);
        let held = Self { host: Arc::clone(host), slot: Arc::clone(slot) };
        (!slot.retired.load(SeqCst) && !slot.process.has_ended()).then_some(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        *self.slot.freed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.slot.busy.fetch_sub(1, SeqCst);
        self.host.idle.notify_one();
    }
}

impl std::ops::Deref for Held {
    type Target = Slot;

    fn deref(&self) -> &Slot {
        &self.slot
    }
}

impl Hosted {
    /// A provider that is not started yet.
    pub fn new(address: ProviderAddress, source: Source, options: HostOptions) -> Self {
        Self(Arc::new(Host {
            address,
            source,
            options,
            schema: OnceCell::new(),
            slots: Mutex::default(),
            idle: Notify::new(),
            kept: Kept::default(),
            storing: StdMutex::default(),
        }))
    }

    /// The schemas as an earlier run has kept them; starts nothing.
    pub(crate) fn cached_schema(&self) -> Option<Arc<ProviderSchema>> {
        let (Some(cache), Source::Binary(path)) = (&self.0.options.cache, &self.0.source) else {
            return None;
        };
        cached(cache, &cache.key(path)?).map(Arc::new)
    }

    /// Ends all processes, starts no more, and writes down what the program was asked.
    pub async fn shut_down(&self) {
        let mut slots = self.0.slots.lock().await;
        slots.closed = true;
        let ends = slots.live.iter().map(|slot| slot.process.shut_down());
        futures::future::join_all(ends).await;
        slots.live.clear();
        drop(slots);
        self.0.write_answers().await;
    }

    /// The version of the protocol that it speaks; starts it if that is not known.
    pub async fn version(&self) -> Result<Version, ProviderError> {
        Ok(self.0.any().await?.process.version)
    }
}

/// Ends all processes of these providers at the same time.
pub async fn shut_down_all(providers: &[Hosted]) {
    futures::future::join_all(providers.iter().map(Hosted::shut_down)).await;
}

#[async_trait]
impl Factory for Hosted {
    fn address(&self) -> ProviderAddress {
        self.0.address.clone()
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        let schema = self.0.schema.get_or_try_init(|| self.0.load_schema()).await?;
        Ok(Arc::new(Instance {
            host: Arc::clone(&self.0),
            schema: Arc::clone(schema),
            given: Arc::default(),
            forgetful: false,
        }))
    }
}

/// What is kept of a program; `None` if nothing is, or it cannot be read.
fn cached(cache: &SchemaCache, key: &crate::cache::Key) -> Option<ProviderSchema> {
    let (version, message) = cache.load(key)?;
    let kept = wire::Cached::decode(&*message).ok()?;
    let message = wire::ProviderSchema::decode(&*kept.schemas).ok()?;
    let schema = schema::provider_from_wire(message, version, true).ok()?;
    let identities = wire::IdentitySchemas::decode(&*kept.identities).ok()?;
    let identities = schema::identities_from_wire(identities).ok()?;
    Some(ProviderSchema { identities, ..schema })
}

impl Host {
    /// The schemas, from the cache where they are there.
    async fn load_schema(self: &Arc<Self>) -> Result<Arc<ProviderSchema>, ProviderError> {
        let cached = match (&self.options.cache, &self.source) {
            (Some(cache), Source::Binary(path)) => {
                crate::binary::inspect(path).map_err(|message| ProviderError::Start { message })?;
                cache.key(path).map(|key| (cache.clone(), key, path.clone()))
            }
            _ => None,
        };
        if let Some((cache, key, _)) = &cached
            && let Some(schema) = self::cached(cache, key)
        {
            return Ok(Arc::new(schema));
        }
        let slot = self.any().await?;
        let version = slot.process.version;
        let bytes = self.ask_schema(&slot.process).await?;
        let message = wire::ProviderSchema::decode(bytes.clone())
            .map_err(|error| in_call(Method::GetSchema, broken(error)))?;
        let complaints = crate::convert::problems_from_wire(&message.diagnostics);
        if let Some(error) = complaints.iter().find(|one| one.is_error()) {
            let message = format!("{}: {}", error.summary, error.detail);
            return Err(in_call(Method::GetSchema, ProviderError::Protocol { message }));
        }
        let schema = schema::provider_from_wire(message, version, false)
            .map_err(|message| in_call(Method::GetSchema, ProviderError::Protocol { message }))?;
        let identities = self.ask_identities(&slot.process).await?;
        let message = wire::IdentitySchemas::decode(identities.clone())
            .map_err(|error| in_call(Method::GetIdentities, broken(error)))?;
        let read = schema::identities_from_wire(message).map_err(|message| {
            in_call(Method::GetIdentities, ProviderError::Protocol { message })
        })?;
        if let Some((cache, key, path)) = cached {
            let storing = tokio::task::spawn_blocking(move || {
                let kept =
                    wire::Cached { schemas: bytes.to_vec(), identities: identities.to_vec() };
                cache.store(&key, &path, version, &kept.encode_to_vec());
            });
            *self.storing.lock().unwrap_or_else(PoisonError::into_inner) = Some(storing);
        }
        Ok(Arc::new(ProviderSchema { identities: read, ..schema }))
    }

    async fn ask_schema(&self, process: &Process) -> Result<Bytes, ProviderError> {
        self.raw_call(process, Method::GetSchema, Bytes::new()).await
    }

    /// The identities of its types; nothing from providers that do not know the call.
    async fn ask_identities(&self, process: &Process) -> Result<Bytes, ProviderError> {
        match self.raw_call(process, Method::GetIdentities, Bytes::new()).await {
            Err(ProviderError::Unsupported { .. }) => Ok(Bytes::new()),
            answer => answer,
        }
    }

    /// Any process, whatever its settings.
    ///
    /// As with [`Self::for_settings`], the work is a task of its own: whoever waits for it may be kept from going on,
    /// as evaluation is while a function of the provider is called, and must not hold the processes then.
    async fn any(self: &Arc<Self>) -> Result<Held, ProviderError> {
        let host = Arc::clone(self);
        joined(tokio::spawn(async move { host.any_now().await }).await)
    }

    async fn any_now(self: &Arc<Self>) -> Result<Held, ProviderError> {
        let mut slots = self.slots.lock().await;
        slots.sweep();
        if let Some(held) = slots.live.iter().find_map(|slot| Held::try_new(self, slot)) {
            return Ok(held);
        }
        self.start(&mut slots).await
    }

    /// A process for these settings: the one that has them, one that has none yet, or a new one.
    async fn for_settings(self: &Arc<Self>, config: &Value) -> Result<Held, ProviderError> {
        let (host, config) = (Arc::clone(self), config.clone());
        joined(tokio::spawn(async move { host.for_settings_now(&config).await }).await)
    }

    async fn for_settings_now(self: &Arc<Self>, config: &Value) -> Result<Held, ProviderError> {
        loop {
            let mut slots = self.slots.lock().await;
            slots.sweep();
            let equal = slots.live.iter().filter(|slot| slot.settings.get() == Some(config));
            if let Some(held) = equal.into_iter().find_map(|slot| Held::try_new(self, slot)) {
                return Ok(held);
            }
            let free = slots.live.iter().filter(|slot| slot.settings.get().is_none());
            let free = free.into_iter().find_map(|slot| Held::try_new(self, slot));
            let held = match free {
                Some(held) => held,
                None if slots.make_room(self.options.max_processes.max(1)).await => {
                    self.start(&mut slots).await?
                }
                None => {
                    // All are at work: one of them gives way when its calls have ended.
                    drop(slots);
                    let _ = tokio::time::timeout(LOOK_AGAIN, self.idle.notified()).await;
                    continue;
                }
            };
            // Claimed under the lock, so that nobody else has.
            let _ = held.settings.set(config.clone());
            return Ok(held);
        }
    }

    async fn start(self: &Arc<Self>, slots: &mut Slots) -> Result<Held, ProviderError> {
        if slots.closed {
            let message = "the run is at its end".to_owned();
            return Err(ProviderError::Start { message });
        }
        if slots.crashes >= MAX_CRASHES {
            let message = format!("it has crashed {MAX_CRASHES} times in this run");
            return Err(ProviderError::Start { message });
        }
        let options = &self.options.start;
        let process = match &self.source {
            Source::Binary(path) => {
                self.check().await?;
                Process::start(path, options).await
            }
            Source::Reattach { endpoint, version } => {
                Process::attach(endpoint.clone(), *version, options).await
            }
        };
        let process = process.map_err(|message| ProviderError::Start { message })?;
        // A provider that does not say that its schemas are optional must be asked first in every process.
        if self.schema.get().is_some_and(|schema| !schema.capabilities.schema_optional) {
            self.ask_schema(&process).await?;
        }
        let slot = Arc::new(Slot {
            process,
            settings: std::sync::OnceLock::new(),
            configured: OnceCell::new(),
            claims: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            retired: AtomicBool::new(false),
            freed: StdMutex::new(Instant::now()),
        });
        slots.live.push(Arc::clone(&slot));
        let ended =
            || ProviderError::Start { message: "it ended right after its start".to_owned() };
        Held::try_new(self, &slot).ok_or_else(ended)
    }

    /// Ends a process that no instance has as its own any more.
    async fn end_unclaimed(&self, slot: &Arc<Slot>) {
        let slots = self.slots.lock().await;
        if slot.claims.load(SeqCst) > 0 || !slot.retire() {
            return;
        }
        drop(slots);
        // It counts until it has ended, so that no more live at once than may.
        slot.process.shut_down().await;
        self.slots.lock().await.live.retain(|one| !Arc::ptr_eq(one, slot));
        self.idle.notify_one();
    }

    async fn check(&self) -> Result<(), ProviderError> {
        let Some(check) = self.options.check.clone() else { return Ok(()) };
        let checked = tokio::task::spawn_blocking(move || check()).await;
        let checked = checked.unwrap_or_else(|_| Err("its program cannot be checked".to_owned()));
        checked.map_err(|message| ProviderError::Start { message })
    }

    /// One call, taken down, with its faults told apart.
    async fn raw_call(
        &self,
        process: &Process,
        method: Method,
        message: Bytes,
    ) -> Result<Bytes, ProviderError> {
        let answer = process.call(method.path(process.version), message.clone()).await;
        if let Some(recorder) = &self.options.recorder {
            let fault = answer.as_ref().map_err(|error| format!("{error:?}"));
            let fault = fault.as_ref().map(|bytes| *bytes).map_err(String::as_str);
            recorder.record(&self.address.type_name, method, process.version, &message, fault);
        }
        answer.map_err(|error| {
            let error = match error {
                CallError::Unimplemented => {
                    return ProviderError::Unsupported { what: method.words().to_owned() };
                }
                CallError::Crashed(last_lines) => ProviderError::Crashed { last_lines },
                CallError::Lost(fault) => ProviderError::Protocol {
                    message: format!("the connection broke: {}", crate::handshake::shown(&fault)),
                },
                CallError::Status(fault) => ProviderError::Protocol { message: fault },
            };
            in_call(method, error)
        })
    }

    async fn call<Q: Message, A: Message + Default>(
        &self,
        slot: &Slot,
        method: Method,
        question: &Q,
    ) -> Result<A, ProviderError> {
        let message = Bytes::from(question.encode_to_vec());
        let answer = self.raw_call(&slot.process, method, message).await?;
        A::decode(answer).map_err(|error| in_call(method, broken(error)))
    }

    async fn give_settings(
        &self,
        slot: &Slot,
        schema: &ProviderSchema,
        config: &Value,
        deferral_allowed: bool,
    ) -> Result<Problems, ProviderError> {
        let give = || async {
            let question = wire::Configure {
                terraform_version: self.options.terraform_version.clone(),
                config: Some(crate::convert::to_wire(config, &schema.provider.block.ty())?),
                capabilities: Some(calls::capabilities(deferral_allowed)),
            };
            let answer: wire::Diagnostics = self.call(slot, Method::Configure, &question).await?;
            Ok::<_, ProviderError>(crate::convert::problems_from_wire(&answer.diagnostics))
        };
        slot.configured.get_or_try_init(give).await.cloned()
    }
}

impl Slot {
    /// Sees to it that nobody takes it any more; false if somebody is at work with it, or ends it already.
    fn retire(&self) -> bool {
        if self.retired.swap(true, SeqCst) {
            return false;
        }
        let idle = self.busy.load(SeqCst) == 0;
        if !idle {
            self.retired.store(false, SeqCst);
        }
        idle
    }
}

impl Slots {
    /// Makes sure that one more process may be started: ends the one that nobody has used for the longest, if there are
    /// as many as there may be. False if all of them are at work.
    async fn make_room(&mut self, most: usize) -> bool {
        while self.live.len() >= most {
            let freed =
                |at: usize| *self.live[at].freed.lock().unwrap_or_else(PoisonError::into_inner);
            let is_idle =
                |at: &usize| self.live[*at].busy.load(SeqCst) == 0 && freed(*at).elapsed() >= GRACE;
            let mut idle: Vec<usize> = (0..self.live.len()).filter(is_idle).collect();
            idle.sort_by_key(|at| freed(*at));
            let Some(at) = idle.into_iter().find(|at| self.live[*at].retire()) else {
                return false;
            };
            let slot = self.live.remove(at);
            slot.process.shut_down().await;
        }
        true
    }

    /// Drops processes that have ended, and counts those that nobody has ended.
    fn sweep(&mut self) {
        let ended = self.live.extract_if(.., |slot| slot.process.has_ended());
        self.crashes += ended.filter(|slot| !slot.retired.load(SeqCst)).count();
    }
}

/// What a task has come to.
fn joined<T>(
    done: Result<Result<T, ProviderError>, tokio::task::JoinError>,
) -> Result<T, ProviderError> {
    let ended = |_| ProviderError::Start { message: "the run is at its end".to_owned() };
    done.map_err(ended).and_then(|answer| answer)
}

fn broken(error: prost::DecodeError) -> ProviderError {
    ProviderError::Protocol { message: format!("the message cannot be read: {error}") }
}

fn in_call(method: Method, error: ProviderError) -> ProviderError {
    match error {
        known @ (ProviderError::Call { .. } | ProviderError::Unsupported { .. }) => known,
        error => ProviderError::Call { call: method.name(), error: Box::new(error) },
    }
}

/// One instance, for one configuration of the provider. Cheap to clone.
#[derive(Clone)]
struct Instance {
    host: Arc<Host>,
    schema: Arc<ProviderSchema>,
    given: Arc<Given>,
    /// Whether it neither keeps answers between runs nor takes those that were kept.
    forgetful: bool,
}

/// What an instance was given.
#[derive(Default)]
struct Given {
    /// The process that has this instance's settings.
    own: Mutex<Option<Claim>>,
    config: std::sync::OnceLock<Value>,
    /// Whether the provider may put work off.
    deferral_allowed: std::sync::OnceLock<bool>,
    /// What stands for the settings, where kept answers will do.
    settings: std::sync::OnceLock<crate::kept::Key>,
}

/// A process that an instance has as its own.
struct Claim(Arc<Slot>);

impl Claim {
    fn new(slot: &Arc<Slot>) -> Self {
        slot.claims.fetch_add(1, SeqCst);
        Self(Arc::clone(slot))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.claims.fetch_sub(1, SeqCst);
    }
}

impl Instance {
    fn deferral_allowed(&self) -> bool {
        self.given.deferral_allowed.get().copied().unwrap_or(false)
    }

    /// The process to call: with this instance's settings, where it has any.
    async fn slot(&self) -> Result<Held, ProviderError> {
        let Some(config) = self.given.config.get() else { return self.host.any().await };
        let mut own = self.given.own.lock().await;
        if let Some(held) = own.as_ref().and_then(|claim| Held::try_new(&self.host, &claim.0)) {
            return Ok(held);
        }
        let held = self.host.for_settings(config).await?;
        let allowed = self.deferral_allowed();
        let problems = self.host.give_settings(&held, &self.schema, config, allowed).await?;
        if let Some(error) = problems.iter().find(|one| one.is_error()) {
            let message = format!("{}: {}", error.summary, error.detail);
            return Err(in_call(Method::Configure, ProviderError::Protocol { message }));
        }
        *own = Some(Claim::new(&held.slot));
        Ok(held)
    }
}
