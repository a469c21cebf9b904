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
    /// Show outputs.
    Output(Output),
    /// Look at the state.
    State {
        #[command(subcommand)]
        command: State,
    },
    /// Say what differs from the state. Only reads. Exit code 0: in sync, 2: drift, 1: error.
    Drift(PlanArgs),
    /// Show and settle what an earlier run left open.
    Recover(PlanArgs),
    /// List what was done to the state.
    History(Common),
    /// Break a lock.
    ForceUnlock(ForceUnlock),
    /// List the providers that are at hand.
    Providers {
        #[command(subcommand)]
        command: Option<ProvidersCommand>,
    },
    /// Serve a native provider to Terraform, or work on a provider.
    Provider {
        #[command(subcommand)]
        command: ProviderCommand,
    },
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
    /// Drop an object from the state; it lives on.
    Rm(StateShow),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProvidersCommand {
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
