//! Puts one package in its place: found there, linked from the cache or a mirror, or fetched, checked and unpacked.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use address::ProviderAddress;

use super::select::{Selected, not_found};
use super::source::{self, Location, Package, Proof};
use super::{Request, providers_dir};
use crate::archive::{self, Kind};
use crate::durable::{self, PlaceLock, Staging};
use crate::error::InstallError;
use crate::event::{Event, Trust};
use crate::platform::Platform;
use crate::{Fetcher, Listener, hash, installed, signature};

/// A package in its place.
pub(crate) struct Placed {
    /// Hashes for the lock file: the old ones and what has been learnt.
    pub(crate) hashes: BTreeSet<String>,
    /// Whether nothing is known of other platforms.
    pub(crate) only_this_platform: bool,
}

/// A checked package in a folder that is not yet in its place.
pub(crate) struct Fetched {
    /// The folder; in a mirror for good, or staged.
    pub(crate) dir: PathBuf,
    /// Keeps the staged folder.
    pub(crate) staging: Option<Staging>,
    /// The `h1:` hash.
    pub(crate) hash: String,
    /// Hashes that a valid signature covers, of all platforms.
    pub(crate) signed: BTreeSet<String>,
    pub(crate) trust: Trust,
}

pub(crate) fn put(
    fetcher: &Fetcher,
    request: &Request<'_>,
    selected: &Selected,
    listener: Listener<'_>,
) -> Result<Placed, InstallError> {
    let Selected { provider, version } = selected;
    let platform = Platform::current();
    let entry = request.lock.providers.get(provider).filter(|entry| entry.version == *version);
    let locked = entry.map(|entry| entry.hashes.clone()).unwrap_or_default();
    let place = package_dir(&providers_dir(request.data_dir), provider, version, &platform);
    if place.is_dir() && is_one_of(&place, &locked) {
        listener(Event::UsingPrevious(provider.clone(), version.clone()));
        return Ok(Placed { hashes: locked, only_this_platform: false });
    }
    if let Some(cache) = &fetcher.settings.plugin_cache_dir {
        return through_cache(fetcher, selected, cache, &place, &locked, listener);
    }
    listener(Event::Installing(provider.clone(), version.clone()));
    let parent = place.parent().unwrap_or(&place).to_path_buf();
    fs::create_dir_all(&parent).map_err(|error| InstallError::write(&parent, &error))?;
    durable::sweep(&parent);
    let fetched = fetch(fetcher, provider, selected, &platform, &parent, &locked, listener)?;
    let (hash, signed, trust) =
        (fetched.hash.clone(), fetched.signed.clone(), fetched.trust.clone());
    move_in(fetched, &place)?;
    installed::binary(&place, provider)?;
    let placed = learn(locked, hash, signed);
    listener(Event::InstalledProvider(provider.clone(), version.clone(), trust));
    Ok(placed)
}

/// `HOST/NAMESPACE/TYPE/VERSION/OS_ARCH`
pub(crate) fn package_dir(
    dir: &Path,
    provider: &ProviderAddress,
    version: &crate::version::Version,
    platform: &Platform,
) -> PathBuf {
    dir.join(provider.to_string()).join(version.to_string()).join(platform.to_string())
}

/// Whether a folder has one of the hashes. Without any hash nothing is known of it.
fn is_one_of(dir: &Path, hashes: &BTreeSet<String>) -> bool {
    hashes.iter().any(|hash| hash.starts_with("h1:"))
        && hash::folder_hash(dir).is_ok_and(|found| hashes.contains(&found))
}

fn learn(mut hashes: BTreeSet<String>, hash: String, signed: BTreeSet<String>) -> Placed {
    // Hashes that were there before may be those of other platforms.
    let only_this_platform = signed.is_empty() && hashes.iter().all(|known| *known == hash);
    let only_this_platform = only_this_platform && !hashes.contains(&hash);
    hashes.insert(hash);
    hashes.extend(signed);
    Placed { hashes, only_this_platform }
}

/// Fills the shared cache where it lacks the package, and links to it. One process at a time works on a package.
fn through_cache(
    fetcher: &Fetcher,
    selected: &Selected,
    cache: &Path,
    place: &Path,
    locked: &BTreeSet<String>,
    listener: Listener<'_>,
) -> Result<Placed, InstallError> {
    let Selected { provider, version } = selected;
    let platform = Platform::current();
    let cached = package_dir(cache, provider, version, &platform);
    let parent = cached.parent().unwrap_or(cache).to_path_buf();
    let guard = parent.join(format!(".{platform}.lock"));
    let _guard = PlaceLock::take(&guard).map_err(|error| InstallError::write(&guard, &error))?;
    let known = if locked.is_empty() {
        fetcher.settings.cache_may_break_lock
    } else {
        is_one_of(&cached, locked)
    };
    if cached.is_dir() && known {
        let hash =
            hash::folder_hash(&cached).map_err(|error| InstallError::read(&cached, &error))?;
        link_or_copy(&cached, place)?;
        installed::binary(place, provider)?;
        listener(Event::UsingCache(provider.clone(), version.clone()));
        return Ok(learn(locked.clone(), hash, BTreeSet::new()));
    }
    listener(Event::Installing(provider.clone(), version.clone()));
    durable::sweep(&parent);
    let fetched = fetch(fetcher, provider, selected, &platform, &parent, locked, listener)?;
    let (hash, signed, trust) =
        (fetched.hash.clone(), fetched.signed.clone(), fetched.trust.clone());
    // Others may be running what the cache has; the same package is left in peace.
    let same = cached.is_dir() && hash::folder_hash(&cached).is_ok_and(|found| found == hash);
    if !same {
        move_in(fetched, &cached)?;
    }
    link_or_copy(&cached, place)?;
    installed::binary(place, provider)?;
    listener(Event::InstalledProvider(provider.clone(), version.clone(), trust));
    Ok(learn(locked.clone(), hash, signed))
}

/// Moves a staged package, or links to a folder that stays where it is.
fn move_in(fetched: Fetched, place: &Path) -> Result<(), InstallError> {
    let Fetched { dir, staging, .. } = fetched;
    match staging {
        Some(staging) => {
            staging.publish(&dir, place).map_err(|error| InstallError::write(place, &error))
        }
        None => link_or_copy(&dir, place),
    }
}

fn link_or_copy(from: &Path, place: &Path) -> Result<(), InstallError> {
    let failed = |error: std::io::Error| InstallError::write(place, &error);
    let from = from.canonicalize().map_err(|error| InstallError::read(from, &error))?;
    let parent = place.parent().unwrap_or(place);
    let staging = Staging::dir(parent).map_err(failed)?;
    let link = staging.path().join("link");
    if durable::link(&from, &link).is_err() {
        durable::copy_dir(&from, &link).map_err(failed)?;
    }
    staging.publish(&link, place).map_err(failed)
}

/// Fetches a package, checks it against its source and against the lock, and unpacks it beside its place.
pub(crate) fn fetch(
    fetcher: &Fetcher,
    provider: &ProviderAddress,
    selected: &Selected,
    platform: &Platform,
    parent: &Path,
    locked: &BTreeSet<String>,
    listener: Listener<'_>,
) -> Result<Fetched, InstallError> {
    let package = find(fetcher, selected, platform)?;
    if let Location::Folder(dir) = &package.location {
        let hash = hash::folder_hash(dir).map_err(|error| InstallError::read(dir, &error))?;
        check_locked(&dir.display().to_string(), &hash, None, locked)?;
        let trust =
            if locked.is_empty() { Trust::Unauthenticated } else { Trust::VerifiedChecksum };
        return Ok(Fetched {
            dir: dir.clone(),
            staging: None,
            hash,
            signed: BTreeSet::new(),
            trust,
        });
    }
    let staging = Staging::dir(parent).map_err(|error| InstallError::write(parent, &error))?;
    let archive = archive_file(fetcher, provider, selected, &package, staging.path(), listener)?;
    let Package { proof, location } = package;
    let shown = match &location {
        Location::Url { url, .. } => crate::http::shown(url),
        _ => archive.display().to_string(),
    };
    let zh = hash::archive_hash(&archive).map_err(|error| InstallError::read(&archive, &error))?;
    let (trust, signed) = authenticate(fetcher, selected, &proof, &zh, &archive, &shown)?;
    let dir = staging.path().join("package");
    fs::create_dir(&dir).map_err(|error| InstallError::write(&dir, &error))?;
    archive::unpack(&archive, Kind::Zip, &dir, archive::PROVIDER, &shown)?;
    let hash = hash::folder_hash(&dir).map_err(|error| InstallError::read(&dir, &error))?;
    check_locked(&shown, &hash, Some(&zh), locked)?;
    let trust = match trust {
        Trust::Unauthenticated if !locked.is_empty() => Trust::VerifiedChecksum,
        other => other,
    };
    Ok(Fetched { dir, staging: Some(staging), hash, signed, trust })
}

/// The first place that has the version.
pub(crate) fn find(
    fetcher: &Fetcher,
    selected: &Selected,
    platform: &Platform,
) -> Result<Package, InstallError> {
    let Selected { provider, version } = selected;
    let mut asked = false;
    for method in fetcher.settings.methods.iter().filter(|method| method.serves(provider)) {
        asked = true;
        if let Some(package) = source::package(fetcher, method, provider, version, platform)? {
            return Ok(package);
        }
    }
    if !asked {
        return Err(not_found(fetcher, provider));
    }
    Err(InstallError::NoPlatform {
        provider: provider.short_name(),
        version: version.to_string(),
        platform: platform.to_string(),
    })
}

fn archive_file(
    fetcher: &Fetcher,
    provider: &ProviderAddress,
    selected: &Selected,
    package: &Package,
    dir: &Path,
    listener: Listener<'_>,
) -> Result<PathBuf, InstallError> {
    match &package.location {
        Location::Archive(path) | Location::Folder(path) => Ok(path.clone()),
        Location::Url { url, token_host } => {
            let file = dir.join("package.zip");
            let token = match token_host.as_deref() {
                Some(host) => fetcher.settings.token(host)?,
                None => None,
            };
            let headers: Vec<(String, String)> = token
                .map(|token| ("Authorization".to_owned(), format!("Bearer {token}")))
                .into_iter()
                .collect();
            let what = format!("{} v{}", provider.short_name(), selected.version);
            fetcher.http.download(
                url,
                &headers,
                &file,
                archive::PROVIDER.bytes,
                &|done, total| {
                    listener(Event::Progress { what: what.clone(), done, total });
                },
            )?;
            Ok(file)
        }
    }
}

/// Compares an archive with what its source has promised; for a registry, the promise with its signature.
fn authenticate(
    fetcher: &Fetcher,
    selected: &Selected,
    proof: &Proof,
    zh: &str,
    archive: &Path,
    shown: &str,
) -> Result<(Trust, BTreeSet<String>), InstallError> {
    let mismatch = |wanted: String, found: &str| InstallError::HashMismatch {
        file: shown.to_owned(),
        wanted,
        found: found.to_owned(),
        help: "nothing was installed; whoever runs the registry or mirror has to mend it"
            .to_owned(),
    };
    match proof {
        Proof::None => Ok((Trust::Unauthenticated, BTreeSet::new())),
        Proof::Hashes(hashes) => {
            let content = hash::zip_content_hash(archive).unwrap_or_default();
            // Schemes that a later version may bring say nothing here.
            let readable = |hash: &&String| hash.starts_with("h1:") || hash.starts_with("zh:");
            let readable: Vec<&String> = hashes.iter().filter(readable).collect();
            if !readable.is_empty()
                && !readable.iter().any(|hash| **hash == zh || **hash == content)
            {
                return Err(mismatch(join(hashes), zh));
            }
            Ok((Trust::VerifiedChecksum, BTreeSet::new()))
        }
        Proof::Signed(download) => {
            let wanted = format!("zh:{}", download.shasum);
            if wanted != zh {
                return Err(mismatch(wanted, zh));
            }
            let (sums, trust) = signed_sums(fetcher, selected, download)?;
            let listed = sums.iter().find(|(_, name)| *name == download.filename);
            if listed.is_none_or(|(sum, _)| *sum != download.shasum) {
                let wanted =
                    listed.map_or("a line for the file in the signed list", |(sum, _)| sum);
                return Err(mismatch(wanted.to_owned(), zh));
            }
            Ok((trust, sums.into_iter().map(|(sum, _)| format!("zh:{sum}")).collect()))
        }
    }
}

/// The list of hashes of a version, once its signature has been found valid.
pub(crate) fn signed_sums(
    fetcher: &Fetcher,
    selected: &Selected,
    download: &crate::registry::Download,
) -> Result<(Vec<(String, String)>, Trust), InstallError> {
    let document = fetcher.http.get_ok(&download.sums_url, None)?.body;
    let detached = fetcher.http.get_ok(&download.signature_url, None)?.body;
    let trust = signature::verify(&document, &detached, &download.keys).map_err(|reason| {
        InstallError::Signature {
            provider: selected.provider.short_name(),
            version: selected.version.to_string(),
            reason,
        }
    })?;
    let text = String::from_utf8_lossy(&document);
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (sum, name) = (words.next()?, words.next()?);
        let is_hash = sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| (sum.to_lowercase(), name.trim_start_matches('*').to_owned()))
    });
    Ok((lines.collect(), trust))
}

fn join(hashes: &[String]) -> String {
    hashes.join(" or ")
}

fn check_locked(
    shown: &str,
    hash: &str,
    zh: Option<&str>,
    locked: &BTreeSet<String>,
) -> Result<(), InstallError> {
    let fits = locked.contains(hash) || zh.is_some_and(|zh| locked.contains(zh));
    if locked.is_empty() || fits {
        return Ok(());
    }
    let wanted: Vec<String> = locked.iter().cloned().collect();
    Err(InstallError::HashMismatch {
        file: shown.to_owned(),
        wanted: join(&wanted),
        found: hash.to_owned(),
        help: "the lock file does not know this package: if its hashes were made on another platform, run \
               `stratiform providers lock` with a `-platform` for each; else the package was changed"
            .to_owned(),
    })
}
