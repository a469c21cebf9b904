//! Records on disk: written whole or not at all, read back with the path in every error.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::error::LocalError;

/// Writes a record so that a reader, or a crash, sees the old one or the new one.
pub(crate) fn write_record(path: &Path, record: &impl Serialize) -> Result<(), LocalError> {
    let text = serde_json::to_vec_pretty(record).map_err(|error| LocalError::Damaged {
        path: path.to_owned(),
        detail: error.to_string(),
    })?;
    write_atomically(path, &text).map_err(LocalError::file("write", path))
}

fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // The writer's pid keeps two writers of one record from sharing a temporary file.
    let temporary = path.with_extension(format!("tmp{}", std::process::id()));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Reads a record; `None` when there is no such file.
pub(crate) fn read_record<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, LocalError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(LocalError::file("read", path)(error)),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| LocalError::Damaged { path: path.to_owned(), detail: error.to_string() })
}

/// Whether an error says that there is nothing at the path.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Creates a folder and its parents, for this user alone.
pub(crate) fn create_folder(path: &Path) -> Result<(), LocalError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(LocalError::file("create folder", path))
}

/// Removes whatever is at the path; nothing there is fine.
pub(crate) fn remove(path: &Path) -> Result<(), LocalError> {
    let result = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if !is_absent(&error) => Err(LocalError::file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Opens a file to lock it, creating it where needed.
pub(crate) fn open_lock(path: &Path) -> Result<File, LocalError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(LocalError::file("open", path))
}

/// The SHA-256 of one file in lower-case hex, and its size in bytes.
pub(crate) fn digest_file(path: &Path) -> Result<(String, u64), LocalError> {
    let read = || -> io::Result<(String, u64)> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let bytes = io::copy(&mut file, &mut hasher)?;
        Ok((hex(&hasher.finalize()), bytes))
    };
    read().map_err(LocalError::file("read", path))
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The last `count` lines of a log, oldest first. A log that is not there has no lines.
///
/// Reads the end of the file alone, so that a log of any size costs the same.
pub(crate) fn last_lines(path: &Path, count: usize) -> Vec<String> {
    const WINDOW: u64 = 16 * 1024;
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(WINDOW)))?;
        let mut tail = Vec::new();
        file.take(WINDOW).read_to_end(&mut tail)?;
        Ok(tail)
    };
    let tail = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&tail);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].iter().map(|line| (*line).to_owned()).collect()
}

/// Resolves `relative` below `folder` by its words alone.
///
/// # Errors
///
/// [`LocalError::PathLeaves`] for an absolute path, for `..`, and for an empty one.
pub(crate) fn below(folder: &Path, relative: &str) -> Result<PathBuf, LocalError> {
    use std::path::Component;
    let path = Path::new(relative);
    let stays =
        path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if relative.is_empty() || !stays {
        return Err(LocalError::PathLeaves { path: relative.to_owned() });
    }
    Ok(folder.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_their_folder() {
        let folder = Path::new("/work");
        let table = [
            ("model.json", true),
            ("out/model.json", true),
            ("./model.json", true),
            ("", false),
            ("/etc/passwd", false),
            ("../model.json", false),
            ("out/../../model.json", false),
        ];
        for (relative, stays) in table {
            assert_eq!(below(folder, relative).is_ok(), stays, "{relative}");
        }
    }

    #[test]
    fn last_lines_of_a_long_log_are_whole_and_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let text: String = (0..20_000).fold(String::new(), |text, n| format!("{text}{n}\n"));
        fs::write(&log, text).expect("written");
        assert_eq!(last_lines(&log, 3), ["19997", "19998", "19999"]);
        assert_eq!(last_lines(&folder.path().join("none"), 3), Vec::<String>::new());
    }

    #[test]
    fn a_record_that_is_cut_short_is_an_error_and_not_absent() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("record.json");
        assert_eq!(read_record::<Vec<u8>>(&path).expect("absent"), None);
        write_record(&path, &vec![1_u8, 2]).expect("written");
        assert_eq!(read_record(&path).expect("read"), Some(vec![1_u8, 2]));
        fs::write(&path, "[1, ").expect("cut");
        assert!(matches!(read_record::<Vec<u8>>(&path), Err(LocalError::Damaged { .. })));
    }
}
