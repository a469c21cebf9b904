//! Folder trees: fingerprints over names and contents, and copies.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::LocalError;
use crate::files;

/// What a tree holds, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    /// `sha256:` over names and contents.
    pub(crate) fingerprint: String,
    pub(crate) bytes: u64,
    pub(crate) files: u64,
}

/// Reads a whole tree. `root` may be a file.
pub(crate) fn summarize(root: &Path) -> Result<Summary, LocalError> {
    let mut hasher = Sha256::new();
    let mut summary = Summary { fingerprint: String::new(), bytes: 0, files: 0 };
    for entry in walk(root)? {
        // Each field carries its length, so that no two trees give the same stream of bytes.
        let name = entry.name.as_os_str().as_encoded_bytes();
        hasher.update([entry.kind as u8]);
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name);
        match entry.kind {
            Kind::Folder => {}
            Kind::Link => {
                let target =
                    fs::read_link(&entry.path).map_err(LocalError::file("read", &entry.path))?;
                hasher.update((target.as_os_str().len() as u64).to_le_bytes());
                hasher.update(target.as_os_str().as_encoded_bytes());
                summary.files += 1;
            }
            Kind::File => {
                let (digest, bytes) =
                    digest(&entry.path).map_err(LocalError::file("read", &entry.path))?;
                hasher.update(digest);
                summary.bytes += bytes;
                summary.files += 1;
            }
        }
    }
    summary.fingerprint = format!("sha256:{}", files::hex(&hasher.finalize()));
    Ok(summary)
}

fn digest(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let mut file = fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((hasher.finalize().to_vec(), bytes));
        }
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// Copies a tree to a place where nothing is yet. A single file becomes a folder with that file.
pub(crate) fn copy(root: &Path, to: &Path) -> Result<(), LocalError> {
    files::create_folder(to)?;
    for entry in walk(root)? {
        let target = to.join(&entry.name);
        let failed = LocalError::file("copy to", &target);
        match entry.kind {
            Kind::Folder => files::create_folder(&target)?,
            Kind::File => fs::copy(&entry.path, &target).map(|_| ()).map_err(failed)?,
            Kind::Link => fs::read_link(&entry.path)
                .and_then(|link| std::os::unix::fs::symlink(link, &target))
                .map_err(failed)?,
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Folder = 1,
    File = 2,
    Link = 3,
}

struct Entry {
    kind: Kind,
    path: PathBuf,
    /// Below the root.
    name: PathBuf,
}

/// All entries in the order of their names, folders before what is in them.
fn walk(root: &Path) -> Result<Vec<Entry>, LocalError> {
    let mut entries = Vec::new();
    let found = fs::metadata(root).map_err(LocalError::file("read", root))?;
    if found.is_file() {
        let name = root.file_name().map(PathBuf::from).unwrap_or_default();
        entries.push(Entry { kind: Kind::File, path: root.to_owned(), name });
    } else {
        visit(root, Path::new(""), &mut entries)?;
    }
    Ok(entries)
}

fn visit(folder: &Path, name: &Path, entries: &mut Vec<Entry>) -> Result<(), LocalError> {
    let listed = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut listed = listed.map_err(LocalError::file("list", folder))?;
    listed.sort_by_key(fs::DirEntry::file_name);
    for entry in listed {
        let path = entry.path();
        let name = name.join(entry.file_name());
        let found = entry.file_type().map_err(LocalError::file("read", &path))?;
        let kind = match found {
            found if found.is_dir() => Kind::Folder,
            found if found.is_file() => Kind::File,
            found if found.is_symlink() => Kind::Link,
            _ => return Err(LocalError::SpecialFile { path }),
        };
        entries.push(Entry { kind, path: path.clone(), name: name.clone() });
        if matches!(kind, Kind::Folder) {
            visit(&path, &name, entries)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_follows_names_and_contents_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("a");
        fs::create_dir_all(root.join("sub")).expect("made");
        fs::write(root.join("sub/x"), "one").expect("written");
        let first = summarize(&root).expect("read");
        let copied = folder.path().join("b");
        copy(&root, &copied).expect("copied");
        assert_eq!(summarize(&copied).expect("read"), first);
        assert_eq!((first.bytes, first.files), (3, 1));
        fs::write(copied.join("sub/x"), "two").expect("written");
        assert_ne!(summarize(&copied).expect("read").fingerprint, first.fingerprint, "contents");
        fs::write(copied.join("sub/x"), "one").expect("written");
        assert_eq!(summarize(&copied).expect("read"), first);
        fs::rename(copied.join("sub/x"), copied.join("sub/y")).expect("renamed");
        assert_ne!(summarize(&copied).expect("read").fingerprint, first.fingerprint, "names");
    }
}
