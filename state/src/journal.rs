//! The journal: what apply is about to do, and what came of it.

use std::fmt;
use std::sync::Arc;

use address::{AttributePath, ProviderConfig, ResourceInstance};

use crate::error::JournalError;
use crate::record::{Dependency, DeposedKey};
use crate::store::{Change, OperationId};

/// The durable log of what apply is about to do, and of what came of it.
///
/// Recovery reads nothing else, so each implementation keeps these promises, and
/// [`conformance`](crate::conformance) tests them against every one:
///
/// 1. **Intent before act.** When [`begin`](Self::begin) returns `Ok`, the intent survives a power
///    cut.
/// 2. **One ending.** An intent gets at most one outcome; `end` takes the token by value.
/// 3. **A torn tail is the past.** A record cut short by a crash is as if never written; an earlier
///    record that does not check out is an error, never skipped.
/// 4. **Outcome and state are one.** An outcome and the changes that come with it are recorded
///    together or not at all.
///
/// The calls for many cost one flush, whatever their number. An intent that ends as
/// [`Outcome::Unknown`] stays open.
pub trait Journal: Send + Sync {
    /// As [`turn`](Self::turn), but need not be durable on return: it is with the next durable write, or never.
    /// For changes that touch nothing but the state.
    ///
    /// # Errors
    ///
    /// As for [`turn`](Self::turn).
    fn turn_lazily(
        &self,
        endings: Vec<(OpenIntent, Outcome, Vec<Change>)>,
        intents: Vec<Intent>,
    ) -> Result<(u64, Vec<OpenIntent>), JournalError>;

    /// Records durably that `intents` are about to be tried; returns their tokens in the same
    /// order.
    ///
    /// # Errors
    ///
    /// [`JournalError::LockLost`] when another writer has taken over the state since this journal
    /// was opened. The caller must not act then.
    fn begin_many(&self, intents: Vec<Intent>) -> Result<Vec<OpenIntent>, JournalError> {
        self.turn(Vec::new(), intents).map(|(_, opened)| opened)
    }

    /// Records what came of the intents, with the changes of the state; returns the serial.
    ///
    /// # Errors
    ///
    /// As for [`begin_many`](Self::begin_many). All the intents stay open, and recovery will find
    /// them.
    fn end_many(
        &self,
        endings: Vec<(OpenIntent, Outcome, Vec<Change>)>,
    ) -> Result<u64, JournalError> {
        self.turn(endings, Vec::new()).map(|(serial, _)| serial)
    }

    /// Ends intents and begins others in one durable write: what parallel work costs is one flush in all.
    /// Returns the state's serial afterwards, and one token for each new intent, in order.
    ///
    /// # Errors
    ///
    /// As for [`begin_many`](Self::begin_many); then none of it happened.
    fn turn(
        &self,
        endings: Vec<(OpenIntent, Outcome, Vec<Change>)>,
        intents: Vec<Intent>,
    ) -> Result<(u64, Vec<OpenIntent>), JournalError>;

    /// The intents without an outcome, in the order in which they were begun.
    fn open_intents(&self) -> Result<Vec<RecordedIntent>, JournalError>;

    /// Ends an intent that an earlier process left open; returns the serial.
    ///
    /// # Errors
    ///
    /// [`JournalError::NoIntent`] when no intent of this sequence is open.
    fn settle(
        &self,
        sequence: u64,
        outcome: Outcome,
        changes: Vec<Change>,
    ) -> Result<u64, JournalError>;

    /// As [`begin_many`](Self::begin_many), for one.
    fn begin(&self, intent: Intent) -> Result<OpenIntent, JournalError> {
        let mut opened = self.begin_many(vec![intent])?;
        Ok(opened.pop().expect("one intent was begun, so there is one token"))
    }

    /// As [`end_many`](Self::end_many), for one and without a change.
    fn end(&self, intent: OpenIntent, outcome: Outcome) -> Result<(), JournalError> {
        self.end_with(intent, outcome, Vec::new()).map(drop)
    }

    /// As [`end_many`](Self::end_many), for one.
    fn end_with(
        &self,
        intent: OpenIntent,
        outcome: Outcome,
        changes: Vec<Change>,
    ) -> Result<u64, JournalError> {
        self.end_many(vec![(intent, outcome, changes)])
    }
}

/// What is about to be tried, with all that recovery needs to find out what came of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Intent {
    /// The operation that it belongs to.
    pub operation: OperationId,
    /// The instance that it is done to.
    pub address: ResourceInstance,
    /// The provider configuration that is asked.
    pub provider: ProviderConfig,
    /// What is done.
    pub action: IntentAction,
    /// The idempotency token that the provider is given.
    pub token: String,
    /// The object before, as JSON text; `None` for a create.
    pub prior_json: Option<Arc<str>>,
    /// The object as planned, as JSON text with unknown values left out; `null` for a delete.
    pub planned_json: Arc<str>,
    /// The provider's private data as planned.
    pub private: Vec<u8>,
    /// When it was begun, in milliseconds since 1970.
    pub time_unix_ms: u64,
    /// The schema version of the JSON texts.
    pub schema_version: u64,
    /// What the object is made from.
    pub dependencies: Vec<Dependency>,
    /// As in [`Object`](crate::Object).
    pub create_before_destroy: bool,
    /// Where in the JSON texts sensitive values stand, beyond what the schema says.
    pub sensitive_paths: Vec<AttributePath>,
}

/// Shows no value: any of them may be sensitive.
impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intent")
            .field("operation", &self.operation)
            .field("address", &format_args!("{}", self.address))
            .field("action", &self.action)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// What is done to an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntentAction {
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// The current object is deleted.
    Delete,
    /// A deposed object is deleted.
    DeleteDeposed(DeposedKey),
}

/// What came of an intent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was done, and the state says so.
    Done,
    /// It was not done, or in part; the changes that come with this say what is left of it.
    Failed {
        /// Why; holds nothing sensitive.
        message: String,
    },
    /// Nobody knows: the provider gave no answer. The intent stays open for recovery.
    Unknown,
}

/// An intent whose outcome is not known yet.
#[must_use = "an intent that gets no outcome is reported as unfinished by the next run"]
#[derive(Debug, PartialEq, Eq)]
pub struct OpenIntent {
    pub(crate) sequence: u64,
}

impl OpenIntent {
    /// The number under which recovery would find it.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}

/// An intent that was found without an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedIntent {
    /// Its number; [`Journal::settle`] asks for it.
    pub sequence: u64,
    /// The intent as it was begun.
    pub intent: Intent,
}
