//! The places that have provider packages: folders, network mirrors, registries.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use address::ProviderAddress;

use crate::error::InstallError;
use crate::http;
use crate::platform::Platform;
use crate::registry;
use crate::settings::{Method, Place};
use crate::version::Version;
use crate::{Fetcher, Listener};

/// A package that can be had.
pub(crate) struct Package {
    pub(crate) location: Location,
    /// What vouches for it.
    pub(crate) proof: Proof,
}

/// Where a package is.
pub(crate) enum Location {
    /// A folder, as unpacked.
    Folder(PathBuf),
    /// An archive on disk.
    Archive(PathBuf),
    /// An archive behind an address.
    Url { url: String, token_host: Option<String> },
}

/// What is known of a package before it comes.
pub(crate) enum Proof {
    /// Nothing.
    None,
    /// The mirror's own hashes.
    Hashes(Vec<String>),
    /// The registry's, with a signature.
    Signed(Box<registry::Download>),
}

/// The versions that a place has. `None`: it does not know the provider.
pub(crate) fn versions(
    fetcher: &Fetcher,
    method: &Method,
    provider: &ProviderAddress,
    listener: Listener<'_>,
) -> Result<Option<Vec<Version>>, InstallError> {
    match &method.place {
        Place::Folder(dir) => {
            let found = folder_versions(dir, provider, &Platform::current());
            Ok((!found.is_empty()).then(|| found.into_iter().collect()))
        }
        Place::Mirror(base) => {
            let url = format!("{base}{provider}/index.json");
            let answer = fetcher.http.get(&url, token(fetcher, base)?.as_deref())?;
            match answer.status {
                404 => return Ok(None),
                200..300 => {}
                _ => {
                    return fetcher
                        .http
                        .get_ok(&url, token(fetcher, base)?.as_deref())
                        .map(|_| None);
                }
            }
            let json = answer.json()?;
            let versions = json["versions"].as_object().ok_or_else(|| InstallError::Answer {
                url: http::shown(&url),
                expected: "a list of versions".to_owned(),
                reason: "`versions` is missing".to_owned(),
            })?;
            Ok(Some(versions.keys().filter_map(|text| text.parse().ok()).collect()))
        }
        Place::Registry => {
            let Some((versions, warnings)) = registry::provider_versions(fetcher, provider)? else {
                return Ok(None);
            };
            for warning in warnings {
                listener(crate::Event::Warning(provider.clone(), warning));
            }
            Ok(Some(versions))
        }
    }
}

fn token(fetcher: &Fetcher, url: &str) -> Result<Option<std::sync::Arc<str>>, InstallError> {
    match http::host_of(url) {
        Some(host) => fetcher.settings.token(host),
        None => Ok(None),
    }
}

/// The package of a version. `None`: the place does not have it.
pub(crate) fn package(
    fetcher: &Fetcher,
    method: &Method,
    provider: &ProviderAddress,
    version: &Version,
    platform: &Platform,
) -> Result<Option<Package>, InstallError> {
    match &method.place {
        Place::Folder(dir) => Ok(folder_package(dir, provider, version, platform)
            .map(|location| Package { location, proof: Proof::None })),
        Place::Mirror(base) => mirror_package(fetcher, base, provider, version, platform),
        Place::Registry => {
            match registry::provider_download(fetcher, provider, version, platform) {
                Ok(download) => {
                    let location = Location::Url { url: download.url.clone(), token_host: None };
                    Ok(Some(Package { location, proof: Proof::Signed(Box::new(download)) }))
                }
                Err(InstallError::NoPlatform { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        }
    }
}

fn mirror_package(
    fetcher: &Fetcher,
    base: &str,
    provider: &ProviderAddress,
    version: &Version,
    platform: &Platform,
) -> Result<Option<Package>, InstallError> {
    let url = format!("{base}{provider}/{version}.json");
    let answer = fetcher.http.get(&url, token(fetcher, base)?.as_deref())?;
    if answer.status == 404 {
        return Ok(None);
    }
    if !(200..300).contains(&answer.status) {
        return fetcher.http.get_ok(&url, token(fetcher, base)?.as_deref()).map(|_| None);
    }
    let json = answer.json()?;
    let archive = &json["archives"][platform.to_string()];
    let Some(link) = archive["url"].as_str() else { return Ok(None) };
    let hashes: Vec<String> = archive["hashes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|hash| Some(hash.as_str()?.to_owned()))
        .collect();
    let url = http::join(&answer.url, link);
    // The mirror's secret follows to the mirror's own host alone.
    let same = http::host_of(&url) == http::host_of(base);
    let token_host = http::host_of(base).filter(|_| same).map(str::to_owned);
    let proof = if hashes.is_empty() { Proof::None } else { Proof::Hashes(hashes) };
    Ok(Some(Package { location: Location::Url { url, token_host }, proof }))
}

fn provider_dir(dir: &Path, provider: &ProviderAddress) -> PathBuf {
    dir.join(&*provider.host).join(&*provider.namespace).join(&*provider.type_name)
}

/// The versions of a provider that a folder has for a platform, packed or not.
pub(crate) fn folder_versions(
    dir: &Path,
    provider: &ProviderAddress,
    platform: &Platform,
) -> std::collections::BTreeSet<Version> {
    let mut found = std::collections::BTreeSet::new();
    let target = platform.to_string();
    for (name, path) in entries(&provider_dir(dir, provider)) {
        if path.is_dir() {
            let version = name.parse().ok().filter(|_| path.join(&target).is_dir());
            found.extend(version);
        } else {
            found.extend(packed_version(&name, provider, &target));
        }
    }
    found
}

/// `terraform-provider-TYPE_VERSION_OS_ARCH.zip`
fn packed_version(name: &str, provider: &ProviderAddress, target: &str) -> Option<Version> {
    let rest = name.strip_prefix(&format!("terraform-provider-{}_", provider.type_name))?;
    rest.strip_suffix(&format!("_{target}.zip"))?.parse().ok()
}

/// The name of a package's archive.
pub(crate) fn packed_name(
    provider: &ProviderAddress,
    version: &Version,
    platform: &Platform,
) -> String {
    format!("terraform-provider-{}_{version}_{platform}.zip", provider.type_name)
}

fn folder_package(
    dir: &Path,
    provider: &ProviderAddress,
    version: &Version,
    platform: &Platform,
) -> Option<Location> {
    let own = provider_dir(dir, provider);
    let unpacked = own.join(version.to_string()).join(platform.to_string());
    if unpacked.is_dir() {
        // Links in `.terraform` must lead there from wherever they stand.
        return Some(Location::Folder(unpacked.canonicalize().unwrap_or(unpacked)));
    }
    let packed = own.join(packed_name(provider, version, platform));
    packed.is_file().then_some(Location::Archive(packed))
}

/// All providers of which a folder has anything.
pub(crate) fn folder_providers(dir: &Path) -> Vec<ProviderAddress> {
    let mut found = Vec::new();
    for (host, path) in entries(dir) {
        for (namespace, path) in entries(&path) {
            for (type_name, path) in entries(&path) {
                let address = format!("{host}/{namespace}/{type_name}").parse();
                if let (Ok(address), true) = (address, host.contains('.') && path.is_dir()) {
                    found.push(address);
                }
            }
        }
    }
    found
}

/// Names and paths in a folder, sorted; of what cannot be read nothing is known.
fn entries(dir: &Path) -> BTreeMap<String, PathBuf> {
    let found = fs::read_dir(dir).into_iter().flatten().flatten();
    found.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect()
}
