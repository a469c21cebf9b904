//! Brings providers and modules onto the machine: what `init` and `get` do.
//!
//! In: module calls and provider requirements, the settings of the command-line configuration, the lock file.
//! Out: `DATA/providers`, `DATA/modules`, `.terraform.lock.hcl`, in Terraform's own layouts, so that the two
//! programs accept each other's folders. **Plan and apply do not know this crate**; they see what is installed.
//!
//! Read in this order:
//!
//! 1. [`settings`]: the files that say where providers come from; `hcl1` reads their dialect.
//! 2. [`version`] and [`constraint`]: which version may be taken.
//! 3. [`lock`]: the lock file; [`hash`]: what it records.
//! 4. [`provider`]: sources, selection, installation; [`installed`] finds a binary and checks it.
//! 5. [`module`]: addresses, downloads, the manifest.
//! 6. `http`, `registry`, `signature`, `archive`, `durable`: what both rest on.
//!
//! # Invariants
//!
//! * Nothing is ever half there: a folder or file is made beside its place, flushed, and renamed.
//! * A package whose hash or signature is wrong is removed before anything else can see it.
//! * What an archive holds is unpacked below its folder or refused.
//!
//! # Why threads and not tasks
//!
//! A run fetches a handful of large files. Blocking calls on a few threads need no runtime, and the HTTP client
//! stays small.

pub mod settings;

mod hcl1;

mod credentials;

pub mod version;

pub mod constraint;

pub mod platform;

pub mod hash;

pub mod lock;

pub mod provider;

pub mod installed;

pub mod module;

pub mod event;

mod http;

mod registry;

mod signature;

mod archive;

mod durable;

mod error;

pub use error::{ERROR_DOCS, InstallError};
pub use event::Event;
pub use installed::{Installed, installed, located};
pub use lock::Lock;
pub use settings::{Environment, Settings};

/// Whoever wants to know how far things are. Called from several threads.
pub type Listener<'a> = &'a (dyn Fn(Event) + Sync);

/// What every download needs: settings and one HTTP client.
pub struct Fetcher {
    /// Where things come from.
    pub settings: Settings,
    pub(crate) http: http::Http,
    /// What hosts have said about their services.
    pub(crate) discovered: std::sync::Mutex<std::collections::BTreeMap<String, registry::Services>>,
}

impl Fetcher {
    /// Makes a client for the settings.
    pub fn new(settings: Settings) -> Self {
        let http = http::Http::new(&settings);
        Self { settings, http, discovered: std::sync::Mutex::default() }
    }
}
