//! Serves one of our providers to Terraform, as a go-plugin server.
//!
//! Read in this order: `service` (paths to answers), `answers` (each call of the protocol), and here the life of
//! the server: bind, say where, serve until told to end.

mod answers;
mod forward;
mod service;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use sdk::{Context, Factory};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::connection::{AnyStream, Stream};
use crate::handshake::{self, Endpoint};
use crate::process::StartOptions;
use crate::record::Recorder;
use crate::rpc::{MAX_MESSAGE_BYTES, Version};
use crate::tls;

pub(crate) use service::Service;

/// Changes answers before they are sent: the call's name and the message.
pub type Tamper = Arc<dyn Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync>;

/// What a server is told by its host.
#[derive(Clone, Default)]
pub struct ServeOptions {
    /// The cookie, which a host sets.
    pub cookie: Option<String>,
    /// The versions that the host speaks.
    pub versions: Option<String>,
    /// The host's certificate; without it there is no TLS.
    pub client_certificate: Option<String>,
    /// Serve TCP on the loopback address instead of a socket in the file system.
    pub tcp: bool,
    /// Print a value for `TF_REATTACH_PROVIDERS` instead of the handshake, and serve until interrupted.
    pub reattach: bool,
    /// Breaks the protocol on demand, for tests of hosts.
    pub tamper: Option<Tamper>,
}

impl ServeOptions {
    /// What a host tells in the environment; `env` looks up a variable.
    pub fn read(env: &dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            cookie: env(handshake::COOKIE_NAME),
            versions: env("PLUGIN_PROTOCOL_VERSIONS"),
            client_certificate: env("PLUGIN_CLIENT_CERT"),
            ..Self::default()
        }
    }
}

/// All of a program that is nothing but a provider: serves it until the host ends it. `environment` are the program's
/// variables, by which a host says what it wants; what goes wrong is told on the error stream.
pub fn program(
    factory: Arc<dyn Factory>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> ExitCode {
    let environment: BTreeMap<String, String> = environment.into_iter().collect();
    let options = ServeOptions::read(&|name| environment.get(name).cloned());
    match until_ended(factory, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // There is nobody else to tell.
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

fn until_ended(factory: Arc<dyn Factory>, options: ServeOptions) -> Result<(), String> {
    let context = Context {
        working_dir: ".".into(),
        executable: std::env::current_exe().unwrap_or_default(),
        engine_version: String::new(),
        home_dir: std::env::temp_dir(),
        deferral_allowed: false,
        reuse_answers: false,
    };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| format!("no thread can be started: {error}"))?;
    runtime.block_on(serve(factory, context, options))
}

/// Serves a provider until the host ends it. Gives what to tell a person if it cannot be served.
pub async fn serve(
    factory: Arc<dyn Factory>,
    context: Context,
    options: ServeOptions,
) -> Result<(), String> {
    let by_host = options.cookie.as_deref() == Some(handshake::COOKIE_VALUE);
    if !by_host && !options.reattach {
        return Err(format!(
            "this is a Terraform provider, `{}`, which is started by Terraform or Stratiform and not by hand; \
             to attach it to a running Terraform, add `-reattach`",
            factory.address()
        ));
    }
    let number = handshake::negotiate(options.versions.as_deref().or(Some("6")));
    let version = Version::from_number(number).ok_or("no version of the protocol fits")?;
    let (shutdown, ended) = tokio::sync::watch::channel(false);
    let provider = factory.create().await.map_err(|error| error.to_string())?;
    let service = Service::native(provider, context, shutdown).tampered(options.tamper.clone());
    announce(service, ended, version, &factory.address().to_string(), &options).await
}

/// Serves another provider, and takes every call down. For hosts alone.
pub async fn forward(
    binary: &Path,
    start: StartOptions,
    recorder: Recorder,
    options: ServeOptions,
) -> Result<(), String> {
    if options.cookie.as_deref() != Some(handshake::COOKIE_VALUE) {
        return Err("this stands for a provider, and is started by Terraform".to_owned());
    }
    let behind = forward::Forward::start(binary, start, recorder).await?;
    let version = behind.version();
    let (shutdown, ended) = tokio::sync::watch::channel(false);
    announce(Service::new(Arc::new(behind), shutdown), ended, version, "", &options).await
}

/// Binds, says where, and serves.
async fn announce(
    service: Service,
    ended: tokio::sync::watch::Receiver<bool>,
    version: Version,
    address: &str,
    options: &ServeOptions,
) -> Result<(), String> {
    let peer = match &options.client_certificate {
        Some(pem) => Some(tls::from_pem(pem).ok_or("the host's certificate cannot be read")?),
        None => None,
    };
    let identity = if peer.is_some() { Some(tls::Identity::new()?) } else { None };
    let acceptor = match (&identity, peer) {
        (Some(identity), Some(peer)) => {
            Some(TlsAcceptor::from(Arc::new(tls::server(identity, peer)?)))
        }
        _ => None,
    };
    let (listener, endpoint, folder) = bind(options.tcp).await?;
    let line = if options.reattach {
        let value = crate::reattach::write(address, version, &endpoint);
        format!("TF_REATTACH_PROVIDERS='{value}'")
    } else {
        handshake::line(
            version.number(),
            &endpoint,
            identity.as_ref().map(|own| own.certificate.as_ref()),
        )
    };
    say(&line)?;
    let served = run(listener, acceptor, service, ended, options.reattach).await;
    if let Some(folder) = folder {
        let _ = std::fs::remove_dir_all(folder);
    }
    served
}

/// Serves until told to end.
pub(crate) async fn run(
    listener: Listener,
    acceptor: Option<TlsAcceptor>,
    service: Service,
    mut ended: tokio::sync::watch::Receiver<bool>,
    until_interrupted: bool,
) -> Result<(), String> {
    let incoming = accept(listener, acceptor);
    let mut told = ended.clone();
    let end = async move {
        let told = async {
            let _ = ended.wait_for(|ended| *ended).await;
        };
        if until_interrupted {
            let interrupted = tokio::signal::ctrl_c();
            tokio::select! { () = told => {}, _ = interrupted => {} }
        } else {
            // The host decides; its terminal's Ctrl-C comes here, too.
            let ignore = async {
                while tokio::signal::ctrl_c().await.is_ok() {}
                std::future::pending::<()>().await;
            };
            tokio::select! { () = told => {}, () = ignore => {} }
        }
    };
    let server = tonic::transport::Server::builder()
        .initial_stream_window_size(4 * 1024 * 1024)
        .serve_with_incoming_shutdown(service, incoming, async {
            end.await;
            // What is being answered may still be answered, the call that ends the server among it.
            tokio::time::sleep(Duration::from_millis(50)).await;
        });
    // Streams for logs stay open for as long as the host does; a host that has said goodbye waits for the end.
    let enough = async {
        let _ = told.wait_for(|ended| *ended).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    tokio::select! {
        served = server => served.map_err(|error| crate::connection::causes(&error)),
        () = enough => Ok(()),
    }
}

/// Where a server listens.
pub(crate) enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// Binds; gives the folder that is to be removed at the end.
pub(crate) async fn bind(tcp: bool) -> Result<(Listener, Endpoint, Option<PathBuf>), String> {
    if tcp {
        let failed = |error: std::io::Error| format!("no port can be opened: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        return Ok((Listener::Tcp(listener), Endpoint::Tcp(address.to_string()), None));
    }
    let folder = private_folder().map_err(|error| format!("no socket can be made: {error}"))?;
    let path = folder.join("s");
    let listener =
        UnixListener::bind(&path).map_err(|error| format!("no socket can be made: {error}"))?;
    Ok((Listener::Unix(listener), Endpoint::Unix(path), Some(folder)))
}

/// A folder that only its owner may enter. Its path is short, since paths of sockets must be.
fn private_folder() -> std::io::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt as _;
    let base = std::env::temp_dir();
    for attempt in 0..100u32 {
        let path = base.join(format!("sfp{}-{attempt}", std::process::id()));
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// The line that a host waits for.
pub(crate) fn say(line: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| format!("the handshake cannot be written: {error}"))
}

/// Connections as they are ready. Each is greeted on its own, so that one bad peer holds up nobody.
fn accept(
    listener: Listener,
    acceptor: Option<TlsAcceptor>,
) -> impl futures::Stream<Item = std::io::Result<AnyStream>> {
    let (ready, taken) = mpsc::channel(16);
    tokio::spawn(async move {
        loop {
            let plain: std::io::Result<Box<dyn Stream>> = match &listener {
                Listener::Unix(listener) => {
                    listener.accept().await.map(|(stream, _)| Box::new(stream) as Box<dyn Stream>)
                }
                Listener::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                    let _ = stream.set_nodelay(true);
                    Box::new(stream) as Box<dyn Stream>
                }),
            };
            let Ok(plain) = plain else {
                // Too many open files, for one: the next try may work.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (ready, acceptor) = (ready.clone(), acceptor.clone());
            tokio::spawn(async move {
                let stream = match acceptor {
                    None => AnyStream(plain),
                    Some(acceptor) => match acceptor.accept(AnyStream(plain)).await {
                        Ok(stream) => AnyStream(Box::new(stream)),
                        Err(_) => return,
                    },
                };
                let _ = ready.send(Ok(stream)).await;
            });
        }
    });
    tokio_stream::wrappers::ReceiverStream::new(taken).boxed()
}
