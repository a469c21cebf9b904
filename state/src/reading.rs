//! Reads a store while another process writes to it.
//!
//! The database belongs to one process at a time, and an apply may hold it for hours. Who only wants to look
//! reads a copy of the files instead. A copy that is made while the files change may be torn; it is taken only
//! if everything checks out that an opened store checks: each entry's checksum, their number, and that nothing
//! is missing which was durable before the copying began. Otherwise it is copied again.

use std::path::{Path, PathBuf};

use crate::error::StateError;
use crate::sled_store::{OpenOptions, SledStore, is_half_snapshot};

/// How often a copy is tried before the reader gives up.
const TRIES: usize = 20;

/// Asks the store in a folder, or a copy of it while another process has it open.
///
/// `ask` must only look, and is asked again if a copy turns out to be torn.
///
/// # Errors
///
/// As for [`Ledger::open_folder`](SledStore::open_folder); [`StateError::Locked`] or [`StateError::InUse`] only
/// if no untorn copy could be had.
pub fn read_folder<T>(
    path: &Path,
    options: &OpenOptions,
    ask: impl Fn(&SledStore) -> Result<T, StateError>,
) -> Result<T, StateError> {
    let busy = match SledStore::open_folder(path, options.clone()) {
        Ok(store) => return ask(&store),
        Err(busy @ (StateError::Locked { .. } | StateError::InUse { .. })) => busy,
        Err(other) => return Err(other),
    };
    for _ in 0..TRIES {
        match copied(path, options, &ask) {
            Ok(found) => return Ok(found),
            // A wrong key stays wrong however often the files are copied.
            Err(
                error @ (StateError::KeyMissing
                | StateError::KeyWrong
                | StateError::NewerFormat { .. }),
            ) => return Err(error),
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(25)),
        }
    }
    Err(busy)
}

fn copied<T>(
    path: &Path,
    options: &OpenOptions,
    ask: impl Fn(&SledStore) -> Result<T, StateError>,
) -> Result<T, StateError> {
    let unwritable = |error: std::io::Error| StateError::Unwritable {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let copy = Copy::new(path).map_err(unwritable)?;
    // The mark first: what it promises is in the files that are copied after it.
    let mark = path.join("watermark");
    if mark.exists() {
        std::fs::copy(&mark, copy.0.join("watermark")).map_err(unwritable)?;
    }
    copy_folder(&path.join("db"), &copy.0.join("db")).map_err(unwritable)?;
    ask(&SledStore::open_folder(&copy.0, options.clone())?)
}

/// A folder that goes when it is dropped. It stands beside the original, so that what may be read there may
/// be read here, and by nobody else.
struct Copy(PathBuf);

impl Copy {
    fn new(path: &Path) -> std::io::Result<Self> {
        let folder = path.join(format!("reading-{}", std::process::id()));
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What is left behind is overwritten by the next reader with this process id, and harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if is_half_snapshot(&entry.file_name()) {
            continue;
        }
        let target = to.join(entry.file_name());
        let copied = if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)
        } else {
            std::fs::copy(entry.path(), &target).map(|_| ())
        };
        match copied {
            // The writer removes files that it needs no more.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use crate::snapshot::StateSnapshot;
    use crate::store::StateStore;

    fn snapshot(path: &Path) -> StateSnapshot {
        read_folder(path, &OpenOptions::default(), StateStore::snapshot).unwrap()
    }

    #[test]
    fn a_reader_sees_what_is_durable_while_a_writer_works() {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open_folder(dir.path(), OpenOptions::default()).unwrap();
        let path = dir.path().to_owned();
        let (done, end) = std::sync::mpsc::channel::<()>();
        let reader = std::thread::spawn(move || {
            let mut serials = Vec::new();
            while end.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                let seen = snapshot(&path);
                serials.push((seen.serial, seen.records.len()));
            }
            serials
        });
        for _ in 0..40 {
            conformance::fill(&store, 30);
        }
        drop(done);
        let seen = reader.join().unwrap();
        assert!(seen.is_sorted_by_key(|(serial, _)| *serial), "a state never goes back: {seen:?}");
        let now = snapshot(dir.path());
        assert_eq!(now, store.snapshot().unwrap());
        let left = std::fs::read_dir(dir.path()).unwrap().flatten();
        let copies =
            left.filter(|entry| entry.file_name().to_string_lossy().starts_with("reading"));
        assert_eq!(copies.count(), 0, "no copy is left");
    }
}
