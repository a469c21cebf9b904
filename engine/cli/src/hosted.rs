//! Finds provider binaries and makes them providers of the engine.
//!
//! A provider comes, in this order: from `TF_REATTACH_PROVIDERS`; from a development override; linked in; from
//! what `init` has installed under `.terraform/providers`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use address::ProviderAddress;
use protocol::{HostOptions, Hosted, Level, LogSink, Recorder, SchemaCache, Source, StartOptions};

use crate::store::env;

/// Binaries that stand in for installed ones, by address: the development overrides of the CLI configuration.
pub(crate) type Overrides = BTreeMap<ProviderAddress, PathBuf>;

/// The providers that are not linked in.
pub(crate) struct Found {
    /// They come before those that are linked in.
    pub(crate) overriding: Vec<Hosted>,
    /// They come after.
    pub(crate) installed: Vec<Hosted>,
}

/// Looks for providers; starts none.
pub(crate) fn find(context: &sdk::Context, overrides: &Overrides) -> Found {
    let recorder =
        env("STRATIFORM_RECORD_PROVIDERS").and_then(|path| Recorder::open(Path::new(&path)).ok());
    let cache = SchemaCache::new(context.home_dir.join("cache").join("schemas"));
    let host = |address: ProviderAddress, source: Source| {
        let mut options = options(&address.type_name, recorder.clone(), context);
        options.cache = Some(cache.clone());
        Hosted::new(address, source, options)
    };
    let attached = env("TF_REATTACH_PROVIDERS")
        .map(|text| protocol::reattach::parse(&text))
        .transpose()
        .unwrap_or_else(|fault| {
            crate::terminal::error_line(&format!("`TF_REATTACH_PROVIDERS` is left out: {fault}"));
            None
        });
    let attached = attached
        .into_iter()
        .flatten()
        .filter_map(|(address, source)| Some(host(address.parse().ok()?, source)));
    let overridden = overrides
        .iter()
        .map(|(address, binary)| host(address.clone(), Source::Binary(binary.clone())));
    let installed = installed(&context.working_dir.join(data_folder()).join("providers"));
    Found {
        // The later one of the same address counts.
        overriding: overridden.chain(attached).collect(),
        installed: installed
            .into_iter()
            .map(|(address, binary)| host(address, Source::Binary(binary)))
            .collect(),
    }
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
        recorder,
        terraform_version: env("STRATIFORM_TERRAFORM_VERSION")
            .unwrap_or_else(|| "1.11.4".to_owned()),
    }
}

/// Where `init` keeps what it has installed.
fn data_folder() -> PathBuf {
    env("TF_DATA_DIR").map_or_else(|| PathBuf::from(".terraform"), PathBuf::from)
}

/// The binaries under a folder that is laid out as `HOST/NAMESPACE/TYPE/VERSION/OS_ARCH`, one for each address:
/// of the version that the lock file names, else of the newest.
fn installed(folder: &Path) -> BTreeMap<ProviderAddress, PathBuf> {
    let locked =
        locked_versions(&std::fs::read_to_string(".terraform.lock.hcl").unwrap_or_default());
    let mut found = BTreeMap::new();
    for (host, namespaces) in folders(folder) {
        for (namespace, types) in folders(&namespaces) {
            for (type_name, versions) in folders(&types) {
                let text = format!("{host}/{namespace}/{type_name}");
                let Ok(address) = text.parse::<ProviderAddress>() else { continue };
                let mut versions = folders(&versions);
                versions.sort_by_key(|(version, _)| version_key(version));
                let wanted = locked.get(&text);
                let chosen = versions
                    .iter()
                    .find(|(version, _)| Some(version) == wanted)
                    .or(versions.last());
                let binary = chosen.and_then(|(_, folder)| {
                    protocol::package::binary_in(
                        &folder.join(protocol::package::platform()),
                        &type_name,
                    )
                });
                if let Some(binary) = binary {
                    found.insert(address, binary);
                }
            }
        }
    }
    found
}

fn folders(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(String, PathBuf)> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    found.sort();
    found
}

/// Orders versions by their numbers; a pre-release comes before its release.
fn version_key(version: &str) -> (Vec<u64>, bool, String) {
    let (numbers, rest) = version.split_once('-').unwrap_or((version, ""));
    let numbers = numbers.split('.').map(|number| number.parse().unwrap_or(0)).collect();
    (numbers, rest.is_empty(), rest.to_owned())
}

/// The versions that a lock file names, by address.
fn locked_versions(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut address = None;
    for line in text.lines().map(str::trim) {
        let quoted = || line.split('"').nth(1).map(str::to_owned);
        if line.starts_with("provider ") {
            address = quoted();
        } else if line.starts_with("version")
            && let (Some(address), Some(version)) = (address.take(), quoted())
        {
            found.insert(address, version);
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_read() {
        let text = "# made by init\nprovider \"registry.terraform.io/hashicorp/aws\" {\n  version     = \"5.100.0\"\n  constraints = \"~> 5.0\"\n}\n";
        let found = locked_versions(text);
        assert_eq!(found["registry.terraform.io/hashicorp/aws"], "5.100.0");
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let mut versions = ["1.10.0", "1.9.0", "1.10.0-rc1"];
        versions.sort_by_key(|version| version_key(version));
        assert_eq!(versions, ["1.9.0", "1.10.0-rc1", "1.10.0"]);
    }
}
