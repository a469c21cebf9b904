//! `providers lock` and `providers mirror`: packages for other machines than this one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use address::ProviderAddress;
use serde_json::json;

use super::place::{self, Fetched};
use super::select::{self, Selected};
use super::source::{self, Location, Proof};
use super::{Request, Requirements};
use crate::durable::{self, Staging};
use crate::error::InstallError;
use crate::event::{Event, Trust};
use crate::hash;
use crate::lock::{Entry, Lock};
use crate::platform::Platform;
use crate::{Fetcher, Listener};

/// Learns the hashes of the chosen versions for some platforms; returns the lock to be written. What is fetched lies
/// in the folder `scratch` for a while.
///
/// # Errors
///
/// Whatever went wrong, of all providers.
pub fn lock_platforms(
    fetcher: &Fetcher,
    requirements: &Requirements,
    lock: &Lock,
    platforms: &[Platform],
    scratch: &Path,
    listener: Listener<'_>,
) -> Result<Lock, Vec<InstallError>> {
    let selected = choose(fetcher, requirements, lock, listener)?;
    let mut new = lock.clone();
    let mut errors = Vec::new();
    for one in &selected {
        let kept = lock.providers.get(&one.provider).filter(|entry| entry.version == one.version);
        let mut hashes = kept.map(|entry| entry.hashes.clone()).unwrap_or_default();
        for platform in platforms {
            match learn(fetcher, one, platform, scratch, listener) {
                Ok(found) => hashes.extend(found),
                Err(error) => errors.push(error),
            }
        }
        let entry = Entry {
            version: one.version.clone(),
            constraints: requirements.constraints(&one.provider).to_string(),
            hashes,
        };
        new.providers.insert(one.provider.clone(), entry);
    }
    if errors.is_empty() { Ok(new) } else { Err(errors) }
}

fn choose(
    fetcher: &Fetcher,
    requirements: &Requirements,
    lock: &Lock,
    listener: Listener<'_>,
) -> Result<Vec<Selected>, Vec<InstallError>> {
    let request = Request { requirements, lock, upgrade: false, data_dir: Path::new("") };
    select::select(fetcher, &request, listener)
}

fn learn(
    fetcher: &Fetcher,
    selected: &Selected,
    platform: &Platform,
    scratch: &Path,
    listener: Listener<'_>,
) -> Result<BTreeSet<String>, InstallError> {
    let Selected { provider, version } = selected;
    listener(Event::Installing(provider.clone(), version.clone()));
    // What an earlier lock says of other platforms does not speak of this one.
    let none = BTreeSet::new();
    let fetched = place::fetch(fetcher, provider, selected, platform, scratch, &none, listener)?;
    let Fetched { hash, signed, trust, .. } = fetched;
    listener(Event::InstalledProvider(provider.clone(), version.clone(), trust));
    Ok(signed.into_iter().chain([hash]).collect())
}

/// Fills a folder with packed packages and with the indexes of a network mirror.
///
/// # Errors
///
/// Whatever went wrong, of all providers.
pub fn mirror(
    fetcher: &Fetcher,
    requirements: &Requirements,
    lock: &Lock,
    platforms: &[Platform],
    dir: &Path,
    listener: Listener<'_>,
) -> Result<(), Vec<InstallError>> {
    let selected = choose(fetcher, requirements, lock, listener)?;
    let mut errors = Vec::new();
    for one in &selected {
        for platform in platforms {
            if let Err(error) = mirror_one(fetcher, one, platform, dir, listener) {
                errors.push(error);
            }
        }
        if let Err(error) = write_indexes(&dir.join(one.provider.to_string()), &one.provider) {
            errors.push(error);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn mirror_one(
    fetcher: &Fetcher,
    selected: &Selected,
    platform: &Platform,
    dir: &Path,
    listener: Listener<'_>,
) -> Result<(), InstallError> {
    let Selected { provider, version } = selected;
    let own = dir.join(provider.to_string());
    let name = source::packed_name(provider, version, platform);
    listener(Event::Installing(provider.clone(), version.clone()));
    let package = place::find(fetcher, selected, platform)?;
    let failed = |error: std::io::Error| InstallError::write(&own, &error);
    let staging = Staging::dir(&own).map_err(failed)?;
    let file = staging.path().join(&name);
    let mut trust = Trust::Unauthenticated;
    match &package.location {
        Location::Folder(from) => pack(from, &file).map_err(failed)?,
        Location::Archive(from) => {
            fs::copy(from, &file).map_err(failed)?;
        }
        Location::Url { .. } => {
            // Fetching checks hashes and signature; the archive stands beside what it unpacks to.
            let none = BTreeSet::new();
            let fetched =
                place::fetch(fetcher, provider, selected, platform, &own, &none, listener)?;
            trust = fetched.trust.clone();
            let archive = fetched.dir.with_file_name("package.zip");
            fs::rename(archive, &file).map_err(failed)?;
        }
    }
    if matches!(package.proof, Proof::Signed(_)) && trust == Trust::Unauthenticated {
        trust = Trust::VerifiedChecksum;
    }
    staging.publish(&file, &own.join(&name)).map_err(failed)?;
    listener(Event::InstalledProvider(provider.clone(), version.clone(), trust));
    Ok(())
}

/// Packs a folder. The same folder gives the same archive: names are sorted and no time is kept.
fn pack(dir: &Path, file: &Path) -> std::io::Result<()> {
    let mut writer = zip::ZipWriter::new(fs::File::create(file)?);
    let mut names: Vec<_> = fs::read_dir(dir)?.collect::<Result<_, _>>()?;
    names.sort_by_key(|entry| entry.file_name());
    for entry in names {
        let found = fs::metadata(entry.path())?;
        if !found.is_file() {
            continue;
        }
        let options = zip::write::SimpleFileOptions::default()
            .unix_permissions(mode(&found))
            .large_file(found.len() > u64::from(u32::MAX));
        let name = entry.file_name().to_string_lossy().into_owned();
        writer.start_file(name, options).map_err(std::io::Error::other)?;
        std::io::copy(&mut fs::File::open(entry.path())?, &mut writer)?;
    }
    writer.finish().map_err(std::io::Error::other)?;
    Ok(())
}

#[cfg(unix)]
fn mode(found: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o755
}

#[cfg(not(unix))]
fn mode(_found: &fs::Metadata) -> u32 {
    0o755
}

/// `index.json` and a file for each version, over all archives that the folder has.
fn write_indexes(own: &Path, provider: &ProviderAddress) -> Result<(), InstallError> {
    let failed = |error: std::io::Error| InstallError::write(own, &error);
    let prefix = format!("terraform-provider-{}_", provider.type_name);
    let mut versions: BTreeMap<String, serde_json::Map<String, serde_json::Value>> =
        BTreeMap::new();
    let mut names: Vec<_> = fs::read_dir(own)
        .map_err(failed)?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for name in names {
        let Some(rest) = name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".zip"))
        else {
            continue;
        };
        let Some((version, platform)) = rest.split_once('_') else { continue };
        let hash = hash::zip_content_hash(&own.join(&name)).map_err(failed)?;
        versions
            .entry(version.to_owned())
            .or_default()
            .insert(platform.to_owned(), json!({ "hashes": [hash], "url": name }));
    }
    let write = |name: String, value: serde_json::Value| {
        let text = format!("{value:#}");
        durable::write_file(&own.join(name), text.as_bytes()).map_err(failed)
    };
    let all: serde_json::Map<_, _> =
        versions.keys().map(|version| (version.clone(), json!({}))).collect();
    for (version, archives) in versions {
        write(format!("{version}.json"), json!({ "archives": archives }))?;
    }
    write("index.json".to_owned(), json!({ "versions": all }))
}
