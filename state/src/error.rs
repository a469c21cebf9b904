//! What can go wrong with a state.

use miette::Diagnostic;
use thiserror::Error;

use crate::store::LockInfo;

/// A doc of one error code: code, title, explanation.
pub type Doc = (&'static str, &'static str, &'static str);

/// A state that cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum StateError {
    /// Somebody else works on the state.
    #[error("the state is locked by {holder}")]
    #[diagnostic(
        code(stratiform::state::locked),
        help(
            "wait until it is done, or give `-lock-timeout=60s`; if that process is gone, run again: a lock of a dead process is taken over"
        )
    )]
    Locked {
        /// Who holds it.
        holder: Box<LockInfo>,
    },
    /// Somebody else has the files open, and has left no name.
    #[error("the state in `{path}` is in use by another process")]
    #[diagnostic(
        code(stratiform::state::in_use),
        help("wait until it is done, or give `-lock-timeout=60s`")
    )]
    InUse {
        /// The store's folder.
        path: String,
    },
    /// The files cannot be read at all.
    #[error("the state in `{path}` cannot be read: {reason}")]
    #[diagnostic(
        code(stratiform::state::unreadable),
        help(
            "nothing was changed; restore the folder from a backup, or move it away and import the objects that exist"
        )
    )]
    Unreadable {
        /// The store's folder.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// Writing failed.
    #[error("the state in `{path}` cannot be written: {reason}")]
    #[diagnostic(
        code(stratiform::state::unwritable),
        help(
            "see that the disk has room and the folder may be written; then run `recover`: what was begun is in the journal"
        )
    )]
    Unwritable {
        /// The store's folder.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// One entry is damaged.
    #[error("the recorded entry of `{entry}` is damaged: {reason}")]
    #[diagnostic(
        code(stratiform::state::damaged),
        help("restore the state from a backup; the object itself is not touched by this")
    )]
    Damaged {
        /// The address, or what else the entry is.
        entry: String,
        /// What does not check out.
        reason: String,
    },
    /// The newest entries are missing.
    #[error(
        "the state in `{path}` has lost its newest entries: serial {expected} was written, but {found} is there"
    )]
    #[diagnostic(
        code(stratiform::state::lost_tail),
        help("the files were cut short, by a full disk or a copy; restore them from a backup")
    )]
    LostTail {
        /// The store's folder.
        path: String,
        /// The serial that was durable.
        expected: u64,
        /// The serial that is there.
        found: u64,
    },
    /// Entries are missing in the middle.
    #[error("the state is incomplete: {expected} entries were written, but {found} are there")]
    #[diagnostic(
        code(stratiform::state::incomplete),
        help("the files are damaged; restore them from a backup. No object is touched by this")
    )]
    Incomplete {
        /// How many the last commit left.
        expected: usize,
        /// How many are there.
        found: usize,
    },
    /// A text that is no state file.
    #[error("this is no state file: {reason}")]
    #[diagnostic(
        code(stratiform::state::not_a_state_file),
        help("give a file as `terraform state pull` or `state pull` writes it")
    )]
    NotAStateFile {
        /// What is wrong.
        reason: String,
    },
    /// A newer version wrote it.
    #[error("the state has format {found}, but this version knows formats up to {known}")]
    #[diagnostic(
        code(stratiform::state::newer_format),
        help("use the version that wrote it, or a newer one")
    )]
    NewerFormat {
        /// Its format.
        found: u8,
        /// Our newest.
        known: u8,
    },
    /// The state is sealed and there is no key.
    #[error("the state is encrypted, and no key is given")]
    #[diagnostic(
        code(stratiform::state::key_missing),
        help(
            "set `STRATIFORM_STATE_KEY`, or `STRATIFORM_STATE_KEY_FILE` to the path of a file that holds it"
        )
    )]
    KeyMissing,
    /// The key is another one.
    #[error("the given key does not open the state")]
    #[diagnostic(
        code(stratiform::state::key_wrong),
        help("give the key with which the state was written")
    )]
    KeyWrong,
    /// A text that is no key.
    #[error("the given text is no key: {reason}")]
    #[diagnostic(
        code(stratiform::state::key_invalid),
        help(
            "a key is 32 bytes as 64 hexadecimal digits or in base 64; `openssl rand -hex 32` makes one"
        )
    )]
    KeyInvalid {
        /// What is wrong.
        reason: String,
    },
    /// A state that is kept as Terraform's file, and cannot be used as it is.
    #[error("the state file `{path}` cannot be used: {reason}")]
    #[diagnostic(code(stratiform::state::shared_file), help("{help}"))]
    SharedFile {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
        /// What to do.
        help: String,
    },
    /// A text that is no deposed key.
    #[error("`{text}` is no key of a deposed object")]
    #[diagnostic(code(stratiform::state::deposed_key))]
    DeposedKey {
        /// The text.
        text: String,
    },
    /// There is no such lock.
    #[error("there is no lock `{id}`")]
    #[diagnostic(code(stratiform::state::no_lock))]
    NoLock {
        /// The id that was asked for.
        id: String,
    },
    /// The history has no such operation.
    #[error("the history has no operation {operation}")]
    #[diagnostic(code(stratiform::state::no_operation))]
    NoOperation {
        /// Its number.
        operation: u64,
        /// Which there are.
        #[help]
        known: String,
    },
    /// An earlier state is not kept any more.
    #[error("the state {moment} operation {operation} is not held any more")]
    #[diagnostic(code(stratiform::state::not_held))]
    NotHeld {
        /// `before` or `after`.
        moment: &'static str,
        /// The operation.
        operation: u64,
        /// What is held.
        #[help]
        held: String,
    },
    /// An intent was ended twice, or never begun.
    #[error("there is no open intent {sequence}")]
    #[diagnostic(code(stratiform::state::no_intent), help("`recover` lists the open ones"))]
    NoIntent {
        /// Its number.
        sequence: u64,
    },
}

/// The journal fails as the store does.
pub type JournalError = StateError;

/// The codes of this crate, for the reference.
pub const ERROR_DOCS: &[Doc] = &[
    ("stratiform::state::locked", "State locked", "A state has one writer at a time."),
    ("stratiform::state::in_use", "State in use", "Another process has the store open."),
    ("stratiform::state::unreadable", "Unreadable state", "The store's files cannot be opened."),
    ("stratiform::state::unwritable", "Unwritable state", "The store's files cannot be written."),
    (
        "stratiform::state::damaged",
        "Damaged entry",
        "An entry's checksum or form does not check out.",
    ),
    (
        "stratiform::state::lost_tail",
        "Lost entries",
        "Entries that had been made durable are not there any more.",
    ),
    (
        "stratiform::state::incomplete",
        "Incomplete state",
        "There are fewer entries, or more, than the last commit left.",
    ),
    (
        "stratiform::state::not_a_state_file",
        "Not a state file",
        "Terraform's state files of version 4 can be read.",
    ),
    ("stratiform::state::newer_format", "Newer format", "A newer version has written the state."),
    ("stratiform::state::key_missing", "Key missing", "The state is encrypted."),
    ("stratiform::state::key_wrong", "Wrong key", "The state is encrypted with another key."),
    ("stratiform::state::key_invalid", "Invalid key", "The text given as key is none."),
    (
        "stratiform::state::shared_file",
        "Shared state file",
        "The state is kept as Terraform's file, which somebody else has locked, has removed, or has changed while there was something that it did not say yet.",
    ),
    (
        "stratiform::state::deposed_key",
        "Deposed key",
        "Eight hexadecimal digits name a deposed object.",
    ),
    (
        "stratiform::state::no_lock",
        "No such lock",
        "`force-unlock` names a lock that is not there.",
    ),
    (
        "stratiform::state::no_operation",
        "No such operation",
        "`history` lists the operations, each with its number.",
    ),
    (
        "stratiform::state::not_held",
        "Earlier state not held",
        "`history prune` has removed what the state was then, or an older version did not keep it.",
    ),
    ("stratiform::state::no_intent", "No such intent", "An intent is settled once."),
];
