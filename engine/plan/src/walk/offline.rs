//! Planning without asking: where nothing but a provider's schemas is there, the state is all that is known of objects.

use std::collections::BTreeSet;
use std::sync::Arc;

use address::ResourceInstance;
use value::{Marks, Value};

use super::Walk;
use crate::error::PlanError;
use crate::prepare::Block;

impl Walk<'_> {
    /// What a data source gave when it was read last, if it was asked the same then.
    pub(super) fn read_last(
        &mut self,
        address: &ResourceInstance,
        block: &Arc<Block>,
        config: &Value,
    ) -> Option<Value> {
        let record = self.request.snapshot.records.get(address);
        let stored = record.and_then(|record| record.current.as_ref());
        let ty = block.schema.get().block.ty();
        let plain = stored.and_then(|one| value::json::decode_str(&one.attributes_json, &ty).ok());
        let plain = plain.unwrap_or_else(|| Value::null(ty));
        let same = config.entries().into_iter().flatten().all(|(name, asked)| {
            let computed =
                block.schema.get().block.attributes.get(name).is_some_and(|a| a.computed);
            plain.get_attr(name) == Some(asked) || (computed && asked.is_null())
        });
        let secret = stored.iter().flat_map(|one| &one.sensitive_paths);
        let secret: Vec<_> = secret.map(|path| (path.clone(), Marks::SENSITIVE)).collect();
        let found = (!plain.is_null() && same).then(|| plain.mark_paths(&secret));
        match found {
            Some(_) => self.unread.0 += 1,
            None => self.unread.1 += 1,
        }
        found
    }

    /// What could not be known because providers were not asked.
    pub(super) fn unasked(&self) -> Option<PlanError> {
        let silent: BTreeSet<String> = self
            .providers
            .iter()
            .filter(|(_, reader)| reader.has_schemas_only())
            .map(|(config, _)| config.provider.to_string())
            .collect();
        if silent.is_empty() {
            return None;
        }
        let objects = self.results.values().filter(|planned| {
            let change = &planned.output.change;
            !change.before.is_null() && silent.contains(&change.provider.provider.to_string())
        });
        Some(PlanError::Offline {
            providers: silent.iter().cloned().collect::<Vec<_>>().join(", "),
            objects: objects.count(),
            read_last: self.unread.0,
            unread: self.unread.1,
        })
    }
}
