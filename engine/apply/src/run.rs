//! The one loop of apply.
//!
//! It owns the schedule, the journal and the values; calls to providers run beside it. A step has two calls:
//! the last plan, and the change. Between them stands its intent. All that is ready is written to the journal
//! together: outcomes of calls that have ended, intents of calls that may begin.
//!
//! Read `begin` (a step begins), `outcome` and `record` (it ends), `ephemeral` (what is open meanwhile), then
//! `around` (what is written before the first step and after the last).

mod begin;
mod ephemeral;
mod outcome;
mod record;

mod around;
mod looked_up;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::{ModuleInstance, ResourceInstance};
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::FuturesUnordered;
use lang::{Expression, World};
use plan::{Action, Plan, ReplaceOrder, ResourceChange, StepKind};
use sdk::{Context, ProgressSink, Provider, Registry};
use state::{
    Change, CheckResult, DeposedKey, Intent, IntentAction, OpenIntent, OperationId, Outcome,
    Record, StateStore,
};
use syntax::{Diagnostics, Report, Severity};
use tokio::sync::watch;
use value::{Marks, Value};

use self::ephemeral::Ephemerals;
use crate::error::ApplyError;
use crate::event::{Event, Summary};
use crate::providers::{Providers, User};
use crate::provisioner::Around;
use crate::schedule::{Command, Happened, Schedule};
use crate::step::{self, Called, Prepared};

/// What this run's options say.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many steps run at once.
    pub parallelism: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { parallelism: 10 }
    }
}

/// What is asked before an object is made or changed: the change as it was planned, and the object as it will be, with
/// what is sensitive marked.
pub type LastLook =
    Arc<dyn Fn(&ResourceChange, &Value, &mut Given<'_>) -> Diagnostics + Send + Sync>;

/// What an instance of a module is given, as far as that is known by now: values of expressions of its call.
pub type Given<'a> = dyn FnMut(&ModuleInstance, &[&Expression]) -> Vec<Option<Value>> + 'a;

/// Everything that a run needs.
pub struct Request<'a> {
    /// What is to be done.
    pub plan: Plan,
    /// Where it is recorded.
    pub store: &'a dyn StateStore,
    /// The operation that the history will show.
    pub operation: OperationId,
    /// The providers.
    pub registry: Registry,
    /// Where they run.
    pub context: Context,
    /// The clock and the random source.
    pub world: Arc<dyn World>,
    /// This run's options.
    pub options: Options,
    /// Takes events as they happen.
    pub events: Arc<dyn Fn(Event) + Send + Sync>,
    /// Turns true when the run is asked to stop.
    pub stop: watch::Receiver<bool>,
    /// Looks at each object right before it is made or changed, as it will be. Errors end the step.
    pub last_look: Option<LastLook>,
    /// The socket of the SSH agent that connections of provisioners may ask.
    pub ssh_agent: Option<std::path::PathBuf>,
}

/// Carries out a plan.
///
/// # Errors
///
/// [`ApplyError`] if the state cannot be read or written. What goes wrong with instances is in the summary.
pub async fn run(request: Request<'_>) -> Result<Summary, ApplyError> {
    let snapshot = request.store.snapshot()?;
    if snapshot.lineage != request.plan.lineage {
        return Err(ApplyError::OtherState {
            planned: request.plan.lineage,
            found: snapshot.lineage,
        });
    }
    if snapshot.serial != request.plan.serial {
        return Err(ApplyError::StalePlan { planned: request.plan.serial, found: snapshot.serial });
    }
    let records = snapshot.records.iter().map(|(a, r)| (a.clone(), Record::clone(r))).collect();
    let mut plan = request.plan;
    let changes: Vec<Arc<ResourceChange>> =
        std::mem::take(&mut plan.changes).into_iter().map(Arc::new).collect();
    plan.evaluation.begin_apply();
    let ephemerals = Ephemerals::of(&plan, &changes);
    let steps = plan.steps.iter().enumerate();
    let users = steps
        .filter_map(|(at, step)| Some((changes[step.change?].provider.clone(), User::Step(at))));
    let lasting = ephemerals.addresses().filter_map(|one| plan.evaluation.provider_of(one));
    let users: Vec<_> = users.chain(lasting.map(|provider| (provider, User::Run))).collect();
    let around = Around {
        events: Arc::clone(&request.events),
        stop: request.stop.clone(),
        world: Arc::clone(&request.world),
        ssh_agent: request.ssh_agent,
    };
    let mut run = Run {
        schedule: Schedule::new(&plan.steps, request.options.parallelism),
        changes,
        records,
        providers: Providers::new(request.registry, request.context).with_users(users.into_iter()),
        summary: Summary::default(),
        calls: FuturesUnordered::new(),
        intents: Vec::new(),
        in_state: BTreeSet::new(),
        all_in_state: true,
        durable_ms: 0,
        owes_flush: false,
        endings: Vec::new(),
        began_ms: BTreeMap::new(),
        plan,
        store: request.store,
        operation: request.operation,
        world: request.world,
        events: request.events,
        failed_plainly: Vec::new(),
        ephemerals,
        around,
        checks: snapshot.checks,
        last_look: request.last_look,
    };
    run.commit_before()?;
    run.steps(request.stop).await?;
    run.commit_after()?;
    run.close_ephemerals().await;
    run.summary.evaluation = Some(run.plan.evaluation);
    Ok(run.summary)
}

/// How long what touches nothing but the state may wait until it is durable.
const LAZY_MS: u64 = 200;

/// What a call beside the loop gives back.
enum Answer {
    Prepared(usize, Arc<dyn Provider>, Result<Prepared, Diagnostics>),
    Read(usize, Result<(Value, Diagnostics), Diagnostics>),
    Called(usize, Prepared, OpenIntent, Called),
    /// Provisioners of a new object have run.
    Provisioned(usize, Option<String>, Result<Diagnostics, Diagnostics>),
    /// A step that needed no call.
    Nothing(usize),
    /// Ephemeral objects have been closed.
    Closed(Diagnostics),
}

struct Run<'a> {
    plan: Plan,
    changes: Vec<Arc<ResourceChange>>,
    schedule: Schedule,
    records: BTreeMap<ResourceInstance, Record>,
    providers: Providers,
    summary: Summary,
    calls: FuturesUnordered<BoxFuture<'static, Answer>>,
    /// Steps whose intents wait to be written.
    intents: Vec<(usize, Arc<dyn Provider>, Prepared, Intent)>,
    /// Steps that touch nothing but the state, and whether all that waits to be written comes from such.
    in_state: BTreeSet<usize>,
    all_in_state: bool,
    /// When something was last made durable, and whether something was written since that is not.
    durable_ms: u64,
    owes_flush: bool,
    /// Outcomes that wait to be written.
    endings: Vec<(OpenIntent, Outcome, Vec<Change>)>,
    began_ms: BTreeMap<usize, u64>,
    store: &'a dyn StateStore,
    operation: OperationId,
    world: Arc<dyn World>,
    events: Arc<dyn Fn(Event) + Send + Sync>,
    /// Steps that failed before they had an intent.
    failed_plainly: Vec<usize>,
    ephemerals: Ephemerals,
    around: Around,
    /// What conditions had come to before.
    checks: Vec<CheckResult>,
    last_look: Option<LastLook>,
}

impl Run<'_> {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.world.now_unix_nanos() / 1_000_000).unwrap_or(u64::MAX)
    }

    async fn steps(&mut self, mut stop: watch::Receiver<bool>) -> Result<(), ApplyError> {
        let first = self.schedule.on(Happened::Begin);
        self.obey(first).await;
        let mut stopping = false;
        loop {
            // Take in everything that has ended by now, so that one write serves it all.
            while let Some(Some(answer)) = self.calls.next().now_or_never() {
                self.take(answer).await;
            }
            for at in std::mem::take(&mut self.failed_plainly) {
                self.release(at);
                let commands = self.schedule.on(Happened::Failed(at));
                self.obey(commands).await;
            }
            if self.flush()? {
                continue;
            }
            if self.calls.is_empty() && self.failed_plainly.is_empty() {
                return Ok(());
            }
            let renewal = self.renewal();
            let overdue = std::time::Duration::from_millis(LAZY_MS);
            tokio::select! {
                () = renewal => self.renew().await,
                () = tokio::time::sleep(overdue), if self.owes_flush => self.catch_up()?,
                answer = self.calls.next(), if !self.calls.is_empty() => {
                    if let Some(answer) = answer {
                        self.take(answer).await;
                    }
                }
                changed = stop.changed(), if !stopping => {
                    stopping = true;
                    if changed.is_ok() && *stop.borrow() {
                        self.summary.stopped = true;
                        (self.events)(Event::Stopping);
                        self.providers.stop().await;
                        let commands = self.schedule.on(Happened::Stop);
                        self.obey(commands).await;
                    }
                }
            }
        }
    }

    /// Writes outcomes and intents; starts the calls whose intents are durable now. False if there was nothing.
    ///
    /// Where nothing but the state is touched, an intent need not be durable before its call, and many outcomes
    /// share a flush. The journal keeps its order, so whatever is made from such an object comes after it.
    pub(super) fn flush(&mut self) -> Result<bool, ApplyError> {
        if self.endings.is_empty() && self.intents.is_empty() {
            return Ok(false);
        }
        let now_ms = self.now_ms();
        let lazily = std::mem::replace(&mut self.all_in_state, true)
            && now_ms.saturating_sub(self.durable_ms) < LAZY_MS;
        self.owes_flush = lazily;
        if !lazily {
            self.durable_ms = now_ms;
        }
        let endings = std::mem::take(&mut self.endings);
        let (steps, intents): (Vec<_>, Vec<_>) = std::mem::take(&mut self.intents)
            .into_iter()
            .map(|(at, provider, prepared, intent)| {
                ((at, provider, prepared, intent.token.clone()), intent)
            })
            .unzip();
        let journal = self.store.journal();
        let (_, tokens) = if lazily {
            journal.turn_lazily(endings, intents)?
        } else {
            journal.turn(endings, intents)?
        };
        for ((at, provider, prepared, token), open) in steps.into_iter().zip(tokens) {
            self.start_call(at, provider, prepared, token, open);
        }
        Ok(true)
    }

    /// Makes durable what was written lazily while other calls go on.
    fn catch_up(&mut self) -> Result<(), ApplyError> {
        self.store.journal().turn(Vec::new(), Vec::new())?;
        (self.owes_flush, self.durable_ms) = (false, self.now_ms());
        Ok(())
    }

    fn start_call(
        &mut self,
        at: usize,
        provider: Arc<dyn Provider>,
        prepared: Prepared,
        token: String,
        open: OpenIntent,
    ) {
        let change = self.change(at);
        let events = Arc::clone(&self.events);
        let address = change.address.clone();
        let type_name = Arc::clone(&address.resource.type_name);
        let progress = ProgressSink::new(move |line| {
            events(Event::Progress { address: address.clone(), line: line.to_owned() });
        });
        self.calls.push(
            async move {
                let called = step::call(provider, type_name, &prepared, token, progress).await;
                Answer::Called(at, prepared, open, called)
            }
            .boxed(),
        );
    }

    fn change(&self, at: usize) -> Arc<ResourceChange> {
        let change = self.plan.steps[at].change.expect("the schedule runs no joins");
        Arc::clone(&self.changes[change])
    }

    async fn obey(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Run(at) => self.begin(at).await,
                Command::Skip(at) => {
                    self.release(at);
                    let address = self.change(at).address.clone();
                    if !self.summary.not_reached.contains(&address) {
                        self.summary.not_reached.push(address);
                    }
                }
            }
        }
    }

    async fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Prepared(at, provider, Ok(mut prepared)) => {
                self.summary.diagnostics.extend(std::mem::take(&mut prepared.warnings));
                let found = self.look(at, &prepared);
                if found.has_errors() {
                    return self.fail(at, found);
                }
                self.summary.diagnostics.extend(found);
                let updates = self.plan.steps[at].kind == StepKind::Update;
                if updates && prepared.planned == prepared.prior {
                    return self.take_unchanged(at, &prepared).await;
                }
                if updates {
                    self.tell_start(at);
                }
                let intent = self.intent(at, &prepared);
                if self.lives_in_state(at, &*provider) {
                    self.in_state.insert(at);
                }
                self.all_in_state &= self.in_state.contains(&at);
                self.intents.push((at, provider, prepared, intent));
            }
            Answer::Read(at, Err(found))
                if self.plan.evaluation.is_checked(&self.change(at).address) =>
            {
                self.summary.diagnostics.extend(plan::as_warnings(found));
                self.tell_end(at, None);
                self.done(at).await;
            }
            Answer::Prepared(at, _, Err(found)) | Answer::Read(at, Err(found)) => {
                self.fail(at, found)
            }
            Answer::Read(at, Ok((value, warnings))) => {
                self.summary.diagnostics.extend(warnings);
                let change = self.change(at);
                let id = shown_id(&value);
                let found = self.plan.evaluation.accept(&change.address, value);
                if found.has_errors() {
                    return self.fail(at, found);
                }
                self.tell_end(at, id);
                self.done(at).await;
            }
            Answer::Nothing(at) => self.done(at).await,
            Answer::Closed(found) => self.summary.diagnostics.extend(found),
            Answer::Provisioned(at, id, result) => self.take_provisioned(at, id, result).await,
            Answer::Called(at, prepared, open, called) => {
                self.take_called(at, &prepared, open, called).await
            }
        }
    }

    /// What is said of an object right before it is made or changed.
    fn look(&mut self, at: usize, prepared: &Prepared) -> Diagnostics {
        let kind = self.plan.steps[at].kind;
        let change = self.change(at);
        match &self.last_look {
            Some(look) if matches!(kind, StepKind::Create | StepKind::Update) => {
                let sensitive = prepared.sensitive_paths.iter().cloned();
                let paths: Vec<_> = sensitive.map(|path| (path, Marks::SENSITIVE)).collect();
                let evaluation = &mut self.plan.evaluation;
                let mut given = |instance: &ModuleInstance, expressions: &[&Expression]| {
                    evaluation.given(instance, expressions)
                };
                look(&change, &prepared.planned.clone().mark_paths(&paths), &mut given)
            }
            _ => Diagnostics::new(),
        }
    }

    /// Whether a step touches nothing but the state: neither its provider nor a command does anything else.
    fn lives_in_state(&self, at: usize, provider: &dyn Provider) -> bool {
        let address = &self.change(at).address;
        provider.lives_in_state(&address.resource.type_name)
            && !self.plan.evaluation.has_provisioners(address)
    }

    fn intent(&self, at: usize, prepared: &Prepared) -> Intent {
        let change = self.change(at);
        let action = match (self.plan.steps[at].kind, self.deposed_by(at)) {
            (StepKind::Create, _) => IntentAction::Create,
            (StepKind::Update, _) => IntentAction::Update,
            (_, Some(key)) => IntentAction::DeleteDeposed(key),
            _ => IntentAction::Delete,
        };
        let mut bytes = [0u8; 16];
        self.world.random_bytes(&mut bytes);
        let token = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        // What is not known yet is written as null; recovery asks the provider, not this text.
        let planned_json = value::json::to_string(&prepared.planned).into();
        Intent {
            operation: self.operation,
            address: change.address.clone(),
            provider: change.provider.clone(),
            action,
            token,
            prior_json: (!prepared.prior.is_null())
                .then(|| value::json::to_string(&prepared.prior).into()),
            planned_json,
            private: change.prior_private.clone(),
            time_unix_ms: self.now_ms(),
            schema_version: change.schema_version,
            dependencies: change.dependencies.to_vec(),
            create_before_destroy: change.create_before_destroy,
            sensitive_paths: prepared.sensitive_paths.clone(),
        }
    }

    /// The key of the deposed object that a step destroys.
    fn deposed_by(&self, at: usize) -> Option<DeposedKey> {
        let change = self.change(at);
        if change.deposed.is_some() {
            return change.deposed.clone();
        }
        let replaces = change.action == Action::Replace(ReplaceOrder::CreateThenDelete);
        (replaces && self.plan.steps[at].kind == StepKind::Delete)
            .then(|| self.records.get(&change.address)?.deposed.keys().next_back().cloned())
            .flatten()
    }

    /// Ends a step that needed no call; the loop takes it in with the others.
    fn finish_now(&mut self, at: usize) {
        self.calls.push(async move { Answer::Nothing(at) }.boxed());
    }

    fn fail(&mut self, at: usize, found: Diagnostics) {
        let change = self.change(at);
        let kind = self.plan.steps[at].kind;
        let (address, action) = (change.address.clone(), change.action);
        self.summary.failed.push(address.clone());
        if let Some(began_ms) = self.began_ms.get(&at) {
            let elapsed_ms = self.now_ms().saturating_sub(*began_ms);
            (self.events)(Event::Failed { address: address.clone(), action, kind, elapsed_ms });
        }
        if found.is_empty() {
            self.summary.diagnostics.push(Report {
                severity: Severity::Error,
                code: "stratiform::apply::failed".to_owned(),
                message: "the step could not be carried out".to_owned(),
                labels: Vec::new(),
                help: None,
                detail: None,
                address: Some(address.to_string()),
            });
        }
        self.summary.diagnostics.extend(found);
        self.failed_plainly.push(at);
    }

    async fn done(&mut self, at: usize) {
        self.release(at);
        let commands = self.schedule.on(Happened::Done(at));
        Box::pin(self.obey(commands)).await;
    }
}

/// The `id` of an object, if it has one that may be shown.
fn shown_id(object: &Value) -> Option<String> {
    let id = object.get_attr("id").filter(|id| id.deep_marks().is_empty());
    id.and_then(Value::as_str).map(str::to_owned)
}
