//! What data sources have given, for the state.
//!
//! No plan relies on it: every plan reads again. It is there for people and programs that look at a state.

use address::ResourceMode;
use plan::{LookedUp, Mode};
use state::{Change, Object, Record};

use super::Run;

impl Run<'_> {
    /// Records what was read and is not recorded so already; forgets what there is no block for any more.
    pub(super) fn looked_up(&self) -> Vec<Change> {
        let recorded = || self.records.keys().filter(|one| one.resource.mode == ResourceMode::Data);
        let complete = self.summary.is_complete();
        if self.plan.mode == Mode::Destroy {
            let managed = |record: &&Record| record.address.resource.mode == ResourceMode::Managed;
            let something_is_left = self.records.values().any(|record| managed(&record));
            let gone = recorded().filter(|_| complete && !something_is_left);
            return gone.cloned().map(Change::DeleteRecord).collect();
        }
        let evaluation = &self.plan.evaluation;
        let read = evaluation.looked_up().filter_map(|one| record(&one));
        let new = read.filter(|record| self.records.get(&record.address) != Some(record));
        let gone = recorded().filter(|address| complete && !evaluation.has_data(address));
        new.map(Change::PutRecord).chain(gone.cloned().map(Change::DeleteRecord)).collect()
    }
}

fn record(one: &LookedUp) -> Option<Record> {
    let (plain, _) = one.value.clone().unmark_deep();
    let json = value::json::encode_string(&plain, &one.ty).ok()?;
    let mut object = Object::new(one.schema_version, json);
    object.sensitive_paths = plan::sensitive_paths(&one.value);
    Some(Record::new(one.address.clone(), one.provider.clone(), object))
}
