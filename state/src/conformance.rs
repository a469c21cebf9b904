//! The promises of a store, as a test that every implementation runs.

use std::time::Duration;

use crate::error::StateError;
use crate::journal::{Intent, IntentAction, Outcome};
use crate::record::{Object, OutputRecord, Record};
use crate::snapshot::StateSnapshot;
use crate::store::{
    Change, ChangeKind, LockRequest, Moment, OperationId, OperationInfo, OperationOutcome,
    StateStore,
};

/// Runs everything against fresh stores.
///
/// # Panics
///
/// When a promise is broken; the message says which.
pub fn check_store<S: StateStore>(open: &mut dyn FnMut() -> S) {
    commits_show_in_the_next_snapshot(&open());
    one_writer(&open());
    intents_stay_open_until_they_are_ended(&open());
    a_turn_ends_and_begins_at_once(&open());
    earlier_states_can_be_told(&open());
    what_is_pruned_is_told_no_more(&open());
}

/// A request for the lock, as tests make it.
pub fn lock_request(operation: &str) -> LockRequest {
    LockRequest {
        who: "tester".to_owned(),
        operation: operation.to_owned(),
        reason: String::new(),
        now_unix_ms: 1,
        pid: std::process::id(),
        host: "here".to_owned(),
        timeout: Duration::ZERO,
    }
}

fn info() -> OperationInfo {
    OperationInfo {
        command: "apply".into(),
        who: "tester".into(),
        time_unix_ms: 1,
        summary: String::new(),
        plan: String::new(),
    }
}

fn record(index: usize) -> Record {
    let address = format!("a.x[{index}]").parse().expect("an address");
    let provider = "provider[\"terraform.io/builtin/terraform\"]".parse().expect("a provider");
    Record::new(address, provider, Object::new(0, format!("{{\"index\":{index}}}")))
}

fn intent(operation: OperationId, index: usize) -> Intent {
    let record = record(index);
    Intent {
        operation,
        address: record.address,
        provider: record.provider,
        action: IntentAction::Create,
        token: format!("token-{index}"),
        prior_json: None,
        planned_json: "{}".into(),
        private: vec![1, 2],
        time_unix_ms: 1,
        schema_version: 0,
        dependencies: Vec::new(),
        create_before_destroy: false,
        sensitive_paths: Vec::new(),
    }
}

/// Commits some records, each in a commit of its own.
///
/// # Panics
///
/// When the store refuses.
pub fn fill<S: StateStore>(store: &S, count: usize) {
    let guard = store.lock(lock_request("fill")).expect("the lock is free");
    let operation = store.begin_operation(&guard, info()).expect("an operation begins");
    for index in 0..count {
        store.commit(operation, vec![Change::PutRecord(record(index))]).expect("a commit works");
    }
    store.end_operation(operation, OperationOutcome::Done).expect("an operation ends");
    guard.release().expect("the lock is given back");
}

fn commits_show_in_the_next_snapshot<S: StateStore>(store: &S) {
    assert!(store.snapshot().expect("a new store can be read").is_empty(), "a new store is empty");
    let guard = store.lock(lock_request("apply")).expect("the lock is free");
    let operation = store.begin_operation(&guard, info()).expect("an operation begins");
    let output =
        OutputRecord { value_json: "1".into(), type_json: "\"number\"".into(), sensitive: false };
    let changes = vec![Change::PutRecord(record(1)), Change::PutOutput("n".into(), output)];
    let first = store.commit(operation, changes).expect("a commit works");
    let second = store
        .commit(operation, vec![Change::DeleteRecord(record(1).address)])
        .expect("a commit works");
    assert!(second > first, "serials grow");
    store.end_operation(operation, OperationOutcome::Done).expect("an operation ends");
    let snapshot = store.snapshot().expect("the store can be read");
    assert_eq!(snapshot.serial, second, "the snapshot has the last serial");
    assert!(
        snapshot.records.is_empty() && snapshot.outputs.len() == 1,
        "the snapshot shows all changes"
    );
    let history = store.history().expect("the history can be read");
    let kinds: Vec<ChangeKind> = history[0].changes.iter().map(|change| change.kind).collect();
    assert_eq!(
        kinds,
        [ChangeKind::TakenIn, ChangeKind::Added, ChangeKind::Removed],
        "the history tells what changed"
    );
    assert_eq!(history[0].outcome, Some(OperationOutcome::Done), "the history tells how it ended");
}

/// Makes some operations of several commits, and returns the state before each and after the last.
fn some_operations<S: StateStore>(store: &S) -> Vec<StateSnapshot> {
    let mut seed = 7_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % below
    };
    let mut states = vec![store.snapshot().expect("the store can be read")];
    for round in 0..8_u64 {
        let guard = store.lock(lock_request("apply")).expect("the lock is free");
        let info = OperationInfo { plan: format!("plan-{round}"), ..info() };
        let operation = store.begin_operation(&guard, info).expect("an operation begins");
        for _ in 0..next(5) {
            let changes = (0..=next(4)).map(|_| {
                let index = usize::try_from(next(6)).expect("a small number");
                let mut record = record(index);
                match next(5) {
                    0 => Change::DeleteRecord(record.address),
                    1 => Change::ForgetRecord(record.address),
                    2 => {
                        let value = next(100).to_string();
                        let output = OutputRecord {
                            value_json: value.into(),
                            type_json: "\"number\"".into(),
                            sensitive: false,
                        };
                        Change::PutOutput(format!("o{index}").into(), output)
                    }
                    _ => {
                        let text = format!("{{\"index\":{}}}", next(100));
                        record.current = Some(Object::new(0, text));
                        Change::PutRecord(record)
                    }
                }
            });
            store.commit(operation, changes.collect()).expect("a commit works");
        }
        store.end_operation(operation, OperationOutcome::Done).expect("an operation ends");
        guard.release().expect("the lock is given back");
        states.push(store.snapshot().expect("the store can be read"));
    }
    states
}

/// All but the serial, which is that of the last commit before.
fn same(found: &StateSnapshot, expected: &StateSnapshot) -> bool {
    found.records == expected.records
        && found.outputs == expected.outputs
        && found.decisions == expected.decisions
}

fn earlier_states_can_be_told<S: StateStore>(store: &S) {
    let states = some_operations(store);
    let history = store.history().expect("the history can be read");
    assert!(history.iter().all(|operation| operation.held), "every state is held");
    for (at, operation) in history.iter().enumerate() {
        let told = |moment| store.snapshot_of(moment).expect("an earlier state is told");
        let id = operation.id;
        assert!(same(&told(Moment::Before(id)), &states[at]), "before operation {id}");
        assert!(same(&told(Moment::After(id)), &states[at + 1]), "after operation {id}");
    }
    let unknown = store.snapshot_of(Moment::Before(OperationId(99)));
    assert!(
        matches!(unknown, Err(StateError::NoOperation { operation: 99, .. })),
        "an operation that is not there is no moment"
    );
}

fn what_is_pruned_is_told_no_more<S: StateStore>(store: &S) {
    let states = some_operations(store);
    let guard = store.lock(lock_request("prune")).expect("the lock is free");
    let pruned = store.prune(&guard, OperationId(5)).expect("old operations go");
    assert_eq!((pruned.operations, pruned.first), (4, Some(OperationId(5))), "four are older");
    for id in 1..5 {
        let gone = store.snapshot_of(Moment::Before(OperationId(id)));
        assert!(matches!(gone, Err(StateError::NotHeld { .. })), "before {id}: {gone:?}");
    }
    for (at, state) in states.iter().enumerate().skip(4).take(4) {
        let id = OperationId(u64::try_from(at).expect("a small number") + 1);
        let told = store.snapshot_of(Moment::Before(id)).expect("a younger state is told");
        assert!(same(&told, state), "before operation {id}");
    }
    assert_eq!(
        store.carried_out("plan-0").expect("the store can be read"),
        Some(OperationId(1)),
        "that a plan was carried out is remembered"
    );
    let operation = store.begin_operation(&guard, info()).expect("an operation begins");
    assert_eq!(operation, OperationId(9), "numbers are not used again");
    let journal = store.journal();
    let open = journal.begin(intent(operation, 1)).expect("an intent begins");
    let later = store.begin_operation(&guard, info()).expect("an operation begins");
    let pruned = store.prune(&guard, OperationId(99)).expect("old operations go");
    assert_eq!(pruned.first, Some(operation), "what recovery needs stays");
    journal.end(open, Outcome::Done).expect("an intent ends");
    let pruned = store.prune(&guard, OperationId(99)).expect("old operations go");
    assert_eq!(pruned.first, Some(later), "the last operation stays");
}

fn one_writer<S: StateStore>(store: &S) {
    let guard = store.lock(lock_request("apply")).expect("the lock is free");
    let second = store.lock(lock_request("plan"));
    assert!(
        matches!(&second, Err(StateError::Locked { holder }) if holder.operation == "apply"),
        "a held lock names its holder"
    );
    guard.release().expect("the lock is given back");
    store
        .lock(lock_request("plan"))
        .expect("a lock that was given back is free")
        .release()
        .expect("released");
}

fn intents_stay_open_until_they_are_ended<S: StateStore>(store: &S) {
    let guard = store.lock(lock_request("apply")).expect("the lock is free");
    let operation = store.begin_operation(&guard, info()).expect("an operation begins");
    let journal = store.journal();
    let mut tokens = journal
        .begin_many(vec![intent(operation, 1), intent(operation, 2)])
        .expect("intents begin");
    let open = journal.open_intents().expect("the journal can be read");
    assert_eq!(open.len(), 2, "both intents are open");
    assert_eq!(open[0].intent, intent(operation, 1), "an intent reads back as it was written");
    let last = tokens.pop().expect("two tokens");
    journal
        .end_with(last, Outcome::Done, vec![Change::PutRecord(record(2))])
        .expect("an intent ends");
    let open = journal.open_intents().expect("the journal can be read");
    assert_eq!(open.len(), 1, "one intent is left");
    journal.settle(open[0].sequence, Outcome::Unknown, Vec::new()).expect("an intent is settled");
    assert!(journal.open_intents().expect("the journal can be read").is_empty(), "none is left");
    let again = journal.settle(open[0].sequence, Outcome::Done, Vec::new());
    let no_intent = StateError::NoIntent { sequence: open[0].sequence };
    assert_eq!(again, Err(no_intent), "an intent has one ending");
    assert_eq!(
        store.snapshot().expect("readable").records.len(),
        1,
        "the outcome came with its change"
    );
}

fn a_turn_ends_and_begins_at_once<S: StateStore>(store: &S) {
    let guard = store.lock(lock_request("apply")).expect("the lock is free");
    let operation = store.begin_operation(&guard, info()).expect("an operation begins");
    let token = store.journal().begin(intent(operation, 1)).expect("an intent begins");
    let endings = vec![(token, Outcome::Done, vec![Change::PutRecord(record(1))])];
    let (_, begun) =
        store.journal().turn(endings, vec![intent(operation, 2)]).expect("a turn works");
    let open = store.journal().open_intents().expect("the journal can be read");
    assert_eq!(begun.len(), 1, "one token for each intent");
    assert_eq!(open.iter().map(|found| found.sequence).collect::<Vec<_>>(), [begun[0].sequence()]);
}
