//! Keeps the record of real objects: stores, the journal and the history.
//!
//! In: [`Change`]s and [`Intent`]s from apply. Out: a [`StateSnapshot`] for plan, open intents for
//! recovery, [`Operation`]s for the history. Knows no schema: attributes are JSON text here, and
//! plan gives them their types. **State asks no provider and reads no clock.**
//!
//! Read in this order:
//!
//! 1. [`record`], [`check`] and [`snapshot`]: what is kept, and how plan sees it.
//! 2. [`store`] and [`journal`]: the two traits with their promises; [`conformance`] tests them.
//! 3. [`ledger`]: both traits once, over anything that can keep entries. `wire` says how an entry looks,
//!    [`crypt`] how it is sealed.
//! 4. [`memory`] and [`sled_store`]: the two keepers. The second has a [`mod@watermark`] beside it;
//!    [`reading`] looks at its files while another process writes.
//! 5. [`edit`]: what people do to a state by hand; [`compare`]: what became of what between two states;
//!    [`tfstate`]: Terraform's state file.
//!
//! # Invariants
//!
//! * What a call promised when it returned `Ok` survives a power cut.
//! * A batch of changes happens as a whole or not at all, and costs one flush.
//! * What does not check out is an error that names the address or the file; it is never skipped.

pub mod check;
pub mod record;
pub mod snapshot;

pub mod store;

pub mod journal;

pub mod conformance;

pub mod ledger;

pub mod crypt;
mod wire;

pub mod memory;
pub mod sled_store;
pub mod watermark;

pub mod reading;

pub mod compare;
pub mod edit;
pub mod tfstate;

pub mod error;
pub mod failpoint;

pub use check::{CheckKind, CheckResult, CheckStatus, CheckedObject};
pub use crypt::Key;
pub use edit::{EDIT_ERROR_DOCS, EditError};
pub use error::{ERROR_DOCS, JournalError, StateError};
pub use failpoint::{FAILPOINTS, Failpoint, NoFailpoint};
pub use journal::{Intent, IntentAction, Journal, OpenIntent, Outcome, RecordedIntent};
pub use memory::MemoryStore;
pub use reading::read_folder;
pub use record::{
    DecisionRecord, Dependency, DeposedKey, Identity, Object, ObjectStatus, OutputRecord, Record,
};
pub use sled_store::{OpenOptions, SledStore};
pub use snapshot::StateSnapshot;
pub use store::{
    Change, ChangeKind, ChangeSummary, LockGuard, LockInfo, LockRequest, Moment, Operation,
    OperationId, OperationInfo, OperationOutcome, Pruned, StateStore,
};
