//! What tells an object from all others, and objects that come from other types.

use std::sync::Arc;

use address::AttributePath;
use sdk::{ImportKey, MoveRequest, Moved, Private, UpgradeRequest};
use state::{Identity, Object};
use syntax::Diagnostics;
use value::{Type, Value};

use super::{Input, Prior};
use crate::error::PlanError;

impl Prior {
    /// No object.
    pub(crate) fn none(ty: Type) -> Self {
        Self {
            value: Value::null(ty),
            private: Private::EMPTY,
            tainted: false,
            identity: None,
            deferred: None,
        }
    }
}

impl Input {
    /// The stored identity in the form of the current schema.
    pub(super) async fn recorded_identity(
        &self,
        warnings: &mut Diagnostics,
    ) -> Result<Option<Value>, Diagnostics> {
        match &self.stored {
            Some(stored) if self.taken_over.is_some() => {
                self.taken_over(stored, warnings).await.map(|taken| taken.identity)
            }
            Some(stored) => self.upgraded_identity(stored, warnings).await,
            None => Ok(None),
        }
    }

    /// An object's stored identity in the form of the current schema; `None` where there is none.
    pub(crate) async fn upgraded_identity(
        &self,
        stored: &Object,
        warnings: &mut Diagnostics,
    ) -> Result<Option<Value>, Diagnostics> {
        let (Some(schema), Some(identity)) = (self.schema.identity(), &stored.identity) else {
            return Ok(None);
        };
        if identity.version == schema.version {
            let read = value::json::decode_str(&identity.json, &schema.ty());
            return read.map(Some).map_err(|error| {
                let message = format!("its identity cannot be read: {error}");
                PlanError::StoredObject { address: self.address.to_string(), message }.into()
            });
        }
        let request = UpgradeRequest {
            type_name: Arc::clone(&self.address.resource.type_name),
            version: identity.version,
            state_json: Arc::clone(&identity.json),
        };
        let answer = self.reader.upgrade_identity(request).await;
        let answer = answer.map_err(|error| self.failed("upgrade the identity", &error))?;
        self.sift(answer.problems, warnings)?;
        Ok(answer.value)
    }

    /// The identity of an object that was looked at, for the state.
    pub(super) fn identity_to_store(&self, prior: &Prior) -> Option<Identity> {
        Identity::of(self.schema.identity()?.version, prior.identity.as_ref()?)
    }

    /// The recorded object of another type or provider, as one of this type.
    pub(super) async fn taken_over(
        &self,
        stored: &Object,
        warnings: &mut Diagnostics,
    ) -> Result<Moved, Diagnostics> {
        let from = self.previous_address.as_ref().unwrap_or(&self.address);
        let Some(source) = &self.taken_over else {
            let message = "it is not of another type".to_owned();
            return Err(PlanError::StoredObject { address: from.to_string(), message }.into());
        };
        if !self.schema.moves() {
            return Err(PlanError::MoveUnsupported {
                provider: self.provider.provider.to_string(),
                from: from.to_string(),
                to: self.address.to_string(),
                span: self.block.as_ref().map(|block| block.config.header),
            }
            .into());
        }
        let request = MoveRequest {
            target_type: Arc::clone(&self.address.resource.type_name),
            source_provider: source.to_string(),
            source_type: Arc::clone(&from.resource.type_name),
            source_version: stored.schema_version,
            source_json: Arc::clone(&stored.attributes_json),
            source_private: Private::from(stored.private.as_slice()),
            source_identity: (stored.identity.as_ref())
                .map(|one| (one.version, Arc::clone(&one.json))),
        };
        let answer = self.reader.move_state(request).await;
        let answer = answer.map_err(|error| self.failed("take over the object", &error))?;
        self.sift(answer.problems, warnings)?;
        let wrong = |message| self.invalid("take over the object", AttributePath::root(), message);
        let Some(moved) = answer.value else { return Err(wrong("it gave no object")) };
        let fits = moved.state.conforms(&self.schema.get().block.ty());
        if moved.state.is_null() || !fits || !moved.state.is_wholly_known() {
            return Err(wrong("the object does not fit the schema"));
        }
        Ok(moved)
    }

    /// What an import names, as the provider takes it: an identity has all attributes of its schema.
    pub(super) fn import_key(&self, key: &ImportKey) -> Result<ImportKey, Diagnostics> {
        let ImportKey::Identity(given) = key else { return Ok(key.clone()) };
        let fault = |message: String, help: String| -> Diagnostics {
            PlanError::ImportTarget { address: self.address.to_string(), reason: message, help }
                .into()
        };
        let Some(schema) = self.schema.identity() else {
            return Err(fault(
                "its type has no identity".to_owned(),
                "write the object's `id` instead".to_owned(),
            ));
        };
        let names: Vec<String> = schema.attributes.keys().map(|one| format!("`{one}`")).collect();
        let known = format!("the identity has {}", names.join(", "));
        let Some(entries) = given.entries() else {
            return Err(fault("its identity is no object".to_owned(), known));
        };
        if let Some(name) = entries.keys().find(|name| !schema.attributes.contains_key(*name)) {
            return Err(fault(format!("its identity has no `{name}`"), known));
        }
        let mut filled = Vec::new();
        for (name, attribute) in &schema.attributes {
            let value = entries.get(name).filter(|value| !value.is_null());
            let value = match value {
                None if attribute.required_for_import => {
                    let help = format!("write `{name}` in `identity`; {known}");
                    return Err(fault(format!("its identity lacks `{name}`"), help));
                }
                None => Value::null(attribute.ty.clone()),
                Some(value) => value::convert(value, &attribute.ty).map_err(|error| {
                    fault(format!("`{name}` of its identity: {error}"), known.clone())
                })?,
            };
            filled.push((Arc::clone(name), value));
        }
        Ok(ImportKey::Identity(Value::object(filled)))
    }
}
