//! A provider's process: start, handshake, logs, end.
//!
//! One task owns the child. It learns at once when the child ends, and ends it when nobody holds the
//! [`Process`] any more.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tonic::Status;

use crate::connection::Connection;
use crate::handshake::{self, Endpoint};
use crate::log::{LastLines, Level, LogSink};
use crate::rpc::Version;
use crate::wire::plugin;
use crate::{binary, tls};

/// How long a provider has for its handshake.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How long it has to end after it was asked to.
const END_TIMEOUT: Duration = Duration::from_secs(2);
/// Lines are read in pieces of at most this size.
const LONGEST_LINE: u64 = 64 * 1024;

/// How a provider is started.
#[derive(Clone)]
pub struct StartOptions {
    /// The engine's binary, which becomes the process between engine and provider; `None` to start directly.
    pub launcher: Option<PathBuf>,
    /// Talk without TLS.
    pub plaintext: bool,
    /// Further variables for the provider.
    pub env: Vec<(String, String)>,
    /// Takes the provider's log.
    pub log: LogSink,
    /// The provider's short name, for the log.
    pub name: String,
}

/// A running provider that can be called.
pub(crate) struct Process {
    pub(crate) connection: Connection,
    pub(crate) version: Version,
    last: Arc<LastLines>,
    ended: watch::Receiver<bool>,
    /// Dropping it ends the child. Absent for a provider that somebody else started.
    kill: Option<mpsc::Sender<()>>,
}

impl Process {
    /// Starts a binary. The error says why it cannot be used.
    pub(crate) async fn start(path: &Path, options: &StartOptions) -> Result<Self, String> {
        binary::inspect(path)?;
        let identity = if options.plaintext { None } else { Some(tls::Identity::new()?) };
        let mut child = command(path, options, identity.as_ref())
            .spawn()
            .map_err(|error| format!("`{}` cannot be executed: {error}", path.display()))?;
        let last = Arc::new(LastLines::default());
        let stderr = child.stderr.take().map(|stream| {
            let (last, log, name) = (last.clone(), options.log.clone(), options.name.clone());
            tokio::spawn(lines(stream, move |line| {
                let (level, text) = last.take(line);
                log(level, &name, &text);
            }))
        });
        let stdout = child.stdout.take().ok_or("it has no output")?;
        let mut stdout = BufReader::new(stdout);
        let (kill, killed) = mpsc::channel(1);
        let (tell, ended) = watch::channel(false);
        let direct = options.launcher.is_none();
        tokio::spawn(own(child, killed, direct, stderr, tell));
        let mut process_ended = ended.clone();
        let line = tokio::select! {
            line = tokio::time::timeout(START_TIMEOUT, first_line(&mut stdout)) => line,
            _ = process_ended.wait_for(|ended| *ended) => Ok(String::new()),
        };
        let line = match line {
            Err(_) => {
                let seconds = START_TIMEOUT.as_secs();
                return Err(format!("it did not say where it listens within {seconds} s"));
            }
            Ok(line) if line.trim().is_empty() => {
                // The error stream has been read to its end by the time the end is known.
                let _ = tokio::time::timeout(END_TIMEOUT, process_ended.wait_for(|e| *e)).await;
                return Err(with_lines("it ended before it said where it listens", &last));
            }
            Ok(line) => line,
        };
        let line = handshake::parse(&line).map_err(|fault| {
            let hint = "; is it a Terraform provider, built for this machine?";
            with_lines(&format!("{fault}{hint}"), &last)
        })?;
        let (log, name) = (options.log.clone(), options.name.clone());
        tokio::spawn(lines(stdout, move |line| log(Level::Info, &name, line)));
        let version = Version::from_number(line.version).ok_or_else(|| {
            format!(
                "it speaks version {} of the provider protocol, and versions 5 and 6 are known; \
                 use a newer release of the provider",
                line.version
            )
        })?;
        let tls = match (identity, line.certificate) {
            (Some(identity), Some(peer)) => Some(tls::client(&identity, peer)?),
            _ => None,
        };
        let connect = Connection::connect(line.endpoint, tls);
        let connection = tokio::time::timeout(START_TIMEOUT, connect)
            .await
            .map_err(|_| "it does not take connections".to_owned())?
            .map_err(|fault| with_lines(&format!("it cannot be connected to: {fault}"), &last))?;
        let process = Self { connection, version, last, ended, kill: Some(kill) };
        process.listen(options);
        Ok(process)
    }

    /// Connects to a provider that somebody else started.
    pub(crate) async fn attach(
        endpoint: Endpoint,
        version: Version,
        options: &StartOptions,
    ) -> Result<Self, String> {
        let connection = Connection::connect(endpoint, None).await?;
        // Nobody tells when it ends: its calls fail then.
        let (_, ended) = watch::channel(false);
        let process = Self { connection, version, last: Arc::default(), ended, kill: None };
        process.listen(options);
        Ok(process)
    }

    /// Reads what the provider sends of its own accord, for the log.
    fn listen(&self, options: &StartOptions) {
        let (connection, log, name) =
            (self.connection.clone(), options.log.clone(), options.name.clone());
        tokio::spawn(async move {
            // Not every provider has the service.
            let Ok(mut stream) = connection.stream(plugin::STDIO, Bytes::new()).await else {
                return;
            };
            while let Ok(Some(message)) = stream.message().await {
                if let Ok(data) = plugin::StdioData::decode(message) {
                    log(Level::Info, &name, String::from_utf8_lossy(&data.data).trim_end());
                }
            }
        });
    }

    /// Makes a call, and notices at once if the process ends meanwhile.
    pub(crate) async fn call(
        &self,
        path: &'static str,
        message: Bytes,
    ) -> Result<Bytes, CallError> {
        let mut ended = self.ended.clone();
        let answer = tokio::select! {
            biased;
            answer = self.connection.call(path, message) => answer,
            () = gone(&mut ended) => return Err(self.crash()),
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(status) if status.code() == tonic::Code::Unimplemented => {
                Err(CallError::Unimplemented)
            }
            Err(status) if is_transport(&status) => {
                // The connection breaks a moment before the end of the process is known.
                let wait = tokio::time::timeout(Duration::from_millis(500), gone(&mut ended));
                match wait.await {
                    Ok(()) => Err(self.crash()),
                    Err(_) => Err(CallError::Lost(status.message().to_owned())),
                }
            }
            Err(status) => {
                Err(CallError::Status(format!("{:?}: {}", status.code(), status.message())))
            }
        }
    }

    fn crash(&self) -> CallError {
        CallError::Crashed(self.last.lines())
    }

    /// True once the process has ended.
    pub(crate) fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// Asks the provider to end, and ends it if it does not.
    pub(crate) async fn shut_down(&self) {
        let Some(kill) = &self.kill else { return };
        let mut ended = self.ended.clone();
        // A Go server breaks the connection while it answers; that is no failure.
        let asked = self.connection.call(plugin::SHUTDOWN, Bytes::new());
        let answer = tokio::time::timeout(END_TIMEOUT, asked).await;
        // Who does not know the call may end by it all the same, but hardly later.
        let deaf =
            matches!(&answer, Ok(Err(status)) if status.code() == tonic::Code::Unimplemented);
        let patience = if deaf { END_TIMEOUT / 4 } else { END_TIMEOUT };
        if tokio::time::timeout(patience, gone(&mut ended)).await.is_err() {
            let _ = kill.try_send(());
            let _ = tokio::time::timeout(END_TIMEOUT, gone(&mut ended)).await;
        }
    }
}

/// Why a call got no answer.
#[derive(Debug)]
pub(crate) enum CallError {
    Unimplemented,
    Crashed(Vec<String>),
    Lost(String),
    Status(String),
}

/// Waits for the end of a process; for ever if nobody will tell of it.
async fn gone(ended: &mut watch::Receiver<bool>) {
    if ended.wait_for(|ended| *ended).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn is_transport(status: &Status) -> bool {
    use std::error::Error as _;
    matches!(status.code(), tonic::Code::Unavailable | tonic::Code::Cancelled)
        || status.source().is_some()
        || status.message().contains("h2 protocol error")
}

fn with_lines(fault: &str, last: &LastLines) -> String {
    let lines = last.lines();
    if lines.is_empty() {
        fault.to_owned()
    } else {
        format!("{fault}; its last lines were:\n{}", lines.join("\n"))
    }
}

fn command(path: &Path, options: &StartOptions, identity: Option<&tls::Identity>) -> Command {
    let mut command = match &options.launcher {
        Some(launcher) => {
            let mut command = Command::new(launcher);
            command.arg(crate::launch::WORD).arg(path).stdin(Stdio::piped());
            command
        }
        None => {
            let mut command = Command::new(path);
            command.stdin(Stdio::null()).kill_on_drop(true);
            command
        }
    };
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C is for the engine, which decides what becomes of its providers.
        .process_group(0)
        .env(handshake::COOKIE_NAME, handshake::COOKIE_VALUE)
        .env(handshake::VERSIONS, "5,6")
        .env("PLUGIN_MIN_PORT", "10000")
        .env("PLUGIN_MAX_PORT", "25000")
        .env_remove("PLUGIN_MULTIPLEX_GRPC")
        .env_remove(handshake::CLIENT_CERTIFICATE)
        .envs(options.env.iter().map(|(name, value)| (name, value)));
    if let Some(identity) = identity {
        command.env(handshake::CLIENT_CERTIFICATE, identity.pem());
    }
    command
}

/// Owns the child to its end.
async fn own(
    mut child: Child,
    mut killed: mpsc::Receiver<()>,
    direct: bool,
    stderr: Option<tokio::task::JoinHandle<()>>,
    tell: watch::Sender<bool>,
) {
    let input = child.stdin.take();
    let id = child.id();
    tokio::select! {
        _ = child.wait() => {}
        _ = killed.recv() => {
            // The launcher ends the provider when its input closes.
            drop(input);
            if direct {
                let group = id.and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
                if let Some(group) = group {
                    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
                }
            }
            let _ = child.wait().await;
        }
    }
    if let Some(stderr) = stderr {
        // A forked child may hold the stream open.
        let _ = tokio::time::timeout(Duration::from_millis(200), stderr).await;
    }
    let _ = tell.send(true);
}

async fn first_line(stdout: &mut BufReader<tokio::process::ChildStdout>) -> String {
    let mut line = Vec::new();
    let _ = stdout.take(LONGEST_LINE).read_until(b'\n', &mut line).await;
    String::from_utf8_lossy(&line).into_owned()
}

/// Reads lines to the end of a stream, so that its writer is never held up.
async fn lines(stream: impl AsyncRead + Unpin, mut take: impl FnMut(&str)) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        match (&mut stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => take(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r'])),
        }
    }
}
