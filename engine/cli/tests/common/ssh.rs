//! An SSH server on loopback: it runs what it is told to in a folder of its own, and ends with the value.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "each test uses a part of it"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use russh::keys::ssh_key::certificate::{Builder, CertType};
use russh::keys::{Algorithm, Certificate, PrivateKey, PublicKey};
use russh::server::{self, Auth, Handle, Msg, Response, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Whom the server lets in, and how it shows itself.
#[derive(Clone)]
pub struct Rules {
    pub password: Option<String>,
    /// The password is asked for by questions.
    pub asks: bool,
    pub keys: Vec<PublicKey>,
    /// The authority whose certificates open it.
    pub authority: Option<PublicKey>,
    pub host_key: PrivateKey,
    pub host_certificate: Option<Certificate>,
    /// 0 for any.
    pub port: u16,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            password: None,
            asks: false,
            keys: Vec::new(),
            authority: None,
            host_key: new_key(),
            host_certificate: None,
            port: 0,
        }
    }
}

pub fn new_key() -> PrivateKey {
    PrivateKey::random(&mut rng(), Algorithm::Ed25519).unwrap()
}

fn rng() -> impl russh::keys::ssh_key::rand_core::CryptoRng {
    russh::keys::key::safe_rng()
}

/// A certificate that is valid for an hour.
pub fn certified(key: &PublicKey, by: &PrivateKey, kind: CertType, name: &str) -> Certificate {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut builder =
        Builder::new_with_random_nonce(&mut rng(), key, now - 60, now + 3600).unwrap();
    builder.cert_type(kind).unwrap().key_id("test").unwrap().valid_principal(name).unwrap();
    builder.sign(by).unwrap()
}

pub struct SshServer {
    pub port: u16,
    home: tempfile::TempDir,
    /// Who logged in and what was run: `user: command`.
    log: Arc<Mutex<Vec<String>>>,
    _runtime: tokio::runtime::Runtime,
}

impl SshServer {
    pub fn start(rules: Rules) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let home = tempfile::tempdir().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(("127.0.0.1", rules.port)))
            .expect("a port is free");
        let port = listener.local_addr().unwrap().port();
        let mut methods = MethodSet::empty();
        methods.push(MethodKind::PublicKey);
        methods.push(if rules.asks {
            MethodKind::KeyboardInteractive
        } else {
            MethodKind::Password
        });
        let config = Arc::new(server::Config {
            methods,
            auth_rejection_time: std::time::Duration::from_millis(10),
            auth_rejection_time_initial: Some(std::time::Duration::ZERO),
            keys: vec![rules.host_key.clone()],
            certificates: rules.host_certificate.clone().into_iter().collect(),
            ..server::Config::default()
        });
        let (folder, told) = (home.path().to_path_buf(), Arc::clone(&log));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let client = Client {
                    rules: rules.clone(),
                    home: folder.clone(),
                    log: Arc::clone(&told),
                    user: String::new(),
                    inputs: BTreeMap::new(),
                    work: JoinSet::new(),
                };
                let config = Arc::clone(&config);
                tokio::spawn(async move {
                    if let Ok(session) = server::run_stream(config, stream, client).await {
                        let _ = session.await;
                    }
                });
            }
        });
        Self { port, home, log, _runtime: runtime }
    }

    pub fn home(&self) -> PathBuf {
        self.home.path().to_path_buf()
    }

    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// What lies in the home folder: paths with contents, folders with a slash.
    pub fn tree(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut waiting = vec![self.home()];
        while let Some(folder) = waiting.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(self.home.path()).unwrap().display().to_string();
                if path.is_dir() {
                    found.insert(format!("{name}/"), String::new());
                    waiting.push(path);
                } else {
                    let bytes = std::fs::read(path).unwrap();
                    found.insert(name, String::from_utf8_lossy(&bytes).into_owned());
                }
            }
        }
        found
    }
}

struct Client {
    rules: Rules,
    home: PathBuf,
    log: Arc<Mutex<Vec<String>>>,
    user: String,
    inputs: BTreeMap<u32, mpsc::UnboundedSender<Vec<u8>>>,
    /// What runs for this client ends with it.
    work: JoinSet<()>,
}

/// Ends a process and its children.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::process::Command::new("kill")
            .args(["-9", "--", &format!("-{}", self.0)])
            .stderr(Stdio::null())
            .status();
    }
}

fn verdict(accepted: bool) -> Auth {
    if accepted { Auth::Accept } else { Auth::reject() }
}

impl server::Handler for Client {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        user.clone_into(&mut self.user);
        Ok(verdict(self.rules.password.as_deref() == Some(password)))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        user.clone_into(&mut self.user);
        let Some(mut response) = response else {
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: vec![("Password: ".into(), false)].into(),
            });
        };
        let answer = response.next();
        let wanted = self.rules.password.as_ref().map(String::as_bytes);
        Ok(verdict(answer.as_deref() == wanted && wanted.is_some()))
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        user.clone_into(&mut self.user);
        let known = self.rules.keys.iter().any(|one| one.key_data() == key.public_key.key_data());
        Ok(verdict(known))
    }

    async fn auth_openssh_certificate(
        &mut self,
        user: &str,
        certificate: &Certificate,
    ) -> Result<Auth, Self::Error> {
        user.clone_into(&mut self.user);
        let authority = self.rules.authority.as_ref();
        let signed = authority.is_some_and(|one| one.key_data() == certificate.signature_key());
        Ok(verdict(signed && certificate.valid_principals().contains(&self.user)))
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: server::ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: server::ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        self.log.lock().unwrap().push(format!("{}: on to {host}", self.user));
        let port = u16::try_from(port).unwrap();
        let Ok(mut onward) = tokio::net::TcpStream::connect((host, port)).await else {
            return Ok(());
        };
        reply.accept().await;
        self.work.spawn(async move {
            let mut stream = channel.into_stream();
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
        });
        Ok(())
    }

    /// There is no terminal, but nobody is told.
    async fn pty_request(
        &mut self,
        id: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(id)
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let command = String::from_utf8_lossy(command).into_owned();
        self.log.lock().unwrap().push(format!("{}: {command}", self.user));
        let mut child = tokio::process::Command::new("sh")
            .args(["-c", &command])
            .current_dir(&self.home)
            .env("HOME", &self.home)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let group = Group(child.id().unwrap());
        let (sender, mut input) = mpsc::unbounded_channel::<Vec<u8>>();
        self.inputs.insert(id.into(), sender);
        session.channel_success(id)?;
        let handle = session.handle();
        self.work.spawn(async move {
            let mut stdin = child.stdin.take().unwrap();
            let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
            let feeding = async {
                while let Some(bytes) = input.recv().await {
                    if stdin.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                drop(stdin);
            };
            let telling =
                async { tokio::join!(pump(out, &handle, id, 0), pump(err, &handle, id, 1)) };
            let ending = async {
                let (_, status) = tokio::join!(telling, child.wait());
                status
            };
            tokio::pin!(feeding, ending);
            let mut fed = false;
            let status = loop {
                tokio::select! {
                    status = &mut ending => break status,
                    () = &mut feeding, if !fed => fed = true,
                }
            };
            std::mem::forget(group);
            let code = status.unwrap().code().unwrap_or(255);
            let _ = handle.exit_status_request(id, u32::try_from(code).unwrap()).await;
            let _ = handle.eof(id).await;
            let _ = handle.close(id).await;
        });
        Ok(())
    }

    async fn data(
        &mut self,
        id: ChannelId,
        data: &[u8],
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if let Some(input) = self.inputs.get(&id.into()) {
            let _ = input.send(data.to_vec());
        }
        Ok(())
    }

    async fn channel_eof(&mut self, id: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        self.inputs.remove(&id.into());
        Ok(())
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, to: &Handle, id: ChannelId, ext: u32) {
    let mut buffer = vec![0; 8192];
    while let Ok(read) = from.read(&mut buffer).await {
        let bytes = buffer[..read].to_vec();
        let sent = match (read, ext) {
            (0, _) => return,
            (_, 0) => to.data(id, bytes).await.is_ok(),
            _ => to.extended_data(id, ext, bytes).await.is_ok(),
        };
        if !sent {
            return;
        }
    }
}
