//! What apply asks of a plan's evaluation: the same blocks again, with values that are real by now.

use std::sync::Arc;

use address::{ProviderConfig, ResourceInstance};
use sdk::Reader;
use syntax::{Diagnostics, Span};
use value::Value;

use super::{Evaluation, ROOT};
use crate::instance::{Final, plan_final};
use crate::model::ResourceChange;
use crate::prepare::Block;
use crate::problem::Place;
use crate::walk::repetition_of;

/// A block instance whose configuration is known by now.
pub struct Ready {
    block: Arc<Block>,
    config: Value,
}

impl Ready {
    /// Plans the change once more and checks that it keeps to what was planned.
    pub async fn plan(
        self,
        reader: Arc<dyn Reader>,
        change: &ResourceChange,
    ) -> Result<Final, Diagnostics> {
        plan_final(reader, self.block, change, self.config).await
    }

    /// Reads the data source; the value carries its marks.
    pub async fn read(
        self,
        reader: Arc<dyn Reader>,
        address: &ResourceInstance,
    ) -> Result<(Value, Diagnostics), Diagnostics> {
        let (config, marks) = self.config.unmark_deep();
        crate::data::read(&reader, &self.block, address, config, &marks).await
    }
}

impl Evaluation {
    /// Evaluates the configuration of an instance again.
    pub fn renew(&mut self, address: &ResourceInstance) -> Result<Option<Ready>, Diagnostics> {
        let Some(id) = self.find(&address.module) else { return Ok(None) };
        let Some(block) = self.blocks.get(&address.block().config()).cloned() else {
            return Ok(None);
        };
        let lifecycle = &block.config.lifecycle;
        let conditions = lifecycle.preconditions.iter().chain(&lifecycle.postconditions);
        let references: Vec<lang::Traversal> =
            block
                .program
                .references()
                .iter()
                .chain(conditions.flat_map(|c| {
                    c.condition.references().iter().chain(c.error_message.references())
                }))
                .cloned()
                .collect();
        self.demand(id, &references)?;
        let repetition = repetition_of(self.module(id), &address.resource, &address.key);
        let failed = self.check_conditions(
            id,
            &repetition,
            None,
            &lifecycle.preconditions,
            "precondition",
            &address.to_string(),
        );
        if failed.has_errors() {
            return Err(failed);
        }
        let config = self.with_context(id, &repetition, None, |ctx| block.program.evaluate(ctx))?;
        Ok(Some(Ready { block, config }))
    }

    /// Records a real object and checks the conditions on it.
    pub fn accept(&mut self, address: &ResourceInstance, value: Value) -> Diagnostics {
        self.set_instance(address, value.clone());
        let Some(id) = self.find(&address.module) else { return Diagnostics::new() };
        let Some(block) = self.blocks.get(&address.block().config()).cloned() else {
            return Diagnostics::new();
        };
        let conditions = &block.config.lifecycle.postconditions;
        if conditions.is_empty() {
            return Diagnostics::new();
        }
        let repetition = repetition_of(self.module(id), &address.resource, &address.key);
        self.check_conditions(
            id,
            &repetition,
            Some(&value),
            conditions,
            "postcondition",
            &address.to_string(),
        )
    }

    /// The settings of a provider as they are known now; `None` if nothing in the plan uses it.
    pub fn provider_settings(
        &mut self,
        provider: &ProviderConfig,
    ) -> Result<Option<Value>, Diagnostics> {
        let Some(block) = self.providers.get(provider).cloned() else { return Ok(None) };
        let module = if provider.module.is_root() {
            ROOT
        } else {
            self.modules()
                .find(|(_, state)| state.module.path == provider.module)
                .map_or(ROOT, |(id, _)| id)
        };
        if let Some(program) = &block.program {
            let references = program.references().to_vec();
            self.demand(module, &references)?;
        }
        crate::evaluation_of_provider(self, module, &block).map(Some)
    }

    /// The line of an attribute of an instance's block.
    pub fn locate(
        &self,
        address: &ResourceInstance,
        path: &address::AttributePath,
    ) -> Option<Span> {
        Some(self.blocks.get(&address.block().config())?.program.locate(path))
    }

    /// Turns a provider's problems about an instance into diagnostics.
    pub fn place<T>(&self, address: &ResourceInstance, run: impl FnOnce(&Place<'_>) -> T) -> T {
        let locate = |path: &address::AttributePath| self.locate(address, path);
        run(&Place { address: address.to_string(), locate: &locate })
    }

    /// The type of an instance's object, if its block is still configured.
    pub fn object_type(&self, address: &ResourceInstance) -> Option<value::Type> {
        Some(self.blocks.get(&address.block().config())?.schema.get().block.ty())
    }
}
