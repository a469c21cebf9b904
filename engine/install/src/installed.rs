//! Finds the program of an installed provider and makes sure that it is the one that the lock file knows.
//!
//! Hashing hundreds of megabytes at each start would be felt. A hash that was computed once is believed again while
//! nobody else could have changed the package and each of its files is the same by size, times and inode.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use address::ProviderAddress;
use sha2::{Digest as _, Sha256};

use crate::durable;
use crate::error::InstallError;
use crate::hash;
use crate::lock::{Entry, Lock};
use crate::platform::Platform;
use crate::provider::providers_dir;
use crate::settings::Settings;
use crate::version::Version;

/// A provider that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its version; `None` for one that a folder of `dev_overrides` holds.
    pub version: Option<Version>,
    /// Its program.
    pub binary: PathBuf,
    /// The `h1:` hash of its package, which the lock file names; `None` under `dev_overrides`.
    pub hash: Option<String>,
}

/// What finding a provider needs to know.
pub struct Search<'a> {
    /// `.terraform`, or what `TF_DATA_DIR` says.
    pub data_dir: &'a Path,
    /// The lock file.
    pub lock: &'a Lock,
    /// For `dev_overrides`.
    pub settings: &'a Settings,
    /// A folder of this user alone in which hashes are remembered; `None` to hash each time.
    pub hash_cache: Option<&'a Path>,
}

/// Finds the program of a provider without reading it. Whoever starts it calls [`installed`] right before.
///
/// # Errors
///
/// [`InstallError::NotInstalled`] when `init` has to run first, [`InstallError::Package`] when the package holds no
/// program that can run.
pub fn located(search: &Search<'_>, provider: &ProviderAddress) -> Result<PathBuf, InstallError> {
    match search.settings.dev_overrides.get(provider) {
        Some(dir) => binary(dir, provider),
        None => binary(&locked(search, provider)?.0, provider),
    }
}

/// Finds a provider and checks it.
///
/// # Errors
///
/// As for [`located`], and [`InstallError::HashMismatch`] when the package is not the one that the lock file knows.
pub fn installed(
    search: &Search<'_>,
    provider: &ProviderAddress,
) -> Result<Installed, InstallError> {
    if let Some(dir) = search.settings.dev_overrides.get(provider) {
        let binary = binary(dir, provider)?;
        return Ok(Installed { version: None, binary, hash: None });
    }
    let (place, entry) = locked(search, provider)?;
    let binary = binary(&place, provider)?;
    let hash = package_hash(&place, search.hash_cache)?;
    if !entry.hashes.contains(&hash) {
        let wanted: Vec<&str> = entry.hashes.iter().map(String::as_str).collect();
        return Err(InstallError::HashMismatch {
            file: place.display().to_string(),
            wanted: if wanted.is_empty() {
                "one that the lock file names".to_owned()
            } else {
                wanted.join(" or ")
            },
            found: hash,
            help: "the provider was not started; run `stratiform init` to install it anew"
                .to_owned(),
        });
    }
    Ok(Installed { version: Some(entry.version.clone()), binary, hash: Some(hash) })
}

/// The folder of the package of the version that the lock file names.
fn locked<'a>(
    search: &Search<'a>,
    provider: &ProviderAddress,
) -> Result<(PathBuf, &'a Entry), InstallError> {
    let missing = || InstallError::NotInstalled { provider: provider.short_name(), span: None };
    let entry = search.lock.providers.get(provider).ok_or_else(missing)?;
    let place = providers_dir(search.data_dir)
        .join(provider.to_string())
        .join(entry.version.to_string())
        .join(Platform::current().to_string());
    if place.is_dir() { Ok((place, entry)) } else { Err(missing()) }
}

/// The program in a package: `terraform-provider-TYPE`, perhaps with `_v1.2.3` and more behind it.
pub(crate) fn binary(dir: &Path, provider: &ProviderAddress) -> Result<PathBuf, InstallError> {
    let wrong = |reason: String| InstallError::Package {
        provider: provider.short_name(),
        dir: dir.display().to_string(),
        reason,
    };
    let prefix = format!("terraform-provider-{}", provider.type_name);
    let entries = fs::read_dir(dir).map_err(|error| wrong(error.to_string()))?;
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.strip_prefix(&prefix)
                .is_some_and(|rest| matches!(rest, "" | ".exe") || rest.starts_with('_'))
        })
        .collect();
    found.sort();
    let Some(path) = found.into_iter().next() else {
        return Err(wrong(format!("it has no file `{prefix}_v…`")));
    };
    let metadata = fs::metadata(&path).map_err(|error| wrong(error.to_string()))?;
    if !metadata.is_file() {
        return Err(wrong(format!("`{}` is not a file", path.display())));
    }
    if !executable(&metadata) {
        let path = path.display();
        return Err(wrong(format!("`{path}` is not executable; `chmod +x {path}` makes it so")));
    }
    Ok(path)
}

#[cfg(unix)]
fn executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn executable(_metadata: &fs::Metadata) -> bool {
    true
}

/// The hash of a package, from memory where that is safe.
fn package_hash(place: &Path, cache: Option<&Path>) -> Result<String, InstallError> {
    let failed = |error: &std::io::Error| InstallError::read(place, error);
    let real = place.canonicalize().map_err(|error| failed(&error))?;
    let before = cache.and_then(|cache| Some((memory_file(cache, &real), fingerprint(&real)?)));
    if let Some((file, fingerprint)) = &before
        && let Ok(text) = fs::read_to_string(file)
        && let Some((known, hash)) = text.trim_end().split_once(' ')
        && known == fingerprint
    {
        return Ok(hash.to_owned());
    }
    let hash = hash::folder_hash(&real).map_err(|error| failed(&error))?;
    // What changed while it was hashed is not remembered.
    if let Some((file, old)) = before
        && fingerprint(&real).as_ref() == Some(&old)
    {
        // Not to remember costs time alone.
        let _ = durable::write_file(&file, format!("{old} {hash}\n").as_bytes());
    }
    Ok(hash)
}

fn memory_file(cache: &Path, real: &Path) -> PathBuf {
    cache.join(hash::hex(&Sha256::digest(real.to_string_lossy().as_bytes())))
}

/// What tells one content of a folder from another without reading it. `None` where others may write.
#[cfg(unix)]
fn fingerprint(dir: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let me = rustix::process::geteuid().as_raw();
    let mine =
        |found: &fs::Metadata| (found.uid() == me || found.uid() == 0) && found.mode() & 0o022 == 0;
    // Whoever may rename a folder on the way may put another one in its place. A folder with the sticky bit lets
    // only owners rename.
    for folder in dir.ancestors() {
        let found = fs::symlink_metadata(folder).ok()?;
        let sticky = folder != dir && found.mode() & 0o1000 != 0;
        if !mine(&found) && !(sticky && (found.uid() == me || found.uid() == 0)) {
            return None;
        }
    }
    let mut lines = BTreeSet::new();
    for entry in fs::read_dir(dir).ok()? {
        let entry = entry.ok()?;
        let found = fs::symlink_metadata(entry.path()).ok()?;
        if !found.is_file() || !mine(&found) {
            return None;
        }
        lines.insert(format!(
            "{} {} {}.{} {}.{} {} {}\n",
            entry.file_name().to_string_lossy().escape_debug(),
            found.len(),
            found.mtime(),
            found.mtime_nsec(),
            found.ctime(),
            found.ctime_nsec(),
            found.ino(),
            found.dev(),
        ));
    }
    let text: String = lines.into_iter().collect();
    Some(hash::hex(&Sha256::digest(text.as_bytes())))
}

#[cfg(not(unix))]
fn fingerprint(_dir: &Path) -> Option<String> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode can be set");
    }

    /// A data folder with one provider, and a lock that knows it.
    fn example() -> (tempfile::TempDir, Lock, PathBuf) {
        let root = tempfile::tempdir().expect("a folder");
        let provider: ProviderAddress = "example.com/acme/db".parse().expect("an address");
        let place = root
            .path()
            .join("data/providers/example.com/acme/db/1.0.0")
            .join(Platform::current().to_string());
        fs::create_dir_all(&place).expect("a folder");
        for folder in place.ancestors().take_while(|at| at.starts_with(root.path())) {
            chmod(folder, 0o755);
        }
        let binary = place.join("terraform-provider-db_v1.0.0_x5");
        fs::write(&binary, "program").expect("a file");
        chmod(&binary, 0o755);
        let hashes = [hash::folder_hash(&place).expect("a hash")].into();
        let entry = crate::lock::Entry {
            version: "1.0.0".parse().expect("a version"),
            constraints: String::new(),
            hashes,
        };
        let lock = Lock { providers: [(provider, entry)].into() };
        (root, lock, binary)
    }

    fn search(root: &Path, lock: &Lock) -> Result<Installed, InstallError> {
        let (data_dir, cache) = (root.join("data"), root.join("cache"));
        let settings = Settings::default();
        let search =
            Search { data_dir: &data_dir, lock, settings: &settings, hash_cache: Some(&cache) };
        installed(&search, &"example.com/acme/db".parse().expect("an address"))
    }

    #[test]
    fn a_changed_binary_is_refused_with_both_hashes() {
        let (root, lock, binary) = example();
        let found = search(root.path(), &lock).expect("installed");
        assert_eq!(found.binary, binary);
        fs::write(&binary, "PROGRAM").expect("a file");
        let error = search(root.path(), &lock).expect_err("another program").to_string();
        let wanted = found.hash.expect("a hash");
        assert!(error.contains(&wanted) && error.matches("h1:").count() == 2, "{error}");
    }

    #[test]
    fn a_hash_is_remembered_while_nobody_else_may_write() {
        let (root, lock, binary) = example();
        search(root.path(), &lock).expect("installed");
        let memory = || {
            let entry = fs::read_dir(root.path().join("cache")).ok()?.flatten().next()?;
            Some((entry.path(), fs::read_to_string(entry.path()).ok()?))
        };
        let (file, text) = memory().expect("the hash is remembered");
        // The memory is believed: a wrong hash in it shows that the files were not read again.
        fs::write(&file, text.replace("h1:", "h1:x")).expect("a file");
        assert!(search(root.path(), &lock).is_err(), "the memory is believed");
        chmod(binary.parent().expect("a folder"), 0o777);
        search(root.path(), &lock).expect("a folder that others may write is hashed each time");
    }

    #[test]
    fn what_is_missing_says_to_run_init() {
        let (root, lock, binary) = example();
        fs::remove_dir_all(binary.parent().expect("a folder")).expect("removed");
        let error = search(root.path(), &lock).expect_err("missing");
        assert_eq!(
            error,
            InstallError::NotInstalled { provider: "example.com/acme/db".to_owned(), span: None }
        );
        let error = search(root.path(), &Lock::default()).expect_err("not locked");
        assert!(matches!(error, InstallError::NotInstalled { .. }));
    }

    #[test]
    fn a_package_without_a_program_that_can_run_is_refused() {
        let (root, lock, binary) = example();
        chmod(&binary, 0o644);
        let error = search(root.path(), &lock).expect_err("not executable").to_string();
        assert!(error.contains("is not executable"), "{error}");
        fs::rename(&binary, binary.with_file_name("terraform-provider-dbx_v1.0.0")).expect("moved");
        let error = search(root.path(), &lock).expect_err("no program").to_string();
        assert!(error.contains("has no file `terraform-provider-db_v…`"), "{error}");
    }
}
