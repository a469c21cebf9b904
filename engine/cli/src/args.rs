//! What a command line says. Terraform's spelling: long flags may have one dash.

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

/// Plans and applies AI stacks and any other Terraform configuration.
#[derive(Debug, Parser)]
#[command(name = "stratiform", disable_version_flag = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// Work in another folder.
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) chdir: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the version.
    Version(Version),
    /// Bring the providers and modules that the configuration needs.
    Init(InitArgs),
    /// Bring the modules that the configuration needs.
    Get(GetArgs),
    /// Check the configuration without looking at real objects.
    Validate(Validate),
    /// Bring files into the canonical layout. Exit code 2: an error, 3: `-check` found differences.
    Fmt(Fmt),
    /// Run the tests of a module.
    Test(TestArgs),
    /// Evaluate expressions.
    Console(Console),
    /// Describe what the language has, for programs.
    Metadata {
        #[command(subcommand)]
        command: Metadata,
    },
    /// Show what apply would do.
    Plan(PlanCommand),
    /// Bring the world to what the configuration says.
    Apply(ApplyArgs),
    /// Destroy everything that the state holds.
    Destroy(ApplyArgs),
    /// Record what is real; changes nothing but the state.
    Refresh(ApplyArgs),
    /// Show the state, or a plan file.
    Show(Show),
    /// Say why something is planned as it is, what it waits for, and where its values come from.
    Explain(ExplainArgs),
    /// Show a plan file as a page or as a comment.
    Report(Report),
    /// Write components as plain modules, to go on without them.
    Eject(EjectArgs),
    /// Show outputs.
    Output(Output),
    /// Look at the state.
    State {
        #[command(subcommand)]
        command: State,
    },
    /// Put an object that exists into the state, as that of a configured resource.
    Import(Import),
    /// Mark an object as in doubt: the next apply replaces it.
    Taint(Taint),
    /// Take that mark away.
    Untaint(Taint),
    /// Work with several states of one configuration.
    Workspace {
        #[command(subcommand)]
        command: Workspace,
    },
    /// Say what differs from the state. Only reads. Exit code 0: in sync, 2: drift, 1: error.
    Drift(PlanArgs),
    /// Lead back to the state before the last apply, or before the operation that is named.
    Undo(UndoArgs),
    /// Show and settle what an earlier run left open.
    Recover(PlanArgs),
    /// List what was done to the state, compare two of its moments, or forget what is old.
    History(HistoryArgs),
    /// Break a lock.
    ForceUnlock(ForceUnlock),
    /// Print the graph of the configuration, in the dot language.
    Graph(Graph),
    /// Print a script that completes commands in a shell.
    Completion(Completion),
    /// Show which module needs which providers.
    Providers(ProvidersArgs),
    /// Show what a plan costs and emits, before and after.
    Cost(Cost),
    /// Show what backends sell and what is known about it.
    Catalog {
        #[command(subcommand)]
        command: CatalogCommand,
    },
    /// Serve a native provider to Terraform, or work on a provider.
    Provider {
        #[command(subcommand)]
        command: ProviderCommand,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Cost {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    /// How it is shown: `text`, `json` or `markdown`.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json", "markdown"])]
    pub(crate) format: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// What can be bought, the cheapest first.
    Offers(CatalogFilter),
    /// Accelerators.
    Chips(CatalogFilter),
    /// Machine types.
    Types(CatalogFilter),
    /// Regions, with their carbon.
    Regions(CatalogFilter),
    /// Prices with their dates.
    Prices(CatalogFilter),
    /// Lay tables of your own over the catalog, in this folder.
    Update {
        /// Tables in the catalog's format.
        file: String,
    },
}

/// Which rows are shown; all, without any.
#[derive(Debug, Args, Clone, Default)]
pub(crate) struct CatalogFilter {
    /// Only this backend.
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// Only this accelerator: `H100`, or `A100` for every kind of it.
    #[arg(long, value_name = "NAME")]
    pub(crate) accelerator: Option<String>,
    /// Only this row: a machine type, a chip, a region.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Only in this region.
    #[arg(long, value_name = "NAME")]
    pub(crate) region: Option<String>,
    /// Only bought so: `on_demand`, `spot`, `commit_1y`, `commit_3y`, `capacity_block`.
    #[arg(long, value_name = "WAY")]
    pub(crate) purchase: Option<String>,
    /// Only offers with a known price up to this, in US dollars per hour.
    #[arg(long, value_name = "USD")]
    pub(crate) max_price: Option<String>,
    /// At most so many rows.
    #[arg(long, value_name = "ROWS")]
    pub(crate) limit: Option<usize>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args, Clone, Default)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Choose the newest versions that are allowed, whatever the lock file says.
    #[arg(long)]
    pub(crate) upgrade: bool,
    /// Accepted for compatibility: state needs no setting up.
    #[arg(long, alias = "cloud", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) backend: Option<bool>,
    /// Settings for a `backend "local"` block: `NAME=VALUE`, or a file of such lines.
    #[arg(long, value_name = "CONFIG")]
    pub(crate) backend_config: Vec<String>,
    /// Accepted for compatibility.
    #[arg(long)]
    pub(crate) force_copy: bool,
    /// Copy a module into this folder first.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) from_module: Option<String>,
    /// Whether to bring modules.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) get: Option<bool>,
    /// Take providers from this folder alone.
    #[arg(long, value_name = "DIR")]
    pub(crate) plugin_dir: Vec<String>,
    /// Forget what `-backend-config` was given before.
    #[arg(long)]
    pub(crate) reconfigure: bool,
    /// Accepted for compatibility.
    #[arg(long)]
    pub(crate) migrate_state: bool,
    /// `readonly`: fail where the lock file would have to change.
    #[arg(long, value_name = "MODE", value_parser = ["readonly"])]
    pub(crate) lockfile: Option<String>,
    /// Accepted for compatibility.
    #[arg(long)]
    pub(crate) ignore_remote_version: bool,
    /// The folder of tests, whose modules and providers are brought too.
    #[arg(long, value_name = "DIR")]
    pub(crate) test_directory: Option<String>,
}

#[derive(Debug, Args, Clone, Default)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Look for newer versions, and fetch everything anew.
    #[arg(long)]
    pub(crate) update: bool,
    /// The folder of tests, whose modules and providers are brought too.
    #[arg(long, value_name = "DIR")]
    pub(crate) test_directory: Option<String>,
}

#[derive(Debug, Args, Clone)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ProvidersArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Where test files are looked for, beside this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) test_directory: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<ProvidersCommand>,
}

#[derive(Debug, Subcommand, Clone)]
pub(crate) enum ProvidersCommand {
    /// Write hashes for some platforms to the lock file.
    Lock(ProvidersLock),
    /// Fill a folder with the packages of all providers.
    Mirror(ProvidersMirror),
    /// Print the schemas of the providers that the configuration uses, as JSON.
    Schema(Common),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// Be a Terraform provider: `core`, `local` or `sim`. Terraform starts this by itself.
    Serve {
        /// The provider.
        #[arg(value_name = "NAME")]
        name: String,
        /// Print a value for `TF_REATTACH_PROVIDERS`, and serve until interrupted.
        #[arg(long)]
        reattach: bool,
        /// Serve a port on the loopback address instead of a socket.
        #[arg(long)]
        tcp: bool,
    },
    /// Lay a native provider out as a filesystem mirror for Terraform.
    Package {
        /// The provider.
        #[arg(value_name = "NAME")]
        name: String,
        /// The mirror's folder.
        #[arg(long, value_name = "DIR")]
        out: String,
        /// The version that Terraform sees.
        #[arg(long, value_name = "VERSION", default_value = env!("CARGO_PKG_VERSION"))]
        version: String,
    },
    /// Begin a provider of one's own: a project in Rust that builds and works.
    New {
        /// Its name: small letters and digits.
        #[arg(value_name = "NAME")]
        name: String,
        /// The project's folder; `terraform-provider-NAME` by itself.
        #[arg(long, value_name = "DIR")]
        out: Option<String>,
        /// The folder of Stratiform's sources, whose SDK it builds on.
        #[arg(long, value_name = "DIR")]
        sdk: Option<String>,
    },
    /// Check any provider's binary against the protocol; configures nothing and changes nothing.
    Check {
        /// The provider's binary.
        #[arg(value_name = "BINARY")]
        binary: String,
    },
    /// Stand between Terraform and a provider, and write every call to the file that `STRATIFORM_RECORD_PROVIDERS` names.
    Record {
        /// The provider's binary.
        #[arg(value_name = "BINARY")]
        binary: String,
    },
}

#[derive(Debug, Args, Clone)]
pub(crate) struct ProvidersLock {
    #[command(flatten)]
    pub(crate) common: Common,
    /// For this platform, such as `linux_amd64`; may be given several times.
    #[arg(long, value_name = "OS_ARCH")]
    pub(crate) platform: Vec<String>,
    /// Take the packages from this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) fs_mirror: Option<String>,
    /// Take the packages from this network mirror.
    #[arg(long, value_name = "URL")]
    pub(crate) net_mirror: Option<String>,
    /// Accepted for compatibility: the cache is not used.
    #[arg(long)]
    pub(crate) enable_plugin_cache: bool,
    /// Only these providers.
    #[arg(value_name = "PROVIDER")]
    pub(crate) providers: Vec<String>,
}

#[derive(Debug, Args, Clone)]
pub(crate) struct ProvidersMirror {
    #[command(flatten)]
    pub(crate) common: Common,
    /// For this platform, such as `linux_amd64`; may be given several times.
    #[arg(long, value_name = "OS_ARCH")]
    pub(crate) platform: Vec<String>,
    /// Whether the versions of the lock file are taken.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) lock_file: Option<bool>,
    /// The folder.
    #[arg(value_name = "DIR")]
    pub(crate) dir: String,
}

#[derive(Debug, Args, Clone, Default)]
pub(crate) struct Common {
    /// No colours.
    #[arg(long)]
    pub(crate) no_color: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Never ask.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) input: Option<bool>,
    /// Wait so long for a lock, such as 30s.
    #[arg(long, value_name = "DURATION")]
    pub(crate) lock_timeout: Option<String>,
    /// Take no lock.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) lock: Option<bool>,
}

#[derive(Debug, Args)]
pub(crate) struct Version {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Graph {
    #[command(flatten)]
    pub(crate) common: Common,
    /// `plan` for everything; resources alone without it.
    #[arg(long = "type", value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Print a flow chart of mermaid.
    #[arg(long)]
    pub(crate) mermaid: bool,
    /// Accepted for compatibility: rings are errors, which are always shown.
    #[arg(long)]
    pub(crate) draw_cycles: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Completion {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// A script that completes commands.
pub(crate) fn completion(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "stratiform", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "these are flags")]
pub(crate) struct Fmt {
    /// No colours.
    #[arg(long)]
    pub(crate) no_color: bool,
    /// Only say whether something differs; write nothing.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", default_value = "false", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) check: bool,
    /// Show what is changed.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", default_value = "false", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) diff: bool,
    /// Go into folders below, too.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", default_value = "false", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) recursive: bool,
    /// Whether to list the files that differ.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", default_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) list: bool,
    /// Whether to write the files.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", default_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) write: bool,
    /// Folders and files; `-` for standard input. The folder one is in, if there are none.
    #[arg(value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Leave test files out.
    #[arg(long)]
    pub(crate) no_tests: bool,
    /// The folder of tests.
    #[arg(long, value_name = "DIR")]
    pub(crate) test_directory: Option<String>,
    /// A variable.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) vars: Vec<String>,
    /// A file of variables.
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) var_files: Vec<String>,
}

/// Runs test files: `*.tftest.hcl` and `*.tftest.json` here and in the folder `tests`.
#[derive(Debug, Args, Clone, Default)]
pub(crate) struct TestArgs {
    /// No colours.
    #[arg(long)]
    pub(crate) no_color: bool,
    /// Print JSON messages.
    #[arg(long)]
    pub(crate) json: bool,
    /// Only this file; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) filter: Vec<String>,
    /// The folder of tests.
    #[arg(long, value_name = "DIR", default_value = config::test_file::TEST_DIRECTORY)]
    pub(crate) test_directory: String,
    /// Show the plan or the state of each run.
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Write the results to a file, in the XML of `JUnit`.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit_xml: Option<String>,
    /// A variable.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) vars: Vec<String>,
    /// A file of variables.
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) var_files: Vec<String>,
    #[arg(skip)]
    pub(crate) given: Vec<Given>,
}

#[derive(Debug, Args, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "these are flags")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    /// A variable.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) vars: Vec<String>,
    /// A file of variables.
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) var_files: Vec<String>,
    /// Both of these in the order in which they were given: a later one overrules an earlier one.
    #[arg(skip)]
    pub(crate) given: Vec<Given>,
    /// Write the plan to a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<String>,
    /// Only this, and what it needs.
    #[arg(long = "target", value_name = "ADDRESS")]
    pub(crate) targets: Vec<String>,
    /// Leave this as it is, and what cannot be changed without it.
    #[arg(long = "exclude", value_name = "ADDRESS", conflicts_with = "targets")]
    pub(crate) excludes: Vec<String>,
    /// Replace this instance.
    #[arg(long = "replace", value_name = "ADDRESS")]
    pub(crate) replace: Vec<String>,
    /// Write blocks for what `import` blocks bring in without one to a new file.
    #[arg(long, value_name = "FILE")]
    pub(crate) generate_config_out: Option<String>,
    /// Plan the destruction of everything.
    #[arg(long)]
    pub(crate) destroy: bool,
    /// Only record what is real.
    #[arg(long)]
    pub(crate) refresh_only: bool,
    /// Whether to look at real objects.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) refresh: Option<bool>,
    /// Exit code 2 if there is something to do.
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// How many calls run at once.
    #[arg(long, value_name = "N")]
    pub(crate) parallelism: Option<usize>,
    /// Let providers put work off that they cannot plan yet; a later run does it.
    #[arg(long)]
    pub(crate) allow_deferral: bool,
    /// Decide anew where components go, as if nothing had been placed.
    #[arg(long)]
    pub(crate) reoptimize: bool,
    /// Accepted for compatibility; warnings are short already.
    #[arg(long)]
    pub(crate) compact_warnings: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanCommand {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    /// Start no provider: plan with the schemas that earlier runs have kept and with what the state records.
    #[arg(long, conflicts_with_all = ["out", "generate_config_out", "refresh_only"])]
    pub(crate) offline: bool,
    /// Write errors, warnings and what checks have found as SARIF 2.1.0, for code scanners; also if there is no plan.
    #[arg(long, value_name = "FILE")]
    pub(crate) sarif: Option<String>,
}

#[derive(Debug, Args, Clone, Default)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    /// Do not ask.
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// A plan file, made by `plan -out`.
    #[arg(value_name = "PLANFILE")]
    pub(crate) file: Option<String>,
}

#[derive(Debug, Args, Clone)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    /// A variable.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) vars: Vec<String>,
    /// A file of variables.
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) var_files: Vec<String>,
    #[arg(skip)]
    pub(crate) given: Vec<Given>,
    /// Explain a plan file, made by `plan -out`, instead of a new plan.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<String>,
    /// Whether to look at real objects.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) refresh: Option<bool>,
    /// A resource instance; or `output.x`, `local.x`, `var.x`, also behind a module: `module.m.output.x`.
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,
}

impl ExplainArgs {
    /// As the options of a plan.
    pub(crate) fn as_plan(&self) -> PlanArgs {
        PlanArgs {
            common: self.common.clone(),
            vars: self.vars.clone(),
            var_files: self.var_files.clone(),
            given: self.given.clone(),
            refresh: self.refresh,
            ..PlanArgs::default()
        }
    }
}

#[derive(Debug, Args, Clone)]
pub(crate) struct EjectArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    /// A variable.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) vars: Vec<String>,
    /// A file of variables.
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) var_files: Vec<String>,
    #[arg(skip)]
    pub(crate) given: Vec<Given>,
    /// The folder for the modules, within this one.
    #[arg(long, value_name = "DIR", default_value = "ejected")]
    pub(crate) out: String,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave nothing that Terraform does not know, and move the objects of the state at once instead of by `moved` blocks.
    #[arg(long)]
    pub(crate) terraform: bool,
    /// The components; all, if none is named.
    #[arg(value_name = "ADDRESS")]
    pub(crate) addresses: Vec<String>,
}

impl EjectArgs {
    /// As the options of a plan.
    pub(crate) fn as_plan(&self) -> PlanArgs {
        PlanArgs {
            common: self.common.clone(),
            vars: self.vars.clone(),
            var_files: self.var_files.clone(),
            given: self.given.clone(),
            ..PlanArgs::default()
        }
    }
}

#[derive(Debug, Args, Clone)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    /// A variable.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) vars: Vec<String>,
    /// A file of variables.
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) var_files: Vec<String>,
    #[arg(skip)]
    pub(crate) given: Vec<Given>,
    /// Write the plan to a file, and carry nothing out.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<String>,
    /// Lead only this back, with what it was made from.
    #[arg(long = "target", value_name = "ADDRESS")]
    pub(crate) targets: Vec<String>,
    /// Whether to look at real objects.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) refresh: Option<bool>,
    /// How many calls run at once.
    #[arg(long, value_name = "N")]
    pub(crate) parallelism: Option<usize>,
    /// Do not ask.
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// The number of an operation, as `history` shows it: it and all that came after it is undone.
    #[arg(value_name = "OPERATION")]
    pub(crate) operation: Option<u64>,
}

impl UndoArgs {
    /// As the options of a plan.
    pub(crate) fn as_plan(&self) -> PlanArgs {
        PlanArgs {
            common: self.common.clone(),
            vars: self.vars.clone(),
            var_files: self.var_files.clone(),
            given: self.given.clone(),
            out: self.out.clone(),
            targets: self.targets.clone(),
            refresh: self.refresh,
            parallelism: self.parallelism,
            ..PlanArgs::default()
        }
    }
}

#[derive(Debug, Args, Clone)]
pub(crate) struct Console {
    #[command(flatten)]
    pub(crate) plan: ConsoleArgs,
    /// Plan first, and evaluate against what is planned.
    #[arg(long = "plan")]
    pub(crate) planned: bool,
}

/// Those options of a plan that a console has.
#[derive(Debug, Args, Clone, Default)]
pub(crate) struct ConsoleArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    /// A variable.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) vars: Vec<String>,
    /// A file of variables.
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) var_files: Vec<String>,
    #[arg(skip)]
    pub(crate) given: Vec<Given>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Metadata {
    /// List the functions with their parameters and results.
    Functions(Common),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) common: Common,
    /// A plan file.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// No colours.
    #[arg(long)]
    pub(crate) no_color: bool,
    /// Write one self-contained HTML page; `-` for standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<String>,
    /// Write Markdown that fits into a comment on a pull request; to standard output if no file is named.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(crate) markdown: Option<String>,
    /// Write conditions, checks and findings as the results of tests, in the XML of `JUnit`.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<String>,
    /// Write findings as SARIF 2.1.0, for code scanners.
    #[arg(long, value_name = "FILE")]
    pub(crate) sarif: Option<String>,
    /// The plan file, made by `plan -out`.
    #[arg(value_name = "PLANFILE")]
    pub(crate) file: String,
}

#[derive(Debug, Args)]
pub(crate) struct Output {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Print a string, number or bool as it is.
    #[arg(long)]
    pub(crate) raw: bool,
    /// The output.
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum State {
    /// List addresses.
    List(StateList),
    /// Show one object.
    Show(StateShow),
    /// Print the state as Terraform's state file.
    Pull(Common),
    /// Give an object, a resource or a module another address.
    Mv(StateMove),
    /// Drop objects from the state; they live on.
    Rm(StateRemove),
    /// Let another provider manage the objects of one.
    ReplaceProvider(ReplaceProvider),
    /// Replace the state by a state file.
    Push(StatePush),
    /// Take over a state file of Terraform; the file is left as it is.
    Import(StatePush),
    /// Write the state as a state file of Terraform.
    Export(StateExport),
}

#[derive(Debug, Args)]
pub(crate) struct StateMove {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Only say what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Where it is.
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,
    /// Where it should be.
    #[arg(value_name = "DESTINATION")]
    pub(crate) destination: String,
}

#[derive(Debug, Args)]
pub(crate) struct StateRemove {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Only say what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Instances, resources or modules.
    #[arg(value_name = "ADDRESS", required = true)]
    pub(crate) addresses: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplaceProvider {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Do not ask.
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// The provider that manages them now.
    #[arg(value_name = "FROM")]
    pub(crate) from: String,
    /// The provider that shall.
    #[arg(value_name = "TO")]
    pub(crate) to: String,
}

#[derive(Debug, Args)]
pub(crate) struct StatePush {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Whatever the lineage and the serial of the file.
    #[arg(long)]
    pub(crate) force: bool,
    /// The file; `-` reads from standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
}

#[derive(Debug, Args)]
pub(crate) struct StateExport {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Terraform takes over from here: the state of this program is set aside.
    #[arg(long)]
    pub(crate) give_back: bool,
    /// The file; where Terraform looks for it if none is named.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) plan: ConsoleArgs,
    /// How many calls run at once.
    #[arg(long, value_name = "N")]
    pub(crate) parallelism: Option<usize>,
    /// The instance of a resource that has no object yet.
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,
    /// The object's id at its provider.
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Taint {
    #[command(flatten)]
    pub(crate) common: Common,
    /// It is no error if there is no such object.
    #[arg(long)]
    pub(crate) allow_missing: bool,
    /// The object.
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Workspace {
    /// List workspaces; a star marks the one that is chosen.
    List(Common),
    /// Say which one is chosen.
    Show(Common),
    /// Choose one.
    Select(WorkspaceSelect),
    /// Make one and choose it.
    New(WorkspaceNew),
    /// Delete one.
    Delete(WorkspaceDelete),
}

#[derive(Debug, Args)]
pub(crate) struct WorkspaceSelect {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Make it if it is not there.
    #[arg(long)]
    pub(crate) or_create: bool,
    /// Its name.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct WorkspaceNew {
    #[command(flatten)]
    pub(crate) common: Common,
    /// A state file to begin with.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<String>,
    /// Its name.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct WorkspaceDelete {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Also if its state is not empty; the objects live on.
    #[arg(long)]
    pub(crate) force: bool,
    /// Its name.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct StateList {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Only what these addresses cover.
    #[arg(value_name = "ADDRESS")]
    pub(crate) addresses: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StateShow {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The address.
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,
}

#[derive(Debug, Args, Clone)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Option<HistoryCommand>,
}

#[derive(Debug, Subcommand, Clone)]
pub(crate) enum HistoryCommand {
    /// Say which objects came, went and changed between two moments.
    Diff(HistoryDiff),
    /// Forget the oldest operations. What was before them cannot be compared or led back to any more.
    Prune(HistoryPrune),
}

#[derive(Debug, Args, Clone)]
pub(crate) struct HistoryDiff {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The number of an operation: the state as it left it. 0 is the state before the first one.
    #[arg(value_name = "OPERATION")]
    pub(crate) from: u64,
    /// The number of another one; the present state if there is none.
    #[arg(value_name = "OPERATION")]
    pub(crate) to: Option<u64>,
}

#[derive(Debug, Args, Clone)]
pub(crate) struct HistoryPrune {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Keep so many operations, at least one.
    #[arg(long, value_name = "N")]
    pub(crate) keep: Option<usize>,
    /// Keep what was done in the last so many days. Given with `-keep`, what either of them keeps stays.
    #[arg(long, value_name = "DAYS")]
    pub(crate) days: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct ForceUnlock {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Do not ask.
    #[arg(long)]
    pub(crate) force: bool,
    /// The lock, as the error names it.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

/// A `-var` or `-var-file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    /// `NAME=VALUE`.
    Value(String),
    /// A file's path.
    File(String),
}

impl PlanArgs {
    /// Values of variables, in the order in which they overrule each other.
    pub(crate) fn inputs(&self) -> Vec<Given> {
        if !self.given.is_empty() {
            return self.given.clone();
        }
        let files = self.var_files.iter().cloned().map(Given::File);
        files.chain(self.vars.iter().cloned().map(Given::Value)).collect()
    }
}

/// Reads a command line that has been normalised.
pub(crate) fn parse(args: Vec<String>) -> Result<Cli, clap::Error> {
    let matches = Cli::command().try_get_matches_from(args)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    let given = matches.subcommand().map(|(_, matches)| given(matches)).unwrap_or_default();
    match &mut cli.command {
        Command::Plan(plan) => plan.plan.given = given,
        Command::Drift(plan) | Command::Recover(plan) => plan.given = given,
        Command::Console(args) => args.plan.given = given,
        Command::Import(args) => args.plan.given = given,
        Command::Undo(args) => args.given = given,
        Command::Explain(args) => args.given = given,
        Command::Eject(args) => args.given = given,
        Command::Test(args) => args.given = given,
        Command::Apply(args) | Command::Destroy(args) | Command::Refresh(args) => {
            args.plan.given = given;
        }
        _ => {}
    }
    Ok(cli)
}

fn given(matches: &ArgMatches) -> Vec<Given> {
    let mut found: Vec<(usize, Given)> = Vec::new();
    let kinds: [(&str, fn(String) -> Given); 2] =
        [("vars", Given::Value), ("var_files", Given::File)];
    for (id, kind) in kinds {
        let Ok(Some(values)) = matches.try_get_many::<String>(id) else { continue };
        let places = matches.indices_of(id).into_iter().flatten();
        found.extend(places.zip(values.cloned().map(kind)));
    }
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, given)| given).collect()
}

/// Splits a text into words as a shell does: quotes keep spaces, a backslash keeps the next character. `None` if the
/// text ends within quotes or with a backslash.
fn shell_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut begun) = (String::new(), None, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => {
                word.push(chars.next()?);
                begun = true;
            }
            ('"' | '\'', None) => (quote, begun) = (Some(c), true),
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => {
                if std::mem::take(&mut begun) {
                    words.push(std::mem::take(&mut word));
                }
            }
            (c, _) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    quote.is_none().then_some(words)
}

/// Gives long flags their second dash, and adds what `TF_CLI_ARGS_command` and `TF_CLI_ARGS` say, in this order, before
/// what is written. A command of two words, as `state list`, is asked for as `TF_CLI_ARGS_state_list`.
///
/// # Errors
///
/// The name of a variable whose text does not split into words.
pub(crate) fn normalise(
    raw: Vec<std::ffi::OsString>,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Vec<String>, String> {
    let mut args: Vec<String> =
        raw.into_iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let command_at = args.iter().skip(1).position(|arg| !arg.starts_with('-')).map(|at| at + 1);
    if let Some(at) = command_at {
        let known = Cli::command();
        let inner = known.find_subcommand(&args[at]).and_then(|command| {
            let next = args.get(at + 1).filter(|next| !next.starts_with('-'))?;
            command.find_subcommand(next).filter(|inner| inner.get_name() != "help")
        });
        let end = at + 1 + usize::from(inner.is_some());
        let command = args[at..end].join("_").replace('-', "_");
        let mut extra = Vec::new();
        for name in [format!("TF_CLI_ARGS_{command}"), "TF_CLI_ARGS".to_owned()] {
            let words = shell_words(&env(&name).unwrap_or_default());
            extra.extend(words.ok_or(name)?);
        }
        args.splice(end..end, extra);
    } else if args.iter().any(|arg| matches!(arg.as_str(), "-v" | "-version" | "--version")) {
        return Ok(vec![args.swap_remove(0), "version".to_owned()]);
    }
    Ok(args.into_iter().map(double_dash).collect())
}

fn double_dash(arg: String) -> String {
    let long = arg.len() > 2 && arg.starts_with('-') && !arg.starts_with("--");
    if long && arg[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
        format!("-{arg}")
    } else {
        arg
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn parse(line: &str) -> Cli {
        let raw = line.split(' ').map(Into::into).collect();
        let args = normalise(raw, |_| None).expect("no variable is set");
        Cli::try_parse_from(args).expect("a valid command line")
    }

    #[test]
    fn terraforms_spelling_is_understood() {
        let cli = parse(
            "stratiform -chdir=x plan -out=p -var a=1 -var=b=2 -refresh=false -detailed-exitcode",
        );
        let Command::Plan(PlanCommand { plan, .. }) = cli.command else { panic!("a plan") };
        assert_eq!(cli.chdir.as_deref(), Some("x"));
        assert_eq!((plan.out.as_deref(), plan.vars.len()), (Some("p"), 2));
        assert_eq!((plan.refresh, plan.detailed_exitcode), (Some(false), true));
    }

    #[test]
    fn variables_keep_their_order() {
        let args = ["stratiform", "plan", "-var=a=1", "-var-file=f", "-var", "a=2"];
        let args = normalise(args.into_iter().map(Into::into).collect(), |_| None);
        let args = args.expect("no variable is set");
        let cli = super::parse(args).expect("a valid command line");
        let Command::Plan(PlanCommand { plan, .. }) = cli.command else { panic!("a plan") };
        let value = |text: &str| Given::Value(text.to_owned());
        assert_eq!(plan.inputs(), [value("a=1"), Given::File("f".to_owned()), value("a=2")]);
    }

    #[test]
    fn words_are_split_as_a_shell_does() {
        let table: [(&str, &[&str]); 4] = [
            ("-a  -b=1", &["-a", "-b=1"]),
            ("-var 'a=x y' -b", &["-var", "a=x y", "-b"]),
            (r#"-var "a=\"q\"""#, &["-var", "a=\"q\""]),
            ("''", &[""]),
        ];
        for (text, expected) in table {
            assert_eq!(shell_words(text).expect(text), expected, "{text}");
        }
        for text in ["'a", "-a \"b", "a\\"] {
            assert_eq!(shell_words(text), None, "{text}");
        }
    }

    #[test]
    fn arguments_from_the_environment_come_first() {
        let env = |name: &str| match name {
            "TF_CLI_ARGS" => Some("-aa".to_owned()),
            "TF_CLI_ARGS_plan" | "TF_CLI_ARGS_state" => Some("-bb".to_owned()),
            "TF_CLI_ARGS_state_replace_provider" => Some("-cc".to_owned()),
            "TF_CLI_ARGS_apply" => Some("'".to_owned()),
            _ => None,
        };
        let given = |line: &str| normalise(line.split(' ').map(Into::into).collect(), env);
        for (line, expected) in [
            ("stratiform plan -out=p", "stratiform plan --bb --aa --out=p"),
            ("stratiform state -xx", "stratiform state --bb --aa --xx"),
            (
                "stratiform state replace-provider x",
                "stratiform state replace-provider --cc --aa x",
            ),
            ("stratiform show state", "stratiform show --aa state"),
        ] {
            assert_eq!(given(line).expect(line).join(" "), expected);
        }
        assert_eq!(given("stratiform apply"), Err("TF_CLI_ARGS_apply".to_owned()));
    }
}
