//! The default store: a sled database in a folder.
//!
//! The folder holds `db/`, `watermark`, `open` and `lock`. One process has the database open at a time: it holds
//! an operating-system lock on `open`. The writer's lock is one on `lock`, which names the holder besides. Both
//! are free when their holder is dead.

use std::fs::File;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::crypt::Key;
use crate::error::StateError;
use crate::failpoint::{self, Failpoint, NoFailpoint};
use crate::ledger::{Durability, Keep, Ledger};
use crate::store::{LockGuard, LockInfo, LockRequest};
use crate::watermark::Watermark;

/// A store in a folder.
pub type SledStore = Ledger<Sled>;

/// How a store is opened.
#[derive(Clone)]
pub struct OpenOptions {
    /// The key for entries; `None` leaves them plain.
    pub key: Option<Key>,
    /// The lineage of a store that is new.
    pub lineage: String,
    /// The workspace of a store that is new.
    pub workspace: String,
    /// How long to wait for another process that has the store open.
    pub timeout: Duration,
    /// Where tests may stop the process.
    pub failpoint: Arc<dyn Failpoint>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            key: None,
            lineage: "unnamed".to_owned(),
            workspace: "default".to_owned(),
            timeout: Duration::ZERO,
            failpoint: Arc::new(NoFailpoint),
        }
    }
}

/// The database and the files beside it.
pub struct Sled {
    path: PathBuf,
    db: sled::Db,
    /// Dropped after the database, so that the next process finds it closed.
    _open: File,
    watermark: Watermark,
    failpoint: Arc<dyn Failpoint>,
}

const PAUSE: Duration = Duration::from_millis(50);

impl SledStore {
    /// Opens the store in a folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`StateError::Locked`] or [`StateError::InUse`] while another process has it open;
    /// [`StateError::Unreadable`] and [`StateError::LostTail`] if the files are not what they were.
    pub fn open_folder(path: &Path, options: OpenOptions) -> Result<Self, StateError> {
        std::fs::create_dir_all(path).map_err(|error| StateError::Unwritable {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
        let (db, open) = open_database(path, options.timeout)?;
        let unreadable =
            |reason: String| StateError::Unreadable { path: path.display().to_string(), reason };
        let (watermark, durable) = Watermark::open(&path.join("watermark"))
            .map_err(|error| unreadable(error.to_string()))?;
        let keep = Sled {
            path: path.to_owned(),
            db,
            _open: open,
            watermark,
            failpoint: options.failpoint,
        };
        let store = Self::open(keep, options.key, &options.lineage, &options.workspace)?;
        let found = store.serial();
        match durable {
            Some(expected) if expected > found => {
                Err(StateError::LostTail { path: path.display().to_string(), expected, found })
            }
            _ => Ok(store),
        }
    }
}

/// Opens the database; the file holds the lock that keeps other processes away from its files.
fn open_database(path: &Path, timeout: Duration) -> Result<(sled::Db, File), StateError> {
    let unreadable =
        |reason: String| StateError::Unreadable { path: path.display().to_string(), reason };
    let open = lock_files(path, timeout)?;
    drop_half_written(&path.join("db")).map_err(|error| unreadable(error.to_string()))?;
    let config = sled::Config::new()
        .path(path.join("db"))
        .cache_capacity(8 * 1024 * 1024)
        .flush_every_ms(None);
    // A damaged file can make the library panic; to the user that is a file that cannot be read.
    let mut waited = Duration::ZERO;
    loop {
        match catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Ok(db)) => return Ok((db, open)),
            Ok(Err(sled::Error::Io(error))) if is_busy(&error) => {
                // The database has a lock of its own, which a killed process gives back last.
                if waited >= grace(path) {
                    return Err(busy(path));
                }
                std::thread::sleep(PAUSE);
                waited += PAUSE;
            }
            Ok(Err(error)) => return Err(unreadable(error.to_string())),
            Err(_) => return Err(unreadable("the database's files are damaged".to_owned())),
        }
    }
}

/// Waits until no other process has the files open.
fn lock_files(path: &Path, timeout: Duration) -> Result<File, StateError> {
    let unwritable = |error: std::io::Error| StateError::Unwritable {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let mut options = File::options();
    let open = options.write(true).create(true).truncate(false).open(path.join("open"));
    let file = open.map_err(unwritable)?;
    let mut waited = Duration::ZERO;
    while file.try_lock().is_err() {
        if waited >= timeout.max(grace(path)) {
            return Err(busy(path));
        }
        std::thread::sleep(PAUSE);
        waited += PAUSE;
    }
    Ok(file)
}

/// How long is waited for a lock in any case. The system gives the locks of a killed process back a moment after
/// the process is gone; where no living process is known to hold one, that moment is waited for.
fn grace(path: &Path) -> Duration {
    let lives = |holder: LockInfo| {
        process_start(holder.pid).is_some_and(|start| holder.process_start == Some(start))
    };
    if read_holder(path).is_some_and(lives) { Duration::ZERO } else { Duration::from_millis(500) }
}

fn busy(path: &Path) -> StateError {
    match read_holder(path) {
        Some(holder) => StateError::Locked { holder: Box::new(holder) },
        None => StateError::InUse { path: path.display().to_string() },
    }
}

/// Says whether a file is a snapshot that the database was still writing.
pub(crate) fn is_half_snapshot(name: &std::ffi::OsStr) -> bool {
    name.to_string_lossy().ends_with(".generating")
}

/// Removes what a process has left that was killed while the database wrote a snapshot of its index, or its
/// settings before it had a log. The database would take such a file for a whole one and refuse to open. A
/// snapshot holds nothing that the log does not, and without a log there is nothing that could be lost.
fn drop_half_written(db: &Path) -> std::io::Result<()> {
    if !db.join("db").exists()
        && let Err(error) = std::fs::remove_file(db.join("conf"))
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let entries = match std::fs::read_dir(db) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        if is_half_snapshot(&entry.file_name()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn is_busy(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::WouldBlock
        || error.to_string().contains("could not acquire lock")
}

fn read_holder(path: &Path) -> Option<LockInfo> {
    let mut text = String::new();
    File::open(path.join("lock")).ok()?.read_to_string(&mut text).ok()?;
    LockInfo::from_lines(&text)
}

impl Sled {
    fn unwritable(&self, reason: impl ToString) -> StateError {
        StateError::Unwritable { path: self.path.display().to_string(), reason: reason.to_string() }
    }

    fn unreadable(&self, reason: impl ToString) -> StateError {
        StateError::Unreadable { path: self.path.display().to_string(), reason: reason.to_string() }
    }

    fn point(&self, name: &'static str) -> Result<(), StateError> {
        self.failpoint.hit(name).map_err(|error| self.unwritable(error))
    }

    fn guarded<T>(&self, run: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, StateError> {
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(result) => result.map_err(|error| self.unreadable(error)),
            Err(_) => Err(self.unreadable("the database's files are damaged")),
        }
    }
}

impl Keep for Sled {
    fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.guarded(|| Ok(self.db.get(name)?.map(|entry| entry.to_vec())))
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StateError> {
        self.guarded(|| {
            self.db
                .scan_prefix(prefix)
                .map(|found| found.map(|(n, e)| (n.to_vec(), e.to_vec())))
                .collect()
        })
    }

    fn scan_from(&self, prefix: &[u8], from: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StateError> {
        let begins = |found: &Result<(sled::IVec, sled::IVec), sled::Error>| match found {
            Ok((name, _)) => name.starts_with(prefix),
            Err(_) => true,
        };
        self.guarded(|| {
            self.db
                .range(from..)
                .take_while(begins)
                .map(|found| found.map(|(n, e)| (n.to_vec(), e.to_vec())))
                .collect()
        })
    }

    fn write(
        &self,
        batch: Vec<(Vec<u8>, Option<Vec<u8>>)>,
        serial: u64,
        durability: Durability,
    ) -> Result<(), StateError> {
        self.point(failpoint::BATCH_BEFORE)?;
        let mut changes = sled::Batch::default();
        for (name, entry) in batch {
            match entry {
                Some(entry) => changes.insert(name, entry),
                None => changes.remove(name),
            }
        }
        let written = catch_unwind(AssertUnwindSafe(|| {
            self.db.apply_batch(changes)?;
            Ok::<_, sled::Error>(())
        }));
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(self.unwritable(error)),
            Err(_) => return Err(self.unwritable("the database gave up")),
        }
        self.point(failpoint::BATCH_WRITTEN)?;
        if durability == Durability::WithTheNext {
            return Ok(());
        }
        match catch_unwind(AssertUnwindSafe(|| self.db.flush())) {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(self.unwritable(error)),
            Err(_) => return Err(self.unwritable("the database gave up")),
        }
        self.point(failpoint::BATCH_FLUSHED)?;
        self.watermark.mark(serial).map_err(|error| self.unwritable(error))?;
        self.point(failpoint::BATCH_MARKED)
    }

    fn lock(&self, request: LockRequest) -> Result<LockGuard, StateError> {
        let file_path = self.path.join("lock");
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&file_path)
            .map_err(|error| self.unwritable(error))?;
        let mut waited = Duration::ZERO;
        while file.try_lock().is_err() {
            if waited >= request.timeout.max(grace(&self.path)) {
                return Err(busy(&self.path));
            }
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
        self.point(failpoint::LOCK_TAKEN)?;
        // Whoever is still named here has ended without giving the lock back.
        let notice = read_holder(&self.path).map(|holder| {
            format!("took over the lock of {holder}, which ended without giving it back")
        });
        let info = LockInfo::of(&request, process_start(request.pid));
        let write = |file: &mut File, text: &str| -> std::io::Result<()> {
            use std::io::Seek;
            file.set_len(0)?;
            file.seek(std::io::SeekFrom::Start(0))?;
            file.write_all(text.as_bytes())?;
            file.sync_data()
        };
        write(&mut file, &info.to_lines()).map_err(|error| self.unwritable(error))?;
        self.point(failpoint::HOLDER_WRITTEN)?;
        let path = self.path.display().to_string();
        let release = move || {
            write(&mut file, "")
                .and_then(|()| file.unlock())
                .map_err(|error| StateError::Unwritable { path, reason: error.to_string() })
        };
        Ok(LockGuard::new(info, notice, Box::new(release)))
    }

    fn lock_info(&self) -> Result<Option<LockInfo>, StateError> {
        Ok(read_holder(&self.path))
    }

    fn force_unlock(&self, id: &str) -> Result<LockInfo, StateError> {
        match read_holder(&self.path) {
            Some(holder) if holder.id == id => {
                std::fs::write(self.path.join("lock"), "")
                    .map_err(|error| self.unwritable(error))?;
                Ok(holder)
            }
            _ => Err(StateError::NoLock { id: id.to_owned() }),
        }
    }
}

/// When a process began, in the kernel's ticks: with the id it names a process for good.
fn process_start(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold spaces; the start time is the 20th field behind it.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StateStore;

    #[test]
    fn keeps_the_promises_of_a_store() {
        let mut dirs = Vec::new();
        crate::conformance::check_store(&mut || {
            dirs.push(tempfile::tempdir().unwrap());
            SledStore::open_folder(dirs.last().unwrap().path(), OpenOptions::default()).unwrap()
        });
    }

    #[test]
    fn what_was_committed_is_there_after_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let before = {
            let store = SledStore::open_folder(dir.path(), OpenOptions::default()).unwrap();
            crate::conformance::fill(&store, 20);
            store.snapshot().unwrap()
        };
        let store = SledStore::open_folder(dir.path(), OpenOptions::default()).unwrap();
        assert_eq!(store.snapshot().unwrap(), before);
    }

    #[test]
    fn an_open_store_refuses_a_second_process() {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open_folder(dir.path(), OpenOptions::default()).unwrap();
        let _guard = store.lock(crate::conformance::lock_request("apply")).unwrap();
        let second = SledStore::open_folder(dir.path(), OpenOptions::default()).err().unwrap();
        assert!(
            matches!(&second, StateError::Locked { holder } if holder.operation == "apply"),
            "{second}"
        );
    }

    #[test]
    fn an_intent_that_was_never_begun_cannot_be_settled() {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open_folder(dir.path(), OpenOptions::default()).unwrap();
        let error = store.journal().settle(7, crate::Outcome::Done, Vec::new()).unwrap_err();
        let code = miette::Diagnostic::code(&error).map(|code| code.to_string());
        assert_eq!(code.as_deref(), Some("stratiform::state::no_intent"));
    }

    #[test]
    fn a_rolled_back_database_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let copy = tempfile::tempdir().unwrap();
        let copy_db = |from: &Path, to: &Path| {
            std::fs::create_dir_all(to).unwrap();
            for entry in walk(from) {
                let target = to.join(entry.strip_prefix(from).unwrap());
                std::fs::create_dir_all(target.parent().unwrap()).unwrap();
                std::fs::copy(&entry, target).unwrap();
            }
        };
        drop(SledStore::open_folder(dir.path(), OpenOptions::default()).unwrap());
        copy_db(&dir.path().join("db"), &copy.path().join("db"));
        crate::conformance::fill(
            &SledStore::open_folder(dir.path(), OpenOptions::default()).unwrap(),
            3,
        );
        std::fs::remove_dir_all(dir.path().join("db")).unwrap();
        copy_db(&copy.path().join("db"), &dir.path().join("db"));
        let error = SledStore::open_folder(dir.path(), OpenOptions::default()).err().unwrap();
        assert!(matches!(error, StateError::LostTail { .. }), "{error}");
    }

    fn walk(dir: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
        }
        found
    }

    #[test]
    fn a_damaged_file_is_an_error_and_no_panic() {
        for damage in [b"garbage".to_vec(), vec![0xff; 70_000]] {
            let dir = tempfile::tempdir().unwrap();
            crate::conformance::fill(
                &SledStore::open_folder(dir.path(), OpenOptions::default()).unwrap(),
                5,
            );
            std::fs::write(dir.path().join("db/db"), &damage).unwrap();
            assert!(SledStore::open_folder(dir.path(), OpenOptions::default()).is_err());
        }
    }

    #[test]
    fn a_snapshot_that_was_cut_short_does_no_harm() {
        let dir = tempfile::tempdir().unwrap();
        let before = {
            let store = SledStore::open_folder(dir.path(), OpenOptions::default()).unwrap();
            crate::conformance::fill(&store, 5);
            store.snapshot().unwrap()
        };
        std::fs::write(dir.path().join("db/snap.FFFFFFFFFFFFFFFF.generating"), b"half").unwrap();
        let store = SledStore::open_folder(dir.path(), OpenOptions::default()).unwrap();
        assert_eq!(store.snapshot().unwrap(), before);
    }

    #[test]
    fn settings_that_were_cut_short_do_no_harm() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("db")).unwrap();
        std::fs::write(dir.path().join("db/conf"), b"segment_size: 524288\nuse_comp").unwrap();
        let store = SledStore::open_folder(dir.path(), OpenOptions::default()).unwrap();
        crate::conformance::fill(&store, 2);
        drop(store);
        // A log that is gone is another matter: what it held had been promised.
        std::fs::remove_file(dir.path().join("db/db")).unwrap();
        for entry in std::fs::read_dir(dir.path().join("db")).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("snap.") {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        let error = SledStore::open_folder(dir.path(), OpenOptions::default()).err().unwrap();
        assert!(matches!(error, StateError::LostTail { .. }), "{error}");
    }

    #[test]
    fn an_encrypted_store_needs_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let with = |key: &str| OpenOptions {
            key: Some(Key::parse(&key.repeat(32)).unwrap()),
            ..OpenOptions::default()
        };
        crate::conformance::fill(&SledStore::open_folder(dir.path(), with("ab")).unwrap(), 2);
        let open = |options| SledStore::open_folder(dir.path(), options).err();
        assert_eq!(open(OpenOptions::default()), Some(StateError::KeyMissing));
        assert_eq!(open(with("cd")), Some(StateError::KeyWrong));
        assert_eq!(open(with("ab")), None);
    }
}
