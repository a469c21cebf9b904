//! What a call has come to: checked against the plan, recorded, told.

use config::When;
use futures::future::FutureExt;
use plan::{StepKind, check_compatible};
use state::{Change, ObjectStatus, OpenIntent, Outcome};
use syntax::Diagnostics;
use value::{Marks, Value};

use super::{Answer, Run, shown_id};
use crate::event::Event;
use crate::provisioner;
use crate::step::{Called, Prepared};

impl Run<'_> {
    pub(super) async fn take_called(
        &mut self,
        at: usize,
        prepared: &Prepared,
        open: OpenIntent,
        called: Called,
    ) {
        let change = self.change(at);
        let provider_name = change.provider.provider.short_name();
        let secret: Vec<_> =
            prepared.sensitive_paths.iter().map(|path| (path.clone(), Marks::SENSITIVE)).collect();
        let given = || {
            let known =
                [&prepared.planned, &prepared.config].map(|one| one.clone().mark_paths(&secret));
            known.into_iter().chain([change.before.clone(), change.after.clone()]).collect()
        };
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
            let found = self.plan.evaluation.place(&change.address, &given, |place| {
                place.failure(&provider_name, "make the change", &failure)
            });
            return self.fail(at, found.into());
        };
        let mut found = self
            .plan
            .evaluation
            .place(&change.address, &given, |place| place.problems(answer.problems.clone()));
        let failed = found.has_errors();
        let open_identity = answer.identity.as_ref().is_some_and(|one| !one.is_wholly_known());
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
        if open_identity {
            violations.push(plan::Violation {
                path: address::AttributePath::root(),
                message: "has an identity that is still unknown after apply".to_owned(),
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
            found.extend(self.plan.evaluation.place(&change.address, &given, |place| {
                place.violations(&provider_name, "make the change", violations)
            }));
        }
        let failed = failed || found.has_errors();
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
        let changes = self.record(at, prepared, &new, sensitive_paths, &answer, half_made);
        let outcome = if failed {
            let message = found.iter().next().map(ToString::to_string).unwrap_or_default();
            Outcome::Failed { message }
        } else {
            Outcome::Done
        };
        self.all_in_state &= self.in_state.contains(&at);
        self.endings.push((open, outcome, changes));
        let id = shown_id(&shown);
        if kind != StepKind::Delete && !new.is_null() {
            let conditions = self.plan.evaluation.accept(&change.address, shown.clone());
            if !failed && conditions.has_errors() {
                // The change itself is done; what is wrong is what came of it.
                self.tell_end(at, id.clone());
                self.began_ms.remove(&at);
            }
            found.extend(conditions);
        }
        if found.has_errors() {
            return self.fail(at, found);
        }
        self.summary.diagnostics.extend(found);
        match after {
            Ok(after) if waits => {
                let around = self.around.clone();
                let run = async move {
                    let result = provisioner::run_all(after, &change.address, &around).await;
                    Answer::Provisioned(at, id, result)
                };
                return self.calls.push(run.boxed());
            }
            Ok(_) => {}
            Err(found) => return self.fail(at, found),
        }
        self.finish_step(at, id, change.importing.is_some()).await;
    }

    /// What was unknown while planning has turned out to be what the object has already: there is nothing to change, and
    /// nobody is asked to.
    pub(super) async fn take_unchanged(&mut self, at: usize, prepared: &Prepared) {
        let change = self.change(at);
        let secret: Vec<_> =
            prepared.sensitive_paths.iter().map(|path| (path.clone(), Marks::SENSITIVE)).collect();
        let new = prepared.planned.clone();
        let shown = plan::mark_echoes(new.clone().mark_paths(&secret));
        let answer = sdk::ApplyAnswer {
            new: new.clone(),
            private: sdk::Private::from(change.prior_private.as_slice()),
            identity: change.identity.as_ref().and_then(|one| one.before.clone()),
            problems: Vec::new(),
            legacy_types: false,
        };
        let changes =
            self.record(at, prepared, &new, plan::sensitive_paths(&shown), &answer, false);
        if let Err(error) = self.store.commit(self.operation, changes) {
            return self.fail(at, error.into());
        }
        let found = self.plan.evaluation.accept(&change.address, shown);
        if found.has_errors() {
            return self.fail(at, found);
        }
        self.summary.diagnostics.extend(found);
        self.summary.imported += usize::from(change.importing.is_some());
        self.done(at).await;
    }

    /// Provisioners of a new object have run: it is whole now, or stays half-made.
    pub(super) async fn take_provisioned(
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
        // Provisioners can be quicker than the outcome of the creation is written, which says that it is half-made.
        if let Err(error) = self.flush() {
            return self.fail(at, error.into());
        }
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

    /// A step has done all that it should.
    pub(super) async fn finish_step(&mut self, at: usize, id: Option<String>, imported: bool) {
        self.tell_end(at, id);
        match self.plan.steps[at].kind {
            StepKind::Create => self.summary.added += 1,
            StepKind::Update => self.summary.changed += 1,
            _ => self.summary.destroyed += 1,
        }
        // A replacement has two halves, and brings in one object.
        let counts = imported && self.plan.steps[at].kind != StepKind::Create;
        self.summary.imported += usize::from(counts);
        self.done(at).await;
    }

    /// Tells that a step begins.
    pub(super) fn tell_start(&mut self, at: usize) {
        self.began_ms.insert(at, self.now_ms());
        let (change, kind) = (self.change(at), self.plan.steps[at].kind);
        let (address, action) = (change.address.clone(), change.action);
        let is_new = matches!(kind, StepKind::Create | StepKind::Read);
        let id = if is_new { None } else { shown_id(&change.before) };
        (self.events)(Event::Started { address, action, kind, id });
    }

    /// Tells that a step is done.
    pub(super) fn tell_end(&self, at: usize, id: Option<String>) {
        let (change, kind) = (self.change(at), self.plan.steps[at].kind);
        let (address, action) = (change.address.clone(), change.action);
        let elapsed_ms = self.now_ms().saturating_sub(self.began_ms.get(&at).copied().unwrap_or(0));
        (self.events)(Event::Finished { address, action, kind, id, elapsed_ms });
    }
}
