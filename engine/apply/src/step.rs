//! One step's calls to its provider, and what they leave behind.

use std::sync::Arc;
use std::time::Duration;

use plan::evaluation::renewal::Ready;
use plan::{Final, ResourceChange, StepKind};
use sdk::{ApplyAnswer, ApplyRequest, Private, ProgressSink, Provider, ProviderError};
use syntax::Diagnostics;
use value::{Type, Value};

/// How often a call is tried that says that it may be.
const MAX_TRIES: u32 = 5;
/// The first pause between tries; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// A step that knows what it will ask of its provider.
pub(crate) struct Prepared {
    pub(crate) prior: Value,
    pub(crate) planned: Value,
    pub(crate) config: Value,
    pub(crate) private: Vec<u8>,
    /// What will tell the object from all others.
    pub(crate) identity: Option<Value>,
    /// What the module tells the provider about itself.
    pub(crate) meta: Option<Value>,
    pub(crate) sensitive_paths: Vec<address::AttributePath>,
    pub(crate) ty: Type,
    /// What went wrong before and does not matter.
    pub(crate) warnings: Diagnostics,
}

/// Plans a change a last time, with the values that are real by now.
pub(crate) async fn prepare(
    provider: Arc<dyn Provider>,
    change: &ResourceChange,
    kind: StepKind,
    ready: Option<Ready>,
) -> Result<Prepared, Diagnostics> {
    let type_name = &change.address.resource.type_name;
    let schema = provider.schema();
    let ty = schema.resources.get(type_name).map_or(Type::Dynamic, |schema| schema.block.ty());
    let null = Value::null(ty.clone());
    let warnings = Diagnostics::new();
    let before = change.before.clone().unmark_deep().0;
    match (kind, ready) {
        (StepKind::Create | StepKind::Update, Some(ready)) => {
            let reader: Arc<dyn sdk::Reader> = provider;
            let last = ready.plan(reader, change).await?;
            let Final { planned, config, sensitive_paths, planned_private, .. } = last;
            let prior = if kind == StepKind::Create { null } else { before };
            Ok(Prepared {
                prior,
                planned,
                config,
                private: planned_private,
                identity: last.planned_identity,
                meta: last.meta,
                sensitive_paths,
                ty,
                warnings,
            })
        }
        _ => {
            // A deposed object was decoded without its type.
            let prior = if before.conforms(&ty) {
                before
            } else {
                value::convert(&before, &ty).unwrap_or(before)
            };
            Ok(Prepared {
                prior,
                planned: null.clone(),
                config: null,
                private: change.planned_private.clone(),
                identity: change.identity.as_ref().and_then(|one| one.before.clone()),
                meta: None,
                sensitive_paths: Vec::new(),
                ty,
                warnings,
            })
        }
    }
}

/// What came of a call.
pub(crate) struct Called {
    /// `None` if the call itself got no answer: what it did is not known.
    pub(crate) answer: Option<ApplyAnswer>,
    pub(crate) failure: Option<ProviderError>,
}

/// Makes the change; tries again where the provider says that it may be tried again.
pub(crate) async fn call(
    provider: Arc<dyn Provider>,
    type_name: Arc<str>,
    prepared: &Prepared,
    token: String,
    progress: ProgressSink,
) -> Called {
    let mut pause = FIRST_PAUSE;
    for attempt in 1.. {
        let request = ApplyRequest {
            type_name: Arc::clone(&type_name),
            prior: prepared.prior.clone(),
            planned: prepared.planned.clone(),
            config: prepared.config.clone(),
            planned_private: Private::from(prepared.private.as_slice()),
            planned_identity: prepared.identity.clone(),
            meta: prepared.meta.clone(),
            token: token.clone(),
            progress: progress.clone(),
        };
        let answer = match provider.apply(request).await {
            Ok(answer) => answer,
            Err(error) => return Called { answer: None, failure: Some(error) },
        };
        let Some(retry) = sdk::pace::retry_of(&answer.problems).filter(|_| attempt < MAX_TRIES)
        else {
            return Called { answer: Some(answer), failure: None };
        };
        let wait = retry.after_ms.map_or(pause, Duration::from_millis);
        progress.tell(&format!("trying again in {} ms", wait.as_millis()));
        tokio::time::sleep(wait).await;
        pause *= 2;
    }
    unreachable!("the last try returns")
}
