//! Both traits once, over anything that can keep entries.
//!
//! Names of entries: `r/ADDRESS` a record, `o/NAME` an output, `d/COMPONENT` a decision, `i/NUMBER` an open
//! intent, `p/NUMBER` an operation, `c/NUMBER/SERIAL` what a commit of it changed, `h/SERIAL/NAME` what an entry
//! was before a commit, `u/PLAN` which forgotten operation carried out a plan file, `m/…` what is true of the
//! whole. Numbers have 20 digits, so that their order as text is their order.
//!
//! `past` tells earlier states and lets go of them.

mod past;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::crypt::{self, Key};
use crate::error::{JournalError, StateError};
use crate::journal::{Intent, Journal, OpenIntent, Outcome, RecordedIntent};
use crate::snapshot::StateSnapshot;
use crate::store::{
    Change, ChangeKind, ChangeSummary, LockGuard, LockInfo, LockRequest, Moment, Operation,
    OperationId, OperationInfo, OperationOutcome, Pruned, StateStore,
};
use crate::wire::{self, WireIntent, WireOperation, WireOutput, WireRecord};

/// When a write survives a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When the call returns.
    OnReturn,
    /// With the next write that is durable on return.
    WithTheNext,
}

/// Keeps named entries.
pub trait Keep: Send + Sync {
    /// The entry of a name.
    fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StateError>;
    /// All entries whose names begin so, in order.
    fn scan(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StateError>;
    /// Those of them whose names are not before `from`, in order.
    fn scan_from(&self, prefix: &[u8], from: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StateError>;
    /// Writes all or nothing. `None` removes. `serial` is the state's serial afterwards. What was written before
    /// is durable whenever this is.
    fn write(
        &self,
        batch: Vec<(Vec<u8>, Option<Vec<u8>>)>,
        serial: u64,
        durability: Durability,
    ) -> Result<(), StateError>;
    /// Takes the writer's lock.
    fn lock(&self, request: LockRequest) -> Result<LockGuard, StateError>;
    /// Who holds the lock.
    fn lock_info(&self) -> Result<Option<LockInfo>, StateError>;
    /// Breaks a lock.
    fn force_unlock(&self, id: &str) -> Result<LockInfo, StateError>;
}

/// A store over a keeper.
pub struct Ledger<K> {
    keep: K,
    key: Option<Key>,
    numbers: Mutex<Numbers>,
    /// Whether a record, output or decision is there, so that the history can say what a change did.
    present: Mutex<std::collections::BTreeSet<Vec<u8>>>,
}

struct Numbers {
    serial: u64,
    /// States of this serial and later ones can be told; `None` in a store that has kept no past yet.
    held: Option<u64>,
    intent: u64,
    operation: u64,
    open: BTreeMap<u64, OperationId>,
}

type Batch = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// A change as the history tells it, and what its entry was before.
struct Told {
    summary: ChangeSummary,
    name: Vec<u8>,
    before: Option<Vec<u8>>,
}

impl<K: Keep> Ledger<K> {
    /// Opens the ledger; a new one gets this lineage.
    pub fn open(
        keep: K,
        key: Option<Key>,
        lineage: &str,
        workspace: &str,
    ) -> Result<Self, StateError> {
        let ledger = Self {
            keep,
            key,
            numbers: Mutex::new(Numbers {
                serial: 0,
                held: None,
                intent: 0,
                operation: 0,
                open: BTreeMap::new(),
            }),
            present: Mutex::default(),
        };
        if ledger.text("m/lineage")?.is_none() {
            let batch = vec![
                ledger.put("m/lineage", lineage.as_bytes()),
                ledger.put("m/workspace", workspace.as_bytes()),
                ledger.put("m/serial", b"0"),
                ledger.put("m/held", b"0"),
            ];
            ledger.keep.write(batch, 0, Durability::OnReturn)?;
        }
        let number = |name: &str| -> Result<u64, StateError> {
            let text = ledger.text(name)?.unwrap_or_else(|| "0".to_owned());
            text.parse().map_err(|_| damaged(name, "it is no number"))
        };
        let last = |prefix: &str| -> Result<u64, StateError> {
            let entries = ledger.keep.scan(prefix.as_bytes())?;
            Ok(entries.last().and_then(|(name, _)| number_of(name)).unwrap_or(0))
        };
        let mut open = BTreeMap::new();
        for found in ledger.open_intents()? {
            open.insert(found.sequence, found.intent.operation);
        }
        {
            let mut numbers = ledger.numbers();
            numbers.serial = number("m/serial")?;
            numbers.held = ledger.text("m/held")?.and_then(|text| text.parse().ok());
            numbers.intent = last("i/")?.max(number("m/intent")?);
            numbers.operation = last("p/")?;
            numbers.open = open;
        }
        ledger.note_present()?;
        Ok(ledger)
    }

    /// Notes which entries are there, and whether they are as many as the last commit left.
    fn note_present(&self) -> Result<(), StateError> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        for prefix in ["r/", "o/", "d/"] {
            present.extend(self.keep.scan(prefix.as_bytes())?.into_iter().map(|(name, _)| name));
        }
        // Stores that have seen no commit since the count is kept have none.
        let Some(text) = self.text("m/count")? else { return Ok(()) };
        let expected = text.parse().map_err(|_| damaged("m/count", "it is no number"))?;
        let found = present.len();
        if found == expected { Ok(()) } else { Err(StateError::Incomplete { expected, found }) }
    }

    /// The serial of the last commit.
    pub fn serial(&self) -> u64 {
        self.numbers().serial
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        // Numbers are changed only after a write has worked, so a panic elsewhere leaves them right.
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, name: &str, plain: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
        let name = name.as_bytes().to_vec();
        let sealed = crypt::seal(&name, plain, self.key.as_ref());
        (name, Some(sealed))
    }

    fn opened(&self, name: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StateError> {
        crypt::open(name, sealed, self.key.as_ref(), &shown(name))
    }

    fn text(&self, name: &str) -> Result<Option<String>, StateError> {
        let Some(sealed) = self.keep.get(name.as_bytes())? else { return Ok(None) };
        let plain = self.opened(name.as_bytes(), &sealed)?;
        String::from_utf8(plain).map(Some).map_err(|_| damaged(name, "it is no text"))
    }

    fn entries(&self, prefix: &str) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StateError> {
        let found = self.keep.scan(prefix.as_bytes())?;
        found
            .into_iter()
            .map(|(name, sealed)| Ok((name.clone(), self.opened(&name, &sealed)?)))
            .collect()
    }

    /// Adds the entries of changes to a batch; returns what the history will say. `fresh` holds what this batch has
    /// written of entries so far. Only what comes of an intent can have made an object.
    fn add_changes(
        &self,
        changes: Vec<Change>,
        of_intent: bool,
        batch: &mut Batch,
        fresh: &mut BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    ) -> Result<Vec<Told>, StateError> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = Vec::with_capacity(changes.len());
        for change in changes {
            let forgotten = matches!(change, Change::ForgetRecord(_));
            let taken_in = !of_intent && matches!(change, Change::PutRecord(_));
            let (name, entry, shown) = match change {
                Change::PutRecord(record) => {
                    let shown = record.address.to_string();
                    (format!("r/{shown}"), Some(wire::to_bytes(&WireRecord::new(&record))), shown)
                }
                Change::DeleteRecord(address) | Change::ForgetRecord(address) => {
                    (format!("r/{address}"), None, address.to_string())
                }
                Change::PutOutput(name, output) => (
                    format!("o/{name}"),
                    Some(wire::to_bytes(&WireOutput::new(&output))),
                    format!("output.{name}"),
                ),
                Change::DeleteOutput(name) => (format!("o/{name}"), None, format!("output.{name}")),
                Change::PutDecision(decision) => {
                    let shown = format!("placement of {}", decision.component);
                    (
                        format!("d/{}", decision.component),
                        Some(decision.json.as_bytes().to_vec()),
                        shown,
                    )
                }
                Change::DeleteDecision(component) => {
                    (format!("d/{component}"), None, format!("placement of {component}"))
                }
                // It says nothing of an object, so the history does not tell of it.
                Change::PutChecks(checks) => {
                    batch.push(self.put("m/checks", &wire::to_bytes(&checks)));
                    continue;
                }
            };
            let bytes = name.as_bytes().to_vec();
            let kind = match (&entry, present.contains(&bytes)) {
                (Some(_), false) if taken_in => ChangeKind::TakenIn,
                (Some(_), false) => ChangeKind::Added,
                (Some(_), true) => ChangeKind::Updated,
                (None, _) if forgotten => ChangeKind::Forgotten,
                (None, _) => ChangeKind::Removed,
            };
            let before = match fresh.get(&bytes) {
                Some(before) => before.clone(),
                None if matches!(kind, ChangeKind::Added | ChangeKind::TakenIn) => None,
                None => match self.keep.get(&bytes)? {
                    Some(sealed) => Some(self.opened(&bytes, &sealed)?),
                    None => None,
                },
            };
            fresh.insert(bytes.clone(), entry.clone());
            match &entry {
                Some(_) => present.insert(bytes.clone()),
                None => present.remove(&bytes),
            };
            batch.push(match entry {
                Some(entry) => self.put(&name, &entry),
                None => (bytes.clone(), None),
            });
            told.push(Told {
                summary: ChangeSummary { address: shown, kind },
                name: bytes,
                before,
            });
        }
        Ok(told)
    }

    /// Adds what belongs to every commit: the serial, the number of entries, the history's line and what the changed
    /// entries were before.
    fn add_commit(&self, operation: OperationId, serial: u64, told: &[Told], batch: &mut Batch) {
        self.add_past(serial, told, batch);
        let summaries: Vec<&ChangeSummary> = told.iter().map(|one| &one.summary).collect();
        let count = self.present.lock().unwrap_or_else(PoisonError::into_inner).len();
        batch.push(self.put("m/serial", serial.to_string().as_bytes()));
        batch.push(self.put("m/count", count.to_string().as_bytes()));
        let name = format!("c/{:020}/{serial:020}", operation.0);
        batch.push(self.put(&name, &wire::summaries_to_bytes(&summaries)));
    }
}

impl<K: Keep> Ledger<K> {
    /// Writes changes with a serial that is higher than the last one, and at least `least`.
    fn commit_at(
        &self,
        operation: OperationId,
        changes: Vec<Change>,
        least: u64,
        mut batch: Batch,
    ) -> Result<u64, StateError> {
        let serial = least.max(self.numbers().serial + 1);
        let told = self.add_changes(changes, false, &mut batch, &mut BTreeMap::new())?;
        self.add_commit(operation, serial, &told, &mut batch);
        self.keep.write(batch, serial, Durability::OnReturn)?;
        self.numbers().reach(serial);
        Ok(serial)
    }
}

impl Numbers {
    /// A commit has been written.
    fn reach(&mut self, serial: u64) {
        // The first commit of a store that has kept no past begins one.
        self.held.get_or_insert(self.serial);
        self.serial = serial;
    }
}

fn damaged(entry: &str, reason: &str) -> StateError {
    StateError::Damaged { entry: entry.to_owned(), reason: reason.to_owned() }
}

fn number_of(name: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(name).ok()?;
    text.split('/').nth(1)?.parse().ok()
}

fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    match text.split_once('/') {
        Some(("r", address)) => address.to_owned(),
        Some(("o", output)) => format!("output.{output}"),
        Some(("d", component)) => format!("placement of {component}"),
        Some(("i", number)) => format!("journal entry {}", number.trim_start_matches('0')),
        _ => text.into_owned(),
    }
}

impl<K: Keep> StateStore for Ledger<K> {
    fn snapshot(&self) -> Result<StateSnapshot, StateError> {
        let serial = self.numbers().serial;
        let mut entries = BTreeMap::new();
        for prefix in past::KEPT {
            entries.extend(self.entries(prefix)?);
        }
        let mut snapshot = self.assembled(entries, serial)?;
        if let Some(text) = self.text("m/checks")? {
            snapshot.checks =
                wire::from_bytes(text.as_bytes()).map_err(|reason| damaged("m/checks", &reason))?;
        }
        Ok(snapshot)
    }

    fn snapshot_of(&self, moment: Moment) -> Result<StateSnapshot, StateError> {
        self.earlier(moment)
    }

    fn prune(&self, guard: &LockGuard, first: OperationId) -> Result<Pruned, StateError> {
        self.let_go(guard, first)
    }

    fn carried_out(&self, plan: &str) -> Result<Option<OperationId>, StateError> {
        self.carrier_of(plan)
    }

    fn lock(&self, request: LockRequest) -> Result<LockGuard, StateError> {
        self.keep.lock(request)
    }

    fn begin_operation(
        &self,
        _guard: &LockGuard,
        info: OperationInfo,
    ) -> Result<OperationId, StateError> {
        let (id, serial) = {
            let mut numbers = self.numbers();
            numbers.operation += 1;
            (numbers.operation, numbers.serial)
        };
        let entry = wire::to_bytes(&WireOperation::new(&info, None));
        let batch = vec![self.put(&format!("p/{id:020}"), &entry)];
        self.keep.write(batch, serial, Durability::OnReturn)?;
        Ok(OperationId(id))
    }

    fn commit(&self, operation: OperationId, changes: Vec<Change>) -> Result<u64, StateError> {
        self.commit_at(operation, changes, 0, Vec::new())
    }

    fn commit_as(
        &self,
        operation: OperationId,
        changes: Vec<Change>,
        lineage: &str,
        serial: u64,
    ) -> Result<u64, StateError> {
        let batch = vec![self.put("m/lineage", lineage.as_bytes())];
        self.commit_at(operation, changes, serial, batch)
    }

    fn end_operation(
        &self,
        operation: OperationId,
        outcome: OperationOutcome,
    ) -> Result<(), StateError> {
        let name = format!("p/{:020}", operation.0);
        let serial = self.numbers().serial;
        let Some(sealed) = self.keep.get(name.as_bytes())? else { return Ok(()) };
        let plain = self.opened(name.as_bytes(), &sealed)?;
        let wire: WireOperation =
            wire::from_bytes(&plain).map_err(|reason| damaged(&name, &reason))?;
        let (info, _) = wire.read();
        let entry = wire::to_bytes(&WireOperation::new(&info, Some(&outcome)));
        self.keep.write(vec![self.put(&name, &entry)], serial, Durability::OnReturn)
    }

    fn history(&self) -> Result<Vec<Operation>, StateError> {
        let mut operations = BTreeMap::new();
        for (name, plain) in self.entries("p/")? {
            let Some(id) = number_of(&name) else { continue };
            let wire: WireOperation =
                wire::from_bytes(&plain).map_err(|reason| damaged(&shown(&name), &reason))?;
            let (info, outcome) = wire.read();
            let id = OperationId(id);
            operations.insert(
                id,
                Operation {
                    id,
                    info,
                    changes: Vec::new(),
                    outcome,
                    serials: Vec::new(),
                    held: true,
                },
            );
        }
        for (name, plain) in self.entries("c/")? {
            let text = String::from_utf8_lossy(&name).into_owned();
            let mut parts = text.split('/').skip(1).filter_map(|part| part.parse::<u64>().ok());
            let (Some(id), Some(serial)) = (parts.next(), parts.next()) else { continue };
            if let Some(operation) = operations.get_mut(&OperationId(id)) {
                let changes =
                    wire::summaries_from_bytes(&plain).map_err(|reason| damaged(&text, &reason))?;
                operation.changes.extend(changes);
                operation.serials.push(serial);
            }
        }
        let mut operations: Vec<Operation> = operations.into_values().collect();
        self.note_held(&mut operations);
        Ok(operations)
    }

    fn force_unlock(&self, id: &str) -> Result<LockInfo, StateError> {
        self.keep.force_unlock(id)
    }

    fn lock_info(&self) -> Result<Option<LockInfo>, StateError> {
        self.keep.lock_info()
    }

    fn journal(&self) -> &dyn Journal {
        self
    }
}

impl<K: Keep> Ledger<K> {
    fn write_turn(
        &self,
        endings: Vec<(OpenIntent, Outcome, Vec<Change>)>,
        intents: Vec<Intent>,
        durability: Durability,
    ) -> Result<(u64, Vec<OpenIntent>), JournalError> {
        let (mut serial, mut number) = {
            let numbers = self.numbers();
            (numbers.serial, numbers.intent)
        };
        let mut batch = Vec::new();
        let mut by_operation: BTreeMap<OperationId, Vec<Told>> = BTreeMap::new();
        let mut fresh = BTreeMap::new();
        let mut ended = Vec::new();
        for (token, _, changes) in endings {
            let operation = self.numbers().open.get(&token.sequence).copied();
            let Some(operation) = operation else {
                return Err(StateError::NoIntent { sequence: token.sequence });
            };
            batch.push((format!("i/{:020}", token.sequence).into_bytes(), None));
            let told = self.add_changes(changes, true, &mut batch, &mut fresh)?;
            by_operation.entry(operation).or_default().extend(told);
            ended.push(token.sequence);
        }
        for (operation, told) in by_operation {
            serial += 1;
            self.add_commit(operation, serial, &told, &mut batch);
        }
        let mut begun = Vec::with_capacity(intents.len());
        for intent in intents {
            number += 1;
            batch.push(
                self.put(&format!("i/{number:020}"), &wire::to_bytes(&WireIntent::new(&intent))),
            );
            begun.push((number, intent.operation));
        }
        if !begun.is_empty() {
            batch.push(self.put("m/intent", number.to_string().as_bytes()));
        }
        // A durable turn of nothing makes durable what was written lazily before.
        if !batch.is_empty() || durability == Durability::OnReturn {
            self.keep.write(batch, serial, durability)?;
        }
        let mut numbers = self.numbers();
        if serial > numbers.serial {
            numbers.reach(serial);
        }
        numbers.intent = number;
        for sequence in ended {
            numbers.open.remove(&sequence);
        }
        numbers.open.extend(begun.iter().copied());
        let tokens = begun.into_iter().map(|(sequence, _)| OpenIntent { sequence }).collect();
        Ok((serial, tokens))
    }
}

impl<K: Keep> Journal for Ledger<K> {
    fn turn(
        &self,
        endings: Vec<(OpenIntent, Outcome, Vec<Change>)>,
        intents: Vec<Intent>,
    ) -> Result<(u64, Vec<OpenIntent>), JournalError> {
        self.write_turn(endings, intents, Durability::OnReturn)
    }

    fn turn_lazily(
        &self,
        endings: Vec<(OpenIntent, Outcome, Vec<Change>)>,
        intents: Vec<Intent>,
    ) -> Result<(u64, Vec<OpenIntent>), JournalError> {
        self.write_turn(endings, intents, Durability::WithTheNext)
    }

    fn open_intents(&self) -> Result<Vec<RecordedIntent>, JournalError> {
        let mut found = Vec::new();
        for (name, plain) in self.entries("i/")? {
            let sequence =
                number_of(&name).ok_or_else(|| damaged(&shown(&name), "its name is no number"))?;
            let wire: WireIntent =
                wire::from_bytes(&plain).map_err(|reason| damaged(&shown(&name), &reason))?;
            let intent = wire.read().map_err(|reason| damaged(&shown(&name), &reason))?;
            found.push(RecordedIntent { sequence, intent });
        }
        Ok(found)
    }

    fn settle(
        &self,
        sequence: u64,
        outcome: Outcome,
        changes: Vec<Change>,
    ) -> Result<u64, JournalError> {
        self.turn(vec![(OpenIntent { sequence }, outcome, changes)], Vec::new())
            .map(|(serial, _)| serial)
    }
}
