//! Providers: which are needed, which version of each, and how it gets into its place.
//!
//! In: requirements of all modules, the lock, the settings. Out: folders under `DATA/providers` and the new lock.
//! [`select`] decides, [`install`] carries out; `source` knows the places, `place` puts a package where it belongs.

pub(crate) mod source;

mod place;

mod mirror;

mod select;

pub use mirror::{lock_platforms, mirror};
pub use select::Selected;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use address::ProviderAddress;

use crate::constraint::Constraints;
use crate::error::InstallError;
use crate::event::Event;
use crate::lock::{Entry, Lock};
use crate::{Fetcher, Listener, durable};

/// So many packages are fetched at once.
const PARALLEL: usize = 4;

/// What a configuration needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirements {
    /// By provider: who asks for what. A module's own words beside its address, such as `module.net`.
    pub providers: BTreeMap<ProviderAddress, Vec<Asked>>,
}

/// One module's wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The module: `the root module`, `module.net`.
    pub by: String,
    /// Its constraints.
    pub constraints: Constraints,
}

impl Requirements {
    /// Adds a wish.
    pub fn ask(&mut self, provider: &ProviderAddress, by: &str, constraints: Constraints) {
        let asked = Asked { by: by.to_owned(), constraints };
        self.providers.entry(provider.clone()).or_default().push(asked);
    }

    /// All constraints on a provider together.
    pub fn constraints(&self, provider: &ProviderAddress) -> Constraints {
        let mut all = Constraints::default();
        for asked in self.providers.get(provider).into_iter().flatten() {
            all.add(&asked.constraints);
        }
        all
    }

    /// Who asks for what, in words.
    pub(crate) fn who(&self, provider: &ProviderAddress) -> String {
        let asked = self.providers.get(provider).into_iter().flatten();
        let words: Vec<String> = asked
            .map(|asked| match asked.constraints.to_string() {
                text if text.is_empty() => format!("{} takes any version", asked.by),
                text => format!("{} asks for {text}", asked.by),
            })
            .collect();
        words.join("; ")
    }
}

/// How to install.
pub struct Request<'a> {
    /// What is needed; the linked-in providers are not among them.
    pub requirements: &'a Requirements,
    /// What the lock file says.
    pub lock: &'a Lock,
    /// Look for newer versions than the locked ones.
    pub upgrade: bool,
    /// `.terraform`, or what `TF_DATA_DIR` says.
    pub data_dir: &'a Path,
}

/// What has come of an installation.
#[derive(Debug)]
pub struct Outcome {
    /// The lock as it should be written.
    pub lock: Lock,
    /// Providers of which only this platform's hash is known.
    pub incomplete: Vec<ProviderAddress>,
}

/// Where the packages of a working folder are.
pub fn providers_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("providers")
}

/// Chooses versions and puts all packages in their places. Independent faults come all at once.
///
/// # Errors
///
/// Whatever went wrong; what was installed before stays, and the lock file is not written.
pub fn install(
    fetcher: &Fetcher,
    request: &Request<'_>,
    listener: Listener<'_>,
) -> Result<Outcome, Vec<InstallError>> {
    let one = |error| vec![error];
    let guard = request.data_dir.join("providers/.lock");
    let _guard = durable::PlaceLock::take(&guard)
        .map_err(|error| one(InstallError::write(&guard, &error)))?;
    let selected = select::select(fetcher, request, listener)?;
    let results = in_parallel(&selected, |one| place::put(fetcher, request, one, listener));
    let mut outcome = Outcome { lock: Lock::default(), incomplete: Vec::new() };
    let mut errors = Vec::new();
    for (selected, result) in selected.iter().zip(results) {
        match result {
            Ok(placed) => {
                if placed.only_this_platform {
                    outcome.incomplete.push(selected.provider.clone());
                }
                let entry = Entry {
                    version: selected.version.clone(),
                    constraints: request.requirements.constraints(&selected.provider).to_string(),
                    hashes: placed.hashes,
                };
                outcome.lock.providers.insert(selected.provider.clone(), entry);
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(outcome) } else { Err(errors) }
}

/// Does something for all, a few at a time; results in the order of the list.
pub(crate) fn in_parallel<T: Sync, R: Send>(all: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = Mutex::new(0..all.len());
    let results: Mutex<BTreeMap<usize, R>> = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL.min(all.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
                    let Some(at) = at else { return };
                    let result = run(&all[at]);
                    results
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .insert(at, result);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_values().collect()
}

/// Says that a provider is part of the program.
pub fn built_in(provider: &ProviderAddress, listener: Listener<'_>) {
    listener(Event::BuiltIn(provider.clone()));
}
