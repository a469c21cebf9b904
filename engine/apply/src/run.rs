//! The one loop of apply.
//!
//! It owns the schedule, the journal and the values; calls to providers run beside it. A step has two calls:
//! the last plan, and the change. Between them stands its intent. All that is ready is written to the journal
//! together: outcomes of calls that have ended, intents of calls that may begin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::ResourceInstance;
use config::When;
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::FuturesUnordered;
use lang::World;
use plan::{Action, Mode, Plan, ReplaceOrder, ResourceChange, StepKind, check_compatible};
use sdk::{Context, ProgressSink, Provider, Registry};
use state::{
    Change, DecisionRecord, DeposedKey, Intent, IntentAction, Object, ObjectStatus, OpenIntent,
    OperationId, Outcome, OutputRecord, Record, StateStore,
};
use syntax::{Diagnostics, Report, Severity};
use tokio::sync::watch;
use value::{Marks, Value};

use crate::error::ApplyError;
use crate::event::{Event, Summary};
use crate::providers::Providers;
use crate::provisioner;
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
    let uses_ephemerals = plan.evaluation.has_ephemerals();
    let mut run = Run {
        schedule: Schedule::new(&plan.steps, request.options.parallelism),
        changes,
        records,
        providers: Providers::new(request.registry, request.context),
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
        uses_ephemerals,
        open: Vec::new(),
    };
    run.commit_before()?;
    run.steps(request.stop).await?;
    run.commit_after()?;
    let closed = plan::ephemeral::close_all(std::mem::take(&mut run.open)).await;
    run.summary.diagnostics.extend(closed);
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
    uses_ephemerals: bool,
    /// Ephemeral objects that are open.
    open: Vec<plan::ephemeral::Open>,
}

impl Run<'_> {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.world.now_unix_nanos() / 1_000_000).unwrap_or(u64::MAX)
    }

    /// New addresses, and what refreshing has found.
    fn commit_before(&mut self) -> Result<(), ApplyError> {
        let mut changes = Vec::new();
        for (from, to) in &self.plan.moves {
            if let Some(record) = self.records.remove(from) {
                let record = Record { address: to.clone(), ..record };
                changes.push(Change::DeleteRecord(from.clone()));
                changes.push(Change::PutRecord(record.clone()));
                self.records.insert(to.clone(), record);
            }
        }
        for (address, object) in &self.plan.refreshed {
            let Some(record) = self.records.get_mut(address) else { continue };
            record.current.clone_from(object);
            if record.is_empty() {
                self.records.remove(address);
                changes.push(Change::DeleteRecord(address.clone()));
            } else {
                changes.push(Change::PutRecord(record.clone()));
            }
        }
        for decision in &self.plan.decisions {
            let json: Arc<str> = decision.to_json().to_string().into();
            changes.push(Change::PutDecision(DecisionRecord {
                component: decision.component.clone(),
                json,
            }));
        }
        if !changes.is_empty() {
            self.store.commit(self.operation, changes)?;
        }
        Ok(())
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
    fn flush(&mut self) -> Result<bool, ApplyError> {
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
                    let address = self.change(at).address.clone();
                    if !self.summary.not_reached.contains(&address) {
                        self.summary.not_reached.push(address);
                    }
                }
            }
        }
    }

    /// Begins a step: evaluates its configuration again and starts its last plan.
    async fn begin(&mut self, at: usize) {
        let change = self.change(at);
        let kind = self.plan.steps[at].kind;
        self.began_ms.insert(at, self.now_ms());
        if matches!(kind, StepKind::Create | StepKind::Update | StepKind::Delete) {
            let (address, action) = (change.address.clone(), change.action);
            let id = if kind == StepKind::Create { None } else { shown_id(&change.before) };
            (self.events)(Event::Started { address, action, kind, id });
        }
        match kind {
            StepKind::Forget => return self.forget(at, &change),
            StepKind::Import => return self.import(at, &change),
            _ => {}
        }
        if let Err(found) = self.open_for(&change).await {
            return self.fail(at, found);
        }
        let provider = match self.providers.get(&change.provider, &mut self.plan.evaluation).await {
            Ok(provider) => provider,
            Err(found) => return self.fail(at, found),
        };
        let wants_config = matches!(kind, StepKind::Create | StepKind::Update | StepKind::Read);
        let ready =
            if wants_config { self.plan.evaluation.renew(&change.address) } else { Ok(None) };
        let ready = match ready {
            Ok(ready) => ready,
            Err(found) => return self.fail(at, found),
        };
        if kind == StepKind::Read {
            let Some(ready) = ready else { return self.fail(at, Diagnostics::new()) };
            let address = change.address.clone();
            let reader: Arc<dyn sdk::Reader> = provider;
            self.calls
                .push(async move { Answer::Read(at, ready.read(reader, &address).await) }.boxed());
            return;
        }
        let before = match self.before_destruction(at, &change) {
            Ok(before) => before,
            Err(found) => return self.fail(at, found),
        };
        let events = Arc::clone(&self.events);
        self.calls.push(
            async move {
                let warnings = provisioner::run_all(before, &change.address, &events).await;
                let prepared = match warnings {
                    Ok(warnings) => step::prepare(Arc::clone(&provider), &change, kind, ready)
                        .await
                        .map(|prepared| Prepared { warnings, ..prepared }),
                    Err(found) => Err(found),
                };
                Answer::Prepared(at, provider, prepared)
            }
            .boxed(),
        );
    }

    async fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Prepared(at, provider, Ok(mut prepared)) => {
                self.summary.diagnostics.extend(std::mem::take(&mut prepared.warnings));
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
                self.done(at).await;
            }
            Answer::Prepared(at, _, Err(found)) | Answer::Read(at, Err(found)) => {
                self.fail(at, found)
            }
            Answer::Read(at, Ok((value, warnings))) => {
                self.summary.diagnostics.extend(warnings);
                let change = self.change(at);
                let found = self.plan.evaluation.accept(&change.address, value);
                if found.has_errors() {
                    return self.fail(at, found);
                }
                self.done(at).await;
            }
            Answer::Nothing(at) => self.done(at).await,
            Answer::Provisioned(at, id, result) => self.take_provisioned(at, id, result).await,
            Answer::Called(at, prepared, open, called) => {
                self.take_called(at, &prepared, open, called).await
            }
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

    async fn take_called(
        &mut self,
        at: usize,
        prepared: &Prepared,
        open: OpenIntent,
        called: Called,
    ) {
        let change = self.change(at);
        let provider_name = change.provider.provider.short_name();
        // A call that should leave an object, complains of nothing and gives none has hidden what it did.
        let hidden = |answer: &sdk::ApplyAnswer| {
            answer.new.is_null()
                && !prepared.planned.is_null()
                && !answer.problems.iter().any(sdk::Problem::is_error)
        };
        let usable =
            called.answer.filter(|answer| answer.new.conforms(&prepared.ty) && !hidden(answer));
        let Some(answer) = usable else {
            // What the call did is not known: the intent stays open, and recovery will ask.
            drop(open);
            let failure = called.failure.unwrap_or_else(|| sdk::ProviderError::Protocol {
                message: "there is no object in it, or one that does not fit the schema".to_owned(),
            });
            let found = self.plan.evaluation.place(&change.address, |place| {
                place.failure(&provider_name, "make the change", &failure)
            });
            return self.fail(at, found.into());
        };
        let mut found = self
            .plan
            .evaluation
            .place(&change.address, |place| place.problems(answer.problems.clone()));
        let failed = found.has_errors();
        let (mut new, marks) = answer.new.clone().unmark_deep();
        debug_assert!(marks.is_empty(), "providers know no marks");
        let kind = self.plan.steps[at].kind;
        let mut violations = Vec::new();
        for path in new.unknown_paths() {
            violations.push(plan::Violation {
                path: path.clone(),
                message: "is still unknown after apply".to_owned(),
            });
        }
        if !new.is_wholly_known() {
            new = new.transform(&mut |_, value| {
                if value.is_unknown() { Value::null(value.ty()) } else { value }
            });
        }
        if !failed && violations.is_empty() && !answer.legacy_types {
            violations.extend(check_compatible(&prepared.planned, &new));
        }
        if !violations.is_empty() {
            found.extend(self.plan.evaluation.place(&change.address, |place| {
                place.violations(&provider_name, "make the change", violations)
            }));
        }
        let failed = failed || found.has_errors();
        let secret: Vec<_> =
            prepared.sensitive_paths.iter().map(|path| (path.clone(), Marks::SENSITIVE)).collect();
        let shown = plan::mark_echoes(new.clone().mark_paths(&secret));
        let sensitive_paths = plan::sensitive_paths(&shown);
        let after = match kind {
            StepKind::Create if !failed => {
                self.plan.evaluation.provisions(&change.address, When::Create, &shown)
            }
            _ => Ok(Vec::new()),
        };
        let waits = after.as_ref().is_ok_and(|after| !after.is_empty());
        // Until its provisioners have run, a new object counts as half-made.
        let half_made = failed || waits || after.is_err();
        let changes = self.record(at, prepared, &new, sensitive_paths, &answer.private, half_made);
        let outcome = if failed {
            let message = found.iter().next().map(ToString::to_string).unwrap_or_default();
            Outcome::Failed { message }
        } else {
            Outcome::Done
        };
        self.all_in_state &= self.in_state.contains(&at);
        self.endings.push((open, outcome, changes));
        if kind != StepKind::Delete && !new.is_null() {
            let conditions = self.plan.evaluation.accept(&change.address, shown.clone());
            found.extend(conditions);
        }
        if found.has_errors() {
            return self.fail(at, found);
        }
        self.summary.diagnostics.extend(found);
        let id = shown_id(&shown);
        match after {
            Ok(after) if waits => {
                let events = Arc::clone(&self.events);
                let run = async move {
                    let result = provisioner::run_all(after, &change.address, &events).await;
                    Answer::Provisioned(at, id, result)
                };
                return self.calls.push(run.boxed());
            }
            Ok(_) => {}
            Err(found) => return self.fail(at, found),
        }
        self.finish_step(at, id, change.importing.is_some()).await;
    }

    /// A step has done all that it should.
    async fn finish_step(&mut self, at: usize, id: Option<String>, imported: bool) {
        let (change, kind) = (self.change(at), self.plan.steps[at].kind);
        let (address, action) = (change.address.clone(), change.action);
        let elapsed_ms = self.now_ms().saturating_sub(self.began_ms.get(&at).copied().unwrap_or(0));
        (self.events)(Event::Finished { address, action, kind, id, elapsed_ms });
        match kind {
            StepKind::Create => self.summary.added += 1,
            StepKind::Update => self.summary.changed += 1,
            _ => self.summary.destroyed += 1,
        }
        self.summary.imported += usize::from(imported);
        self.done(at).await;
    }

    /// What the state records after a call.
    fn record(
        &mut self,
        at: usize,
        prepared: &Prepared,
        new: &Value,
        sensitive_paths: Vec<address::AttributePath>,
        private: &sdk::Private,
        failed: bool,
    ) -> Vec<Change> {
        let change = self.change(at);
        let kind = self.plan.steps[at].kind;
        let deposed = self.deposed_by(at);
        let old = self.records.remove(&change.address);
        let mut record = old.unwrap_or_else(|| Record {
            address: change.address.clone(),
            provider: change.provider.clone(),
            current: None,
            deposed: BTreeMap::new(),
        });
        record.provider = change.provider.clone();
        let object = (!new.is_null())
            .then(|| value::json::encode_string(new, &prepared.ty).ok())
            .flatten()
            .map(|json| Object {
                schema_version: change.schema_version,
                status: ObjectStatus::Ready,
                attributes_json: json.into(),
                private: private.as_bytes().to_vec(),
                dependencies: change.dependencies.to_vec(),
                create_before_destroy: change.create_before_destroy,
                sensitive_paths,
                token: None,
            });
        match kind {
            StepKind::Create => {
                let replaces = change.action == Action::Replace(ReplaceOrder::CreateThenDelete);
                match object {
                    Some(mut object) => {
                        if let (true, Some(old)) = (replaces, record.current.take()) {
                            let key = DeposedKey::from_number(self.fresh_number(&record));
                            record.deposed.insert(key, old);
                        }
                        if failed {
                            object.status = ObjectStatus::Tainted;
                        }
                        record.current = Some(object);
                    }
                    // Nothing came to be: the old object, if there is one, stays what it was.
                    None => {}
                }
            }
            StepKind::Update => {
                if let Some(object) = object {
                    record.current = Some(object);
                }
            }
            _ => match (deposed, failed) {
                (Some(_), true) => {}
                (Some(key), false) => {
                    record.deposed.remove(&key);
                }
                (None, true) => {
                    if let Some(object) = object {
                        record.current = Some(object);
                    }
                }
                (None, false) => record.current = None,
            },
        }
        if record.is_empty() {
            return vec![Change::DeleteRecord(change.address.clone())];
        }
        self.records.insert(change.address.clone(), record.clone());
        vec![Change::PutRecord(record)]
    }

    fn fresh_number(&self, record: &Record) -> u32 {
        loop {
            let mut bytes = [0u8; 4];
            self.world.random_bytes(&mut bytes);
            let number = u32::from_le_bytes(bytes)
                .wrapping_add(u32::try_from(record.deposed.len()).unwrap_or(0));
            if !record.deposed.contains_key(&DeposedKey::from_number(number)) {
                return number;
            }
        }
    }

    fn forget(&mut self, at: usize, change: &ResourceChange) {
        self.records.remove(&change.address);
        match self.store.commit(self.operation, vec![Change::DeleteRecord(change.address.clone())])
        {
            Ok(_) => {
                self.summary.forgotten += 1;
                self.finish_now(at);
            }
            Err(error) => self.fail(at, error.into()),
        }
    }

    fn import(&mut self, at: usize, change: &ResourceChange) {
        let Some(ty) = self.plan.evaluation.object_type(&change.address) else {
            return self.fail(at, Diagnostics::new());
        };
        let (value, _) = change.before.clone().unmark_deep();
        let Ok(json) = value::json::encode_string(&value, &ty) else {
            return self.fail(at, Diagnostics::new());
        };
        let object = Object {
            private: change.prior_private.clone(),
            dependencies: change.dependencies.to_vec(),
            create_before_destroy: change.create_before_destroy,
            sensitive_paths: plan::sensitive_paths(&change.before),
            ..Object::new(change.schema_version, json)
        };
        let record = Record::new(change.address.clone(), change.provider.clone(), object);
        match self.store.commit(self.operation, vec![Change::PutRecord(record.clone())]) {
            Ok(_) => {
                self.records.insert(change.address.clone(), record);
                self.summary.imported += 1;
                self.finish_now(at);
            }
            Err(error) => self.fail(at, error.into()),
        }
    }

    /// Provisioners of a new object have run: it is whole now, or stays half-made.
    async fn take_provisioned(
        &mut self,
        at: usize,
        id: Option<String>,
        result: Result<Diagnostics, Diagnostics>,
    ) {
        let warnings = match result {
            Ok(warnings) => warnings,
            Err(found) => return self.fail(at, found),
        };
        self.summary.diagnostics.extend(warnings);
        let change = self.change(at);
        if let Some(record) = self.records.get_mut(&change.address) {
            if let Some(object) = &mut record.current {
                object.status = ObjectStatus::Ready;
            }
            let record = record.clone();
            if let Err(error) = self.store.commit(self.operation, vec![Change::PutRecord(record)]) {
                return self.fail(at, error.into());
            }
        }
        self.finish_step(at, id, change.importing.is_some()).await;
    }

    /// The provisioners that run before an object is destroyed. A half-made or a deposed object has none.
    fn before_destruction(
        &mut self,
        at: usize,
        change: &ResourceChange,
    ) -> Result<Vec<plan::Provision>, Diagnostics> {
        let record = self.records.get(&change.address).and_then(|record| record.current.as_ref());
        let whole = record.is_some_and(|object| object.status == ObjectStatus::Ready);
        if self.plan.steps[at].kind != StepKind::Delete || !whole || self.deposed_by(at).is_some() {
            return Ok(Vec::new());
        }
        self.plan.evaluation.provisions(&change.address, When::Destroy, &change.before)
    }

    /// Opens the ephemeral objects that a step needs and that are not open yet.
    async fn open_for(&mut self, change: &ResourceChange) -> Result<(), Diagnostics> {
        if !self.uses_ephemerals {
            return Ok(());
        }
        for address in self.plan.evaluation.ephemerals_behind(change) {
            let provider = self.plan.evaluation.provider_of(&address);
            let Some(provider) = provider else { continue };
            let provider = self.providers.get(&provider, &mut self.plan.evaluation).await?;
            let reader: Arc<dyn sdk::Reader> = provider;
            let (open, warnings) = self.plan.evaluation.open_ephemeral(&address, reader).await?;
            self.open.extend(open);
            self.summary.diagnostics.extend(warnings);
        }
        Ok(())
    }

    /// Waits until an ephemeral object must be renewed; for ever if none has to be.
    fn renewal(&self) -> BoxFuture<'static, ()> {
        let due = self.open.iter().filter_map(|open| open.renew_at_unix_ms).min();
        match due {
            Some(due) => {
                let wait = due.saturating_sub(self.now_ms());
                tokio::time::sleep(std::time::Duration::from_millis(wait)).boxed()
            }
            None => std::future::pending().boxed(),
        }
    }

    async fn renew(&mut self) {
        let now = self.now_ms();
        let mut open = std::mem::take(&mut self.open);
        for one in open.iter_mut().filter(|one| one.renew_at_unix_ms.is_some_and(|at| at <= now)) {
            self.summary.diagnostics.extend(one.renew().await);
        }
        self.open = open;
    }

    /// Ends a step that needed no call; the loop takes it in with the others.
    fn finish_now(&mut self, at: usize) {
        self.calls.push(async move { Answer::Nothing(at) }.boxed());
    }

    fn fail(&mut self, at: usize, found: Diagnostics) {
        let change = self.change(at);
        let kind = self.plan.steps[at].kind;
        let elapsed_ms = self.now_ms().saturating_sub(self.began_ms.get(&at).copied().unwrap_or(0));
        let (address, action) = (change.address.clone(), change.action);
        self.summary.failed.push(address.clone());
        (self.events)(Event::Failed { address: address.clone(), action, kind, elapsed_ms });
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
        let commands = self.schedule.on(Happened::Done(at));
        Box::pin(self.obey(commands)).await;
    }

    /// Outputs; what could not be evaluated because something failed keeps its recorded value.
    fn commit_after(&mut self) -> Result<(), ApplyError> {
        let mut changes = Vec::new();
        let complete = self.summary.is_complete();
        for (name, output) in std::mem::take(&mut self.plan.outputs) {
            let deleted = output.action == Action::Delete;
            if deleted {
                if complete {
                    changes.push(Change::DeleteOutput(name));
                }
                continue;
            }
            let value = match self.plan.evaluation.demand_root_output(&name) {
                Ok(value) if value.is_wholly_known() => value,
                Ok(_) => continue,
                Err(found) => {
                    if complete {
                        self.summary.diagnostics.extend(found);
                    }
                    continue;
                }
            };
            let sensitive = output.sensitive || value.deep_marks().contains(Marks::SENSITIVE);
            let (plain, _) = value.clone().unmark_deep();
            let ty = plain.ty();
            let Ok(value_json) = value::json::encode_string(&plain, &ty) else { continue };
            self.summary.outputs.insert(Arc::clone(&name), (value, sensitive));
            if output.action == Action::NoOp {
                continue;
            }
            let type_json = value::json::type_to_json(&ty).to_string();
            let record = OutputRecord {
                value_json: value_json.into(),
                type_json: type_json.into(),
                sensitive,
            };
            changes.push(Change::PutOutput(name, record));
        }
        if self.plan.mode == Mode::Normal && complete {
            self.summary.diagnostics.extend(self.plan.evaluation.final_checks());
        }
        if self.plan.mode == Mode::Destroy && complete {
            let snapshot = self.store.snapshot()?;
            changes.extend(snapshot.decisions.into_keys().map(Change::DeleteDecision));
        }
        if !changes.is_empty() {
            self.store.commit(self.operation, changes)?;
        }
        self.summary.failed.sort();
        self.summary.failed.dedup();
        self.summary.not_reached.sort();
        Ok(())
    }
}

/// The `id` of an object, if it has one that may be shown.
fn shown_id(object: &Value) -> Option<String> {
    let id = object.get_attr("id").filter(|id| id.deep_marks().is_empty());
    id.and_then(Value::as_str).map(str::to_owned)
}
