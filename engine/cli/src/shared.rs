//! A state that is kept as Terraform's file, with a store beside it.
//!
//! Whoever opens the store to write takes the file's lock, as Terraform does, and takes in what others have written to
//! it since. When the command is over, the file is written anew as a whole. A mark beside the store says what was
//! written last, so that both kinds of change are told apart: a file that is not what the mark says was changed by
//! others, a store that is further than the mark says was cut short before its file was written.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lang::World;
use serde::{Deserialize, Serialize};
use state::{OperationInfo, OperationOutcome, SledStore, StateError, StateSnapshot, StateStore};

use crate::args::Common;
use crate::digest::sha256;
use crate::place::{Place, place};
use crate::store;

/// The file's lock goes when the file is closed, so it stays open until the process ends.
static HELD: Mutex<Option<File>> = Mutex::new(None);

/// What was written to the file last.
#[derive(Serialize, Deserialize)]
struct Mark {
    digest: String,
    serial: u64,
}

fn mark_path(place: &Place) -> PathBuf {
    place.folder.join("written")
}

fn mark(place: &Place) -> Option<Mark> {
    serde_json::from_slice(&std::fs::read(mark_path(place)).ok()?).ok()
}

fn put_mark(place: &Place, mark: &Mark) -> std::io::Result<()> {
    let text = serde_json::to_vec(mark)?;
    write_whole(&mark_path(place), &text)
}

fn fault(path: &Path, reason: impl Into<String>, help: impl Into<String>) -> StateError {
    let path = path.display().to_string();
    StateError::SharedFile { path, reason: reason.into(), help: help.into() }
}

fn unreadable(path: &Path, error: &std::io::Error) -> StateError {
    StateError::Unreadable { path: path.display().to_string(), reason: error.to_string() }
}

/// What others have written to the file since we did; `None` if it is what the store says, or if there is no file.
///
/// # Errors
///
/// A file that cannot be read, or is none.
pub(crate) fn foreign(place: &Place) -> Result<Option<StateSnapshot>, StateError> {
    let Some(path) = &place.file else { return Ok(None) };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, &error)),
    };
    foreign_in(place, path, &bytes)
}

fn foreign_in(
    place: &Place,
    path: &Path,
    bytes: &[u8],
) -> Result<Option<StateSnapshot>, StateError> {
    if bytes.is_empty() || mark(place).is_some_and(|mark| mark.digest == sha256(bytes)) {
        return Ok(None);
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| fault(path, "it is no text", "restore it from a backup"))?;
    state::tfstate::import(text).map(Some)
}

/// Takes the file's lock, and takes in what others have written. The store is open, and nobody else has it.
///
/// # Errors
///
/// [`StateError::SharedFile`] if somebody else has the lock, if the file is gone, or if file and store have both moved
/// on.
pub(crate) fn take_in(
    store: &SledStore,
    place: &Place,
    common: &Common,
    world: &dyn World,
) -> Result<(), StateError> {
    let Some(path) = &place.file else { return Ok(()) };
    let bytes = lock(path, common)?;
    if bytes.is_empty() && mark(place).is_some_and(|mark| mark.serial > 0) {
        return Err(fault(
            path,
            "it is gone, and the store beside it has a state",
            format!(
                "put it back; `{}` holds the state too: remove that folder if the objects are to be forgotten",
                place.folder.display()
            ),
        ));
    }
    let Some(file) = foreign_in(place, path, &bytes)? else { return Ok(()) };
    let here = store.snapshot()?;
    let unwritten = here.serial > mark(place).map_or(0, |mark| mark.serial);
    if unwritten {
        return Err(fault(
            path,
            "others have changed it, and a command of ours was cut short before it had written what it did",
            format!(
                "move it away and run `stratiform state export {}`, then bring in what the others did",
                path.display()
            ),
        ));
    }
    if here.serial > 0 && here.lineage != file.lineage {
        return Err(fault(
            path,
            "it is another state than the one that was here",
            format!(
                "put the right one back, or remove `{}` to begin with it",
                place.folder.display()
            ),
        ));
    }
    let guard = store::lock(store, common, "sharing", world)?;
    let info = OperationInfo {
        command: "sharing".to_owned(),
        who: store::who(),
        time_unix_ms: store::now_ms(world),
        summary: path.display().to_string(),
        plan: String::new(),
    };
    let operation = store.begin_operation(&guard, info)?;
    let changes = state::edit::replace_all(&here, &file, true).unwrap_or_default();
    store.commit_as(operation, changes, &file.lineage, file.serial)?;
    store.end_operation(operation, OperationOutcome::Done)?;
    let mark = Mark { digest: sha256(&bytes), serial: store.serial() };
    put_mark(place, &mark).map_err(|error| unreadable(path, &error))
}

/// Takes the lock that Terraform takes, and reads the file. It is made if it is not there, as by Terraform.
fn lock(path: &Path, common: &Common) -> Result<Vec<u8>, StateError> {
    let failed = |error: &std::io::Error| unreadable(path, error);
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    if held.is_none() {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| failed(&error))?;
        let mut left = store::timeout(common);
        let exclusive = rustix::fs::FlockOperation::NonBlockingLockExclusive;
        while rustix::fs::fcntl_lock(&file, exclusive).is_err() {
            if left.is_zero() {
                let help = "wait until it is done, or give `-lock-timeout`";
                return Err(fault(path, "another program, such as Terraform, has it locked", help));
            }
            let pause = left.min(Duration::from_millis(50));
            std::thread::sleep(pause);
            left -= pause;
        }
        *held = Some(file);
    }
    let Some(file) = held.as_mut() else { return Ok(Vec::new()) };
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(|error| failed(&error))?;
    Ok(bytes)
}

/// Writes the file, if a command has opened the store and left it further than the file is.
///
/// # Errors
///
/// A store that cannot be read, or a file that cannot be written.
pub(crate) fn publish(common: &Common, world: &dyn World) -> Result<(), StateError> {
    let place = place(&store::workspace());
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).is_some();
    let (Some(path), true) = (&place.file, held) else { return Ok(()) };
    let snapshot = store::open_as_it_is(common, world)?.snapshot()?;
    if snapshot.serial <= mark(&place).map_or(0, |mark| mark.serial) {
        return Ok(());
    }
    if store::failpoint().hit("shared").is_err() {
        return Ok(());
    }
    let document = state::tfstate::export(&snapshot, config::LANGUAGE_VERSION)?;
    let text = format!("{document:#}\n");
    let written = write_whole(path, text.as_bytes()).and_then(|()| {
        put_mark(&place, &Mark { digest: sha256(text.as_bytes()), serial: snapshot.serial })
    });
    written.map_err(|error| StateError::Unwritable {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

/// Writes a file that only its owner may read, as a whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut half = path.as_os_str().to_owned();
    half.push(".half");
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&half)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&half, path)?;
    let folder = path.parent().filter(|one| !one.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
