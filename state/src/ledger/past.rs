//! Earlier states, and letting go of them.
//!
//! A commit keeps what each entry that it changes was before. So the state at any serial is the present one with
//! these taken back, the latest first; what that costs follows what has changed since, not what the state holds.
//! `m/held` is the serial from which on this can be done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Batch, Durability, Keep, Ledger, Told, damaged, number_of, shown};
use crate::error::StateError;
use crate::journal::Journal;
use crate::record::{DecisionRecord, Record};
use crate::snapshot::StateSnapshot;
use crate::store::{LockGuard, Moment, Operation, OperationId, Pruned, StateStore};
use crate::wire::{self, WireOutput, WireRecord};

/// Prefixes of the entries that make up a state.
pub(super) const KEPT: [&str; 3] = ["r/", "o/", "d/"];

/// So many entries are removed in one write.
const AT_ONCE: usize = 1000;

impl<K: Keep> Ledger<K> {
    /// Adds what the changed entries were before; what a commit changes twice was what the first change found.
    pub(super) fn add_past(&self, serial: u64, told: &[Told], batch: &mut Batch) {
        let mut seen = BTreeSet::new();
        for one in told.iter().filter(|one| seen.insert(&one.name)) {
            let mut name = past_of(serial).into_bytes();
            name.extend_from_slice(&one.name);
            let mut plain = vec![u8::from(one.before.is_some())];
            plain.extend(one.before.iter().flatten());
            let sealed = crate::crypt::seal(&name, &plain, self.key.as_ref());
            batch.push((name, Some(sealed)));
        }
        if self.numbers().held.is_none() {
            let held = self.numbers().serial;
            batch.push(self.put("m/held", held.to_string().as_bytes()));
        }
    }

    /// The state that entries make up.
    pub(super) fn assembled(
        &self,
        entries: BTreeMap<Vec<u8>, Vec<u8>>,
        serial: u64,
    ) -> Result<StateSnapshot, StateError> {
        let mut snapshot = StateSnapshot {
            lineage: self.text("m/lineage")?.unwrap_or_default(),
            workspace: self.text("m/workspace")?.unwrap_or_default(),
            engine_version: env!("CARGO_PKG_VERSION").to_owned(),
            serial,
            ..StateSnapshot::default()
        };
        let mut last: Option<Arc<Record>> = None;
        for (name, plain) in entries {
            let bad = |reason: String| damaged(&shown(&name), &reason);
            let rest = || String::from_utf8_lossy(&name[2..]).into_owned();
            match name.first() {
                Some(b'r') => {
                    let wire: WireRecord = wire::from_bytes(&plain).map_err(bad)?;
                    let mut record = wire.read().map_err(bad)?;
                    if let Some(last) = &last {
                        share(&mut record, last);
                    }
                    let record = Arc::new(record);
                    last = Some(Arc::clone(&record));
                    snapshot.records.insert(record.address.clone(), record);
                }
                Some(b'o') => {
                    let wire: WireOutput = wire::from_bytes(&plain).map_err(bad)?;
                    snapshot.outputs.insert(rest().into(), wire.read());
                }
                _ => {
                    let component = rest();
                    let json =
                        String::from_utf8(plain).map_err(|_| bad("it is no text".to_owned()))?;
                    let record = DecisionRecord { component: component.clone(), json: json.into() };
                    snapshot.decisions.insert(component, record);
                }
            }
        }
        Ok(snapshot)
    }

    /// The state as it was.
    pub(super) fn earlier(&self, moment: Moment) -> Result<StateSnapshot, StateError> {
        let serial = self.serial_at(moment)?;
        let mut entries = BTreeMap::new();
        for prefix in KEPT {
            entries.extend(self.entries(prefix)?);
        }
        let since = past_of(serial.saturating_add(1));
        let past = self.keep.scan_from(b"h/", since.as_bytes())?;
        for (name, sealed) in past.into_iter().rev() {
            let plain = self.opened(&name, &sealed)?;
            let Some(entry) = name.get(since.len()..).filter(|entry| !entry.is_empty()) else {
                return Err(damaged(&shown(&name), "its name is no entry's"));
            };
            match plain.split_first() {
                Some((1, before)) => entries.insert(entry.to_vec(), before.to_vec()),
                Some((0, _)) => entries.remove(entry),
                _ => return Err(damaged(&shown(&name), "it is empty")),
            };
        }
        self.assembled(entries, serial)
    }

    /// The serial of the last commit before a moment.
    fn serial_at(&self, moment: Moment) -> Result<u64, StateError> {
        let operations = self.history()?;
        let (wanted, word) = match moment {
            Moment::Before(id) => (id, "before"),
            Moment::After(id) => (id, "after"),
        };
        let forgotten = operations.first().is_some_and(|first| wanted < first.id);
        if forgotten && wanted > OperationId(0) {
            return Err(not_held(word, wanted, &operations));
        }
        if !operations.iter().any(|operation| operation.id == wanted) {
            let known = match (operations.first(), operations.last()) {
                (Some(first), Some(last)) => format!(
                    "`history` lists them: the first is {}, the last is {}",
                    first.id, last.id
                ),
                _ => "nothing has been done yet".to_owned(),
            };
            return Err(StateError::NoOperation { operation: wanted.0, known });
        }
        let is_later = |operation: &&Operation| match moment {
            Moment::Before(id) => operation.id >= id,
            Moment::After(id) => operation.id > id,
        };
        let first = operations.iter().filter(is_later).find_map(first_serial);
        let (serial, held) = {
            let numbers = self.numbers();
            (numbers.serial, numbers.held.unwrap_or(numbers.serial))
        };
        let at = first.map_or(serial, |first| first.saturating_sub(1));
        if at >= held {
            return Ok(at);
        }
        Err(not_held(word, wanted, &operations))
    }

    /// Notes before which operations the state can still be told.
    pub(super) fn note_held(&self, operations: &mut [Operation]) {
        let (serial, held) = {
            let numbers = self.numbers();
            (numbers.serial, numbers.held.unwrap_or(numbers.serial))
        };
        let mut before = serial;
        for operation in operations.iter_mut().rev() {
            before = first_serial(operation).map_or(before, |first| first.saturating_sub(1));
            operation.held = before >= held;
        }
    }

    /// Forgets the operations before `first`. The mark of what is held moves first: from then on nobody asks for
    /// what goes after it, so a crash in between leaves nothing that could be taken for a whole.
    pub(super) fn let_go(
        &self,
        _guard: &LockGuard,
        first: OperationId,
    ) -> Result<Pruned, StateError> {
        let operations = self.history()?;
        let open = self.open_intents()?.into_iter().map(|open| open.intent.operation).min();
        let last = operations.last().map(|operation| operation.id);
        let first = [open, last].into_iter().flatten().fold(first, OperationId::min);
        let gone: Vec<&Operation> =
            operations.iter().filter(|operation| operation.id < first).collect();
        let left = operations.iter().find(|operation| operation.id >= first);
        let serial = self.numbers().serial;
        let later = operations.iter().filter(|operation| operation.id >= first);
        let held = later.filter_map(first_serial).min();
        let held = held.map_or(serial, |first| first.saturating_sub(1));
        let mut batch: Batch = Vec::new();
        if self.numbers().held.is_none_or(|now| now < held) {
            batch.push(self.put("m/held", held.to_string().as_bytes()));
        }
        for operation in gone.iter().filter(|operation| !operation.info.plan.is_empty()) {
            let name = format!("u/{}", operation.info.plan);
            batch.push(self.put(&name, operation.id.to_string().as_bytes()));
        }
        if !batch.is_empty() {
            self.keep.write(batch, serial, Durability::OnReturn)?;
            let mut numbers = self.numbers();
            numbers.held = Some(numbers.held.map_or(held, |now| now.max(held)));
        }
        // An operation's own entry goes last, so that what is left of it is found again.
        let mut names: Vec<Vec<u8>> = Vec::new();
        let past = self.keep.scan(b"h/")?.into_iter().map(|(name, _)| name);
        names.extend(past.filter(|name| number_of(name).is_some_and(|serial| serial <= held)));
        for prefix in ["c/", "p/"] {
            let found = self.keep.scan(prefix.as_bytes())?.into_iter().map(|(name, _)| name);
            names.extend(found.filter(|name| number_of(name).is_some_and(|id| id < first.0)));
        }
        for some in names.chunks(AT_ONCE) {
            let batch = some.iter().map(|name| (name.clone(), None)).collect();
            self.keep.write(batch, serial, Durability::OnReturn)?;
        }
        Ok(Pruned { operations: gone.len(), first: left.map(|operation| operation.id) })
    }

    /// The operation that carried out a plan file.
    pub(super) fn carrier_of(&self, plan: &str) -> Result<Option<OperationId>, StateError> {
        if let Some(found) =
            self.history()?.into_iter().find(|operation| operation.info.plan == plan)
        {
            return Ok(Some(found.id));
        }
        let Some(text) = self.text(&format!("u/{plan}"))? else { return Ok(None) };
        let number = text.parse().map_err(|_| damaged("u/", "it is no number"))?;
        Ok(Some(OperationId(number)))
    }
}

fn not_held(moment: &'static str, wanted: OperationId, operations: &[Operation]) -> StateError {
    let oldest = operations.iter().find(|operation| operation.held);
    let held = oldest.map_or_else(
        || "no earlier state is held".to_owned(),
        |oldest| format!("the oldest state that is held is that before operation {}", oldest.id),
    );
    StateError::NotHeld { moment, operation: wanted.0, held }
}

/// The beginning of the names under which a commit keeps what was before.
fn past_of(serial: u64) -> String {
    format!("h/{serial:020}/")
}

fn first_serial(operation: &Operation) -> Option<u64> {
    operation.serials.iter().min().copied()
}

/// Takes what an entry has in common with the one before it from there, so that memory holds it once: neighbours are of
/// one block, or at least of one module and provider.
fn share(record: &mut Record, last: &Record) {
    let (mine, theirs) = (&mut record.address, &last.address);
    if mine.module == theirs.module {
        mine.module = theirs.module.clone();
    }
    if mine.resource.type_name == theirs.resource.type_name {
        mine.resource.type_name = Arc::clone(&theirs.resource.type_name);
    }
    if mine.resource.name == theirs.resource.name {
        mine.resource.name = Arc::clone(&theirs.resource.name);
    }
    if record.provider == last.provider {
        record.provider = last.provider.clone();
    }
}
