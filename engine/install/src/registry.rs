//! The registry protocol: which services a host has, which versions, where a package is.
//!
//! Source: the published protocols for service discovery, provider registries and module registries.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use address::ProviderAddress;
use serde_json::Value as Json;

use crate::Fetcher;
use crate::error::InstallError;
use crate::http::{self, Answer};
use crate::platform::Platform;
use crate::version::Version;

/// The service of provider registries.
pub(crate) const PROVIDERS: &str = "providers.v1";
/// The service of module registries.
pub(crate) const MODULES: &str = "modules.v1";

/// Addresses of a host's services.
pub(crate) type Services = BTreeMap<String, String>;

/// Where a package of a registry is, and what vouches for it.
pub(crate) struct Download {
    pub(crate) url: String,
    pub(crate) filename: String,
    /// SHA-256 of the archive, in hexadecimal.
    pub(crate) shasum: String,
    pub(crate) sums_url: String,
    pub(crate) signature_url: String,
    /// ASCII-armoured keys.
    pub(crate) keys: Vec<String>,
}

/// The base address of a host's service, with `/` at its end.
pub(crate) fn service(fetcher: &Fetcher, host: &str, name: &str) -> Result<String, InstallError> {
    if let Some(services) = fetcher.settings.services.get(host) {
        return services.get(name).map(|url| with_slash(url)).ok_or_else(|| no_service(host, name));
    }
    let known =
        fetcher.discovered.lock().unwrap_or_else(PoisonError::into_inner).get(host).cloned();
    let services = match known {
        Some(services) => services,
        None => {
            let found = discover(fetcher, host)?;
            let mut known = fetcher.discovered.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(host.to_owned(), found.clone());
            found
        }
    };
    services.get(name).cloned().ok_or_else(|| no_service(host, name))
}

fn no_service(host: &str, service: &str) -> InstallError {
    InstallError::NoService { host: host.to_owned(), service: service.to_owned() }
}

fn with_slash(url: &str) -> String {
    if url.ends_with('/') { url.to_owned() } else { format!("{url}/") }
}

fn discover(fetcher: &Fetcher, host: &str) -> Result<Services, InstallError> {
    let url = format!("https://{host}/.well-known/terraform.json");
    let answer = fetcher.http.get(&url, fetcher.settings.token(host)?.as_deref())?;
    if answer.status == 404 {
        return Ok(Services::new());
    }
    if !(200..300).contains(&answer.status) {
        return Err(strange(&answer, "a list of services", &format!("status {}", answer.status)));
    }
    let json = answer.json()?;
    let object = json.as_object().into_iter().flatten();
    let texts = object.filter_map(|(name, url)| Some((name.clone(), url.as_str()?)));
    Ok(texts.map(|(name, url)| (name, with_slash(&http::join(&answer.url, url)))).collect())
}

fn strange(answer: &Answer, expected: &str, reason: &str) -> InstallError {
    InstallError::Answer {
        url: http::shown(&answer.url),
        expected: expected.to_owned(),
        reason: reason.to_owned(),
    }
}

/// The secret goes to the host that the address names, and to no other.
fn get(fetcher: &Fetcher, host: &str, url: &str) -> Result<Answer, InstallError> {
    fetcher.http.get(url, fetcher.settings.token(host)?.as_deref())
}

/// Versions of a provider that this program can talk to, with warnings. `None`: the registry does not know it.
pub(crate) fn provider_versions(
    fetcher: &Fetcher,
    provider: &ProviderAddress,
) -> Result<Option<(Vec<Version>, Vec<String>)>, InstallError> {
    let base = service(fetcher, &provider.host, PROVIDERS)?;
    let url = format!("{base}{}/{}/versions", provider.namespace, provider.type_name);
    let answer = get(fetcher, &provider.host, &url)?;
    if answer.status == 404 {
        return Ok(None);
    }
    if answer.status != 200 {
        return Err(refusal(fetcher, &provider.host, &url));
    }
    let json = answer.json()?;
    let listed = json["versions"]
        .as_array()
        .ok_or_else(|| strange(&answer, "a list of versions", "`versions` is missing"))?;
    let mut versions = Vec::new();
    let mut refused = None;
    for one in listed {
        let Some(version) = one["version"].as_str().and_then(|text| text.parse::<Version>().ok())
        else {
            continue;
        };
        match speaks(&one["protocols"]) {
            Ok(()) => versions.push(version),
            Err(found) => refused = Some((version, found)),
        }
    }
    if let (true, Some((version, found))) = (versions.is_empty(), refused) {
        let (provider, version) = (provider.to_string(), version.to_string());
        return Err(InstallError::Protocol { provider, version, found });
    }
    let warnings = json["warnings"].as_array().into_iter().flatten();
    let warnings = warnings.filter_map(|one| Some(one.as_str()?.to_owned())).collect();
    Ok(Some((versions, warnings)))
}

/// The error that a refused address gives.
fn refusal(fetcher: &Fetcher, host: &str, url: &str) -> InstallError {
    let token = match fetcher.settings.token(host) {
        Ok(token) => token,
        Err(error) => return error,
    };
    match fetcher.http.get_ok(url, token.as_deref()) {
        Err(error) => error,
        Ok(answer) => strange(&answer, "the same answer twice", "it changed"),
    }
}

/// Protocols 5 and 6 are understood; a list that is missing or empty says nothing.
fn speaks(protocols: &Json) -> Result<(), String> {
    let all: Vec<&str> =
        protocols.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let fits = all.iter().any(|one| matches!(one.split('.').next(), Some("5" | "6")));
    if fits || all.is_empty() { Ok(()) } else { Err(all.join(", ")) }
}

/// Where the package of a version is.
pub(crate) fn provider_download(
    fetcher: &Fetcher,
    provider: &ProviderAddress,
    version: &Version,
    platform: &Platform,
) -> Result<Download, InstallError> {
    let base = service(fetcher, &provider.host, PROVIDERS)?;
    let Platform { os, arch } = platform;
    let url = format!(
        "{base}{}/{}/{version}/download/{os}/{arch}",
        provider.namespace, provider.type_name
    );
    let answer = get(fetcher, &provider.host, &url)?;
    match answer.status {
        200 => {}
        404 => {
            return Err(InstallError::NoPlatform {
                provider: provider.to_string(),
                version: version.to_string(),
                platform: platform.to_string(),
            });
        }
        _ => return Err(refusal(fetcher, &provider.host, &url)),
    }
    let json = answer.json()?;
    if let Err(found) = speaks(&json["protocols"]) {
        let (provider, version) = (provider.to_string(), version.to_string());
        return Err(InstallError::Protocol { provider, version, found });
    }
    let text = |name: &str| {
        json[name]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| strange(&answer, "a package", &format!("`{name}` is missing")))
    };
    let link = |name: &str| text(name).map(|url| http::join(&answer.url, &url));
    let keys = json["signing_keys"]["gpg_public_keys"].as_array().into_iter().flatten();
    let filename = text("filename")?;
    if filename.is_empty() || filename.contains(['/', '\\']) || filename.starts_with('.') {
        return Err(strange(&answer, "a package", "`filename` is not a plain name"));
    }
    Ok(Download {
        url: link("download_url")?,
        filename,
        shasum: text("shasum")?.to_lowercase(),
        sums_url: link("shasums_url")?,
        signature_url: link("shasums_signature_url")?,
        keys: keys.filter_map(|key| Some(key["ascii_armor"].as_str()?.to_owned())).collect(),
    })
}

/// Versions of a module.
pub(crate) fn module_versions(
    fetcher: &Fetcher,
    host: &str,
    path: &str,
) -> Result<Vec<Version>, InstallError> {
    let url = format!("{}{path}/versions", service(fetcher, host, MODULES)?);
    let answer = fetcher.http.get_ok(&url, fetcher.settings.token(host)?.as_deref())?;
    let json = answer.json()?;
    let listed = json["modules"][0]["versions"].as_array().ok_or_else(|| {
        strange(&answer, "a list of versions", "`modules[0].versions` is missing")
    })?;
    Ok(listed.iter().filter_map(|one| one["version"].as_str()?.parse().ok()).collect())
}

/// The source address that a module's version stands for.
pub(crate) fn module_source(
    fetcher: &Fetcher,
    host: &str,
    path: &str,
    version: &Version,
) -> Result<String, InstallError> {
    let url = format!("{}{path}/{version}/download", service(fetcher, host, MODULES)?);
    let answer = fetcher.http.get_ok(&url, fetcher.settings.token(host)?.as_deref())?;
    let from_body = || {
        let json: Json = serde_json::from_slice(&answer.body).ok()?;
        Some(json["location"].as_str()?.to_owned())
    };
    let source = answer.header("x-terraform-get").map(str::to_owned).or_else(from_body);
    let source = source
        .filter(|source| !source.is_empty())
        .ok_or_else(|| strange(&answer, "a module", "`X-Terraform-Get` is missing"))?;
    let relative = ["/", "./", "../"].iter().any(|start| source.starts_with(start));
    Ok(if relative { http::join(&answer.url, &source) } else { source })
}
