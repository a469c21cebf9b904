//! A managed resource instance: its configuration, and what forces a replacement.

use std::sync::Arc;

use address::{
    InstanceKey, ProviderAddress, ProviderConfig, Resource, ResourceInstance, ResourceMode, Target,
};
use syntax::Diagnostics;
use value::{Marks, Value};

use super::node::NodeState;
use super::{NodeId, Walk, repetition_of};
use crate::action::{Action, ActionReason};
use crate::evaluation::{ModuleId, Repetition};
use crate::instance::Input;
use crate::model::Mode;
use crate::prepare::Block;

impl Walk<'_> {
    pub(super) fn instance(
        &mut self,
        id: NodeId,
        module: ModuleId,
        resource: &Resource,
        key: &InstanceKey,
    ) {
        let Some(block) = self.block(module, resource).cloned() else {
            return self.finish(id, NodeState::Failed);
        };
        let state = self.evaluation.module(module);
        let address = ResourceInstance {
            module: state.instance.clone(),
            resource: resource.clone(),
            key: key.clone(),
        };
        let repetition = repetition_of(state, resource, key);
        if resource.mode == ResourceMode::Ephemeral {
            let config = self.instance_config(module, &repetition, &block, &address);
            let reader = self.reader_for(&block.config.provider, &address);
            return match (config, reader) {
                (Ok(Some(config)), Some(reader)) => {
                    self.ephemeral(id, module, &block, address, config, reader);
                }
                (Err(found), _) => self.settle(id, Err(found)),
                _ => self.finish(id, NodeState::Failed),
            };
        }
        if !self.is_included(&address, &block) {
            let value = self.recorded_value(&address, &block);
            self.evaluation.set_in(module, resource, key, value);
            return self.finish(id, NodeState::Done);
        }
        if self.is_led_back(resource) {
            return self.instance_in_undo(id, module, &address, &block);
        }
        if self.options.mode == Mode::RefreshOnly {
            let conditions = &block.config.lifecycle.preconditions;
            let name = address.to_string();
            let failed = self.evaluation.check_conditions(
                module,
                &repetition,
                None,
                conditions,
                "precondition",
                &name,
            );
            // Nothing is going to be done on the strength of them.
            self.report(&name, crate::problem::as_warnings(failed));
        }
        let wants_config = self.options.mode == Mode::Normal;
        let config = if wants_config {
            self.instance_config(module, &repetition, &block, &address)
        } else {
            Ok(None)
        };
        let config = match config {
            Ok(config) => config,
            Err(found) => return self.settle(id, Err(found)),
        };
        let Some(reader) = self.reader_for(&block.config.provider, &address) else {
            return self.finish(id, NodeState::Failed);
        };
        if resource.mode == ResourceMode::Data {
            return self.data(id, module, &block, &address, config, reader);
        }
        let dependencies = self.dependencies_of(id);
        let (stored, previous_address) = match self.records.get(&address) {
            Some((record, previous)) => (record.current.clone(), previous.clone()),
            None => (None, None),
        };
        let taken_over = self.taken_over(&address, &block.config.provider);
        let forced = self.forced(module, &block, &repetition, &address);
        let import = match (&stored, self.imports.get(&address)) {
            (None, Some(wanted)) => wanted.id_now(&self.evaluation).map(Some),
            _ => Ok(None),
        };
        let import = match import {
            Ok(import) => import,
            Err(found) => return self.settle(id, Err(found)),
        };
        let input = Input {
            address: address.clone(),
            previous_address,
            provider: block.config.provider.clone(),
            reader,
            schema: block.schema.clone(),
            config,
            import,
            taken_over,
            stored,
            mode: self.options.mode,
            refresh: self.options.refresh,
            forced,
            removal: ActionReason::Destroying,
            forget: false,
            create_before_destroy: self.create_before_destroy.contains(&block.address),
            dependencies,
            block: Some(block),
            earlier: None,
            remark: None,
            leads_back: false,
            settled: false,
            trusted: false,
        };
        self.start_instance(id, input);
    }

    /// Whose object it was, where a `moved` block leads one of another type or provider here.
    fn taken_over(
        &self,
        address: &ResourceInstance,
        provider: &ProviderConfig,
    ) -> Option<ProviderAddress> {
        let (record, previous) = self.records.get(address)?;
        let other_type = previous.as_ref()?.resource.type_name != address.resource.type_name;
        let other_provider = record.provider.provider != provider.provider;
        (other_type || other_provider).then(|| record.provider.provider.clone())
    }

    /// Who is asked about an object.
    pub(super) fn reader_for(
        &self,
        provider: &ProviderConfig,
        object: &ResourceInstance,
    ) -> Option<Arc<dyn sdk::Reader>> {
        let real = Arc::clone(self.providers.get(provider)?);
        Some(self.request.readers.for_object(provider, object, real))
    }

    pub(super) fn instance_config(
        &self,
        module: ModuleId,
        repetition: &Repetition,
        block: &Block,
        address: &ResourceInstance,
    ) -> Result<Option<Value>, Diagnostics> {
        let conditions = &block.config.lifecycle.preconditions;
        let failed = self.evaluation.check_conditions(
            module,
            repetition,
            None,
            conditions,
            "precondition",
            &address.to_string(),
        );
        if failed.has_errors() {
            return Err(failed);
        }
        let config = self
            .evaluation
            .with_context(module, repetition, None, |ctx| block.program.evaluate(ctx))?;
        let refused = crate::check::refuse_ephemeral(block, &config, &address.to_string());
        if refused.has_errors() {
            return Err(refused);
        }
        Ok(Some(config))
    }

    fn forced(
        &self,
        module: ModuleId,
        block: &Block,
        repetition: &Repetition,
        address: &ResourceInstance,
    ) -> Option<ActionReason> {
        if self.options.replace.contains(address) {
            return Some(ActionReason::Requested);
        }
        let triggered = block.config.lifecycle.replace_triggered_by.iter().any(|trigger| {
            trigger
                .references()
                .iter()
                .any(|traversal| self.triggers(module, traversal, repetition))
        });
        triggered.then_some(ActionReason::Triggered)
    }

    /// Says whether what a trigger names is going to change.
    fn triggers(
        &self,
        module: ModuleId,
        traversal: &lang::Traversal,
        repetition: &Repetition,
    ) -> bool {
        let state = self.evaluation.module(module);
        let Ok(resolved) = config::resolve(&state.module, traversal) else { return false };
        let config::Reference::Resource(resource) = &resolved.reference else { return false };
        let key = crate::prepare::constant_key(resolved.key).or_else(|| {
            matches!(resolved.key, Some(lang::TraversalStep::Dynamic(..)))
                .then(|| repetition.key.clone())
        });
        let keys: Vec<InstanceKey> = match key {
            Some(key) => vec![key],
            None => state
                .resources
                .get(resource)
                .map(|b| b.instances.keys().cloned().collect())
                .unwrap_or_default(),
        };
        keys.into_iter().any(|key| {
            let address = ResourceInstance {
                module: state.instance.clone(),
                resource: resource.clone(),
                key,
            };
            let Some(planned) = self.results.get(&address) else { return false };
            let change = &planned.output.change;
            if !matches!(change.action, Action::Update | Action::Replace(_)) {
                return false;
            }
            match resolved.rest.first() {
                Some(lang::TraversalStep::Attribute(name)) => {
                    change.before.get_attr(&name.text) != change.after.get_attr(&name.text)
                }
                _ => true,
            }
        })
    }

    pub(super) fn is_included(&self, address: &ResourceInstance, block: &Block) -> bool {
        if self.exclusion.leaves(address, self.options.mode) {
            return false;
        }
        let Some(included) = &self.included else { return true };
        if self.targets.iter().any(|target| target.covers(address)) {
            return true;
        }
        // A block that is only needed by a target is planned whole; one that a target names an instance of
        // is planned for that instance alone.
        let named = self.targets.iter().any(|target| match target {
            Target::Instance(instance) => instance.block() == address.block(),
            Target::Module(module) => {
                address.module.module().steps().starts_with(module.module().steps())
            }
            Target::Resource(_) => false,
        });
        let needed =
            self.options.mode == Mode::Normal || address.resource.mode == ResourceMode::Data;
        !named && needed && included.contains(&block.address)
    }

    /// What the state says of an instance that this run leaves alone.
    pub(super) fn recorded_value(&self, address: &ResourceInstance, block: &Block) -> Value {
        let ty = block.schema.get().block.ty();
        let stored = self.records.get(address).and_then(|(record, _)| record.current.as_ref());
        let decoded = stored.and_then(|stored| {
            value::json::decode_str(&stored.attributes_json, &ty).ok().map(|v| (v, stored))
        });
        let Some((value, stored)) = decoded else { return Value::unknown(ty) };
        let paths: Vec<_> =
            stored.sensitive_paths.iter().map(|path| (path.clone(), Marks::SENSITIVE)).collect();
        value.mark_paths(&paths)
    }
}
