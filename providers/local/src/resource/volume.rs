//! `local_volume`: a folder with a quota and a fingerprint of its content.

use std::path::Path;

use sdk::native::Object;
use sdk::{Block, Problems, Schema};
use value::{Type, Value};

use super::{Env, Fault, Work, at_least};
use crate::error::LocalError;
use crate::home::Kind;
use crate::{files, tree};

pub(super) struct Volume;

impl Work for Volume {
    const NAME: &'static str = "local_volume";
    const KIND: Kind = Kind::Volume;

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("A folder on this machine, filled from a source, with a fingerprint over names and contents.")
            .required("name", Type::String, "A name for people.")
            .required("capacity_gib", Type::Number, "How much it may hold, in GiB.")
            .optional("source", Type::String, "A folder whose content is copied into it.")
            .optional("snapshot_on_destroy", Type::Bool, "Whether its content is kept when it is destroyed.")
            .computed("path", Type::String, "Where it is.")
            .computed("fingerprint", Type::String, "SHA-256 over names and contents.")
            .computed("bytes", Type::Number, "How much it holds, in bytes.")
            .computed("files", Type::Number, "How many files it holds.")
            .computed("id", Type::String, "Unique on this machine.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Problems {
        at_least(config, &["capacity_gib"], 0)
    }

    /// The content that is wanted is the source's, as it is now.
    fn plan(&self, prior: &Value, planned: Value) -> Value {
        let unknown = |planned: Value| {
            planned.with_unknown("fingerprint").with_unknown("bytes").with_unknown("files")
        };
        match planned.get_attr("source") {
            Some(source) if source.is_unknown() => unknown(planned),
            Some(source) => {
                match source.as_str().map(|source| tree::summarize(Path::new(source))) {
                    Some(Ok(summary)) => with_summary(planned, &summary),
                    Some(Err(_)) => unknown(planned),
                    None if prior.is_null() => unknown(planned),
                    None => planned,
                }
            }
            None => planned,
        }
    }

    fn make(&self, env: &Env, _: &str, folder: &Path, planned: &Value) -> Result<Value, Fault> {
        let data = folder.join("data");
        if let Some(source) = planned.text("source").map(|source| env.path(source)) {
            if !source.is_dir() {
                return Err(LocalError::SourceMissing {
                    what: "`source`".to_owned(),
                    path: source,
                }
                .into());
            }
            let fresh = folder.join("data.new");
            files::remove(&fresh)?;
            tree::copy(&source, &fresh)?;
            files::remove(&data)?;
            std::fs::rename(&fresh, &data).map_err(LocalError::file("put in place", &data))?;
        } else {
            files::create_folder(&data)?;
        }
        let summary = tree::summarize(&data)?;
        let wanted = planned.text("fingerprint");
        if let (Some(source), Some(wanted)) = (planned.text("source"), wanted)
            && wanted != summary.fingerprint
        {
            return Err(LocalError::SourceChanged { path: env.path(source) }.into());
        }
        let limit = capacity_bytes(planned);
        if summary.bytes > limit {
            return Err(LocalError::Quota {
                name: planned.text("name").unwrap_or_default().to_owned(),
                bytes: summary.bytes,
                missing: summary.bytes - limit,
            }
            .into());
        }
        let path = data.display().to_string();
        Ok(with_summary(planned.clone().with_attr("path", path.into()), &summary))
    }

    fn look(
        &self,
        _: &Env,
        _: &str,
        folder: &Path,
        current: &Value,
    ) -> Result<Option<Value>, LocalError> {
        let data = folder.join("data");
        if !data.is_dir() {
            return Ok(None);
        }
        Ok(Some(with_summary(current.clone(), &tree::summarize(&data)?)))
    }

    fn end(&self, env: &Env, id: &str, folder: &Path, prior: &Value) -> Result<(), LocalError> {
        let data = folder.join("data");
        if prior.flag("snapshot_on_destroy") == Some(true) && data.is_dir() {
            tree::copy(&data, &env.home.snapshots().join(id))?;
        }
        files::remove(&data)
    }
}

/// Half a GiB is some room too.
fn capacity_bytes(object: &Value) -> u64 {
    let gib = object.get_attr("capacity_gib").and_then(Value::as_number);
    let bytes = gib.and_then(|gib| gib.mul(&value::Number::from(1_i64 << 30)));
    bytes.and_then(|bytes| bytes.floor().to_u64()).unwrap_or(u64::MAX)
}

fn with_summary(object: Value, summary: &tree::Summary) -> Value {
    object
        .with_attr("fingerprint", summary.fingerprint.as_str().into())
        .with_attr("bytes", summary.bytes.into())
        .with_attr("files", summary.files.into())
}

#[cfg(test)]
mod tests {
    use super::capacity_bytes;
    use value::{Number, Value};

    #[test]
    fn capacities_may_be_parts_of_a_gib() {
        for (gib, bytes) in [("0", 0), ("0.1", 107_374_182), ("1", 1 << 30), ("1e30", u64::MAX)] {
            let gib = Number::parse(gib).expect("a number");
            let object = Value::object([("capacity_gib", Value::from(gib))]);
            assert_eq!(capacity_bytes(&object), bytes);
        }
    }
}
