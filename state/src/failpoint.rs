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
pub const FAILPOINTS: &[&str] =
    &[LOCK_TAKEN, HOLDER_WRITTEN, BATCH_BEFORE, BATCH_WRITTEN, BATCH_FLUSHED, BATCH_MARKED];

/// The system's lock is held, and no record says by whom.
pub const LOCK_TAKEN: &str = "lock.taken";
/// The holder's record is written.
pub const HOLDER_WRITTEN: &str = "lock.holder_written";
/// Nothing of a batch is written.
pub const BATCH_BEFORE: &str = "batch.before";
/// The database has the batch, and has not flushed it.
pub const BATCH_WRITTEN: &str = "batch.written";
/// The batch is durable, and the watermark does not know of it.
pub const BATCH_FLUSHED: &str = "batch.flushed";
/// The watermark knows of it too.
pub const BATCH_MARKED: &str = "batch.marked";
