//! What a command line says. Terraform's spelling: long flags may have one dash.

use clap::{Args, Parser, Subcommand};

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
    Version,
    /// Check that everything is at hand; nothing has to be downloaded.
    Init(Common),
    /// Check the configuration without looking at real objects.
    Validate(Validate),
    /// Bring files into the canonical layout. Exit code 2: an error, 3: `-check` found differences.
    Fmt(Fmt),
    /// Show what apply would do.
    Plan(PlanArgs),
    /// Bring the world to what the configuration says.
    Apply(ApplyArgs),
    /// Destroy everything that the state holds.
    Destroy(ApplyArgs),
    /// Record what is real; changes nothing but the state.
    Refresh(ApplyArgs),
    /// Show the state, or a plan file.
    Show(Show),
    /// Show a plan file as a page or as a comment.
    Report(Report),
    /// Show outputs.
    Output(Output),
    /// Look at the state.
    State {
        #[command(subcommand)]
        command: State,
    },
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
    /// Show and settle what an earlier run left open.
    Recover(PlanArgs),
    /// List what was done to the state.
    History(Common),
    /// Break a lock.
    ForceUnlock(ForceUnlock),
    /// List the providers that are linked in.
    Providers(Common),
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
    /// A variable.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) vars: Vec<String>,
    /// A file of variables.
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) var_files: Vec<String>,
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
    /// Write the plan to a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<String>,
    /// Only this, and what it needs.
    #[arg(long = "target", value_name = "ADDRESS")]
    pub(crate) targets: Vec<String>,
    /// Replace this instance.
    #[arg(long = "replace", value_name = "ADDRESS")]
    pub(crate) replace: Vec<String>,
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
    /// Accepted for compatibility; warnings are short already.
    #[arg(long)]
    pub(crate) compact_warnings: bool,
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

/// Gives long flags their second dash, and adds what `TF_CLI_ARGS` and `TF_CLI_ARGS_command` say.
pub(crate) fn normalise(
    raw: Vec<std::ffi::OsString>,
    env: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let mut args: Vec<String> =
        raw.into_iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let command_at = args.iter().skip(1).position(|arg| !arg.starts_with('-')).map(|at| at + 1);
    if let Some(at) = command_at {
        let name = args[at].clone();
        let words = |name: &str| -> Vec<String> {
            env(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
        };
        let mut extra = words("TF_CLI_ARGS");
        extra.extend(words(&format!("TF_CLI_ARGS_{name}")));
        args.splice((at + 1)..=at, extra);
    } else if args.iter().any(|arg| matches!(arg.as_str(), "-v" | "-version" | "--version")) {
        return vec![args.swap_remove(0), "version".to_owned()];
    }
    args.into_iter().map(double_dash).collect()
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
        Cli::try_parse_from(normalise(raw, |_| None)).expect("a valid command line")
    }

    #[test]
    fn terraforms_spelling_is_understood() {
        let cli = parse(
            "stratiform -chdir=x plan -out=p -var a=1 -var=b=2 -refresh=false -detailed-exitcode",
        );
        let Command::Plan(plan) = cli.command else { panic!("a plan") };
        assert_eq!(cli.chdir.as_deref(), Some("x"));
        assert_eq!((plan.out.as_deref(), plan.vars.len()), (Some("p"), 2));
        assert_eq!((plan.refresh, plan.detailed_exitcode), (Some(false), true));
    }

    #[test]
    fn arguments_from_the_environment_come_first() {
        let raw = ["stratiform", "plan", "-out=p"].into_iter().map(Into::into).collect();
        let args =
            normalise(raw, |name| (name == "TF_CLI_ARGS_plan").then(|| "-no-color".to_owned()));
        assert_eq!(args, ["stratiform", "plan", "--no-color", "--out=p"]);
    }
}
