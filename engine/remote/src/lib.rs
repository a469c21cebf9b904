//! Reaches other machines: connects over SSH, runs commands there, copies files to them.
//!
//! In: [`Settings`], which say where and as whom. Out: a [`Machine`], which lasts until it is closed or dropped; what
//! it still runs is ended then. **Knows no resource, no plan and no configuration, and decides nothing about what is
//! run.** The library that speaks the protocol is known to `ssh` alone.
//!
//! Read in this order:
//!
//! 1. this file: what is asked for.
//! 2. `ssh`: connecting, again and again until the machine answers; commands.
//! 3. `ssh/login`: keys, certificates, passwords, the agent, and whether the machine is the one that it should be.
//! 4. `copy`: files and folders, as `scp` lays them out.
//! 5. `proxy`: the way through an HTTP proxy.
//!
//! # Why files go through `cat`
//!
//! A copy needs nothing on the other machine but a POSIX shell. `scp` and an SFTP server are missing in small images,
//! and OpenSSH itself has given up the protocol of `scp`.

use std::path::PathBuf;
use std::time::Duration;

mod copy;
pub use copy::Access;

mod error;
pub use error::RemoteError;

#[cfg(feature = "ssh")]
mod proxy;

#[cfg(feature = "ssh")]
mod ssh;
#[cfg(feature = "ssh")]
pub use ssh::{Machine, connect};

#[cfg(not(feature = "ssh"))]
mod without;
#[cfg(not(feature = "ssh"))]
pub use without::{Machine, connect};

/// Where to, as whom, by which way, and for how long it is tried.
///
/// Nothing here prints its own content: most of it is secret.
pub struct Settings {
    /// The machine.
    pub target: Login,
    /// A machine on the way.
    pub bastion: Option<Login>,
    /// An HTTP proxy on the way to the first machine.
    pub proxy: Option<Proxy>,
    /// The agent that holds keys.
    pub agent: Option<Agent>,
    /// How long it is tried until the machine lets us in.
    pub timeout: Duration,
}

/// A machine, and what opens it.
#[derive(Clone)]
pub struct Login {
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// A password; it also answers what a server asks without echo.
    pub password: Option<String>,
    /// A private key in the form of OpenSSH, PKCS#1, PKCS#8 or SEC1, without a passphrase.
    pub private_key: Option<String>,
    /// A certificate for that key, as in a `-cert.pub` file.
    pub certificate: Option<String>,
    /// The machine's public key, or that of the authority that signs it. `None`: any machine is believed.
    pub host_key: Option<String>,
}

/// An SSH agent.
pub struct Agent {
    /// Its socket.
    pub socket: PathBuf,
    /// The key that is tried first: a file with it or with its public half, or its comment.
    pub identity: Option<String>,
}

/// An HTTP proxy that knows `CONNECT`.
pub struct Proxy {
    /// Name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// User and password.
    pub credentials: Option<(String, String)>,
}

/// How a command has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With an exit code.
    Code(u32),
    /// By a signal, named without `SIG`.
    Signal(String),
}

/// What is copied.
pub enum Content<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// A file of this machine.
    File(PathBuf),
}

/// Quotes a word for a POSIX shell.
#[must_use]
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_words_are_one_word_to_a_shell() {
        for word in ["plain", "two words", "it's", "$HOME `id`", "a\nb", "", "\\'\"*"] {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(word))])
                .output()
                .expect("a shell is there");
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
    }
}
