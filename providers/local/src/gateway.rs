//! The process that serves an endpoint on loopback: it starts model servers on demand and passes requests on.
//!
//! ```text
//! FOLDER/spec.json      what to serve
//! FOLDER/status.json    how it stands; the gateway alone writes it
//! FOLDER/output.log     what the model servers printed
//! FOLDER/work/          where they run
//! ```
//!
//! 1. [`pool`]: the replicas: who gets which, when one is started, when one is stopped.
//! 2. [`replica`]: one model server from start to end.
//! 3. [`proxy`]: a request in, an answer out.

mod pool;
mod proxy;
mod replica;

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::LocalError;
use crate::files;
use crate::process::Identity;
use crate::run::RunSpec;
use pool::Pool;

/// What to serve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct EndpointSpec {
    /// The model server: `{port}` and `{model}` in its command are replaced.
    pub(crate) run: RunSpec,
    pub(crate) model_path: Option<PathBuf>,
    /// 0 takes a free one.
    pub(crate) port: u16,
    pub(crate) scale: Scale,
    pub(crate) health_path: String,
    pub(crate) start_timeout_s: u64,
    pub(crate) drain_s: u64,
}

/// How many replicas there are, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scale {
    pub(crate) min: u64,
    pub(crate) max: u64,
    /// Requests that one replica works on at a time.
    pub(crate) target_concurrency: u64,
    pub(crate) idle_to_zero_s: u64,
    /// Requests that may wait.
    pub(crate) max_queue: u64,
}

/// How an endpoint stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct EndpointStatus {
    pub(crate) gateway: Identity,
    pub(crate) port: u16,
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) replicas: Vec<ReplicaStatus>,
}

/// One replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReplicaStatus {
    pub(crate) process: Identity,
    pub(crate) port: u16,
    pub(crate) ready: bool,
}

/// States that [`status`] gives.
pub(crate) const STARTING: &str = "starting";
pub(crate) const READY: &str = "ready";
/// No replica ever became healthy.
pub(crate) const FAILED: &str = "failed";
/// A replica ended that should not have.
pub(crate) const DEGRADED: &str = "degraded";
/// The gateway itself is gone.
pub(crate) const DEAD: &str = "dead";

/// How an endpoint really stands.
pub(crate) fn status(folder: &Path) -> Result<Option<EndpointStatus>, LocalError> {
    let read = || files::read_record::<EndpointStatus>(&folder.join("status.json"));
    let Some(mut status) = read()? else { return Ok(None) };
    if status.state == FAILED {
        return Ok(Some(status));
    }
    if !status.gateway.is_alive() {
        // Its last word may have come between the two looks.
        status = read()?.unwrap_or(status);
        if status.state != FAILED {
            DEAD.clone_into(&mut status.state);
        }
    } else if status.state == READY
        && status.replicas.iter().any(|replica| !replica.process.is_alive())
    {
        // The gateway may just have stopped this one by itself, and be about to say so.
        std::thread::sleep(Duration::from_millis(200));
        status = read()?.unwrap_or(status);
        if status.replicas.iter().any(|replica| !replica.process.is_alive()) {
            DEGRADED.clone_into(&mut status.state);
        }
    }
    Ok(Some(status))
}

/// Serves an endpoint until SIGTERM.
pub(crate) fn run(spec_path: &Path) -> i32 {
    match start(spec_path) {
        Ok(()) => 0,
        Err(error) => {
            // The helper's error stream is `helper.log` in the endpoint's folder.
            let _ = writeln!(std::io::stderr(), "{error}");
            1
        }
    }
}

fn start(spec_path: &Path) -> Result<(), LocalError> {
    let spec: EndpointSpec = files::read_record(spec_path)?.ok_or_else(|| {
        LocalError::ObjectMissing { kind: "endpoint", id: spec_path.display().to_string() }
    })?;
    let folder = spec_path.parent().unwrap_or(Path::new(".")).to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(LocalError::file("start the gateway of", &folder))?;
    runtime.block_on(serve(spec, folder))
}

async fn serve(spec: EndpointSpec, folder: PathBuf) -> Result<(), LocalError> {
    let failed = LocalError::file("listen for", &folder);
    let mut terminate =
        signal(SignalKind::terminate()).map_err(LocalError::file("watch signals for", &folder))?;
    let gateway = Identity::own()?;
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, spec.port)).await {
        Ok(listener) => listener,
        Err(error) => {
            let status = EndpointStatus {
                gateway,
                port: spec.port,
                state: FAILED.to_owned(),
                reason: format!("port {} cannot be used: {error}", spec.port),
                replicas: Vec::new(),
            };
            return files::write_record(&folder.join("status.json"), &status);
        }
    };
    let port = listener.local_addr().map_err(failed)?.port();
    let drain = Duration::from_secs(spec.drain_s);
    let pool = Arc::new(Pool::new(spec, folder, gateway, port));
    pool.start_first();
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = tick.tick() => pool.stop_idle(),
            () = pool.given_up() => break,
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                tokio::spawn(proxy::serve_connection(Arc::clone(&pool), stream));
            },
        }
    }
    drop(listener);
    pool.drain(drain).await;
    Ok(())
}
