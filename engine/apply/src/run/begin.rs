//! The beginning of a step: what it needs is evaluated and opened, and its last plan starts.

use std::sync::Arc;

use config::When;
use futures::future::FutureExt;
use plan::{ResourceChange, StepKind};
use state::{Change, ObjectStatus};
use syntax::Diagnostics;

use super::{Answer, Run};
use crate::provisioner;
use crate::step::{self, Prepared};

impl Run<'_> {
    /// Begins a step: evaluates its configuration again and starts its last plan.
    pub(super) async fn begin(&mut self, at: usize) {
        let change = self.change(at);
        let kind = self.plan.steps[at].kind;
        match kind {
            StepKind::Forget => return self.forget(at, &change),
            StepKind::Import => return self.import(at, &change),
            _ => {}
        }
        if let Err(found) = self.open_for(at).await {
            return self.fail(at, found);
        }
        let provider = self
            .providers
            .for_object(&change.provider, &change.address, &mut self.plan.evaluation)
            .await;
        let provider = match provider {
            Ok(provider) => provider,
            Err(found) => return self.fail(at, found),
        };
        let wants_config = matches!(kind, StepKind::Create | StepKind::Update | StepKind::Read);
        // Preconditions are looked at here: where one fails, the step has not begun.
        let ready =
            if wants_config { self.plan.evaluation.renew(&change.address) } else { Ok(None) };
        let ready = match ready {
            Ok(ready) => ready,
            Err(found) => return self.fail(at, found),
        };
        // An update is begun once it is known that there is something to change.
        if kind != StepKind::Update {
            self.tell_start(at);
        }
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
        let around = self.around.clone();
        self.calls.push(
            async move {
                let warnings = provisioner::run_all(before, &change.address, &around).await;
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

    fn forget(&mut self, at: usize, change: &ResourceChange) {
        self.records.remove(&change.address);
        match self.store.commit(self.operation, vec![Change::ForgetRecord(change.address.clone())])
        {
            Ok(_) => {
                self.summary.forgotten += 1;
                self.finish_now(at);
            }
            Err(error) => self.fail(at, error.into()),
        }
    }

    fn import(&mut self, at: usize, change: &ResourceChange) {
        let Some(record) = self.plan.imported(change) else {
            return self.fail(at, Diagnostics::new());
        };
        match self.store.commit(self.operation, vec![Change::PutRecord(record.clone())]) {
            Ok(_) => {
                self.records.insert(change.address.clone(), record);
                self.summary.imported += 1;
                self.finish_now(at);
            }
            Err(error) => self.fail(at, error.into()),
        }
    }
}
