//! The promises of a state store, and the words in which one speaks to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use address::ResourceInstance;

use crate::check::CheckResult;
use crate::error::StateError;
use crate::journal::Journal;
use crate::record::{DecisionRecord, OutputRecord, Record};
use crate::snapshot::StateSnapshot;

/// Keeps the state of one workspace.
///
/// Each implementation keeps these promises, and [`conformance`](crate::conformance) tests them
/// against every one:
///
/// 1. **Whole and durable.** When [`commit`](Self::commit) returns `Ok`, all its changes survive a
///    power cut; when it returns an error, none of them happened.
/// 2. **One writer.** At most one [`LockGuard`] of a state exists anywhere. Whoever lost the lock
///    can write no more.
/// 3. **Readers never wait for long.** [`snapshot`](Self::snapshot) answers while somebody else
///    writes, and shows the state between two commits.
/// 4. **Cost follows the change.** A commit costs what it changes, not what the state holds.
pub trait StateStore: Send + Sync {
    /// The state as of the last commit. Nothing is locked and nothing is written.
    fn snapshot(&self) -> Result<StateSnapshot, StateError>;

    /// Takes the lock that every write needs.
    ///
    /// A lock whose holder has died is taken over; the guard's [`notice`](LockGuard::notice) says
    /// so.
    ///
    /// # Errors
    ///
    /// [`StateError::Locked`] with the holder when another one keeps the lock for longer than
    /// `request.timeout`.
    fn lock(&self, request: LockRequest) -> Result<LockGuard, StateError>;

    /// Opens an entry in the history, to which the commits and intents that follow belong.
    ///
    /// # Errors
    ///
    /// [`StateError::LockLost`] when the guard is not that of the lock's holder any more.
    fn begin_operation(
        &self,
        guard: &LockGuard,
        info: OperationInfo,
    ) -> Result<OperationId, StateError>;

    /// Makes the changes, all or none, and returns the new serial.
    ///
    /// # Errors
    ///
    /// [`StateError::LockLost`] when the lock is not held any more; nothing has happened then.
    fn commit(&self, operation: OperationId, changes: Vec<Change>) -> Result<u64, StateError>;

    /// As [`commit`](Self::commit), and takes on the identity of another state: its lineage, and its serial
    /// unless the one here is higher.
    fn commit_as(
        &self,
        operation: OperationId,
        changes: Vec<Change>,
        lineage: &str,
        serial: u64,
    ) -> Result<u64, StateError>;

    /// Closes an operation's entry in the history. An operation without an end was cut short.
    fn end_operation(
        &self,
        operation: OperationId,
        outcome: OperationOutcome,
    ) -> Result<(), StateError>;

    /// All operations, oldest first.
    fn history(&self) -> Result<Vec<Operation>, StateError>;

    /// The state as it was at an earlier moment. Its serial is that of the last commit before it.
    ///
    /// # Errors
    ///
    /// [`StateError::NoOperation`] when the history has no such operation; [`StateError::NotHeld`] when that state is
    /// not kept any more.
    fn snapshot_of(&self, moment: Moment) -> Result<StateSnapshot, StateError>;

    /// Forgets the operations before `first`, and with them the states that went before. What recovery needs stays:
    /// an operation with an open intent, and everything after it; so does the last operation. Which plan files were
    /// carried out is remembered.
    ///
    /// A crash leaves a history that is whole from some operation on; whatever is left of older ones goes next time.
    ///
    /// # Errors
    ///
    /// As for [`commit`](Self::commit).
    fn prune(&self, guard: &LockGuard, first: OperationId) -> Result<Pruned, StateError>;

    /// The operation that carried out the plan file of this checksum, also if the history has forgotten it.
    fn carried_out(&self, plan: &str) -> Result<Option<OperationId>, StateError>;

    /// Takes the lock away from its holder and returns who that was.
    ///
    /// # Errors
    ///
    /// [`StateError::NoSuchLock`] when `id` is not the id of the present lock;
    /// [`StateError::HolderAlive`] when the holder runs on this machine, where it can be stopped.
    fn force_unlock(&self, id: &str) -> Result<LockInfo, StateError>;

    /// Who holds the lock, if anybody does.
    fn lock_info(&self) -> Result<Option<LockInfo>, StateError>;

    /// The journal of the same state.
    fn journal(&self) -> &dyn Journal;

    /// What a person should be told about the store, such as that it was repaired: a sentence each.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
}

/// One change of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Records an instance, or replaces its record.
    PutRecord(Record),
    /// Forgets an instance; nothing happens where it is not recorded.
    DeleteRecord(ResourceInstance),
    /// As `DeleteRecord`, for an instance whose object lives on.
    ForgetRecord(ResourceInstance),
    /// Sets an output of the root module.
    PutOutput(Arc<str>, OutputRecord),
    /// Removes an output of the root module.
    DeleteOutput(Arc<str>),
    /// Records a placement decision.
    PutDecision(DecisionRecord),
    /// Forgets the decision for the component of this module instance address.
    DeleteDecision(String),
    /// Records what all conditions came to.
    PutChecks(Vec<CheckResult>),
}

/// Asks for the lock, and says who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRequest {
    /// Who asks: `user@host`.
    pub who: String,
    /// What for: `apply`.
    pub operation: String,
    /// Why, where there is more to say; may be empty.
    pub reason: String,
    /// The present time in milliseconds since 1970.
    pub now_unix_ms: u64,
    /// The process that asks.
    pub pid: u32,
    /// The machine that it runs on.
    pub host: String,
    /// How long to wait for another holder.
    pub timeout: Duration,
}

/// Who holds a lock, since when and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockInfo {
    /// Tells this lock from every other; `force-unlock` asks for it.
    pub id: String,
    /// As in [`LockRequest`].
    pub who: String,
    /// As in [`LockRequest`].
    pub operation: String,
    /// As in [`LockRequest`].
    pub reason: String,
    /// When the lock was taken, in milliseconds since 1970.
    pub since_unix_ms: u64,
    /// The process that holds it.
    pub pid: u32,
    /// When that process started, in the system's own terms; `None` where the system does not say.
    pub process_start: Option<String>,
    /// The machine that it runs on.
    pub host: String,
}

/// `ada@laptop` (process 41 on laptop, `apply`): enough to find the holder.
impl LockInfo {
    /// The lock that a request asks for; `process_start` tells processes of one id apart.
    pub(crate) fn of(request: &LockRequest, process_start: Option<String>) -> Self {
        Self {
            id: format!("{}-{}", request.pid, request.now_unix_ms),
            who: request.who.clone(),
            operation: request.operation.clone(),
            reason: request.reason.clone(),
            since_unix_ms: request.now_unix_ms,
            pid: request.pid,
            process_start,
            host: request.host.clone(),
        }
    }

    /// One field per line; line ends in a field become spaces.
    pub(crate) fn to_lines(&self) -> String {
        let since = self.since_unix_ms.to_string();
        let pid = self.pid.to_string();
        let start = self.process_start.clone().unwrap_or_default();
        let fields =
            [&self.id, &self.who, &self.operation, &self.reason, &since, &pid, &start, &self.host];
        fields.map(|field| field.replace(['\n', '\r'], " ")).join("\n")
    }

    pub(crate) fn from_lines(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split('\n').collect();
        let [id, who, operation, reason, since, pid, start, host] = fields.as_slice() else {
            return None;
        };
        Some(Self {
            id: (*id).to_owned(),
            who: (*who).to_owned(),
            operation: (*operation).to_owned(),
            reason: (*reason).to_owned(),
            since_unix_ms: since.parse().ok()?,
            pid: pid.parse().ok()?,
            process_start: Some((*start).to_owned()).filter(|start| !start.is_empty()),
            host: (*host).to_owned(),
        })
    }
}

impl fmt::Display for LockInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {} on {}, `{}`", self.who, self.pid, self.host, self.operation)?;
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason)?;
        }
        f.write_str(")")
    }
}

/// The right to write. Dropping it gives the lock back.
#[must_use = "the lock is given back when the guard is dropped"]
pub struct LockGuard {
    info: LockInfo,
    notice: Option<String>,
    release: Option<Release>,
}

/// Gives a lock back.
pub(crate) type Release = Box<dyn FnOnce() -> Result<(), StateError> + Send + Sync>;

impl LockGuard {
    /// A guard that runs `release` once.
    pub(crate) fn new(info: LockInfo, notice: Option<String>, release: Release) -> Self {
        Self { info, notice, release: Some(release) }
    }

    /// Who holds the lock.
    pub fn info(&self) -> &LockInfo {
        &self.info
    }

    /// A sentence for the user when the lock was taken over from a holder that had died.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// Gives the lock back, and reports if that fails.
    pub fn release(mut self) -> Result<(), StateError> {
        self.release.take().map_or(Ok(()), |release| release())
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // All commits are durable already; what can fail here costs the next opening time.
            let _ = release();
        }
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard").field("info", &self.info).finish_non_exhaustive()
    }
}

/// Numbers the operations of one state from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u64);

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the history says about an operation from its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationInfo {
    /// The command: `apply`.
    pub command: String,
    /// Who ran it: `user@host`.
    pub who: String,
    /// When it began, in milliseconds since 1970.
    pub time_unix_ms: u64,
    /// What it set out to do: `3 to add, 0 to change, 1 to destroy`.
    pub summary: String,
    /// The checksum of the plan file that it carries out; empty if there was none.
    pub plan: String,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationOutcome {
    /// All of it was done.
    Done,
    /// Some of it failed or was not reached; the message holds nothing sensitive.
    Failed {
        /// What to tell about it.
        message: String,
    },
    /// A person stopped it.
    Interrupted,
}

/// One entry of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its number.
    pub id: OperationId,
    /// What was said when it began.
    pub info: OperationInfo,
    /// What it changed, in the order in which it did; one entry per change.
    pub changes: Vec<ChangeSummary>,
    /// How it ended; `None` when it still runs or was cut short.
    pub outcome: Option<OperationOutcome>,
    /// The serials of its commits, rising.
    pub serials: Vec<u64>,
    /// Whether the state before it can still be told.
    pub held: bool,
}

/// A moment in the history of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// When this operation had changed nothing yet.
    Before(OperationId),
    /// When all was done that this operation did.
    After(OperationId),
}

/// What was forgotten of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// How many operations.
    pub operations: usize,
    /// The oldest one that is left; `None` if there is none.
    pub first: Option<OperationId>,
}

/// That something was changed; not to what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeSummary {
    /// What was changed: an instance's address, `output.NAME`, or a component's address.
    pub address: String,
    /// How.
    pub kind: ChangeKind,
}

/// How something recorded was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It was not recorded before, and was made.
    Added,
    /// It was not recorded before; the object was there already.
    TakenIn,
    /// It was recorded before.
    Updated,
    /// It is not recorded any more.
    Removed,
    /// It is not recorded any more, but the object was not destroyed.
    Forgotten,
}
