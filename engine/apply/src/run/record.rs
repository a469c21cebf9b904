//! What the state records of an object after a call.

use std::collections::BTreeMap;

use plan::{Action, ReplaceOrder, StepKind};
use state::{Change, DeposedKey, Object, ObjectStatus, Record};
use value::Value;

use super::Run;
use crate::step::Prepared;

impl Run<'_> {
    /// What the state records after a call.
    pub(super) fn record(
        &mut self,
        at: usize,
        prepared: &Prepared,
        new: &Value,
        sensitive_paths: Vec<address::AttributePath>,
        answer: &sdk::ApplyAnswer,
        failed: bool,
    ) -> Vec<Change> {
        let change = self.change(at);
        let kind = self.plan.steps[at].kind;
        let deposed = self.deposed_by(at);
        let old = self.records.remove(&change.address);
        let mut record = old.unwrap_or_else(|| Record {
            address: change.address.clone(),
            provider: change.provider.clone(),
            current: None,
            deposed: BTreeMap::new(),
        });
        record.provider = change.provider.clone();
        let object = (!new.is_null())
            .then(|| value::json::encode_string(new, &prepared.ty).ok())
            .flatten()
            .map(|json| Object {
                schema_version: change.schema_version,
                status: ObjectStatus::Ready,
                attributes_json: json.into(),
                private: answer.private.as_bytes().to_vec(),
                dependencies: change.dependencies.to_vec(),
                create_before_destroy: change.create_before_destroy,
                sensitive_paths,
                configured: configured(&prepared.config, new),
                identity: change.stored_identity(answer.identity.as_ref()),
            });
        match kind {
            StepKind::Create => {
                let replaces = change.action == Action::Replace(ReplaceOrder::CreateThenDelete);
                match object {
                    Some(mut object) => {
                        if let (true, Some(old)) = (replaces, record.current.take()) {
                            let key = DeposedKey::from_number(self.fresh_number(&record));
                            record.deposed.insert(key, old);
                        }
                        if failed {
                            object.status = ObjectStatus::Tainted;
                        }
                        record.current = Some(object);
                    }
                    // Nothing came to be: the old object, if there is one, stays what it was.
                    None => {}
                }
            }
            StepKind::Update => {
                if let Some(object) = object {
                    record.current = Some(object);
                }
            }
            _ => match (deposed, failed) {
                (Some(_), true) => {}
                (Some(key), false) => {
                    record.deposed.remove(&key);
                }
                (None, true) => {
                    if let Some(mut object) = object {
                        // What was secret of an object that could not be destroyed still is.
                        if let Some(old) = record.current.take() {
                            let paths = &mut object.sensitive_paths;
                            paths.extend(old.sensitive_paths);
                            paths.sort();
                            paths.dedup();
                            object.configured = old.configured;
                        }
                        record.current = Some(object);
                    }
                }
                (None, false) => record.current = None,
            },
        }
        if record.is_empty() {
            return vec![Change::DeleteRecord(change.address.clone())];
        }
        self.records.insert(change.address.clone(), record.clone());
        vec![Change::PutRecord(record)]
    }

    fn fresh_number(&self, record: &Record) -> u32 {
        loop {
            let mut bytes = [0u8; 4];
            self.world.random_bytes(&mut bytes);
            let number = u32::from_le_bytes(bytes)
                .wrapping_add(u32::try_from(record.deposed.len()).unwrap_or(0));
            if !record.deposed.contains_key(&DeposedKey::from_number(number)) {
                return number;
            }
        }
    }
}

/// The arguments and blocks that a configuration sets. Where there is no block, the value is an empty list; that counts
/// only if the object has none either.
fn configured(config: &Value, new: &Value) -> Vec<std::sync::Arc<str>> {
    let is_empty = |value: &Value| value.items().is_some_and(<[Value]>::is_empty);
    let set = config.entries().into_iter().flatten().filter(|(name, value)| {
        !value.is_null() && (!is_empty(value) || new.get_attr(name).is_some_and(is_empty))
    });
    set.map(|(name, _)| std::sync::Arc::clone(name)).collect()
}
