//! Stored objects, brought to the current schema.

use serde_json::Value as Json;
use value::Value;

use super::Resource;
use crate::problem::Problem;
use crate::schema::Schema;

/// Reads a stored object: the resource upgrades it, what the schema no longer has is dropped, what it has gained
/// is null.
pub(super) fn read(
    resource: &dyn Resource,
    schema: &Schema,
    version: u64,
    json: &str,
) -> Result<Value, Problem> {
    let misfit = |message: String| {
        Problem::error(
            "the stored object does not fit the schema",
            format!("stored with schema version {version}, wanted {}: {message}", schema.version),
        )
    };
    if version > schema.version {
        return Err(misfit(
            "it was stored by a newer version of the provider; use that one".to_owned(),
        ));
    }
    let mut tree: Json = value::json::parse(json).map_err(|error| misfit(error.to_string()))?;
    if version < schema.version {
        tree = resource.upgrade(version, tree)?;
    }
    let known = |name: &str| {
        schema.block.attributes.contains_key(name) || schema.block.blocks.contains_key(name)
    };
    if let Some(attributes) = tree.as_object_mut() {
        attributes.retain(|name, _| known(name));
    }
    value::json::decode(&tree, &schema.block.ty()).map_err(|error| misfit(error.to_string()))
}
