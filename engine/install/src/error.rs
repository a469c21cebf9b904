//! What can go wrong while things are brought. Every error says what to do.

use miette::Diagnostic;
use syntax::error_doc_with_example as doc;
use syntax::{ErrorDoc, Span};
use thiserror::Error;

/// A fault of installation.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum InstallError {
    /// A file of the command-line configuration cannot be used.
    #[error("command-line configuration `{file}` cannot be used: {reason}")]
    #[diagnostic(
        code(stratiform::install::settings),
        help("mend the file, or name another one in `TF_CLI_CONFIG_FILE`")
    )]
    Settings {
        /// The file.
        file: String,
        /// What is wrong, with its line.
        reason: String,
    },
    /// The lock file cannot be used.
    #[error("lock file `{file}` cannot be used: {reason}")]
    #[diagnostic(
        code(stratiform::install::lock_file),
        help("restore the file from version control, or remove it and run `stratiform init`")
    )]
    LockFile {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The lock file would have to change, and must not.
    #[error("lock file would change for {providers}, and `-lockfile=readonly` forbids it")]
    #[diagnostic(
        code(stratiform::install::lock_read_only),
        help(
            "run `stratiform init` without `-lockfile=readonly`, and commit `.terraform.lock.hcl`"
        )
    )]
    LockReadOnly {
        /// The providers whose entries would change.
        providers: String,
    },
    /// A text is no version constraint.
    #[error("version constraint `{text}` of {what} cannot be read")]
    #[diagnostic(
        code(stratiform::install::constraint),
        help("write conditions such as `>= 1.2, < 2.0` or `~> 1.2`, separated by commas")
    )]
    Constraint {
        /// The text.
        text: String,
        /// Whose it is.
        what: String,
        /// Where it stands.
        #[label("not a version constraint")]
        span: Option<Span>,
    },
    /// No version of a provider is allowed by all who ask for it.
    #[error("no version of provider `{provider}` fits {constraints}")]
    #[diagnostic(code(stratiform::install::no_version))]
    NoVersion {
        /// The provider.
        provider: String,
        /// All constraints together.
        constraints: String,
        /// Who asks for what, and which versions there are.
        #[help]
        details: String,
    },
    /// The locked version is not allowed any more.
    #[error("locked version {version} of provider `{provider}` does not fit {constraints}")]
    #[diagnostic(code(stratiform::install::locked_version))]
    LockedVersion {
        /// The provider.
        provider: String,
        /// The version in the lock file.
        version: String,
        /// All constraints together.
        constraints: String,
        /// Who asks for what, and what to do.
        #[help]
        details: String,
    },
    /// A provider is nowhere to be found.
    #[error("provider `{provider}` is not in any of the places that were searched")]
    #[diagnostic(code(stratiform::install::provider_not_found))]
    ProviderNotFound {
        /// The provider.
        provider: String,
        /// The places, and what to do.
        #[help]
        places: String,
    },
    /// A version exists, but not for this machine.
    #[error("provider `{provider}` {version} has no package for {platform}")]
    #[diagnostic(
        code(stratiform::install::no_platform),
        help("take another version of the provider, or run on one of its platforms")
    )]
    NoPlatform {
        /// The provider.
        provider: String,
        /// The version.
        version: String,
        /// The platform.
        platform: String,
    },
    /// A provider speaks neither protocol 5 nor 6.
    #[error("provider `{provider}` {version} speaks protocol {found}; 5 or 6 is needed")]
    #[diagnostic(
        code(stratiform::install::protocol),
        help("allow a newer version of the provider in `required_providers`")
    )]
    Protocol {
        /// The provider.
        provider: String,
        /// The version.
        version: String,
        /// What it speaks.
        found: String,
    },
    /// What came is not what was promised.
    #[error("hash of `{file}` is wrong: wanted {wanted}, found {found}")]
    #[diagnostic(code(stratiform::install::hash_mismatch))]
    HashMismatch {
        /// The file or folder.
        file: String,
        /// The hashes that would do.
        wanted: String,
        /// The hash that it has.
        found: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// The list of hashes is not signed by the key that the registry names.
    #[error("signature on the checksums of provider `{provider}` {version} is not valid: {reason}")]
    #[diagnostic(
        code(stratiform::install::signature),
        help(
            "nothing was installed; ask the publisher of the provider, and do not go around this check"
        )
    )]
    Signature {
        /// The provider.
        provider: String,
        /// The version.
        version: String,
        /// What is wrong.
        reason: String,
    },
    /// A host does not answer, or not with success.
    #[error("`{url}` cannot be fetched: {reason}")]
    #[diagnostic(code(stratiform::install::network))]
    Network {
        /// The address, without secrets.
        url: String,
        /// What has happened.
        reason: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// A host answers with something that makes no sense.
    #[error("`{url}` answers with something else than {expected}: {reason}")]
    #[diagnostic(
        code(stratiform::install::answer),
        help(
            "check that the address is that of a registry or mirror, and that no proxy stands between"
        )
    )]
    Answer {
        /// The address, without secrets.
        url: String,
        /// What was expected.
        expected: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A host offers no such service.
    #[error("host `{host}` has no service `{service}`")]
    #[diagnostic(
        code(stratiform::install::no_service),
        help(
            "check the host in the source address; a `host` block of the command-line configuration can name its services"
        )
    )]
    NoService {
        /// The host.
        host: String,
        /// The service.
        service: String,
    },
    /// An archive is broken, hostile or too big.
    #[error("archive `{file}` is refused: {reason}")]
    #[diagnostic(
        code(stratiform::install::archive),
        help("nothing of it was kept; get a sound archive from its publisher")
    )]
    Archive {
        /// The archive.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The file system refuses.
    #[error("`{path}` cannot be {action}: {reason}")]
    #[diagnostic(
        code(stratiform::install::file),
        help(
            "check the permissions of the folder and the space on the disk, then run the command again"
        )
    )]
    File {
        /// The path.
        path: String,
        /// What was tried: `read`, `written`.
        action: &'static str,
        /// What the system says.
        reason: String,
    },
    /// A package has no program in it, or not one that can run.
    #[error("package of provider `{provider}` in `{dir}` cannot be used: {reason}")]
    #[diagnostic(
        code(stratiform::install::package),
        help("run `stratiform init` again; if it stays so, the package was built wrongly")
    )]
    Package {
        /// The provider.
        provider: String,
        /// Its folder.
        dir: String,
        /// What is wrong.
        reason: String,
    },
    /// A provider has to be installed first.
    #[error("provider `{provider}` is not installed")]
    #[diagnostic(code(stratiform::install::not_installed), help("run `stratiform init`"))]
    NotInstalled {
        /// The provider.
        provider: String,
        /// A block that needs it, where one is known.
        #[label("needs it")]
        span: Option<Span>,
    },
    /// A module's source is of no known kind.
    #[error("module source `{source_text}` cannot be used: {reason}")]
    #[diagnostic(
        code(stratiform::install::module_source),
        help(
            "write `./folder`, `NAMESPACE/NAME/SYSTEM` of a registry, `git::https://…` or the address of an archive"
        )
    )]
    ModuleSource {
        /// The source.
        source_text: String,
        /// What is wrong.
        reason: String,
        /// Where it stands.
        #[label("this source")]
        span: Option<Span>,
    },
    /// A module cannot be brought.
    #[error("module `{key}` cannot be fetched from `{source_text}`: {reason}")]
    #[diagnostic(code(stratiform::install::module_fetch))]
    ModuleFetch {
        /// The call.
        key: String,
        /// Its source, without secrets.
        source_text: String,
        /// What has happened.
        reason: String,
        /// The call's source.
        #[label("called here")]
        span: Option<Span>,
        /// What to do.
        #[help]
        help: Option<String>,
    },
    /// No version of a module fits.
    #[error("no version of module `{source_text}` fits {constraints}")]
    #[diagnostic(code(stratiform::install::no_module_version))]
    NoModuleVersion {
        /// The source.
        source_text: String,
        /// The constraint.
        constraints: String,
        /// The call.
        #[label("asked for here")]
        span: Option<Span>,
        /// Which versions there are.
        #[help]
        available: String,
    },
    /// A tool that the machine lacks.
    #[error("`{tool}` cannot be started: {reason}")]
    #[diagnostic(
        code(stratiform::install::tool),
        help("install it, or take the module from an archive or a registry")
    )]
    Tool {
        /// The program.
        tool: String,
        /// What the system says.
        reason: String,
    },
}

impl InstallError {
    pub(crate) fn read(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), action: "read", reason: error.to_string() }
    }

    pub(crate) fn write(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::File {
            path: path.display().to_string(),
            action: "written",
            reason: error.to_string(),
        }
    }
}

/// The page of each error.
pub const ERROR_DOCS: &[ErrorDoc] = &[
    doc(
        "stratiform::install::settings",
        "Command-line configuration",
        "A file such as `~/.terraformrc` has a fault. The line is named.",
        "",
    ),
    doc(
        "stratiform::install::lock_file",
        "Lock file",
        "`.terraform.lock.hcl` cannot be read or does not say what a lock file says.",
        "",
    ),
    doc(
        "stratiform::install::lock_read_only",
        "Lock file is read-only",
        "`-lockfile=readonly` was given, and the providers that are needed are not those that the file records.",
        "",
    ),
    doc(
        "stratiform::install::constraint",
        "Version constraint",
        "A constraint is a list of conditions, separated by commas: `=`, `!=`, `>`, `>=`, `<`, `<=` or `~>`, and a version.",
        "terraform {\n  required_providers {\n    aws = { source = \"hashicorp/aws\", version = \"~> 5.0\" }\n  }\n}",
    ),
    doc(
        "stratiform::install::no_version",
        "No version fits",
        "All modules together ask for a version that does not exist. The help lists who asks for what.",
        "",
    ),
    doc(
        "stratiform::install::locked_version",
        "Locked version does not fit",
        "The lock file names a version that the configuration no longer allows. `init -upgrade` chooses anew.",
        "",
    ),
    doc(
        "stratiform::install::provider_not_found",
        "Provider not found",
        "No mirror, folder or registry that may be asked has the provider. The help lists the places.",
        "",
    ),
    doc(
        "stratiform::install::no_platform",
        "No package for this machine",
        "The version exists, but its publisher built it for other platforms only.",
        "",
    ),
    doc(
        "stratiform::install::protocol",
        "Old provider protocol",
        "The provider was built for Terraform before 0.12.",
        "",
    ),
    doc(
        "stratiform::install::hash_mismatch",
        "Wrong hash",
        "A file is not the one that the lock file, the registry or the mirror promised. It was not used.",
        "",
    ),
    doc(
        "stratiform::install::signature",
        "Wrong signature",
        "The list of hashes does not carry a valid signature by a key that the registry names for the provider.",
        "",
    ),
    doc(
        "stratiform::install::network",
        "Network",
        "A host could not be reached, or refused. The help says what can be done.",
        "",
    ),
    doc(
        "stratiform::install::answer",
        "Strange answer",
        "A host answered, but not as the protocol of registries and mirrors says.",
        "",
    ),
    doc(
        "stratiform::install::no_service",
        "No such service",
        "The host's `/.well-known/terraform.json` does not name the service.",
        "",
    ),
    doc(
        "stratiform::install::archive",
        "Archive refused",
        "The archive is broken, names paths or links outside its folder, holds devices, or unpacks to more than the documented limits.",
        "",
    ),
    doc(
        "stratiform::install::file",
        "File system",
        "A file or folder cannot be read or written.",
        "",
    ),
    doc(
        "stratiform::install::package",
        "Provider package",
        "The folder of a provider lacks its program, or the program cannot be executed.",
        "",
    ),
    doc(
        "stratiform::install::not_installed",
        "Provider not installed",
        "The configuration uses a provider that is not on this machine yet.",
        "",
    ),
    doc(
        "stratiform::install::module_source",
        "Module source",
        "A source is a local path, an address in a registry, a git repository, an archive, or an object in S3 or GCS. Mercurial is not supported.",
        "module \"net\" {\n  source  = \"terraform-aws-modules/vpc/aws\"\n  version = \"~> 5.0\"\n}",
    ),
    doc(
        "stratiform::install::module_fetch",
        "Module cannot be fetched",
        "The download failed. What was there before is untouched.",
        "",
    ),
    doc(
        "stratiform::install::no_module_version",
        "No module version fits",
        "The registry has no version of the module that the call allows.",
        "",
    ),
    doc(
        "stratiform::install::tool",
        "Missing tool",
        "Modules from git need the `git` program.",
        "",
    ),
];
