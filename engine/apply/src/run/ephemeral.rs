//! Ephemeral objects of an apply: opened for the steps that need them, renewed, and closed after the last.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use plan::ResourceChange;
use syntax::Diagnostics;

use super::Run;

impl Run<'_> {
    /// Opens the ephemeral objects that a step needs and that are not open yet.
    pub(super) async fn open_for(&mut self, change: &ResourceChange) -> Result<(), Diagnostics> {
        if !self.uses_ephemerals {
            return Ok(());
        }
        for address in self.plan.evaluation.ephemerals_behind(change) {
            let provider = self.plan.evaluation.provider_of(&address);
            let Some(provider) = provider else { continue };
            let provider = self.providers.get(&provider, &mut self.plan.evaluation).await?;
            let reader: Arc<dyn sdk::Reader> = provider;
            let (open, warnings) = self.plan.evaluation.open_ephemeral(&address, reader).await?;
            self.open.extend(open);
            self.summary.diagnostics.extend(warnings);
        }
        Ok(())
    }

    /// Waits until an ephemeral object must be renewed; for ever if none has to be.
    pub(super) fn renewal(&self) -> BoxFuture<'static, ()> {
        let due = self.open.iter().filter_map(|open| open.renew_at_unix_ms).min();
        match due {
            Some(due) => {
                let wait = due.saturating_sub(self.now_ms());
                tokio::time::sleep(std::time::Duration::from_millis(wait)).boxed()
            }
            None => std::future::pending().boxed(),
        }
    }

    pub(super) async fn renew(&mut self) {
        let now = self.now_ms();
        let mut open = std::mem::take(&mut self.open);
        for one in open.iter_mut().filter(|one| one.renew_at_unix_ms.is_some_and(|at| at <= now)) {
            self.summary.diagnostics.extend(one.renew().await);
        }
        self.open = open;
    }
}
