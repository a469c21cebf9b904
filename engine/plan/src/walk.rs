//! Visits what is ready, evaluates it, asks its provider; the one place where values flow back.
//!
//! A node is a named thing of one module instance, or one resource instance. It runs when all that it needs
//! has run: `b[0]` that reads only `a[0]` does not wait for `a[1]`. Instances come to be while walking, when
//! their block's `count` or `for_each` has been evaluated; who needs a whole block waits for one node that
//! stands for it, so that the number of edges stays linear.
//!
//! Read `node` (what waits for what), `run` (the choice by kind of node), then one file for each kind.
//!
//! One task owns everything here. Provider calls run beside it, up to `parallelism`, and their results are
//! kept by address, so that the order in which they arrive shows nowhere.

mod node;
mod run;

mod data;
mod deferred;
mod ephemeral;
mod expansion;
mod managed;
mod offline;
mod provider;

mod check;
mod deletion;
mod dependencies;
mod undo;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use address::{ConfigResource, ProviderConfig, ResourceInstance, Target};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use sdk::Reader;
use state::{Dependency, Record};
use syntax::Diagnostics;

use crate::ephemeral::{Open, Told};
use crate::error::PlanError;
use crate::evaluation::{Evaluation, ModuleId, ROOT};
use crate::exclusion::Exclusion;
use crate::import::Wanted;
use crate::instance::{Input, Output};
use crate::model::DeferredChange;
use crate::prepare::Prepared;
use crate::restore::Lost;
use crate::{Options, Request};

pub(crate) use expansion::{count_expansion, for_each_expansion, repetition_of};
pub(crate) use node::{Node, NodeId, NodeKey};

/// What a call beside the loop gives back.
pub(crate) enum Answer {
    Provider(ProviderConfig, Arc<dyn Reader>, Diagnostics),
    Instance(Box<Output>),
    Data(value::Value, Diagnostics, Option<sdk::Deferral>),
    /// What a data source of a check has given, and what stands for it if it has given nothing.
    Checked(ResourceInstance, Result<(value::Value, Diagnostics), Diagnostics>, value::Value),
    Opened(value::Value, Box<Open>, Diagnostics),
    /// Ephemeral objects have been closed.
    Closed(Diagnostics),
}

type Call = BoxFuture<'static, (NodeId, Result<Answer, Diagnostics>)>;

/// A call that has no room yet. It becomes a future when its turn comes, as a future is several times as large as
/// what it is made from, and a wide stack has all of its calls waiting here at once.
type WaitingCall = Box<dyn FnOnce() -> Call + Send>;

/// What the walk leaves behind.
pub(crate) struct Walked {
    pub(crate) evaluation: Evaluation,
    pub(crate) nodes: Vec<Node>,
    pub(crate) results: BTreeMap<ResourceInstance, Planned>,
    pub(crate) deferred: BTreeMap<ResourceInstance, DeferredChange>,
    pub(crate) prepared: Prepared,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) lost: Lost,
    /// What could not be known, where providers are not asked.
    pub(crate) offline: Option<PlanError>,
}

/// A planned instance, and the node that planned it.
pub(crate) struct Planned {
    pub(crate) output: Box<Output>,
    /// `None` for what is planned without a node: orphans.
    pub(crate) node: Option<NodeId>,
}

pub(crate) struct Walk<'a> {
    pub(crate) options: &'a Options,
    pub(crate) request: &'a Request<'a>,
    pub(crate) prepared: Prepared,
    pub(crate) evaluation: Evaluation,
    pub(crate) records: BTreeMap<ResourceInstance, (Arc<Record>, Option<ResourceInstance>)>,
    pub(crate) create_before_destroy: BTreeSet<ConfigResource>,
    /// Blocks that this run plans; `None` for all.
    pub(crate) included: Option<BTreeSet<ConfigResource>>,
    pub(crate) exclusion: Exclusion,
    pub(crate) targets: Vec<Target>,
    pub(crate) imports: BTreeMap<ResourceInstance, Wanted>,
    /// The users of ephemeral blocks; those that are in use until the end have no entry.
    pub(crate) ephemeral_users: BTreeMap<ConfigResource, BTreeSet<ConfigResource>>,
    /// Ephemeral objects that are open, in the order in which they were opened.
    pub(crate) open: Vec<Open>,
    /// What has happened to them.
    told: Arc<Mutex<Vec<Told>>>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) index: BTreeMap<NodeKey, NodeId>,
    pub(crate) turn: VecDeque<NodeId>,
    calls: FuturesUnordered<Call>,
    waiting_calls: VecDeque<WaitingCall>,
    pub(crate) providers: BTreeMap<ProviderConfig, Arc<dyn Reader>>,
    pub(crate) results: BTreeMap<ResourceInstance, Planned>,
    /// Changes that are put off.
    pub(crate) deferred: BTreeMap<ResourceInstance, DeferredChange>,
    /// Nodes whose change is put off, or that are made from one whose is.
    put_off: BTreeSet<NodeId>,
    /// Data sources whose providers are not asked: how many are as they were read last, how many unknown.
    unread: (usize, usize),
    /// By the name of what they concern, so that their order is fixed.
    pub(crate) diagnostics: BTreeMap<String, Diagnostics>,
    pub(crate) dependencies: BTreeMap<NodeId, Arc<[Dependency]>>,
    /// Nodes that are done, and whether they or anything behind them is going to change.
    pending: BTreeMap<NodeId, bool>,
    /// Texts of earlier objects that will not come back.
    pub(crate) lost: Lost,
    /// Objects that are led back, and whose replacements are made before the old ones go.
    pub(crate) made_first: BTreeSet<ResourceInstance>,
}

impl<'a> Walk<'a> {
    #[expect(clippy::too_many_arguments, reason = "each is a result of an earlier stage")]
    pub(crate) fn new(
        request: &'a Request<'a>,
        prepared: Prepared,
        evaluation: Evaluation,
        records: BTreeMap<ResourceInstance, (Arc<Record>, Option<ResourceInstance>)>,
        create_before_destroy: BTreeSet<ConfigResource>,
        included: Option<BTreeSet<ConfigResource>>,
        exclusion: Exclusion,
        targets: Vec<Target>,
        imports: BTreeMap<ResourceInstance, Wanted>,
        ephemeral_users: BTreeMap<ConfigResource, BTreeSet<ConfigResource>>,
    ) -> Self {
        Self {
            options: &request.options,
            request,
            prepared,
            evaluation,
            records,
            create_before_destroy,
            included,
            exclusion,
            targets,
            imports,
            ephemeral_users,
            open: Vec::new(),
            told: Arc::default(),
            nodes: Vec::new(),
            index: BTreeMap::new(),
            turn: VecDeque::new(),
            calls: FuturesUnordered::new(),
            waiting_calls: VecDeque::new(),
            providers: BTreeMap::new(),
            results: BTreeMap::new(),
            deferred: BTreeMap::new(),
            put_off: BTreeSet::new(),
            unread: (0, 0),
            diagnostics: BTreeMap::new(),
            dependencies: BTreeMap::new(),
            pending: BTreeMap::new(),
            lost: Lost::default(),
            made_first: BTreeSet::new(),
        }
    }

    /// Walks everything, then plans what has no block any more.
    pub(crate) async fn walk(mut self) -> Walked {
        let providers: Vec<ProviderConfig> = self.prepared.providers.keys().cloned().collect();
        for provider in providers {
            self.node(NodeKey::Provider(provider));
        }
        self.open(ROOT);
        self.lead_back();
        self.drain().await;
        self.find_stuck();
        self.plan_orphans();
        self.drain().await;
        if !self.has_errors() {
            self.evaluate_checks();
        }
        self.close_ephemerals().await;
        let mut diagnostics = Diagnostics::new();
        for (_, found) in std::mem::take(&mut self.diagnostics) {
            diagnostics.extend(found);
        }
        let offline = self.unasked();
        Walked {
            offline,
            evaluation: self.evaluation,
            nodes: self.nodes,
            results: self.results,
            deferred: self.deferred,
            prepared: self.prepared,
            diagnostics,
            lost: self.lost,
        }
    }

    fn has_errors(&self) -> bool {
        self.diagnostics.values().any(Diagnostics::has_errors)
    }

    /// Runs until nothing is ready and no call is open.
    async fn drain(&mut self) {
        loop {
            while let Some(id) = self.turn.pop_front() {
                self.advance(id);
            }
            while self.calls.len() < self.options.parallelism.max(1) {
                let Some(call) = self.waiting_calls.pop_front() else { break };
                self.calls.push(call());
            }
            let due = self.next_renewal_ms();
            let now = crate::ephemeral::now_ms(&*self.request.world);
            let wait = due.map(|due| Duration::from_millis(due.saturating_sub(now)));
            let next = match wait {
                None => self.calls.next().await,
                Some(wait) => match tokio::time::timeout(wait, self.calls.next()).await {
                    Ok(next) => next,
                    Err(_) => {
                        self.renew_ephemerals().await;
                        continue;
                    }
                },
            };
            match next {
                Some((id, answer)) => self.take(id, answer),
                None if self.turn.is_empty() => break,
                None => {}
            }
        }
    }

    /// Starts a call when there is room for it.
    pub(crate) fn start<F>(&mut self, call: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = (NodeId, Result<Answer, Diagnostics>)> + Send + 'static,
    {
        self.waiting_calls.push_back(Box::new(move || call().boxed()));
    }

    /// Plans an instance when there is room for it.
    pub(crate) fn start_instance(&mut self, id: NodeId, input: Input) {
        self.start(move || async move {
            (id, input.run().await.map(|output| Answer::Instance(Box::new(output))))
        });
    }

    pub(crate) fn report(&mut self, subject: &str, found: Diagnostics) {
        if !found.is_empty() {
            self.diagnostics.entry(subject.to_owned()).or_default().extend(found);
        }
    }

    /// Creates the nodes of a module instance that everybody may refer to.
    pub(crate) fn open(&mut self, id: ModuleId) {
        let module = Arc::clone(&self.evaluation.module(id).module);
        for name in module.variables.keys() {
            self.node(NodeKey::Variable(id, Arc::clone(name)));
        }
        for name in module.locals.keys() {
            self.node(NodeKey::Local(id, Arc::clone(name)));
        }
        for resource in module.resources.keys() {
            self.node(NodeKey::Expand(id, resource.clone()));
        }
        for step in module.calls.keys() {
            self.node(NodeKey::ExpandCall(id, step.clone()));
        }
        for name in module.outputs.keys() {
            self.node(NodeKey::Output(id, Arc::clone(name)));
        }
    }
}
