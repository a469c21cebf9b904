//! Ephemeral resource instances: opened when somebody needs them, renewed, and closed when all is done.

use std::sync::Arc;

use address::ResourceInstance;
use futures::FutureExt;
use sdk::Reader;
use syntax::Diagnostics;
use value::{Marks, Value};

use super::node::NodeState;
use super::{Answer, NodeId, Walk};
use crate::ephemeral;
use crate::evaluation::ModuleId;
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
        let call = async move {
            let opened = ephemeral::open(reader, &block, address, config).await;
            (
                id,
                opened
                    .map(|(value, open, warnings)| Answer::Opened(value, Box::new(open), warnings)),
            )
        };
        self.start(call.boxed());
    }

    /// Ends all that is open, the last first.
    pub(super) async fn close_ephemerals(&mut self) {
        let found = ephemeral::close_all(std::mem::take(&mut self.open)).await;
        self.report("zzz ephemeral", found);
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
