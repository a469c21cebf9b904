//! A world that does not change, for tests of this crate and of those above it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::context::{DirEntry, World};

/// A world of files that are given, with a fixed clock and a counting random source.
#[derive(Clone, Debug)]
pub struct FixedWorld {
    /// Content by path. Relative paths start at the working directory.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// The working directory.
    pub working_dir: PathBuf,
    /// The home directory.
    pub home_dir: Option<PathBuf>,
    /// The clock, for now and for the plan.
    pub unix_nanos: u128,
}

impl Default for FixedWorld {
    fn default() -> Self {
        Self {
            files: BTreeMap::new(),
            working_dir: "/stack".into(),
            home_dir: Some("/home/somebody".into()),
            // 2026-01-02T03:04:05Z
            unix_nanos: 1_767_323_045_000_000_000,
        }
    }
}

impl FixedWorld {
    /// A world with these files, given as path and text.
    pub fn with_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut world = Self::default();
        for (path, text) in files {
            world.write(path, text);
        }
        world
    }

    /// Adds a file, or replaces it.
    pub fn write(&mut self, path: impl AsRef<Path>, content: impl Into<Vec<u8>>) {
        let path = self.absolute(path.as_ref());
        self.files.insert(path, content.into());
    }

    /// The path with its dots resolved, from the root. Virtual paths such as `stratiform:modules` are absolute.
    fn absolute(&self, path: &Path) -> PathBuf {
        let is_virtual = path.to_str().is_some_and(|text| text.starts_with("stratiform:"));
        let joined = if is_virtual { path.to_path_buf() } else { self.working_dir.join(path) };
        let mut clean = PathBuf::new();
        for component in joined.components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => {
                    clean.pop();
                }
                other => clean.push(other),
            }
        }
        clean
    }
}

impl World for FixedWorld {
    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files
            .get(&self.absolute(path))
            .cloned()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file"))
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.contains_key(&self.absolute(path))
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let folder = self.absolute(path);
        let mut found = BTreeSet::new();
        for file in self.files.keys() {
            let Ok(rest) = file.strip_prefix(&folder) else { continue };
            let mut parts = rest.components();
            if let Some(first) = parts.next() {
                found.insert(DirEntry {
                    name: first.as_os_str().to_string_lossy().into_owned(),
                    is_dir: parts.next().is_some(),
                });
            }
        }
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no such folder"));
        }
        Ok(found.into_iter().collect())
    }

    fn working_dir(&self) -> PathBuf {
        self.working_dir.clone()
    }

    fn home_dir(&self) -> Option<PathBuf> {
        self.home_dir.clone()
    }

    fn now_unix_nanos(&self) -> u128 {
        self.unix_nanos
    }

    fn plan_time_unix_nanos(&self) -> u128 {
        self.unix_nanos
    }

    fn random_bytes(&self, buffer: &mut [u8]) {
        for (at, byte) in buffer.iter_mut().enumerate() {
            *byte = u8::try_from(at % 256).unwrap_or(0);
        }
    }
}
