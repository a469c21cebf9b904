//! Ephemeral resource instances: opened when somebody needs them, renewed, and closed after their last user.

use std::sync::{Arc, PoisonError};

use address::{ConfigResource, Resource, ResourceInstance};
use sdk::Reader;
use syntax::Diagnostics;
use value::{Marks, Value};

use super::node::NodeState;
use super::{Answer, NodeId, NodeKey, Walk};
use crate::ephemeral;
use crate::evaluation::{ModuleId, ROOT};
use crate::prepare::Block;

impl Walk<'_> {
    pub(super) fn ephemeral(
        &mut self,
        id: NodeId,
        module: ModuleId,
        block: &Arc<Block>,
        address: ResourceInstance,
        config: Value,
        reader: Arc<dyn Reader>,
    ) {
        if !config.is_wholly_known() {
            let value = Value::unknown(block.schema.get().block.ty()).mark(Marks::EPHEMERAL);
            self.evaluation.set_in(module, &address.resource, &address.key, value);
            return self.finish(id, NodeState::Done);
        }
        let block = Arc::clone(block);
        let listener = self.listener();
        let call = move || async move {
            let opened = ephemeral::open(reader, &block, address, config, &listener).await;
            (
                id,
                opened
                    .map(|(value, open, warnings)| Answer::Opened(value, Box::new(open), warnings)),
            )
        };
        self.start(call);
    }

    /// What is told stays with the evaluation; plans are shown when they are whole.
    fn listener(&self) -> ephemeral::Listener {
        let told = Arc::clone(&self.told);
        let tell = move |one| told.lock().unwrap_or_else(PoisonError::into_inner).push(one);
        ephemeral::Listener::new(Arc::clone(&self.request.world), Arc::new(tell))
    }

    /// What must be done before the objects of an ephemeral block can be closed. A user within a call stands for
    /// the whole call; users are looked for from the block's own module outwards.
    pub(super) fn users_of(&mut self, module: ModuleId, resource: &Resource) -> Vec<NodeId> {
        let path = self.evaluation.module(module).module.path.clone();
        let block = ConfigResource { module: path, resource: resource.clone() };
        let users = self.ephemeral_users.get(&block).cloned().unwrap_or_default();
        let mut needed = vec![self.node(NodeKey::Whole(module, resource.clone()))];
        for user in users {
            let mut at = module;
            while !user.module.steps().starts_with(self.evaluation.module(at).module.path.steps()) {
                at = self.evaluation.module(at).parent.unwrap_or(ROOT);
            }
            let depth = self.evaluation.module(at).module.path.steps().len();
            let key = match user.module.steps().get(depth) {
                Some(step) => NodeKey::CallDone(at, step.clone()),
                None => NodeKey::Whole(at, user.resource),
            };
            needed.push(self.node(key));
        }
        needed
    }

    /// Closes the objects of a block after their last user.
    pub(super) fn close(&mut self, id: NodeId, module: ModuleId, resource: &Resource) {
        let state = self.evaluation.module(module);
        let block =
            ConfigResource { module: state.module.path.clone(), resource: resource.clone() };
        if !self.ephemeral_users.contains_key(&block) {
            return self.finish(id, NodeState::Done);
        }
        let instance = state.instance.clone();
        let is_of = |open: &mut ephemeral::Open| {
            open.address.module == instance && open.address.resource == *resource
        };
        let unneeded: Vec<_> = self.open.extract_if(.., is_of).collect();
        let call =
            move || async move { (id, Ok(Answer::Closed(ephemeral::close_all(unneeded).await))) };
        self.start(call);
    }

    /// Ends all that is open, the last first.
    pub(super) async fn close_ephemerals(&mut self) {
        let found = ephemeral::close_all(std::mem::take(&mut self.open)).await;
        self.report("zzz ephemeral", found);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        self.evaluation.told_of_ephemerals = std::mem::take(&mut told);
    }

    /// When the next renewal is due; `None` if nothing that is open has to be renewed.
    pub(super) fn next_renewal_ms(&self) -> Option<u64> {
        self.open.iter().filter_map(|open| open.renew_at_unix_ms).min()
    }

    /// Renews what is due.
    pub(super) async fn renew_ephemerals(&mut self) {
        let now = ephemeral::now_ms(&*self.request.world);
        let mut found = Diagnostics::new();
        for open in &mut self.open {
            if open.renew_at_unix_ms.is_some_and(|at| at <= now) {
                found.extend(open.renew().await);
            }
        }
        self.report("zzz ephemeral", found);
    }
}
