//! Which version of each provider is taken.

use std::collections::BTreeSet;

use address::ProviderAddress;

use super::{Request, in_parallel, source};
use crate::error::InstallError;
use crate::event::Event;
use crate::settings::{Method, Place};
use crate::version::Version;
use crate::{Fetcher, Listener};

/// A choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The provider.
    pub provider: ProviderAddress,
    /// Its version.
    pub version: Version,
}

pub(crate) fn select(
    fetcher: &Fetcher,
    request: &Request<'_>,
    listener: Listener<'_>,
) -> Result<Vec<Selected>, Vec<InstallError>> {
    let overridden = &fetcher.settings.dev_overrides;
    let mut wanted = Vec::new();
    for provider in request.requirements.providers.keys() {
        if let Some(dir) = overridden.get(provider) {
            listener(Event::Overridden(provider.clone(), dir.display().to_string()));
            continue;
        }
        let locked = request.lock.providers.get(provider).filter(|_| !request.upgrade);
        if locked.is_some() {
            listener(Event::Reusing(provider.clone()));
        } else {
            let constraints = request.requirements.constraints(provider).to_string();
            listener(Event::Finding(provider.clone(), constraints));
        }
        wanted.push((provider, locked));
    }
    let results = in_parallel(&wanted, |(provider, locked)| match locked {
        Some(entry) => keep(request, provider, &entry.version),
        None => newest(fetcher, request, provider, listener),
    });
    let (mut selected, mut errors) = (Vec::new(), Vec::new());
    for ((provider, _), result) in wanted.into_iter().zip(results) {
        match result {
            Ok(version) => selected.push(Selected { provider: provider.clone(), version }),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(selected) } else { Err(errors) }
}

fn keep(
    request: &Request<'_>,
    provider: &ProviderAddress,
    version: &Version,
) -> Result<Version, InstallError> {
    let constraints = request.requirements.constraints(provider);
    if constraints.allow(version) {
        return Ok(version.clone());
    }
    let who = request.requirements.who(provider);
    Err(InstallError::LockedVersion {
        provider: provider.short_name(),
        version: version.to_string(),
        constraints: constraints.to_string(),
        details: format!("{who}. Run `stratiform init -upgrade` to choose another version"),
    })
}

/// The newest version that all modules allow, of all that the places have.
fn newest(
    fetcher: &Fetcher,
    request: &Request<'_>,
    provider: &ProviderAddress,
    listener: Listener<'_>,
) -> Result<Version, InstallError> {
    let mut versions = BTreeSet::new();
    let mut known = false;
    for method in fetcher.settings.methods.iter().filter(|method| method.serves(provider)) {
        if let Some(found) = source::versions(fetcher, method, provider, listener)? {
            known = true;
            versions.extend(found);
        }
    }
    if !known {
        return Err(not_found(fetcher, provider));
    }
    let constraints = request.requirements.constraints(provider);
    constraints.newest(&versions).cloned().ok_or_else(|| {
        let shown: Vec<String> = versions.iter().rev().take(5).map(ToString::to_string).collect();
        let more = if versions.len() > shown.len() { ", …" } else { "" };
        InstallError::NoVersion {
            provider: provider.short_name(),
            constraints: constraints.to_string(),
            details: format!(
                "{}. There are: {}{more}",
                request.requirements.who(provider),
                shown.join(", ")
            ),
        }
    })
}

/// The error for a provider that no place knows.
pub(crate) fn not_found(fetcher: &Fetcher, provider: &ProviderAddress) -> InstallError {
    let places: Vec<String> = fetcher
        .settings
        .methods
        .iter()
        .filter(|method| method.serves(provider))
        .map(|method| place_name(method, provider))
        .collect();
    let places = match places.len() {
        0 => "no `provider_installation` method serves it; add one, or widen its `include`"
            .to_owned(),
        _ => format!(
            "searched: {}. If the address is wrong, give the right `source` in `required_providers`",
            places.join(", ")
        ),
    };
    InstallError::ProviderNotFound { provider: provider.to_string(), places }
}

fn place_name(method: &Method, provider: &ProviderAddress) -> String {
    match &method.place {
        Place::Folder(dir) => format!("`{}`", dir.display()),
        Place::Mirror(url) => format!("`{}`", crate::http::shown(url)),
        Place::Registry => format!("the registry at `{}`", provider.host),
    }
}
