//! Runs provisioners after an object is created, or before it is destroyed: commands on this machine (`local`),
//! commands and copies on another one (`remote`), which is reached as its `connection` block says (`connection`).
//!
//! Their output is told line by line. Where a sensitive or ephemeral value is among the arguments, the output is
//! kept back as a whole, since it may repeat the value.

mod local;

mod connection;
mod remote;

use std::path::PathBuf;
use std::sync::Arc;

use address::ResourceInstance;
use config::OnFailure;
use lang::World;
use plan::Provision;
use syntax::{Diagnostics, Report, Severity, Span};
use tokio::sync::watch;
use value::Value;

use crate::event::Event;

/// Takes events as they happen.
pub(crate) type Events = Arc<dyn Fn(Event) + Send + Sync>;

/// What provisioners need of the run that they belong to.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) events: Events,
    /// Turns true when the run is asked to stop: no machine is waited for any longer then.
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) world: Arc<dyn World>,
    /// The socket of the SSH agent, if there is one.
    pub(crate) ssh_agent: Option<PathBuf>,
}

/// Why a provisioner has failed.
enum Failure {
    /// What it was asked did not work.
    Reason(String),
    /// The run was asked to stop; that is never tolerated.
    Stopped,
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self::Reason(reason)
    }
}

/// Runs provisioners one after the other. Warnings come back; the first failure that counts ends it.
pub(crate) async fn run_all(
    provisions: Vec<Provision>,
    address: &ResourceInstance,
    around: &Around,
) -> Result<Diagnostics, Diagnostics> {
    let mut warnings = Diagnostics::new();
    for provision in provisions {
        let kind = std::sync::Arc::<str>::from(&*provision.kind);
        let (at, named) = (address.clone(), std::sync::Arc::clone(&kind));
        (around.events)(Event::ProvisionerStarted { address: at, kind: named });
        let result = run(&provision, address, around).await;
        let failed = result.is_err();
        (around.events)(Event::ProvisionerEnded { address: address.clone(), kind, failed });
        let Err(failed) = result else { continue };
        let (reason, tolerated) = match failed {
            Failure::Reason(reason) => (reason, provision.on_failure == OnFailure::Continue),
            Failure::Stopped => ("it was interrupted".to_owned(), false),
        };
        let given: Vec<Value> =
            provision.connection.iter().chain([&provision.config]).cloned().collect();
        let reason = plan::without_secrets(reason, &given);
        let found = failure(&provision.kind, address, &reason, provision.span, tolerated);
        warnings.push(found);
        if !tolerated {
            return Err(warnings);
        }
    }
    Ok(warnings)
}

fn failure(
    kind: &str,
    address: &ResourceInstance,
    reason: &str,
    span: Span,
    tolerated: bool,
) -> Report {
    Report {
        severity: if tolerated { Severity::Warning } else { Severity::Error },
        code: "stratiform::apply::provisioner_failed".to_owned(),
        message: format!("provisioner `{kind}` of `{address}` failed: {reason}"),
        labels: vec![(span, String::new())],
        help: (!tolerated).then(|| {
            "a new object counts as half-made and will be replaced; `on_failure = continue` makes this a warning"
                .to_owned()
        }),
        detail: None,
        address: Some(address.to_string()),
    }
}

async fn run(
    provision: &Provision,
    address: &ResourceInstance,
    around: &Around,
) -> Result<(), Failure> {
    match &*provision.kind {
        "local-exec" => Ok(local::run(&provision.config, address, around).await?),
        _ => {
            let mut stop = around.stop.clone();
            let stopped = async {
                // Whoever can no longer ask has not asked.
                if stop.wait_for(|stops| *stops).await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                result = remote::run(provision, address, around) => Ok(result?),
                () = stopped => Err(Failure::Stopped),
            }
        }
    }
}
