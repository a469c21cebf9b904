//! The object before planning: as recorded, as it really is, and the difference between the two.

use std::sync::Arc;

use address::{AttributePath, PathStep};
use sdk::{ImportKey, Private, ReadRequest, UpgradeRequest};
use state::{Object, ObjectStatus};
use syntax::Diagnostics;
use value::{Marks, Value};

use super::{Input, Prior};
use crate::error::PlanError;
use crate::model::{DriftAttribute, DriftChange};
use crate::normalise::normalise;

impl Input {
    /// The stored object in the form of the current schema.
    pub(super) async fn recorded(
        &self,
        warnings: &mut Diagnostics,
    ) -> Result<Option<Value>, Diagnostics> {
        match &self.stored {
            Some(stored) if self.taken_over.is_some() => {
                self.taken_over(stored, warnings).await.map(|taken| Some(taken.state))
            }
            Some(stored) => self.upgraded(stored, warnings).await.map(Some),
            None => Ok(None),
        }
    }

    /// A recorded object in the form of the current schema.
    pub(crate) async fn upgraded(
        &self,
        stored: &Object,
        warnings: &mut Diagnostics,
    ) -> Result<Value, Diagnostics> {
        let schema = self.schema.get();
        if stored.schema_version > schema.version {
            return Err(PlanError::NewerSchema {
                address: self.address.to_string(),
                found: stored.schema_version,
                known: schema.version,
            }
            .into());
        }
        let request = UpgradeRequest {
            type_name: Arc::clone(&self.address.resource.type_name),
            version: stored.schema_version,
            state_json: Arc::clone(&stored.attributes_json),
        };
        let answer =
            self.reader.upgrade(request).await.map_err(|error| self.failed("upgrade", &error))?;
        self.sift(answer.problems, warnings)?;
        let unreadable = |message: &str| -> Diagnostics {
            PlanError::StoredObject {
                address: self.address.to_string(),
                message: message.to_owned(),
            }
            .into()
        };
        let value = answer.value.ok_or_else(|| unreadable("the provider gave no object"))?;
        if !value.conforms(&schema.block.ty()) || !value.is_wholly_known() {
            return Err(unreadable("it does not fit the schema"));
        }
        Ok(value)
    }

    pub(super) async fn real(
        &self,
        recorded: Option<&Value>,
        identity: Option<Value>,
        warnings: &mut Diagnostics,
    ) -> Result<Prior, Diagnostics> {
        let ty = self.schema.get().block.ty();
        let (Some(recorded), Some(stored)) = (recorded, &self.stored) else {
            return Ok(Prior::none(ty));
        };
        let tainted = stored.status == ObjectStatus::Tainted;
        let private = Private::from(stored.private.as_slice());
        if !self.refresh {
            let value = recorded.clone();
            return Ok(Prior { value, private, tainted, identity, deferred: None });
        }
        let read = self.read(recorded.clone(), private, identity, warnings).await?;
        Ok(Prior { tainted, ..read })
    }

    pub(crate) async fn read(
        &self,
        current: Value,
        private: Private,
        identity: Option<Value>,
        warnings: &mut Diagnostics,
    ) -> Result<Prior, Diagnostics> {
        let ty = self.schema.get().block.ty();
        let request = ReadRequest {
            type_name: Arc::clone(&self.address.resource.type_name),
            current,
            private,
            identity,
            meta: self.meta(),
        };
        let answer =
            self.reader.read(request).await.map_err(|error| self.failed("read", &error))?;
        self.sift(answer.problems, warnings)?;
        if !answer.new.conforms(&ty) {
            return Err(self.invalid(
                "read",
                AttributePath::root(),
                "the object does not fit the schema",
            ));
        }
        if let Some(path) = answer.new.unknown_paths().into_iter().next() {
            return Err(self.invalid("read", path, "a value is unknown after reading"));
        }
        if answer.identity.as_ref().is_some_and(|one| !one.is_wholly_known()) {
            let message = "the identity is unknown after reading";
            return Err(self.invalid("read", AttributePath::root(), message));
        }
        Ok(Prior {
            value: normalise(&self.schema.get().block, answer.new),
            private: answer.private,
            tainted: false,
            identity: answer.identity,
            deferred: answer.deferred,
        })
    }

    pub(super) async fn imported(
        &self,
        key: &ImportKey,
        warnings: &mut Diagnostics,
    ) -> Result<(Prior, String), Diagnostics> {
        let key = self.import_key(key)?;
        let type_name = &self.address.resource.type_name;
        let answer = self
            .reader
            .import(type_name, &key)
            .await
            .map_err(|error| self.failed("import", &error))?;
        self.sift(answer.problems, warnings)?;
        let mut found = answer.value.unwrap_or_default();
        let shown = match &key {
            ImportKey::Id(id) => id.clone(),
            ImportKey::Identity(identity) => value::json::to_string(identity),
        };
        if let Some(later) = found.iter().find(|one| one.deferred.is_some()) {
            let nothing = Prior::none(self.schema.get().block.ty());
            let prior = Prior { deferred: later.deferred, ..nothing };
            return Ok((prior, shown));
        }
        let [one] = found.as_mut_slice() else {
            return Err(self.invalid(
                "import",
                AttributePath::root(),
                "it must return exactly one object",
            ));
        };
        if one.type_name != *type_name || one.state.is_null() {
            return Err(self.invalid(
                "import",
                AttributePath::root(),
                "it must return an object of this type",
            ));
        }
        let state = std::mem::replace(&mut one.state, Value::dynamic_null());
        let asked = match &key {
            ImportKey::Identity(identity) => Some(identity.clone()),
            ImportKey::Id(_) => None,
        };
        let identity = one.identity.take().or(asked);
        let prior = self.read(state, one.private.clone(), identity, warnings).await?;
        if prior.value.is_null() {
            return Err(self.invalid(
                "import",
                AttributePath::root(),
                "the object to be imported does not exist",
            ));
        }
        Ok((prior, shown))
    }

    pub(super) fn marked(&self, value: &Value) -> Value {
        let schema = self.schema.get();
        let mut paths: Vec<(AttributePath, Marks)> = schema
            .block
            .sensitive_paths(value)
            .into_iter()
            .map(|path| (path, Marks::SENSITIVE))
            .collect();
        let stored = self.stored.iter().flat_map(|stored| &stored.sensitive_paths);
        paths.extend(stored.map(|path| (path.clone(), Marks::SENSITIVE)));
        value.clone().mark_paths(&paths)
    }

    pub(super) fn drift(&self, recorded: &Value, prior: &Prior) -> Option<DriftChange> {
        if *recorded == prior.value {
            return None;
        }
        let (recorded, real) = (self.marked(recorded), self.marked(&prior.value));
        let mut attributes: Vec<DriftAttribute> = Vec::new();
        let older = self.schema.get().block.is_of_older_form();
        if !real.is_null() {
            differences(&AttributePath::root(), &recorded, &real, &mut |path, recorded, real| {
                let span = self.block.as_ref().map(|block| block.program.locate(path));
                attributes.push(DriftAttribute {
                    path: path.clone(),
                    recorded: recorded.clone(),
                    real: real.clone(),
                    span,
                    spelling: older && are_both_nothing(recorded, real),
                });
            });
        }
        Some(DriftChange {
            address: self.address.clone(),
            provider: self.provider.clone(),
            recorded,
            spelling: !real.is_null() && attributes.iter().all(|one| one.spelling),
            real,
            attributes,
            span: self.block.as_ref().map(|block| block.config.header),
        })
    }

    pub(super) fn refreshed(
        &self,
        recorded: Option<&Value>,
        prior: &Prior,
    ) -> Option<Option<Object>> {
        let stored = self.stored.as_ref()?;
        let recorded = recorded?;
        if prior.value.is_null() {
            return Some(None);
        }
        let schema = self.schema.get();
        let identity = self.identity_to_store(prior);
        let same = *recorded == prior.value
            && self.taken_over.is_none()
            && stored.private == prior.private.as_bytes()
            && stored.schema_version == schema.version
            && stored.identity == identity;
        if same {
            return None;
        }
        let json = value::json::encode_string(&prior.value, &schema.block.ty()).ok()?;
        Some(Some(Object {
            schema_version: schema.version,
            attributes_json: json.into(),
            private: prior.private.as_bytes().to_vec(),
            identity,
            ..stored.clone()
        }))
    }
}

/// Shows each place where two objects differ, as deep as both have the same shape.
pub(crate) fn differences(
    path: &AttributePath,
    before: &Value,
    after: &Value,
    visit: &mut dyn FnMut(&AttributePath, &Value, &Value),
) {
    if before == after {
        return;
    }
    let opaque = before.is_sensitive() || after.is_sensitive();
    match (before.entries(), after.entries()) {
        (Some(old), Some(new)) if !opaque && before.is_object() && after.is_object() => {
            let null = Value::dynamic_null();
            for (name, old) in old {
                let path = path.attribute(Arc::clone(name));
                differences(&path, old, new.get(name).unwrap_or(&null), visit);
            }
        }
        (Some(old), Some(new)) if !opaque && before.is_map() && after.is_map() => {
            let null = Value::dynamic_null();
            let added = new.keys().filter(|name| !old.contains_key(name));
            for name in old.keys().chain(added) {
                let path = path.child(PathStep::Key(Arc::clone(name)));
                let (old, new) = (old.get(name).unwrap_or(&null), new.get(name).unwrap_or(&null));
                differences(&path, old, new, visit);
            }
        }
        _ => match (before.items(), after.items()) {
            (Some(old), Some(new))
                if !opaque && !before.is_set() && !after.is_set() && old.len() == new.len() =>
            {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    let index = PathStep::Index(i64::try_from(index).unwrap_or(i64::MAX));
                    differences(&path.child(index), old, new, visit);
                }
            }
            _ => visit(path, before, after),
        },
    }
}

/// Whether each of two values is null or has nothing in it.
fn are_both_nothing(before: &Value, after: &Value) -> bool {
    let nothing = |value: &Value| {
        value.is_null()
            || value.as_str() == Some("")
            || (value.is_known() && value.len() == Some(0))
    };
    !before.is_sensitive() && !after.is_sensitive() && nothing(before) && nothing(after)
}

#[cfg(test)]
mod tests {
    use value::json::from_plain;

    use super::*;

    fn paths(before: serde_json::Value, after: serde_json::Value) -> Vec<String> {
        let mut found = Vec::new();
        let (before, after) = (from_plain(&before), from_plain(&after));
        differences(&AttributePath::root(), &before, &after, &mut |path, _, _| {
            found.push(path.to_string());
        });
        found
    }

    #[test]
    fn differences_are_told_as_deep_as_the_shapes_agree() {
        let before = serde_json::json!({"a": [{"b": 1, "c": 2}], "d": [1, 2]});
        let after = serde_json::json!({"a": [{"b": 1, "c": 3}], "d": [1]});
        assert_eq!(paths(before, after), ["a[0].c", "d"]);
    }

    #[test]
    fn a_null_and_something_empty_are_two_spellings_of_nothing() {
        let null = Value::dynamic_null();
        for empty in [serde_json::json!(""), serde_json::json!([]), serde_json::json!({})] {
            assert!(are_both_nothing(&null, &from_plain(&empty)), "{empty}");
            assert!(are_both_nothing(&from_plain(&empty), &null), "{empty}");
        }
        for something in [
            serde_json::json!(0),
            serde_json::json!(false),
            serde_json::json!(" "),
            serde_json::json!([null]),
        ] {
            assert!(!are_both_nothing(&null, &from_plain(&something)), "{something}");
        }
    }

    #[test]
    fn what_is_sensitive_is_never_compared_by_its_content() {
        let secret = from_plain(&serde_json::json!("")).mark(Marks::SENSITIVE);
        assert!(!are_both_nothing(&Value::dynamic_null(), &secret));
    }
}
