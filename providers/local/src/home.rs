//! Where things live: one machine-wide home, in it one folder per object.
//!
//! ```text
//! HOME/ledger.json, ledger.lock        promises of the machine's parts
//! HOME/<kind>/<id>/object.json         what the object is, and the token that made it
//! HOME/<kind>/<id>/…                   what else its kind keeps
//! HOME/snapshots/<id>/                 volumes kept at their destruction
//! ```
//!
//! An id is a digest of the kind and the creation's idempotency token, so that a creation that is
//! tried again meets the first one's folder, and two stacks never meet.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::LocalError;
use crate::files;

/// A kind of object, with the folder that holds all of its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    NodePool,
    Fabric,
    Volume,
    /// One command.
    Job,
    /// Steps that run one after the other.
    Pipeline,
    Endpoint,
}

impl Kind {
    /// The folder under the home, and the id's prefix.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NodePool => ("node-pools", "pool"),
            Self::Fabric => ("fabrics", "fabric"),
            Self::Volume => ("volumes", "volume"),
            Self::Job => ("jobs", "job"),
            Self::Pipeline => ("pipelines", "pipeline"),
            Self::Endpoint => ("endpoints", "endpoint"),
        }
    }
}

/// What every object's folder says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectRecord {
    /// Version of this record's form.
    pub(crate) format: u32,
    pub(crate) id: String,
    pub(crate) name: String,
    /// Idempotency token of the creation.
    pub(crate) token: String,
    /// Folder of the stack that made it, to tell people whose it is.
    pub(crate) stack: PathBuf,
    pub(crate) created_unix_ms: u64,
    /// The object's last known attributes, as JSON of its resource type.
    pub(crate) attributes: serde_json::Value,
}

/// The machine-wide home folder.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) root: PathBuf,
}

impl Home {
    /// The id of the object of this kind that a token creates.
    pub(crate) fn id(kind: Kind, token: &str) -> String {
        let (_, prefix) = kind.words();
        let digest =
            Sha256::new().chain_update(prefix).chain_update([0]).chain_update(token).finalize();
        format!("{prefix}-{}", files::hex(&digest[..8]))
    }

    /// An object's folder.
    ///
    /// # Errors
    ///
    /// [`LocalError::ObjectMissing`] for an id that could not have come from [`Home::id`]; it
    /// might otherwise name a folder outside the home.
    pub(crate) fn folder(&self, kind: Kind, id: &str) -> Result<PathBuf, LocalError> {
        let (folder, prefix) = kind.words();
        let digest = id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
        match digest {
            Some(digest) if !digest.is_empty() && digest.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Ok(self.root.join(folder).join(id))
            }
            _ => Err(LocalError::ObjectMissing { kind: prefix, id: id.to_owned() }),
        }
    }

    /// Reads an object's record; `None` when the object does not exist.
    pub(crate) fn object(&self, kind: Kind, id: &str) -> Result<Option<ObjectRecord>, LocalError> {
        match self.folder(kind, id) {
            Ok(folder) => files::read_record(&folder.join("object.json")),
            Err(_) => Ok(None),
        }
    }

    /// Writes an object's record, creating its folder.
    pub(crate) fn write_object(&self, kind: Kind, record: &ObjectRecord) -> Result<(), LocalError> {
        let folder = self.folder(kind, &record.id)?;
        files::create_folder(&folder)?;
        files::write_record(&folder.join("object.json"), record)
    }

    /// All objects of a kind, by id. A folder without a record is one half made or half removed,
    /// and is left out.
    pub(crate) fn objects(&self, kind: Kind) -> Result<Vec<ObjectRecord>, LocalError> {
        let folder = self.root.join(kind.words().0);
        let mut ids: Vec<String> = match fs::read_dir(&folder) {
            Ok(entries) => {
                entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
            }
            Err(error) if files::is_absent(&error) => Vec::new(),
            Err(error) => return Err(LocalError::file("list", &folder)(error)),
        };
        ids.sort();
        ids.iter().filter_map(|id| self.object(kind, id).transpose()).collect()
    }

    /// Removes an object's folder. The record goes first, so that a crash halfway leaves no
    /// object that looks whole.
    pub(crate) fn remove_object(&self, kind: Kind, id: &str) -> Result<(), LocalError> {
        let Ok(folder) = self.folder(kind, id) else { return Ok(()) };
        files::remove(&folder.join("object.json"))?;
        files::remove(&folder)
    }

    /// The folder of kept volumes.
    pub(crate) fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_kind_and_token() {
        let id = Home::id(Kind::Pipeline, "t1");
        assert_eq!(id, Home::id(Kind::Pipeline, "t1"));
        assert_ne!(id, Home::id(Kind::Pipeline, "t2"));
        assert_ne!(id[4..], Home::id(Kind::Volume, "t1")[7..]);
    }

    #[test]
    fn ids_from_elsewhere_name_no_folder() {
        let home = Home { root: PathBuf::from("/home") };
        for id in ["", "pipeline-", "pipeline-../..", "../x", "volume-00ff", "pipeline-00/ff"] {
            assert!(home.folder(Kind::Pipeline, id).is_err(), "{id}");
        }
        assert_eq!(
            home.folder(Kind::Pipeline, "pipeline-00ff").expect("an id of ours"),
            std::path::Path::new("/home/pipelines/pipeline-00ff")
        );
    }
}
