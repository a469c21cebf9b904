//! A data source instance: read now, or left to apply.

use std::collections::BTreeSet;
use std::sync::Arc;

use address::{ResourceInstance, ResourceMode};
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
use crate::problem::as_warnings;
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
        let known = config.is_wholly_known();
        if !known || self.has_pending_need(id, block) {
            let reason =
                if known { ActionReason::DependencyPending } else { ActionReason::ConfigUnknown };
            let after = propose_unknown(&block.schema.get().block, &config).mark_paths(&marks);
            self.evaluation.set_in(module, &address.resource, &address.key, after.clone());
            self.plan_read(id, block, address, after, reason);
            return self.finish(id, NodeState::Done);
        }
        let block = Arc::clone(block);
        let address = address.clone();
        let checked = block.config.check.is_some();
        let open = propose_unknown(&block.schema.get().block, &config).mark_paths(&marks);
        let call = async move {
            let read = crate::data::read(&reader, &block, &address, config, &marks).await;
            if checked {
                return (id, Ok(Answer::Checked(address, read, open)));
            }
            (id, read.map(|(value, warnings)| Answer::Data(value, warnings)))
        };
        self.start(call.boxed());
    }

    /// Leaves a read to apply.
    fn plan_read(
        &mut self,
        id: NodeId,
        block: &Arc<Block>,
        address: &ResourceInstance,
        after: Value,
        reason: ActionReason,
    ) {
        let dependencies = self.dependencies_of(id);
        let change = ResourceChange {
            address: address.clone(),
            deposed: None,
            previous_address: None,
            provider: block.config.provider.clone(),
            action: if self.options.mode == Mode::Normal { Action::Read } else { Action::NoOp },
            reason,
            before: Value::null(block.schema.get().block.ty()),
            after,
            requires_replace: Vec::new(),
            prior_private: Vec::new(),
            planned_private: Vec::new(),
            schema_version: block.schema.get().version,
            dependencies,
            create_before_destroy: false,
            importing: None,
            remarks: Vec::new(),
        };
        let output = Output {
            change,
            drift: None,
            refreshed: None,
            prior_dependencies: Vec::new(),
            warnings: Diagnostics::new(),
            led_back: None,
        };
        let planned = Planned { output: Box::new(output), node: Some(id) };
        self.results.insert(address.clone(), planned);
    }

    /// A data source within a check was read, or could not be: that is a warning. Apply looks again.
    pub(super) fn take_checked(
        &mut self,
        id: NodeId,
        address: &ResourceInstance,
        read: Result<(Value, Diagnostics), Diagnostics>,
        open: Value,
    ) {
        let NodeKey::Instance(module, resource, key) = self.nodes[id.0].key.clone() else { return };
        let Some(block) = self.block(module, &resource).cloned() else { return };
        let (value, found) = match read {
            Ok((value, warnings)) => {
                let conditions = self.postconditions(module, &resource, &key, &value);
                let found = conditions.err().map(as_warnings).unwrap_or_default();
                (value, warnings.into_iter().fold(found, with))
            }
            Err(found) => (open, as_warnings(found)),
        };
        self.report(&address.to_string(), found);
        self.evaluation.set_in(module, &resource, &key, value.clone());
        if self.options.mode == Mode::Normal {
            self.plan_read(id, &block, address, value, ActionReason::CheckNested);
        }
        self.finish(id, NodeState::Done);
    }

    /// Whether the call of a module, or of one around it, waits for what its `depends_on` names.
    fn is_called_after(&self, path: &address::ModulePath) -> bool {
        let mut inner = path.clone();
        while let (Some(outer), Some(step)) = (inner.parent(), inner.steps().last()) {
            let modules = &self.evaluation.config.modules;
            let call = modules.get(&outer).and_then(|module| module.calls.get(step));
            if call.is_some_and(|call| !call.depends_on.is_empty()) {
                return true;
            }
            inner = outer;
        }
        false
    }

    /// Says whether something that a data source waits for is going to change: what `depends_on` names, its own
    /// and those of the calls of its modules, what a condition could look at, and the resources that its block refers to, with all that these need.
    ///
    /// Source: Terraform's documentation of data sources; that references count was seen with the AWS provider.
    fn has_pending_need(&self, id: NodeId, block: &Block) -> bool {
        let lifecycle = &block.config.lifecycle;
        let all = self.is_called_after(&block.address.module)
            || !block.config.depends_on.is_empty()
            || !lifecycle.preconditions.is_empty()
            || !lifecycle.postconditions.is_empty();
        let counts = |needed: &NodeId| {
            all || match &self.nodes[needed.0].key {
                NodeKey::Instance(_, resource, _) | NodeKey::Whole(_, resource) => {
                    resource.mode == ResourceMode::Managed
                }
                _ => false,
            }
        };
        let mut seen = BTreeSet::new();
        let needs = self.nodes[id.0].needs.iter();
        let mut stack: Vec<NodeId> = needs.copied().filter(counts).collect();
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

fn with(
    mut all: Diagnostics,
    one: Box<dyn miette::Diagnostic + Send + Sync + 'static>,
) -> Diagnostics {
    all.push_boxed(one);
    all
}
