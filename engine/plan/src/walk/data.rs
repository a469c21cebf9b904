//! A data source instance: read now, or left to apply.

use std::collections::BTreeSet;
use std::sync::Arc;

use address::ResourceInstance;
use futures::FutureExt;
use syntax::Diagnostics;
use value::Value;

use super::node::NodeState;
use super::{Answer, NodeId, NodeKey, Planned, Walk, repetition_of};
use crate::action::{Action, ActionReason};
use crate::evaluation::ModuleId;
use crate::instance::Output;
use crate::model::{Mode, ResourceChange};
use crate::prepare::Block;
use crate::propose::propose_unknown;

impl Walk<'_> {
    pub(super) fn data(
        &mut self,
        id: NodeId,
        module: ModuleId,
        block: &Arc<Block>,
        address: &ResourceInstance,
        config: Option<Value>,
        reader: Arc<dyn sdk::Reader>,
    ) {
        let config = match config {
            Some(config) => config,
            None => {
                // Destroying and refreshing need the values that data sources give to providers.
                let repetition =
                    repetition_of(self.evaluation.module(module), &address.resource, &address.key);
                match self.instance_config(module, &repetition, block, address) {
                    Ok(Some(config)) => config,
                    Ok(None) => return self.finish(id, NodeState::Done),
                    Err(found) => return self.settle(id, Err(found)),
                }
            }
        };
        let (config, marks) = config.unmark_deep();
        let pending = !block.config.depends_on.is_empty() && self.has_pending_need(id);
        if !config.is_wholly_known() || pending {
            let reason =
                if pending { ActionReason::DependencyPending } else { ActionReason::ConfigUnknown };
            let after = propose_unknown(&block.schema.get().block, &config).mark_paths(&marks);
            self.evaluation.set_in(module, &address.resource, &address.key, after.clone());
            let dependencies = self.dependencies_of(id);
            let null = Value::null(block.schema.get().block.ty());
            let change = ResourceChange {
                address: address.clone(),
                deposed: None,
                previous_address: None,
                provider: block.config.provider.clone(),
                action: if self.options.mode == Mode::Normal { Action::Read } else { Action::NoOp },
                reason,
                before: null,
                after,
                requires_replace: Vec::new(),
                prior_private: Vec::new(),
                planned_private: Vec::new(),
                schema_version: block.schema.get().version,
                dependencies,
                create_before_destroy: false,
                importing: None,
            };
            let output = Output {
                change,
                drift: None,
                refreshed: None,
                prior_dependencies: Vec::new(),
                warnings: Diagnostics::new(),
            };
            self.results.insert(address.clone(), Planned { output, node: Some(id) });
            return self.finish(id, NodeState::Done);
        }
        let block = Arc::clone(block);
        let address = address.clone();
        self.start(
            async move { (id, crate::data::read(&reader, &block, &address, config, &marks).await) }
                .map(|(id, read)| (id, read.map(|(value, warnings)| Answer::Data(value, warnings))))
                .boxed(),
        );
    }

    /// Says whether something that a node needs is going to change.
    fn has_pending_need(&self, id: NodeId) -> bool {
        let mut seen = BTreeSet::new();
        let mut stack = self.nodes[id.0].needs.clone();
        while let Some(needed) = stack.pop() {
            if !seen.insert(needed) {
                continue;
            }
            if let NodeKey::Instance(module, resource, key) = &self.nodes[needed.0].key {
                let address = ResourceInstance {
                    module: self.evaluation.module(*module).instance.clone(),
                    resource: resource.clone(),
                    key: key.clone(),
                };
                if self
                    .results
                    .get(&address)
                    .is_some_and(|p| p.output.change.action != Action::NoOp)
                {
                    return true;
                }
            }
            stack.extend(self.nodes[needed.0].needs.iter().copied());
        }
        false
    }
}
