//! What is written before the first step and after the last.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan::{Action, LookedAt, Mode};
use state::edit::Renaming;
use state::{Change, DecisionRecord, OutputRecord, Record};
use value::Marks;

use super::Run;
use crate::error::ApplyError;

impl Run<'_> {
    /// New addresses, and what refreshing has found.
    pub(super) fn commit_before(&mut self) -> Result<(), ApplyError> {
        let mut changes = Vec::new();
        // An object that another provider takes over is that provider's from now on.
        let moved = self.changes.iter().filter(|_| !self.plan.moves.is_empty());
        let providers: BTreeMap<_, _> = moved.map(|one| (&one.address, &one.provider)).collect();
        for (from, to) in &self.plan.moves {
            if let Some(record) = self.records.remove(from) {
                let provider = providers.get(to).map_or(&record.provider, |one| *one).clone();
                let record = Record { address: to.clone(), provider, ..record };
                changes.push(Change::ForgetRecord(from.clone()));
                changes.push(Change::PutRecord(record.clone()));
                self.records.insert(to.clone(), record);
            }
        }
        let moves = self.plan.moves.iter().map(|(from, to)| (from, to));
        let renaming = Renaming::new(moves, self.records.keys());
        if !renaming.is_empty() {
            for record in self.records.values_mut() {
                if let Some(renamed) = renaming.record(record) {
                    *record = renamed;
                    changes.push(Change::PutRecord(record.clone()));
                }
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

    /// Outputs; what could not be evaluated because something failed keeps its recorded value.
    pub(super) fn commit_after(&mut self) -> Result<(), ApplyError> {
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
        changes.extend(self.looked_up());
        changes.extend(self.conditions());
        if self.plan.mode == Mode::Normal && complete {
            self.summary.diagnostics.extend(self.plan.evaluation.final_checks());
        }
        if matches!(self.plan.mode, Mode::Destroy | Mode::Undo) && complete {
            let snapshot = self.store.snapshot()?;
            let kept = |component: &String| {
                self.plan.mode == Mode::Undo
                    && self.plan.decisions.iter().any(|decision| decision.component == *component)
            };
            let gone = snapshot.decisions.into_keys().filter(|component| !kept(component));
            changes.extend(gone.map(Change::DeleteDecision));
        }
        if !changes.is_empty() {
            self.store.commit(self.operation, changes)?;
        }
        self.summary.failed.sort();
        self.summary.failed.dedup();
        self.summary.not_reached.sort();
        Ok(())
    }

    /// What all conditions came to, where that is not what is recorded.
    fn conditions(&mut self) -> Option<Change> {
        let changes = self.changes.iter().map(|change| &**change);
        let looked_at = LookedAt::by(self.plan.mode, self.plan.limited, changes);
        let found = self.plan.evaluation.final_check_results(&looked_at);
        (found != self.checks).then_some(Change::PutChecks(found))
    }
}
