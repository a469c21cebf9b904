//! Ephemeral objects of an apply: opened for the steps that need them, renewed, and closed after the last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::ResourceInstance;
use futures::future::{BoxFuture, FutureExt};
use plan::ephemeral::{Listener, Open, close_all};
use plan::{Plan, ResourceChange, StepKind};
use syntax::Diagnostics;

use super::{Answer, Run};
use crate::event::Event;

/// What is open, and who needs it still.
#[derive(Default)]
pub(super) struct Ephemerals {
    /// In the order in which they were opened.
    open: Vec<Open>,
    /// All that have been opened, those that are closed again included.
    opened: BTreeSet<ResourceInstance>,
    /// By step that has not ended: what it needs. Those that others need come first.
    needs: BTreeMap<usize, Vec<ResourceInstance>>,
    /// How many of these steps need an object.
    users: BTreeMap<ResourceInstance, usize>,
}

impl Ephemerals {
    /// What the steps of a plan will need.
    pub(super) fn of(plan: &Plan, changes: &[Arc<ResourceChange>]) -> Self {
        let mut found = Self::default();
        if !plan.evaluation.has_ephemerals() {
            return found;
        }
        for (at, step) in plan.steps.iter().enumerate() {
            let Some(change) = step.change else { continue };
            if matches!(step.kind, StepKind::Forget | StepKind::Import) {
                continue;
            }
            let needs = plan.evaluation.ephemerals_behind(&changes[change]);
            for address in &needs {
                *found.users.entry(address.clone()).or_default() += 1;
            }
            if !needs.is_empty() {
                found.needs.insert(at, needs);
            }
        }
        found
    }

    /// What a step needs and nobody has opened yet.
    fn wanted_by(&self, at: usize) -> Vec<ResourceInstance> {
        let needs = self.needs.get(&at).into_iter().flatten();
        needs.filter(|address| !self.opened.contains(*address)).cloned().collect()
    }

    /// A step has ended; gives back what nobody needs from now on.
    fn release(&mut self, at: usize) -> Vec<Open> {
        for address in self.needs.remove(&at).unwrap_or_default() {
            if let Some(users) = self.users.get_mut(&address) {
                *users -= 1;
            }
        }
        let users = &self.users;
        self.open.extract_if(.., |open| users.get(&open.address) == Some(&0)).collect()
    }
}

impl Run<'_> {
    /// Opens the ephemeral objects that a step needs and that are not open yet.
    pub(super) async fn open_for(&mut self, at: usize) -> Result<(), Diagnostics> {
        let events = Arc::clone(&self.events);
        let tell = move |one| events(Event::Ephemeral(one));
        let listener = Listener::new(Arc::clone(&self.world), Arc::new(tell));
        for address in self.ephemerals.wanted_by(at) {
            let provider = self.plan.evaluation.provider_of(&address);
            let Some(provider) = provider else { continue };
            let evaluation = &mut self.plan.evaluation;
            let provider = self.providers.for_object(&provider, &address, evaluation).await?;
            let reader: Arc<dyn sdk::Reader> = provider;
            let evaluation = &mut self.plan.evaluation;
            let (open, warnings) = evaluation.open_ephemeral(&address, reader, &listener).await?;
            self.ephemerals.opened.insert(address);
            self.ephemerals.open.extend(open);
            self.summary.diagnostics.extend(warnings);
        }
        Ok(())
    }

    /// A step has ended, or will never run: what it was the last to need is closed, beside what goes on.
    pub(super) fn release(&mut self, at: usize) {
        let unneeded = self.ephemerals.release(at);
        if !unneeded.is_empty() {
            self.calls.push(async move { Answer::Closed(close_all(unneeded).await) }.boxed());
        }
    }

    /// Closes what is open still.
    pub(super) async fn close_ephemerals(&mut self) {
        let found = close_all(std::mem::take(&mut self.ephemerals.open)).await;
        self.summary.diagnostics.extend(found);
    }

    /// Waits until an ephemeral object must be renewed; for ever if none has to be.
    pub(super) fn renewal(&self) -> BoxFuture<'static, ()> {
        let due = self.ephemerals.open.iter().filter_map(|open| open.renew_at_unix_ms).min();
        match due {
            Some(due) => {
                let wait = due.saturating_sub(self.now_ms());
                tokio::time::sleep(std::time::Duration::from_millis(wait)).boxed()
            }
            None => std::future::pending().boxed(),
        }
    }

    pub(super) async fn renew(&mut self) {
        let now = self.now_ms();
        let mut open = std::mem::take(&mut self.ephemerals.open);
        for one in open.iter_mut().filter(|one| one.renew_at_unix_ms.is_some_and(|at| at <= now)) {
            self.summary.diagnostics.extend(one.renew().await);
        }
        self.ephemerals.open = open;
    }
}
