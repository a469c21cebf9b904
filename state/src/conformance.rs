//! The promises of a store, as a test that every implementation runs.

use std::time::Duration;

use crate::error::StateError;
use crate::journal::{Intent, IntentAction, Outcome};
use crate::record::{Object, OutputRecord, Record};
use crate::store::{
    Change, ChangeKind, LockRequest, OperationId, OperationInfo, OperationOutcome, StateStore,
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
        [ChangeKind::Added, ChangeKind::Added, ChangeKind::Removed],
        "the history tells what changed"
    );
    assert_eq!(history[0].outcome, Some(OperationOutcome::Done), "the history tells how it ended");
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
    assert!(
        journal.settle(open[0].sequence, Outcome::Done, Vec::new()).is_err(),
        "an intent has one ending"
    );
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
