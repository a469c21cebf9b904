//! Finds provider binaries and makes them providers of the engine.
//!
//! A provider comes, in this order: from `TF_REATTACH_PROVIDERS`; from a development override; linked in; from
//! what `init` has installed, in the version that the lock file names. Right before a program starts, its hash is
//! compared with the lock file's. Where there is none of these, a file of schemas will do for plans.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use address::ProviderAddress;
use install::installed::Search;
use install::{Lock, Settings};
use lang::World;
use miette::Diagnostic as _;
use protocol::known::Known;
use protocol::{HostOptions, Hosted, Level, LogSink, Recorder, SchemaCache, Source, StartOptions};

use crate::digest::sha256;
use crate::fetching;
use crate::store::env;

/// The providers that are not linked in.
pub(crate) struct Found {
    /// They come before those that are linked in.
    pub(crate) overriding: Vec<Hosted>,
    /// They come after.
    pub(crate) installed: Vec<Hosted>,
    /// They come last: only their schemas are there.
    pub(crate) known: Vec<Known>,
}

/// Looks for providers; starts none. What cannot be found is told by whoever needs it, with the place that does.
pub(crate) fn find(context: &sdk::Context, world: &dyn World) -> Found {
    let recorder =
        env("STRATIFORM_RECORD_PROVIDERS").and_then(|path| Recorder::open(Path::new(&path)).ok());
    let cache = SchemaCache::new(context.home_dir.join("cache").join("schemas"));
    let packages = Arc::new(Packages {
        settings: fetching::settings(world).map(|(settings, _)| settings).unwrap_or_default(),
        lock: fetching::lock().unwrap_or_default(),
        data_dir: fetching::data_dir(),
        hash_cache: fetching::hash_cache(context),
    });
    let surroundings = surroundings(context);
    let host = |address: ProviderAddress, source: Source| {
        let mut options = options(&address.type_name, recorder.clone(), context);
        options.cache = Some(cache.clone());
        options.check = Some(packages.check(&address));
        options.surroundings.clone_from(&surroundings);
        Hosted::new(address, source, options)
    };
    let located = |address: &ProviderAddress| {
        let binary = install::located(&packages.search(), address).ok()?;
        // Providers start in the working folder, and so does the process between.
        Some(host(address.clone(), Source::Binary(context.working_dir.join(binary))))
    };
    let overridden = packages.settings.dev_overrides.keys().filter_map(located);
    let attached = attached().into_iter().map(|(address, source)| host(address, source));
    let locked = packages.lock.providers.keys();
    let installed =
        locked.filter(|one| !packages.settings.dev_overrides.contains_key(one)).filter_map(located);
    // The later one of the same address counts.
    Found {
        overriding: overridden.chain(attached).collect(),
        installed: installed.collect(),
        known: known(),
    }
}

/// The folder of files that tell schemas of providers.
const SCHEMAS: &str = ".stratiform/schemas";

/// Providers that are known by their schemas alone. A file that cannot be read is told, and left out.
fn known() -> Vec<Known> {
    let entries = std::fs::read_dir(SCHEMAS).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = files.iter().map(|file| {
        protocol::known::read(file).unwrap_or_else(|fault| {
            crate::terminal::error_line(&format!("Warning: {fault}"));
            Vec::new()
        })
    });
    read.flatten().collect()
}

/// Providers that somebody else has started.
fn attached() -> Vec<(ProviderAddress, Source)> {
    let attached = env("TF_REATTACH_PROVIDERS")
        .map(|text| protocol::reattach::parse(&text))
        .transpose()
        .unwrap_or_else(|fault| {
            crate::terminal::error_line(&format!("`TF_REATTACH_PROVIDERS` is left out: {fault}"));
            None
        });
    let attached = attached.into_iter().flatten();
    attached.filter_map(|(address, source)| Some((address.parse().ok()?, source))).collect()
}

/// How a provider is hosted, with no cache for its schemas.
pub(crate) fn options(
    name: &str,
    recorder: Option<Recorder>,
    context: &sdk::Context,
) -> HostOptions {
    HostOptions {
        start: StartOptions {
            launcher: Some(context.executable.clone()),
            plaintext: env("TF_DISABLE_PLUGIN_TLS").is_some(),
            env: Vec::new(),
            log: log_sink(),
            name: name.to_owned(),
        },
        cache: None,
        check: None,
        surroundings: None,
        recorder,
        terraform_version: env("STRATIFORM_TERRAFORM_VERSION")
            .unwrap_or_else(|| "1.11.4".to_owned()),
        max_processes: env("STRATIFORM_PROVIDER_PROCESSES")
            .and_then(|text| text.parse().ok())
            .unwrap_or(protocol::host::MAX_PROCESSES),
    }
}

/// Variables that say nothing to a provider: where a shell stands, what it runs in, and what is ours.
const UNRELATED: [&str; 12] = [
    "_",
    "COLUMNS",
    "LINES",
    "OLDPWD",
    "PS1",
    "PWD",
    "SHLVL",
    "SSH_CONNECTION",
    "SSH_TTY",
    "TERM",
    "WINDOWID",
    "XDG_SESSION_ID",
];

/// What providers see beside what they are told: the folder and the environment, as a digest. `None` where answers are
/// not to be kept.
fn surroundings(context: &sdk::Context) -> Option<String> {
    use std::os::unix::ffi::OsStrExt as _;
    if env("STRATIFORM_KEEP_ANSWERS").is_some_and(|text| text == "0") {
        return None;
    }
    let is_related = |name: &std::ffi::OsStr| {
        let name = name.to_string_lossy();
        let ours = ["STRATIFORM_", "TF_VAR_"].iter().any(|ours| name.starts_with(ours));
        !ours && !UNRELATED.contains(&&*name)
    };
    let mut variables: Vec<_> = std::env::vars_os().filter(|(name, _)| is_related(name)).collect();
    variables.sort();
    let mut parts = vec![context.working_dir.as_os_str().as_bytes()];
    parts.extend(variables.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
    Some(sha256(&parts.join(&0)))
}

/// What is needed to find programs and to check them.
struct Packages {
    settings: Settings,
    lock: Lock,
    data_dir: PathBuf,
    hash_cache: PathBuf,
}

impl Packages {
    fn search(&self) -> Search<'_> {
        Search {
            data_dir: &self.data_dir,
            lock: &self.lock,
            settings: &self.settings,
            hash_cache: Some(&self.hash_cache),
        }
    }

    /// A check that the provider's program is the one that the lock file knows.
    fn check(self: &Arc<Self>, provider: &ProviderAddress) -> protocol::Check {
        let (packages, provider) = (Arc::clone(self), provider.clone());
        Arc::new(move || {
            let checked = install::installed(&packages.search(), &provider);
            checked.map(|_| ()).map_err(|error| match error.help() {
                Some(help) => format!("{error}; {help}"),
                None => error.to_string(),
            })
        })
    }
}

/// Where the logs of providers go: to `TF_LOG_PATH` or the error stream, from the level that `TF_LOG_PROVIDER` or
/// `TF_LOG` names.
fn log_sink() -> LogSink {
    let level = env("TF_LOG_PROVIDER").or_else(|| env("TF_LOG"));
    let Some(level) = level.and_then(|text| Level::parse(&text)) else {
        return Arc::new(|_, _, _| {});
    };
    let file = env("TF_LOG_PATH")
        .and_then(|path| std::fs::File::options().create(true).append(true).open(path).ok())
        .map(std::sync::Mutex::new);
    Arc::new(move |own, provider, text| {
        if own < level {
            return;
        }
        let line = format!("[{}] provider {provider}: {text}", own.name());
        match &file {
            Some(file) => {
                use std::io::Write as _;
                if let Ok(mut file) = file.lock() {
                    // A log that cannot be written must not stop the work.
                    let _ = writeln!(file, "{line}");
                }
            }
            None => crate::terminal::error_line(&line),
        }
    })
}
