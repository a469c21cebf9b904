//! The two hashes of a provider package.
//!
//! * `zh:` is the SHA-256 of the archive.
//! * `h1:` is a hash of what is in it: the SHA-256 of a sorted list of files with their own SHA-256, so that it is
//!   the same for an archive and for the folder it unpacks to.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The SHA-256 of a stream, in hexadecimal.
pub fn sha256_hex(reader: &mut dyn Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The `zh:` hash of an archive.
pub fn archive_hash(archive: &Path) -> io::Result<String> {
    Ok(format!("zh:{}", sha256_hex(&mut File::open(archive)?)?))
}

/// The `h1:` hash of a folder. Links to files count as the files.
pub fn folder_hash(dir: &Path) -> io::Result<String> {
    let mut files = BTreeMap::new();
    collect(dir, "", &mut files)?;
    Ok(listed_hash(&files))
}

fn collect(dir: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else {
            files.insert(name, sha256_hex(&mut File::open(&path)?)?);
        }
    }
    Ok(())
}

/// The `h1:` hash of what is in an archive, without unpacking it to disk.
pub fn zip_content_hash(archive: &Path) -> io::Result<String> {
    let mut zip = zip::ZipArchive::new(File::open(archive)?).map_err(io::Error::other)?;
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(io::Error::other)?;
        let name = entry.name().map_err(io::Error::other)?.into_owned();
        if !entry.is_dir() {
            files.insert(name, sha256_hex(&mut entry)?);
        }
    }
    Ok(listed_hash(&files))
}

fn listed_hash(files: &BTreeMap<String, String>) -> String {
    let mut hasher = Sha256::new();
    for (name, hash) in files {
        hasher.update(format!("{hash}  {name}\n"));
    }
    format!("h1:{}", STANDARD.encode(hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_folder_is_that_of_its_list() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join("b")).expect("a folder");
        fs::write(dir.path().join("a"), "1").expect("a file");
        fs::write(dir.path().join("b/c"), "2").expect("a file");
        let list = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b  a\n\
                    d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35  b/c\n";
        let expected = format!("h1:{}", STANDARD.encode(Sha256::digest(list)));
        assert_eq!(folder_hash(dir.path()).expect("a hash"), expected);
    }
}
