//! A data source instance: read now, or left to apply.

use std::sync::Arc;

use address::{ResourceInstance, ResourceMode};
use syntax::Diagnostics;
use value::Value;

use super::node::NodeState;
use super::{Answer, NodeId, NodeKey, Walk, repetition_of};
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
        if self.waits_for_deferred(id) {
            let after = propose_unknown(&block.schema.get().block, &config).mark_paths(&marks);
            self.evaluation.set_in(module, &address.resource, &address.key, after.clone());
            self.plan_read(id, block, address, after, ActionReason::DependencyPending);
            return self.finish(id, NodeState::Done);
        }
        if !known || self.has_pending_need(id, block) {
            let reason =
                if known { ActionReason::DependencyPending } else { ActionReason::ConfigUnknown };
            let after = propose_unknown(&block.schema.get().block, &config).mark_paths(&marks);
            self.evaluation.set_in(module, &address.resource, &address.key, after.clone());
            self.plan_read(id, block, address, after, reason);
            return self.finish(id, NodeState::Done);
        }
        if reader.has_schemas_only() {
            let read = self.read_last(address, block, &config);
            let after =
                read.clone().unwrap_or_else(|| propose_unknown(&block.schema.get().block, &config));
            let after = after.mark_paths(&marks);
            self.evaluation.set_in(module, &address.resource, &address.key, after.clone());
            if read.is_none() {
                self.plan_read(id, block, address, after, ActionReason::DependencyPending);
            }
            return self.finish(id, NodeState::Done);
        }
        let block = Arc::clone(block);
        let address = address.clone();
        let checked = block.config.check.is_some();
        let open = propose_unknown(&block.schema.get().block, &config).mark_paths(&marks);
        let call = move || async move {
            let read = crate::data::read(&reader, &block, &address, config, &marks).await;
            if checked {
                let read = read.map(|read| (read.value, read.warnings));
                return (id, Ok(Answer::Checked(address, read, open)));
            }
            (id, read.map(|read| Answer::Data(read.value, read.warnings, read.deferred)))
        };
        self.start(call);
    }

    /// Leaves a read to apply.
    pub(super) fn plan_read(
        &mut self,
        id: NodeId,
        block: &Arc<Block>,
        address: &ResourceInstance,
        after: Value,
        reason: ActionReason,
    ) {
        if self.options.mode != Mode::Normal {
            // Apply reads nothing then.
            return;
        }
        let dependencies = self.dependencies_of(id);
        let change = ResourceChange {
            address: address.clone(),
            deposed: None,
            previous_address: None,
            provider: block.config.provider.clone(),
            action: Action::Read,
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
            identity: None,
        };
        let output = Output {
            change,
            drift: None,
            refreshed: None,
            prior_dependencies: Vec::new(),
            warnings: Diagnostics::new(),
            led_back: None,
            deferred: None,
        };
        self.keep(address.clone(), Box::new(output), Some(id));
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
    fn has_pending_need(&mut self, id: NodeId, block: &Block) -> bool {
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
        let direct: Vec<NodeId> = self.nodes[id.0].needs.iter().copied().filter(counts).collect();
        direct.into_iter().any(|needed| self.is_pending(needed))
    }

    /// Says whether a node that is done, or anything behind it, is going to change. Each node is asked once in a
    /// walk, however many data sources wait for it; worked off from a list, since names may form long chains.
    fn is_pending(&mut self, start: NodeId) -> bool {
        let mut stack = vec![start];
        while let Some(id) = stack.last().copied() {
            if self.pending.contains_key(&id) {
                stack.pop();
                continue;
            }
            let needs = &self.nodes[id.0].needs;
            let known = |needed: &NodeId| self.pending.get(needed) == Some(&true);
            let verdict = if self.changes(id) || needs.iter().any(known) {
                true
            } else {
                let open = needs
                    .iter()
                    .filter(|needed| **needed != id && !self.pending.contains_key(needed));
                let open: Vec<NodeId> = open.copied().collect();
                if !open.is_empty() {
                    stack.extend(open);
                    continue;
                }
                false
            };
            self.pending.insert(id, verdict);
            stack.pop();
        }
        self.pending[&start]
    }

    /// Says whether a node's own object is going to change.
    fn changes(&self, id: NodeId) -> bool {
        let NodeKey::Instance(module, resource, key) = &self.nodes[id.0].key else { return false };
        let address = ResourceInstance {
            module: self.evaluation.module(*module).instance.clone(),
            resource: resource.clone(),
            key: key.clone(),
        };
        self.results.get(&address).is_some_and(|one| one.output.change.action != Action::NoOp)
    }
}

fn with(
    mut all: Diagnostics,
    one: Box<dyn miette::Diagnostic + Send + Sync + 'static>,
) -> Diagnostics {
    all.push_boxed(one);
    all
}
