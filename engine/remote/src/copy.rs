//! Copies files and folders, as `scp` lays them out.

use std::path::{Path, PathBuf};

use crate::{Content, Ended, Machine, RemoteError, quoted};

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whom the user's `umask` lets.
    Usual,
    /// The user alone, who may also run it.
    Script,
}

/// Folders within folders beyond this depth are a ring of links.
const MAX_DEPTH: usize = 64;

impl Machine {
    /// Copies a file to a path, or a folder with all that is in it. Links are followed.
    ///
    /// A folder that is named without a slash at its end becomes a folder within the destination, if that is there,
    /// and otherwise is called as the destination. With a slash, its content goes into the destination.
    ///
    /// # Errors
    ///
    /// [`RemoteError::NotRead`] for this machine's files, [`RemoteError::NotTaken`] for the other's.
    pub async fn copy(&self, source: &str, destination: &str) -> Result<(), RemoteError> {
        let path = Path::new(source);
        let metadata = tokio::fs::metadata(path).await.map_err(|error| not_read(path, &error))?;
        if !metadata.is_dir() {
            return self.write(Content::File(path.to_path_buf()), destination, Access::Usual).await;
        }
        let mut target = destination.trim_end_matches('/').to_owned();
        if target.is_empty() {
            "/".clone_into(&mut target);
        }
        if !source.ends_with('/') && self.is_folder(&target).await? {
            let name = path.canonicalize().map_err(|error| not_read(path, &error))?;
            let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
            target = format!("{}/{name}", target.trim_end_matches('/'));
        }
        for (source, target) in entries(path, &target)? {
            match source {
                None => self.make_folder(&target).await?,
                Some(file) => self.write(Content::File(file), &target, Access::Usual).await?,
            }
        }
        Ok(())
    }

    async fn is_folder(&self, path: &str) -> Result<bool, RemoteError> {
        let ended = self.run(&format!("test -d {}", quoted(path)), &mut |_| {}).await?;
        Ok(ended == Ended::Code(0))
    }

    async fn make_folder(&self, path: &str) -> Result<(), RemoteError> {
        let mut said = String::new();
        let command = format!("mkdir -p {}", quoted(path));
        let ended = self.run(&command, &mut |line| said.push_str(line)).await?;
        if ended == Ended::Code(0) {
            return Ok(());
        }
        Err(RemoteError::NotTaken { path: path.to_owned(), reason: said })
    }
}

/// What is copied, folders (`None`) before what is in them, in the order of their names.
fn entries(folder: &Path, target: &str) -> Result<Vec<(Option<PathBuf>, String)>, RemoteError> {
    let mut found = vec![(None, target.to_owned())];
    gather(folder, target, 0, &mut found)?;
    Ok(found)
}

fn gather(
    folder: &Path,
    target: &str,
    depth: usize,
    found: &mut Vec<(Option<PathBuf>, String)>,
) -> Result<(), RemoteError> {
    if depth > MAX_DEPTH {
        let reason =
            format!("folders are nested deeper than {MAX_DEPTH}: is there a ring of links?");
        return Err(RemoteError::NotRead { path: folder.to_path_buf(), reason });
    }
    let read = |error: std::io::Error| not_read(folder, &error);
    let mut entries =
        std::fs::read_dir(folder).map_err(read)?.collect::<Result<Vec<_>, _>>().map_err(read)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let metadata = std::fs::metadata(&path).map_err(|error| not_read(&path, &error))?;
        let target =
            format!("{}/{}", target.trim_end_matches('/'), entry.file_name().to_string_lossy());
        if metadata.is_dir() {
            found.push((None, target.clone()));
            gather(&path, &target, depth + 1, found)?;
        } else {
            found.push((Some(path), target));
        }
    }
    Ok(())
}

pub(crate) fn not_read(path: &Path, error: &std::io::Error) -> RemoteError {
    RemoteError::NotRead { path: path.to_path_buf(), reason: error.to_string() }
}
