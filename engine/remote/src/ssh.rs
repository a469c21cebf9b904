//! The connection itself: reached again and again until the machine answers; commands and what they say.

mod login;

use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, Handle};
use russh::{ChannelMsg, Disconnect, Pty};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use self::login::{Client, Credentials};
use crate::copy::not_read;
use crate::{Access, Content, Ended, Proxy, RemoteError, Settings, proxy, quoted};

/// One try takes no longer than this.
const LONGEST_TRY: Duration = Duration::from_secs(30);
/// The first pause between tries; each next one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A connection on which nothing comes is asked for a sign of life this often, and given up after so many without.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
const SIGNS_MISSED: usize = 8;
/// A line that is longer is told in pieces.
const LONGEST_LINE: usize = 16 * 1024;
/// More of what a failed copy said is not told.
const LONGEST_REASON: usize = 400;

/// A machine that is connected. Dropping it ends the connection, and with it what runs there.
pub struct Machine {
    session: Handle<Client>,
    /// The machine on the way; the connection lives as long as this one.
    _bastion: Option<Handle<Client>>,
}

/// Connects. Until the time is over it is tried again, whatever went wrong: a new machine may refuse connections, or
/// not know its users yet. `tell` is told why it is tried again, once for each reason.
///
/// # Errors
///
/// [`RemoteError::Unusable`] at once for keys that are none, [`RemoteError::Unreachable`] after the time.
pub async fn connect(
    settings: &Settings,
    tell: &mut (dyn FnMut(String) + Send),
) -> Result<Machine, RemoteError> {
    let target = Credentials::read(&settings.target, "")?;
    let bastion = settings
        .bastion
        .as_ref()
        .map(|bastion| Credentials::read(bastion, "bastion_"))
        .transpose()?;
    let mut last = "there was no answer".to_owned();
    let tries = async {
        let mut pause = FIRST_PAUSE;
        loop {
            let one = once(settings, &target, bastion.as_ref());
            let reason = match tokio::time::timeout(LONGEST_TRY, one).await {
                Ok(Ok(machine)) => return machine,
                Ok(Err(reason)) => reason,
                Err(_) => "there was no answer".to_owned(),
            };
            if reason != last {
                tell(format!("Cannot connect yet: {reason}"));
                last = reason;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    let result = tokio::time::timeout(settings.timeout, tries).await;
    result.map_err(|_| RemoteError::Unreachable {
        host: settings.target.host.clone(),
        port: settings.target.port,
        timeout: settings.timeout,
        reason: last,
    })
}

async fn once(
    settings: &Settings,
    target: &Credentials,
    bastion: Option<&Credentials>,
) -> Result<Machine, String> {
    let proxy = settings.proxy.as_ref();
    let agent = settings.agent.as_ref();
    let Some(way) = bastion else {
        let stream = dial(target, proxy).await?;
        let session = open(stream, target, agent).await?;
        return Ok(Machine { session, _bastion: None });
    };
    let at_bastion = |reason: String| format!("the bastion `{}`: {reason}", way.login.host);
    let stream = dial(way, proxy).await.map_err(at_bastion)?;
    let on_the_way = open(stream, way, agent).await.map_err(at_bastion)?;
    let (host, port) = (target.login.host.clone(), u32::from(target.login.port));
    let channel = on_the_way
        .channel_open_direct_tcpip(host, port, "127.0.0.1", 0)
        .await
        .map_err(|error| at_bastion(format!("it cannot reach the machine: {error}")))?;
    let session = open(channel.into_stream(), target, agent).await?;
    Ok(Machine { session, _bastion: Some(on_the_way) })
}

async fn dial(to: &Credentials, proxy: Option<&Proxy>) -> Result<TcpStream, String> {
    let (host, port) = (to.login.host.as_str(), to.login.port);
    let stream = match proxy {
        Some(proxy) => proxy::connect(proxy, host, port).await?,
        None => TcpStream::connect((host, port)).await.map_err(|error| error.to_string())?,
    };
    // Small packets go back and forth while a connection is made.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn open(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    to: &Credentials,
    agent: Option<&crate::Agent>,
) -> Result<Handle<Client>, String> {
    let config = client::Config {
        keepalive_interval: Some(SIGN_OF_LIFE),
        keepalive_max: SIGNS_MISSED,
        preferred: to.preferred(),
        ..client::Config::default()
    };
    let client = Client::expecting(to);
    let mut session = client::connect_stream(Arc::new(config), stream, client)
        .await
        .map_err(|error| error.to_string())?;
    login::log_in(&mut session, to, agent).await?;
    Ok(session)
}

fn broken(error: impl std::fmt::Display) -> RemoteError {
    RemoteError::Broken(error.to_string())
}

impl Machine {
    /// Runs a command in the user's shell, with a terminal, so that it ends when the connection does. `line` is told
    /// every line of its output.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Broken`] if the connection ends first.
    pub async fn run(
        &self,
        command: &str,
        line: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Ended, RemoteError> {
        let mut channel = self.session.channel_open_session().await.map_err(broken)?;
        let modes = [(Pty::ECHO, 0), (Pty::TTY_OP_ISPEED, 14_400), (Pty::TTY_OP_OSPEED, 14_400)];
        channel.request_pty(false, "xterm", 80, 40, 0, 0, &modes).await.map_err(broken)?;
        channel.exec(true, command).await.map_err(broken)?;
        let mut lines = Lines(Vec::new());
        let mut ended = None;
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => {
                    lines.take(&data, line);
                }
                other => note(other, &mut ended)?,
            }
        }
        lines.rest(line);
        ended.ok_or_else(|| broken("the command has not said how it ended"))
    }

    /// Writes a file; what is there is overwritten.
    ///
    /// # Errors
    ///
    /// [`RemoteError::NotRead`] for this machine's file, [`RemoteError::NotTaken`] with what the other machine said.
    pub async fn write(
        &self,
        content: Content<'_>,
        path: &str,
        access: Access,
    ) -> Result<(), RemoteError> {
        let channel = self.session.channel_open_session().await.map_err(broken)?;
        let mask = if access == Access::Script { "umask 077 && " } else { "" };
        let command = format!("{mask}cat > {}", quoted(path));
        channel.exec(true, command).await.map_err(broken)?;
        let (mut reading, writing) = channel.split();
        let sending = async {
            let mut to = writing.make_writer();
            // A remote end that no longer takes anything says why by itself.
            match content {
                Content::Bytes(mut bytes) => {
                    let _ = tokio::io::copy(&mut bytes, &mut to).await;
                }
                Content::File(from) => send_file(&from, &mut to).await?,
            }
            let _ = to.shutdown().await;
            Ok::<(), RemoteError>(())
        };
        let listening = async {
            let (mut said, mut ended) = (Vec::new(), None);
            while let Some(message) = reading.wait().await {
                match message {
                    ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => {
                        if said.len() < LONGEST_REASON {
                            said.extend_from_slice(&data);
                        }
                    }
                    other => note(other, &mut ended)?,
                }
            }
            Ok::<_, RemoteError>((said, ended))
        };
        tokio::pin!(sending, listening);
        let (said, ended) = tokio::select! {
            // It has ended before it has read everything.
            heard = &mut listening => heard?,
            sent = &mut sending => {
                sent?;
                listening.await?
            }
        };
        match ended {
            Some(Ended::Code(0)) => Ok(()),
            Some(_) => {
                let reason = String::from_utf8_lossy(&said).trim().to_owned();
                Err(RemoteError::NotTaken { path: path.to_owned(), reason })
            }
            None => Err(broken("the file was not confirmed")),
        }
    }

    /// Ends the connection in order.
    pub async fn close(self) {
        let _ = self.session.disconnect(Disconnect::ByApplication, "", "").await;
    }
}

async fn send_file(
    from: &std::path::Path,
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<(), RemoteError> {
    let mut file = tokio::fs::File::open(from).await.map_err(|error| not_read(from, &error))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        use tokio::io::AsyncReadExt;
        let read = file.read(&mut buffer).await.map_err(|error| not_read(from, &error))?;
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return Ok(());
        }
    }
}

/// Keeps how a command has ended.
fn note(message: ChannelMsg, ended: &mut Option<Ended>) -> Result<(), RemoteError> {
    match message {
        ChannelMsg::ExitStatus { exit_status } => *ended = Some(Ended::Code(exit_status)),
        ChannelMsg::ExitSignal { signal_name, .. } => {
            *ended = Some(Ended::Signal(format!("{signal_name:?}")));
        }
        ChannelMsg::Failure => return Err(broken("the server runs no commands")),
        _ => {}
    }
    Ok(())
}

/// Bytes on their way to becoming lines.
struct Lines(Vec<u8>);

impl Lines {
    fn take(&mut self, bytes: &[u8], line: &mut (dyn FnMut(&str) + Send)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.0.extend_from_slice(part);
            if part.ends_with(b"\n") || self.0.len() > LONGEST_LINE {
                self.rest(line);
            }
        }
    }

    fn rest(&mut self, line: &mut (dyn FnMut(&str) + Send)) {
        if !self.0.is_empty() {
            let bytes = std::mem::take(&mut self.0);
            line(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines_however_they_are_cut() {
        let mut found = Vec::new();
        let mut tell = |line: &str| found.push(line.to_owned());
        let mut lines = Lines(Vec::new());
        for part in ["one\r", "\ntw", "o\n\nth", "ree"] {
            lines.take(part.as_bytes(), &mut tell);
        }
        lines.rest(&mut tell);
        assert_eq!(found, ["one", "two", "", "three"]);
    }
}
