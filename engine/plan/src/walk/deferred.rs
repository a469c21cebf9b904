//! Changes that are put off: their providers say that they cannot be planned to their end yet, or what they are made
//! from is put off.
//!
//! Nothing of them is carried out. Whatever is made from them sees what could be told of them so far.

use address::ResourceInstance;
use value::Value;

use super::node::NodeState;
use super::{NodeId, NodeKey, Planned, Walk};
use crate::action::ActionReason;
use crate::instance::Output;
use crate::model::{DeferredChange, DeferredReason};

impl Walk<'_> {
    /// Whether something that a node needs is put off.
    pub(super) fn waits_for_deferred(&self, id: NodeId) -> bool {
        !self.put_off.is_empty()
            && self.nodes[id.0].needs.iter().any(|needed| self.put_off.contains(needed))
    }

    /// Takes in a planned instance: as a change, or as one that is put off. Says whether it is.
    pub(super) fn keep(
        &mut self,
        address: ResourceInstance,
        output: Box<Output>,
        node: Option<NodeId>,
    ) -> bool {
        let own = output.deferred.map(DeferredReason::Provider);
        let waits = node.is_some_and(|id| self.waits_for_deferred(id));
        let Some(reason) = own.or_else(|| waits.then_some(DeferredReason::Prerequisite)) else {
            self.results.insert(address, Planned { output, node });
            return false;
        };
        self.put_off.extend(node);
        self.deferred.insert(address, DeferredChange { reason, change: output.change });
        true
    }

    /// A data source that its provider cannot read yet.
    pub(super) fn data_put_off(&mut self, id: NodeId, value: Value, deferral: sdk::Deferral) {
        let NodeKey::Instance(module, resource, key) = self.nodes[id.0].key.clone() else { return };
        let Some(block) = self.block(module, &resource).cloned() else { return };
        let address = ResourceInstance {
            module: self.evaluation.module(module).instance.clone(),
            resource,
            key,
        };
        self.plan_read(id, &block, &address, value, ActionReason::ConfigUnknown);
        // A read that is left to apply is one that a later run makes.
        if let Some(planned) = self.results.remove(&address) {
            let reason = DeferredReason::Provider(deferral);
            let change = planned.output.change;
            self.deferred.insert(address, DeferredChange { reason, change });
            self.put_off.insert(id);
        }
        self.finish(id, NodeState::Done);
    }
}
