//! Plans, applies and destroys on a state that lives in memory.

use std::sync::Arc;

use apply::{Options, Request, Summary};
use plan::{Attempt, Mode, Plan};
use sdk::Registry;
use state::{MemoryStore, OperationInfo, OperationOutcome, StateStore as _};
use syntax::{Diagnostics, SourceMap};

use super::Tests;
use super::run::Kept;
use crate::session::Wanted;
use crate::store;

/// Carries out a plan.
pub(super) async fn carry_out(
    tests: &Tests<'_>,
    store: &MemoryStore,
    mut plan: Plan,
    registry: &Registry,
) -> Result<Summary, Diagnostics> {
    let session = tests.session;
    let guard = store.lock(store::lock_request("test", &*session.world))?;
    let info = OperationInfo {
        command: "test".to_owned(),
        who: store::who(),
        time_unix_ms: store::now_ms(&*session.world),
        summary: String::new(),
        plan: String::new(),
    };
    let operation = store.begin_operation(&guard, info)?;
    if plan.lineage.is_empty() {
        plan.lineage = store.snapshot()?.lineage;
    }
    let summary = apply::run(Request {
        plan,
        store,
        operation,
        registry: registry.clone(),
        context: session.context.clone(),
        world: session.clock(),
        options: Options::default(),
        events: Arc::new(|_| {}),
        stop: tests.interrupts.stop(),
        ssh_agent: store::env("SSH_AUTH_SOCK").map(Into::into),
        last_look: None,
    })
    .await?;
    store.end_operation(operation, OperationOutcome::Done)?;
    guard.release()?;
    Ok(summary)
}

/// Destroys all that a state holds, as the run that was last to change it saw it.
pub(super) async fn destroy(
    tests: &Tests<'_>,
    store: &MemoryStore,
    kept: Kept,
) -> (Diagnostics, Arc<SourceMap>) {
    let Kept { configuration, inputs, registry } = kept;
    let mut sources = Arc::clone(&configuration.sources);
    let snapshot = match store.snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => return (error.into(), sources),
    };
    let wanted = Wanted::Tested { configuration, inputs };
    let (stack, mut found) = tests.session.stack(&wanted, &snapshot).await;
    sources = Arc::clone(&stack.configuration.sources);
    if found.has_errors() {
        return (found, sources);
    }
    let options = plan::Options { mode: Mode::Destroy, ..plan::Options::default() };
    let (attempt, errors) = tests.session.attempt(stack, &snapshot, options, &registry).await;
    found.extend(errors);
    let Attempt::Planned(plan) = attempt else { return (found, sources) };
    match carry_out(tests, store, *plan, &registry).await {
        Ok(summary) => found.extend(summary.diagnostics),
        Err(errors) => found.extend(errors),
    }
    (found, sources)
}
