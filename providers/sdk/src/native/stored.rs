//! Stored objects and identities, brought to the current schema.

use serde_json::Value as Json;
use value::{Type, Value};

use super::Resource;
use crate::problem::Problem;
use crate::schema::{IdentitySchema, Schema};

/// Reads a stored object: the resource upgrades it, what the schema no longer has is dropped, what it has gained
/// is null.
pub(super) fn read(
    resource: &dyn Resource,
    schema: &Schema,
    version: u64,
    json: &str,
) -> Result<Value, Problem> {
    let form = Form { what: "object", version, wanted: schema.version, ty: schema.block.ty() };
    form.read(json, |tree| resource.upgrade(version, tree))
}

/// Reads a stored identity in the same way.
pub(super) fn identity(
    resource: &dyn Resource,
    schema: &IdentitySchema,
    version: u64,
    json: &str,
) -> Result<Value, Problem> {
    let form = Form { what: "identity", version, wanted: schema.version, ty: schema.ty() };
    form.read(json, |tree| resource.upgrade_identity(version, tree))
}

/// The form of something stored, and the one that is wanted.
struct Form {
    what: &'static str,
    version: u64,
    wanted: u64,
    ty: Type,
}

impl Form {
    fn read(
        &self,
        json: &str,
        upgrade: impl FnOnce(Json) -> Result<Json, Problem>,
    ) -> Result<Value, Problem> {
        if self.version > self.wanted {
            return Err(
                self.misfit("it was stored by a newer version of the provider; use that one")
            );
        }
        let mut tree: Json =
            value::json::parse(json).map_err(|error| self.misfit(&error.to_string()))?;
        if self.version < self.wanted {
            tree = upgrade(tree)?;
        }
        if let Some(attributes) = tree.as_object_mut() {
            attributes.retain(|name, _| self.ty.attribute(name).is_some());
        }
        value::json::decode(&tree, &self.ty).map_err(|error| self.misfit(&error.to_string()))
    }

    fn misfit(&self, message: &str) -> Problem {
        Problem::error(
            format!("the stored {} does not fit the schema", self.what),
            format!(
                "stored with schema version {}, wanted {}: {message}",
                self.version, self.wanted
            ),
        )
    }
}
