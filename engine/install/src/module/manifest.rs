//! `modules.json`: which folder holds the module of which call. Terraform reads and writes the same file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::constraint::Constraints;
use crate::durable;
use crate::error::InstallError;
use crate::version::Version;

/// The file, by the keys of calls: `net.subnets`; the root module has the empty one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// What is installed.
    pub records: BTreeMap<String, Record>,
}

/// One module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its source in canonical form.
    pub source: String,
    /// Its version, where it comes from a registry.
    pub version: Option<Version>,
    /// Its folder, relative to the working folder.
    pub dir: PathBuf,
}

/// Where modules are kept.
pub fn modules_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("modules")
}

fn file(data_dir: &Path) -> PathBuf {
    modules_dir(data_dir).join("modules.json")
}

impl Manifest {
    /// Reads the file. An absent one is an empty one; so is one that makes no sense, since it is only a record of
    /// what can be fetched again.
    pub fn read(data_dir: &Path) -> Self {
        let parsed = std::fs::read(file(data_dir))
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Json>(&bytes).ok());
        let entries = parsed.as_ref().and_then(|json| json["Modules"].as_array());
        let records = entries.into_iter().flatten().filter_map(|entry| {
            let text = |name: &str| entry[name].as_str();
            let record = Record {
                source: text("Source")?.to_owned(),
                version: text("Version").and_then(|text| text.parse().ok()),
                dir: PathBuf::from(text("Dir")?),
            };
            Some((text("Key")?.to_owned(), record))
        });
        Self { records: records.collect() }
    }

    /// Writes the file, durably.
    pub fn write(&self, data_dir: &Path) -> Result<(), InstallError> {
        let entries: Vec<Json> = self
            .records
            .iter()
            .map(|(key, record)| {
                let mut entry = serde_json::Map::new();
                entry.insert("Key".to_owned(), json!(key));
                entry.insert("Source".to_owned(), json!(record.source));
                if let Some(version) = &record.version {
                    entry.insert("Version".to_owned(), json!(version.to_string()));
                }
                entry.insert("Dir".to_owned(), json!(slashed(&record.dir)));
                Json::Object(entry)
            })
            .collect();
        let path = file(data_dir);
        let text = json!({ "Modules": entries }).to_string();
        durable::write_file(&path, text.as_bytes())
            .map_err(|error| InstallError::write(&path, &error))
    }

    /// The folder of a call's module, if it is the source that the call names now, in a version that it allows.
    pub fn dir(&self, key: &str, source: &str, constraints: Option<&str>) -> Option<&Path> {
        let wanted = super::address::parse(source).ok()?.to_string();
        let record = self.records.get(key).filter(|record| record.source == wanted)?;
        let fits = match (&record.version, constraints) {
            (Some(version), Some(text)) => text.parse::<Constraints>().ok()?.allow(version),
            _ => true,
        };
        fits.then_some(&*record.dir)
    }
}

fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_written_as_terraform_writes_it() {
        let text = r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"a","Source":"registry.terraform.io/a/b/c","Version":"1.2.0","Dir":".terraform/modules/a"},{"Key":"g","Source":"git::file:///m?ref=v1","Dir":".terraform/modules/g"}]}"#;
        let data = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(data.path().join("modules")).expect("a folder");
        std::fs::write(file(data.path()), text).expect("a file");
        let manifest = Manifest::read(data.path());
        assert_eq!(
            manifest.dir("a", "a/b/c", Some("~> 1.1")),
            Some(Path::new(".terraform/modules/a"))
        );
        assert_eq!(manifest.dir("a", "a/b/c", Some("~> 2.0")), None, "another version");
        assert_eq!(manifest.dir("a", "a/b/d", None), None, "another source");
        manifest.write(data.path()).expect("written");
        assert_eq!(std::fs::read_to_string(file(data.path())).expect("a file"), text);
    }
}
