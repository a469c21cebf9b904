//! Who we are, and whether the machine is the one that it should be.

use std::path::Path;
use std::sync::Arc;

use russh::Preferred;
use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{
    self, Algorithm, Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey,
    PublicKeyOrCertificate,
};

use crate::{Agent, Login, RemoteError};

/// A server that asks more often than this is not talking to us.
const MAX_QUESTIONS: usize = 10;

/// What opens a machine, read once.
pub(super) struct Credentials {
    pub(super) login: Login,
    key: Option<Arc<PrivateKey>>,
    certificate: Option<Certificate>,
    host_key: Option<PublicKey>,
}

impl Credentials {
    /// `prefix` is that of the arguments' names.
    pub(super) fn read(login: &Login, prefix: &str) -> Result<Self, RemoteError> {
        let unusable = |name: &str, reason: String| RemoteError::Unusable {
            what: format!("`{prefix}{name}`"),
            reason,
        };
        let key = match &login.private_key {
            Some(text) => {
                let key = keys::decode_secret_key(text, None);
                Some(Arc::new(key.map_err(|error| unusable("private_key", told(&error)))?))
            }
            None => None,
        };
        let certificate = match &login.certificate {
            Some(text) => {
                let read = Certificate::from_openssh(text.trim());
                Some(read.map_err(|error| {
                    unusable("certificate", format!("it is no OpenSSH certificate ({error})"))
                })?)
            }
            None => None,
        };
        if let Some(certificate) = &certificate {
            let Some(key) = &key else {
                return Err(unusable(
                    "certificate",
                    "it needs its private key beside it".to_owned(),
                ));
            };
            if key.public_key().key_data() != certificate.public_key() {
                return Err(unusable(
                    "certificate",
                    "it belongs to another private key".to_owned(),
                ));
            }
        }
        let host_key = match &login.host_key {
            Some(text) => {
                let read = PublicKey::from_openssh(text.trim());
                Some(read.map_err(|error| {
                    let wanted = "it should be like `ssh-ed25519 AAAA…`";
                    unusable("host_key", format!("{wanted} ({error})"))
                })?)
            }
            None => None,
        };
        Ok(Self { login: login.clone(), key, certificate, host_key })
    }

    /// What the machine is asked to show. A machine has keys of several kinds: the one that is wanted comes first,
    /// after certificates, which its authority may have signed.
    pub(super) fn preferred(&self) -> Preferred {
        let mut preferred = Preferred::default();
        if let Some(wanted) = &self.host_key {
            let wanted = wanted.algorithm();
            let is_rsa = |one: &Algorithm| matches!(one, Algorithm::Rsa { .. });
            let same = |one: &Algorithm| *one == wanted || (is_rsa(one) && is_rsa(&wanted));
            preferred.host_key_certificates = preferred.key.clone();
            preferred.key.to_mut().sort_by_key(|one| !same(one));
        }
        preferred
    }
}

fn told(error: &keys::Error) -> String {
    match error {
        keys::Error::KeyIsEncrypted => {
            "it has a passphrase; take the passphrase off, or let an agent hold the key".to_owned()
        }
        keys::Error::CouldNotReadKey => {
            "there is no private key in it; give the text of the key, as by `file(\"~/.ssh/id_ed25519\")`"
                .to_owned()
        }
        other => other.to_string(),
    }
}

/// Why a session could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("the machine's key is `{found}`, and `host_key` wants `{wanted}`")]
    OtherKey { found: String, wanted: String },
    #[error("the machine's certificate is not acceptable: {0}")]
    Certificate(String),
    #[error("{}", plainly(.0))]
    Protocol(#[from] russh::Error),
}

fn plainly(error: &russh::Error) -> String {
    match error {
        russh::Error::Disconnect | russh::Error::HUP => {
            "the machine ended the connection".to_owned()
        }
        other => other.to_string(),
    }
}

/// Our side of a session.
pub(super) struct Client {
    host: String,
    host_key: Option<PublicKey>,
}

impl Client {
    pub(super) fn expecting(to: &Credentials) -> Self {
        Self { host: to.login.host.clone(), host_key: to.host_key.clone() }
    }

    fn check(&self, shown: &PublicKeyOrCertificate) -> Result<(), Refused> {
        let Some(wanted) = &self.host_key else { return Ok(()) };
        let fingerprint = |key: &PublicKey| key.fingerprint(HashAlg::Sha256).to_string();
        match shown {
            PublicKeyOrCertificate::PublicKey { key, .. }
                if key.key_data() == wanted.key_data() =>
            {
                Ok(())
            }
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                Err(Refused::OtherKey { found: fingerprint(key), wanted: fingerprint(wanted) })
            }
            PublicKeyOrCertificate::Certificate(certificate) => {
                self.check_signed(certificate, wanted)
            }
        }
    }

    fn check_signed(&self, certificate: &Certificate, wanted: &PublicKey) -> Result<(), Refused> {
        let refuse = |reason: &str| Err(Refused::Certificate(reason.to_owned()));
        if certificate.public_key() == wanted.key_data() {
            return Ok(());
        }
        if certificate.cert_type() != CertType::Host {
            return refuse("it is not one for machines");
        }
        let authority = wanted.fingerprint(HashAlg::Sha256);
        if let Err(error) = certificate.validate([&authority]) {
            return refuse(&format!("the authority of `host_key` does not stand for it ({error})"));
        }
        let names = certificate.valid_principals();
        if !names.is_empty() && !names.contains(&self.host) {
            return refuse(&format!("it is for {}", names.join(", ")));
        }
        Ok(())
    }
}

impl client::Handler for Client {
    type Error = Refused;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Refused> {
        self.check(shown).map(|()| true)
    }
}

/// Tries key, password and agent, in this order.
pub(super) async fn log_in(
    session: &mut Handle<Client>,
    to: &Credentials,
    agent: Option<&Agent>,
) -> Result<(), String> {
    let user = to.login.user.as_str();
    let failed = |error: russh::Error| plainly(&error);
    let mut tried = Vec::new();
    if let Some(key) = &to.key {
        let result = if let Some(certificate) = &to.certificate {
            tried.push("the certificate");
            session.authenticate_openssh_cert(user, Arc::clone(key), certificate.clone()).await
        } else {
            tried.push("the private key");
            let hash = hash_for(session, key.algorithm().is_rsa()).await.map_err(failed)?;
            let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
            session.authenticate_publickey(user, key).await
        };
        if result.map_err(failed)?.success() {
            return Ok(());
        }
    }
    if let Some(password) = &to.login.password {
        tried.push("the password");
        let result = session.authenticate_password(user, password).await.map_err(failed)?;
        if result.success() || answers(session, user, password).await.map_err(failed)? {
            return Ok(());
        }
    }
    if let Some(agent) = agent {
        tried.push("the keys of the agent");
        if ask_agent(session, user, agent).await? {
            return Ok(());
        }
    }
    if tried.is_empty() {
        tried.push("a login without password and key");
        if session.authenticate_none(user).await.map_err(failed)?.success() {
            return Ok(());
        }
    }
    Err(format!("the machine does not accept {} of user `{user}`", tried.join(", ")))
}

/// The hash that an RSA key signs with; other keys have one of their own.
async fn hash_for(session: &Handle<Client>, is_rsa: bool) -> Result<Option<HashAlg>, russh::Error> {
    if is_rsa { Ok(session.best_supported_rsa_hash().await?.flatten()) } else { Ok(None) }
}

/// Answers all that is asked without echo with the password.
async fn answers(
    session: &mut Handle<Client>,
    user: &str,
    password: &str,
) -> Result<bool, russh::Error> {
    let mut reply = session.authenticate_keyboard_interactive_start(user, None).await?;
    for _ in 0..MAX_QUESTIONS {
        reply = match reply {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                let answer = |echo: bool| if echo { String::new() } else { password.to_owned() };
                let answers = prompts.iter().map(|prompt| answer(prompt.echo)).collect();
                session.authenticate_keyboard_interactive_respond(answers).await?
            }
        };
    }
    Ok(false)
}

async fn ask_agent(
    session: &mut Handle<Client>,
    user: &str,
    agent: &Agent,
) -> Result<bool, String> {
    let failed = |error: &dyn std::fmt::Display| format!("the SSH agent: {error}");
    let mut client =
        AgentClient::connect_uds(&agent.socket).await.map_err(|error| failed(&error))?;
    let mut identities = client.request_identities().await.map_err(|error| failed(&error))?;
    if let Some(first) = &agent.identity {
        let wanted = public_half(first);
        identities.sort_by_key(|identity| !is_wanted(identity, first, wanted.as_ref()));
    }
    for identity in identities {
        let result = match identity {
            AgentIdentity::PublicKey { key, .. } => {
                let hash = hash_for(session, key.algorithm().is_rsa())
                    .await
                    .map_err(|error| plainly(&error))?;
                session.authenticate_publickey_with(user, key, hash, &mut client).await
            }
            AgentIdentity::Certificate { certificate, .. } => {
                let is_rsa = certificate.algorithm().is_rsa();
                let hash = hash_for(session, is_rsa).await.map_err(|error| plainly(&error))?;
                session.authenticate_certificate_with(user, certificate, hash, &mut client).await
            }
        };
        // A key that the agent does not sign with leaves the others.
        if matches!(result, Ok(AuthResult::Success)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_wanted(identity: &AgentIdentity, name: &str, wanted: Option<&PublicKey>) -> bool {
    let key = identity.public_key();
    let (AgentIdentity::PublicKey { comment, .. } | AgentIdentity::Certificate { comment, .. }) =
        identity;
    comment == name || wanted.is_some_and(|wanted| wanted.key_data() == key.key_data())
}

/// The public key in a file, or in the `.pub` file beside it.
fn public_half(path: &str) -> Option<PublicKey> {
    [path.to_owned(), format!("{path}.pub")].iter().find_map(|path| {
        let text = std::fs::read_to_string(Path::new(path)).ok()?;
        if let Ok(key) = keys::decode_secret_key(&text, None) {
            return Some(key.public_key().clone());
        }
        PublicKey::from_openssh(text.trim()).ok()
    })
}
