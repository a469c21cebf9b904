//! Runs one random case after the other until a time is over, and names the case that fails.
//!
//! Test binaries of several crates take this file in by its path, since the lowest of them knows no other crate.
//!
//! * `STRATIFORM_FUZZ_SECONDS=3600` gives every target an hour; without it, each has two seconds.
//! * `STRATIFORM_FUZZ_SEED=2` goes another way through the cases.
//! * `STRATIFORM_FUZZ_CASE=N` runs the one case that a failure has named.
//!
//! The cases run in a process of their own, so that one that overflows the stack, fills the memory or never ends
//! is named too.

use std::io::{Read, Seek, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A case that takes longer than this has failed: what is read has limits, and so must the time be.
const LONGEST_CASE: Duration = Duration::from_secs(60);

fn option(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Calls `check` with one seed after the other. `name` is the name of the test that calls.
pub(crate) fn fuzz(name: &str, check: impl Fn(u64)) {
    if let Some(case) = option("STRATIFORM_FUZZ_CASE") {
        return check(case);
    }
    if let Ok(progress) = std::env::var("STRATIFORM_FUZZ_PROGRESS") {
        return cases(&progress, &check);
    }
    let mut progress = tempfile::NamedTempFile::new().expect("a file for the progress");
    let output = Command::new(std::env::current_exe().expect("a test has a path"))
        .args([name, "--exact", "--nocapture"])
        .env("STRATIFORM_FUZZ_PROGRESS", progress.path())
        .stdin(Stdio::null())
        .output()
        .expect("a test can be started again");
    let mut last = String::new();
    progress.as_file_mut().rewind().expect("the progress can be read");
    progress.read_to_string(&mut last).expect("the progress is text");
    let last = last.trim();
    assert!(
        output.status.success() && !last.is_empty(),
        "{name}: case {last} failed ({}); STRATIFORM_FUZZ_CASE={last} runs it alone\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let first = first_seed();
    println!("{name}: {} cases", last.parse::<u64>().map_or(0, |last| last - first + 1));
}

fn first_seed() -> u64 {
    option("STRATIFORM_FUZZ_SEED").unwrap_or(1) << 32
}

/// Runs cases in this process; the file at `progress` holds the one that runs.
fn cases(progress: &str, check: &impl Fn(u64)) {
    let end = Instant::now() + Duration::from_secs(option("STRATIFORM_FUZZ_SECONDS").unwrap_or(2));
    let mut file = std::fs::File::create(progress).expect("the progress can be written");
    let now = AtomicU64::new(0);
    let over = std::sync::Condvar::new();
    let ended = std::sync::Mutex::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut ended = ended.lock().expect("no holder panics");
            let mut before = u64::MAX;
            while !*ended {
                (ended, _) = over.wait_timeout(ended, LONGEST_CASE).expect("no holder panics");
                let case = now.load(Ordering::Relaxed);
                if case == before && !*ended {
                    eprintln!("case {case} takes longer than {LONGEST_CASE:?}");
                    std::process::abort();
                }
                before = case;
            }
        });
        // However the cases end, the watch ends with them.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut case = first_seed();
            while Instant::now() < end {
                now.store(case, Ordering::Relaxed);
                file.rewind().expect("the progress can be written");
                write!(file, "{case}").expect("the progress can be written");
                check(case);
                case += 1;
            }
        }));
        *ended.lock().expect("no holder panics") = true;
        over.notify_all();
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}
