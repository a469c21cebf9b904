//! Files and folders that are there whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A place beside the final one, removed on drop unless it is moved there.
pub(crate) struct Staging {
    path: PathBuf,
    done: bool,
}

impl Staging {
    /// Makes an empty folder in `parent`.
    pub(crate) fn dir(parent: &Path) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        let mut attempt = 0u32;
        loop {
            let name = format!("{PREFIX}{}-{attempt}", std::process::id());
            let path = parent.join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path, done: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves what is below to its place; what was there before goes.
    pub(crate) fn publish(mut self, inner: &Path, place: &Path) -> io::Result<()> {
        sync_tree(inner)?;
        replace(inner, place, &self.path)?;
        if inner == self.path {
            self.done = true;
        }
        Ok(())
    }
}

/// Renames over what was there; folders cannot be renamed over, so the old one steps aside first.
pub(crate) fn replace(from: &Path, place: &Path, aside: &Path) -> io::Result<()> {
    let parent = place.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let old = aside.with_extension("old");
    if fs::symlink_metadata(place).is_ok() {
        remove(&old)?;
        fs::rename(place, &old)?;
    }
    fs::rename(from, place)?;
    remove(&old)?;
    sync_dir(parent)
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.done {
            let _ = remove(&self.path);
        }
    }
}

const PREFIX: &str = ".stratiform-";

/// Removes what killed runs have left in a folder. The caller holds the lock of the place, so that nobody else
/// is at work there, not even in another container.
pub(crate) fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let _ = remove(&entry.path());
        }
    }
}

/// Removes a file, a link or a folder; what is not there is fine.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let result = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Writes a file so that it is the old one or the new one, whatever happens.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = parent.join(format!("{PREFIX}{}-{name}", std::process::id()));
    let result = (|| {
        fs::write(&temporary, bytes)?;
        File::open(&temporary)?.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_dir(parent)
    })();
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result
}

/// Flushes all files and folders below.
fn sync_tree(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            sync_tree(&entry?.path())?;
        }
        return sync_dir(path);
    }
    if found.is_file() { File::open(path)?.sync_all() } else { Ok(()) }
}

fn sync_dir(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Copies a folder; links stay links.
pub(crate) fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_dir(&from, &to)?;
        } else if kind.is_symlink() {
            link(&fs::read_link(&from)?, &to)?;
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

/// Makes a symbolic link.
#[cfg(unix)]
pub(crate) fn link(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

/// Makes a symbolic link.
#[cfg(not(unix))]
pub(crate) fn link(target: &Path, at: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(target, at)
}

/// Keeps others out of a place until it is dropped.
pub(crate) struct PlaceLock(File);

impl PlaceLock {
    /// Waits until this process alone works on the place.
    pub(crate) fn take(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        file.lock()?;
        Ok(Self(file))
    }
}

impl Drop for PlaceLock {
    fn drop(&mut self) {
        // Closing the file would do as well.
        let _ = self.0.unlock();
    }
}
