//! Named points of every durable write, where a test can kill the process or let the disk fail.

use std::io;

/// Is told of each named point as it is reached.
pub trait Failpoint: Send + Sync {
    /// Called at the point. May not return at all; an error is taken as one of the file system.
    fn hit(&self, point: &'static str) -> io::Result<()>;
}

/// Lets every point pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFailpoint;

impl Failpoint for NoFailpoint {
    fn hit(&self, _: &'static str) -> io::Result<()> {
        Ok(())
    }
}

/// All points in the order in which a first write passes them.
pub const FAILPOINTS: &[&str] = &[
    LOCK_TAKEN,
    HOLDER_WRITTEN,
    SEGMENT_WRITTEN,
    SEGMENT_NAMED,
    LOG_BEFORE,
    LOG_HALF,
    LOG_WRITTEN,
    LOG_FLUSHED,
    INDEX_WRITTEN,
    INDEX_FLUSHED,
    HOLDER_REMOVED,
];

/// The system's lock is held, and no record says by whom.
pub const LOCK_TAKEN: &str = "lock.taken";
/// The holder's record is written.
pub const HOLDER_WRITTEN: &str = "lock.holder_written";
/// A new segment of the log is complete under a temporary name.
pub const SEGMENT_WRITTEN: &str = "log.segment_written";
/// The new segment has its name.
pub const SEGMENT_NAMED: &str = "log.segment_named";
/// Nothing of a batch is written.
pub const LOG_BEFORE: &str = "log.before";
/// The first half of a batch is in the log.
pub const LOG_HALF: &str = "log.half";
/// All of a batch is in the log, and not flushed.
pub const LOG_WRITTEN: &str = "log.written";
/// A batch is durable, and sled does not know of it.
pub const LOG_FLUSHED: &str = "log.flushed";
/// Sled knows the batch, and has not flushed it.
pub const INDEX_WRITTEN: &str = "index.written";
/// Sled has flushed all.
pub const INDEX_FLUSHED: &str = "index.flushed";
/// The holder's record is gone, and the system's lock still held.
pub const HOLDER_REMOVED: &str = "lock.holder_removed";
