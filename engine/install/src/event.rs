//! What happens while things are brought, in the order in which a person wants to know it.

use address::ProviderAddress;

use crate::version::Version;

/// How much is known about who made a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Nobody vouches for it: it comes from a folder.
    Unauthenticated,
    /// It has a hash that its source or the lock file names.
    VerifiedChecksum,
    /// Its checksums are signed with this key.
    SignedBy {
        /// The key's id.
        key_id: String,
        /// Whether it is the own key of `HashiCorp`.
        hashicorp: bool,
    },
}

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Versions are looked up; the constraints in their canonical form, perhaps empty.
    Finding(ProviderAddress, String),
    /// The lock file has chosen the version.
    Reusing(ProviderAddress),
    /// The provider is part of this program.
    BuiltIn(ProviderAddress),
    /// It is there already.
    UsingPrevious(ProviderAddress, Version),
    /// It is in the shared cache.
    UsingCache(ProviderAddress, Version),
    /// It is being fetched.
    Installing(ProviderAddress, Version),
    /// It is in place.
    InstalledProvider(ProviderAddress, Version, Trust),
    /// A configuration says that a folder is used instead.
    Overridden(ProviderAddress, String),
    /// A registry has something to say about a provider.
    Warning(ProviderAddress, String),
    /// So many bytes of a file have come, out of so many where that is known.
    Progress {
        /// The file.
        what: String,
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        total: Option<u64>,
    },
    /// A module is being fetched.
    DownloadingModule {
        /// The call: `net.subnets`.
        key: String,
        /// Where it comes from.
        source: String,
        /// Its version, for modules of registries.
        version: Option<Version>,
    },
    /// A module is in place.
    InstalledModule {
        /// The call.
        key: String,
        /// Its folder.
        dir: String,
    },
}
