//! Schemas on disk by the digest of the provider's binary, so that most commands start no provider.
//!
//! Reading hundreds of megabytes for a digest would cost more than it saves: the digest of a file is itself kept
//! by the file's path, size, time of change and inode. A cached file that is torn or from another version of this
//! code is as if it were not there.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::rpc::Version;

/// First bytes of a cached file; the number counts changes of its form.
const MAGIC: &[u8] = b"stratiform-schema-2\n";

/// A folder of cached schemas.
#[derive(Debug, Clone)]
pub struct SchemaCache(PathBuf);

/// A binary as the cache knows it.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// Names the binary by what the file system says of it.
    quick: String,
}

impl SchemaCache {
    /// The cache in a folder, which is made when it is first needed.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The key of a binary; `None` if it cannot be looked at.
    pub(crate) fn key(&self, binary: &Path) -> Option<Key> {
        let path = fs::canonicalize(binary).ok()?;
        let about = fs::metadata(&path).ok()?;
        let text = format!(
            "{}\0{}\0{}\0{}\0{}",
            path.display(),
            about.len(),
            about.mtime(),
            about.mtime_nsec(),
            about.ino()
        );
        Some(Key { quick: hex(&Sha256::digest(text)) })
    }

    /// The schema message of a binary that was stored earlier.
    pub(crate) fn load(&self, key: &Key) -> Option<(Version, Vec<u8>)> {
        let digest = fs::read_to_string(self.0.join(&key.quick)).ok()?;
        let bytes = fs::read(self.0.join(format!("{}.schema", digest.trim()))).ok()?;
        let rest = bytes.strip_prefix(MAGIC)?;
        let (head, message) = rest.split_at_checked(12)?;
        let version = Version::from_number(u64::from_le_bytes(head[..8].try_into().ok()?))?;
        let sum = u32::from_le_bytes(head[8..].try_into().ok()?);
        (checksum(message) == sum).then(|| (version, message.to_vec()))
    }

    /// Where answers of a binary are kept; `None` if its digest is not known yet.
    pub(crate) fn answers(&self, key: &Key) -> Option<PathBuf> {
        let digest = fs::read_to_string(self.0.join(&key.quick)).ok()?;
        Some(self.0.join(format!("{}.answers", digest.trim())))
    }

    /// Stores the schema message of a binary. What goes wrong costs speed alone.
    pub(crate) fn store(&self, key: &Key, binary: &Path, version: Version, message: &[u8]) {
        let Some(digest) = file_digest(binary) else { return };
        let mut bytes = MAGIC.to_vec();
        bytes.extend(version.number().to_le_bytes());
        bytes.extend(checksum(message).to_le_bytes());
        bytes.extend(message);
        let stored = self
            .write(&format!("{digest}.schema"), &bytes)
            .and_then(|()| self.write(&key.quick, digest.as_bytes()));
        drop(stored);
    }

    /// Writes a file whole or not at all, whoever else writes it at the same time.
    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let own = self.0.join(format!(".{name}.{}", std::process::id()));
        let mut file = fs::File::create(&own)?;
        file.write_all(bytes)?;
        drop(file);
        fs::rename(&own, self.0.join(name))
    }
}

/// SHA-256 of a file, in hexadecimal digits.
pub(crate) fn file_digest(path: &Path) -> Option<String> {
    let mut file = fs::File::open(path).ok()?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Some(hex(&hasher.finalize())),
            Ok(read) => hasher.update(&buffer[..read]),
            Err(_) => return None,
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Finds torn writes; nobody is kept out by it.
fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cached_schema_belongs_to_one_binary_and_is_dropped_when_torn() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = SchemaCache::new(folder.path().join("cache"));
        let binary = folder.path().join("provider");
        fs::write(&binary, "one").expect("written");
        let key = cache.key(&binary).expect("the file is there");
        assert!(cache.load(&key).is_none());
        cache.store(&key, &binary, Version::V5, b"message");
        assert_eq!(cache.load(&key), Some((Version::V5, b"message".to_vec())));
        fs::write(&binary, "another").expect("written");
        assert!(cache.load(&cache.key(&binary).expect("there")).is_none());
        let digest = hex(&Sha256::digest("one"));
        let file = cache.0.join(format!("{digest}.schema"));
        let mut bytes = fs::read(&file).expect("stored");
        *bytes.last_mut().expect("not empty") ^= 1;
        fs::write(&file, bytes).expect("written");
        assert!(cache.load(&key).is_none());
    }
}
