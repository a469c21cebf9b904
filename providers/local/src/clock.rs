//! The machine's clock. Jobs are timed here, never plans: nothing of it reaches a planned value.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The present, for measuring how long something takes.
#[expect(clippy::disallowed_methods, reason = "a border with the world: real processes are timed")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970, for records that people read.
#[expect(clippy::disallowed_methods, reason = "a border with the world: records of real events")]
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
