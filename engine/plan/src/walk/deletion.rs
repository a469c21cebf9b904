//! Objects that the configuration does not want any more, and objects that were deposed.

use std::sync::Arc;

use address::{InstanceKey, ProviderConfig, ResourceInstance, ResourceMode};
use state::{DeposedKey, Object, Record};
use syntax::Diagnostics;
use value::{Marks, Value};

use super::{NodeKey, Walk};
use crate::action::{Action, ActionReason};
use crate::error::PlanError;
use crate::instance::Input;
use crate::model::{Mode, ResourceChange};
use crate::prepare::TypeSchema;

impl Walk<'_> {
    /// Plans every recorded object that no block has claimed.
    pub(super) fn plan_orphans(&mut self) {
        let errors = self.has_errors();
        let orphans: Vec<(ResourceInstance, Arc<Record>, Option<ResourceInstance>)> = self
            .records
            .iter()
            .filter(|(address, (record, _))| {
                record.current.is_some()
                    && address.resource.mode == ResourceMode::Managed
                    && !self.results.contains_key(address)
                    && !self.deferred.contains_key(address)
                    && self.is_targeted(address)
                    && !self.is_left_alone(address)
                    && (!errors || self.is_certainly_gone(address, record))
            })
            .map(|(address, (record, previous))| {
                (address.clone(), Arc::clone(record), previous.clone())
            })
            .collect();
        for (at, (address, record, previous_address)) in orphans.into_iter().enumerate() {
            if let Err(found) = self.plan_orphan(at, &address, &record, previous_address) {
                self.report(&address.to_string(), found);
            }
        }
    }

    /// Whether no block wants an object, whatever the errors were that kept others from being planned.
    fn is_certainly_gone(&self, address: &ResourceInstance, record: &Record) -> bool {
        if !self.providers.contains_key(&record.provider) {
            return false;
        }
        let module = self.evaluation.config.modules.get(&address.module.module());
        if !module.is_some_and(|module| module.resources.contains_key(&address.resource)) {
            return true;
        }
        let state = self.evaluation.find(&address.module).map(|id| self.evaluation.module(id));
        let block = state.and_then(|state| state.resources.get(&address.resource));
        let expansion = block.and_then(|block| block.expansion.as_ref());
        expansion.is_some_and(|expansion| !expansion.has(&address.key))
    }

    /// Deposed objects are always destroyed; in the order of their addresses.
    pub(crate) fn deposed_changes(&self) -> Vec<ResourceChange> {
        if self.options.mode == Mode::RefreshOnly {
            return Vec::new();
        }
        let mut changes = Vec::new();
        for (address, (record, _)) in
            self.records.iter().filter(|(address, _)| self.is_targeted(address))
        {
            for (key, object) in &record.deposed {
                changes.push(deposed_change(address, &record.provider, key, object));
            }
        }
        changes
    }

    fn is_targeted(&self, address: &ResourceInstance) -> bool {
        let kept = self.exclusion.keeps(address);
        !kept
            && (self.included.is_none() || self.targets.iter().any(|target| target.covers(address)))
    }

    /// An instance of a block that this run was told to leave alone is no orphan.
    fn is_left_alone(&self, address: &ResourceInstance) -> bool {
        self.options.mode != Mode::Undo && self.evaluation.instance(address).is_some()
    }

    fn plan_orphan(
        &mut self,
        at: usize,
        address: &ResourceInstance,
        record: &Record,
        previous_address: Option<ResourceInstance>,
    ) -> Result<(), Diagnostics> {
        let provider = &record.provider;
        let reader = self.reader_for(provider, address).filter(|_| !self.lost_settings(provider));
        let Some(reader) = reader else {
            return Err(PlanError::UnknownProvider {
                provider: provider.to_string(),
                span: None,
                help: format!(
                    "`{address}` can only be destroyed with it; it is not configured in this stack"
                ),
            }
            .into());
        };
        let schema = reader.schema();
        let Some(schema) =
            TypeSchema::find(&schema, address.resource.mode, &address.resource.type_name)
        else {
            return Err(PlanError::StoredObject {
                address: address.to_string(),
                message: format!(
                    "the provider `{}` has no type `{}`",
                    provider.provider, address.resource.type_name
                ),
            }
            .into());
        };
        let Some(stored) = record.current.clone() else { return Ok(()) };
        let reason = self.removal_reason(address);
        let input = Input {
            address: address.clone(),
            previous_address,
            provider: provider.clone(),
            reader,
            schema,
            // A block that lost this key still says whether its objects are protected.
            block: self.prepared.blocks.get(&address.block().config()).cloned(),
            config: None,
            forget: self.options.mode == Mode::Normal && self.is_forgotten(address)
                || self.was_taken_in(address),
            dependencies: stored.dependencies.clone().into(),
            create_before_destroy: stored.create_before_destroy,
            stored: Some(stored),
            mode: self.options.mode,
            refresh: self.options.refresh,
            forced: None,
            removal: reason,
            import: None,
            taken_over: None,
            earlier: None,
            remark: self.removal_remark(address),
            leads_back: false,
            settled: false,
            trusted: false,
        };
        let id = self.node(NodeKey::Orphan(at));
        self.start_instance(id, input);
        Ok(())
    }

    /// Whether the configuration of a provider that objects were made with is gone: with other settings, or with none,
    /// the provider would look for them elsewhere and say that they do not exist.
    fn lost_settings(&self, provider: &ProviderConfig) -> bool {
        let is_default = provider.alias.is_none() && provider.module.is_root();
        let block = self.prepared.providers.get(provider);
        !is_default && block.is_none_or(|block| block.span.is_none())
    }

    fn removal_reason(&self, address: &ResourceInstance) -> ActionReason {
        match self.options.mode {
            Mode::Destroy => return ActionReason::Destroying,
            Mode::Undo => return ActionReason::LedBack,
            Mode::Normal | Mode::RefreshOnly => {}
        }
        let path = address.module.module();
        let Some(module) = self.evaluation.config.modules.get(&path) else {
            return ActionReason::NoResource;
        };
        let Some(block) = module.resources.get(&address.resource) else {
            return ActionReason::NoResource;
        };
        if self.evaluation.find(&address.module).is_none() {
            return ActionReason::NoModule;
        }
        let kind = match (&block.count, &block.for_each) {
            (Some(_), _) => matches!(address.key, InstanceKey::Int(_)),
            (None, Some(_)) => matches!(address.key, InstanceKey::String(_)),
            (None, None) => address.key == InstanceKey::None,
        };
        if kind { ActionReason::NoKey } else { ActionReason::WrongRepetition }
    }

    /// A `removed` block may let an object live on.
    fn is_forgotten(&self, address: &ResourceInstance) -> bool {
        let removed = self.evaluation.modules().flat_map(|(_, state)| {
            state.module.removed.iter().map(move |removed| (&state.instance, removed))
        });
        removed
            .filter(|(_, removed)| !removed.destroy)
            .any(|(module, removed)| crate::moved::removes(module, &removed.from, address))
    }
}

/// The destruction of a deposed object. Its attributes are shown as they are recorded, without their types.
fn deposed_change(
    address: &ResourceInstance,
    provider: &ProviderConfig,
    key: &DeposedKey,
    object: &Object,
) -> ResourceChange {
    let before = value::json::parse(&object.attributes_json)
        .map_or_else(|_| Value::empty_object(), |json| value::json::from_plain(&json));
    let paths: Vec<_> =
        object.sensitive_paths.iter().map(|path| (path.clone(), Marks::SENSITIVE)).collect();
    ResourceChange {
        address: address.clone(),
        deposed: Some(key.clone()),
        previous_address: None,
        provider: provider.clone(),
        action: Action::Delete,
        reason: ActionReason::Deposed,
        before: before.mark_paths(&paths),
        after: Value::dynamic_null(),
        requires_replace: Vec::new(),
        prior_private: object.private.clone(),
        planned_private: object.private.clone(),
        schema_version: object.schema_version,
        dependencies: object.dependencies.clone().into(),
        create_before_destroy: object.create_before_destroy,
        importing: None,
        remarks: Vec::new(),
        identity: None,
    }
}
