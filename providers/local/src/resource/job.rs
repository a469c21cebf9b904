//! `local_job`: one command with a supervisor of its own that outlives the CLI.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sdk::native::Object;
use sdk::{Block, Problem, Problems, Schema};
use sha2::{Digest, Sha256};
use value::{Type, Value};

use super::{
    Env, Fault, Work, artifacts_type, artifacts_value, at_least, metrics_value, one_of, stay_below,
};
use crate::error::LocalError;
use crate::home::Kind;
use crate::run::{self, Limits, RUNNING, Restart, RunSpec, RunStatus, SUCCEEDED};
use crate::{files, process, tree};

pub(super) struct Job;

/// What `state` says of a job that nobody waits for, for as long as all is well with it.
const STARTED: &str = "started";

/// What a job is made from; a change of any runs it again.
const INPUTS: [&str; 14] = [
    "command",
    "environment",
    "working_dir",
    "mounts",
    "outputs",
    "metrics",
    "restart",
    "max_restarts",
    "timeout_s",
    "memory_mib",
    "cpu_seconds",
    "wait",
    "triggers",
    "name",
];

impl Work for Job {
    const NAME: &'static str = "local_job";
    const KIND: Kind = Kind::Job;

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("A command on this machine, watched by a supervisor that outlives the CLI. A change of what it is made from runs it again.")
            .required("name", Type::String, "A name for people.")
            .required("command", Type::list(Type::String), "The program and its arguments.")
            .optional("environment", Type::map(Type::String), "Environment beside a small inherited one.")
            .optional("working_dir", Type::String, "A folder whose files the command finds in its own.")
            .optional("mounts", Type::map(Type::String), "Folders by the name under which the command finds them.")
            .optional("outputs", Type::map(Type::String), "Artifacts by name: paths below the command's folder.")
            .optional("metrics", Type::String, "The path of a JSON object of numbers below the command's folder.")
            .optional("restart", Type::String, "`never`, `on_failure` or `always`.")
            .default_to("restart", "never".into())
            .optional("max_restarts", Type::Number, "How often it is started again at most.")
            .optional("timeout_s", Type::Number, "How long one attempt may take, in seconds.")
            .optional("memory_mib", Type::Number, "How much address space it may use, in MiB.")
            .optional("cpu_seconds", Type::Number, "How much CPU time it may use, in seconds.")
            .optional("wait", Type::Bool, "Whether apply waits for its end; a job that always restarts has none.")
            .default_to("wait", true.into())
            .optional("triggers", Type::map(Type::String), "Values; when one changes, the job runs again.")
            .computed("state", Type::String, "`succeeded`; `started` for a job that nobody waits for; or what went wrong.")
            .computed("exit_code", Type::Number, "Of the last attempt; null while it runs.")
            .computed("artifacts", artifacts_type(), "Path, digest and size of each output.")
            .computed("metrics_found", Type::map(Type::Number), "The numbers that it has written.")
            .recomputed(&["state", "exit_code", "artifacts", "metrics_found"], &INPUTS)
            .computed("log", Type::String, "The file that holds what it printed.")
            .computed("id", Type::String, "Unique on this machine.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Problems {
        let mut problems = at_least(config, &["timeout_s", "memory_mib", "cpu_seconds"], 1);
        problems.extend(at_least(config, &["max_restarts"], 0));
        problems.extend(one_of(config, "restart", &["never", "on_failure", "always"]));
        problems.extend(stay_below(config, "", "outputs"));
        let command = config.get_attr("command");
        if command.is_some_and(|command| command.is_wholly_known() && command.len() == Some(0)) {
            let detail = "give a program and its arguments";
            problems.push(Problem::error("there is no command", detail).at("command"));
        }
        let endless = config.text("restart") == Some("always")
            && config.get_attr("max_restarts").is_some_and(Value::is_null);
        if endless
            && config
                .get_attr("wait")
                .is_some_and(|wait| wait.as_bool() != Some(false) && wait.is_known())
        {
            let detail =
                "`restart = \"always\"` without `max_restarts` never ends; set `wait = false`";
            problems.push(Problem::error("apply would wait forever", detail).at("wait"));
        }
        problems
    }

    fn plan(&self, prior: &Value, planned: Value) -> Value {
        let well = matches!(prior.text("state"), Some(SUCCEEDED | STARTED));
        if prior.is_null() || well {
            return planned;
        }
        let open = ["state", "artifacts", "metrics_found"];
        let planned = open.iter().fold(planned, |planned, name| planned.with_unknown(name));
        planned.with_attr("exit_code", Value::unknown(Type::Number))
    }

    fn make(&self, env: &Env, id: &str, folder: &Path, planned: &Value) -> Result<Value, Fault> {
        let name = planned.text("name").unwrap_or_default().to_owned();
        let run_folder = folder.join("run");
        files::create_folder(&run_folder)?;
        let spec = spec(env, id, &name, planned)?;
        // A create that is tried again finds the first one's run, and leaves it alone.
        let known = run::status(&run_folder)?.filter(|status| status.key == spec.key);
        if !known.is_some_and(|status| [RUNNING, SUCCEEDED].contains(&status.state.as_str())) {
            env.progress.tell("running");
            run::start(&env.executable, &run_folder, &spec)?;
        }
        if planned.flag("wait") == Some(false) {
            return Ok(self.seen(planned, &run_folder, run::status(&run_folder)?));
        }
        let status = run::wait(&run_folder, &name, &|| false)?;
        let object = self.seen(planned, &run_folder, Some(status.clone()));
        for (metric, number) in &status.metrics {
            env.progress.tell(&format!("{metric} = {number}"));
        }
        if status.state == SUCCEEDED {
            return Ok(object);
        }
        Err(Fault { error: run::failure(&run_folder, &name, &status), left: Some(object) })
    }

    fn look(
        &self,
        _: &Env,
        _: &str,
        folder: &Path,
        current: &Value,
    ) -> Result<Option<Value>, LocalError> {
        let run_folder = folder.join("run");
        Ok(Some(self.seen(current, &run_folder, run::status(&run_folder)?)))
    }

    fn end(&self, _: &Env, id: &str, folder: &Path, _: &Value) -> Result<(), LocalError> {
        process::end_marked(id, Duration::from_secs(5))?;
        files::remove(&folder.join("run"))
    }
}

impl Job {
    /// The object with what its run shows.
    fn seen(&self, object: &Value, folder: &Path, status: Option<RunStatus>) -> Value {
        let waited = object.flag("wait") != Some(false);
        let state = match status.as_ref().map(|status| status.state.as_str()) {
            None => "missing",
            Some(RUNNING | SUCCEEDED) if !waited => STARTED,
            Some(state) => state,
        };
        // The end of a job that nobody waits for is no drift.
        let shown = status.as_ref().filter(|_| waited || state != STARTED);
        let code =
            shown.and_then(|status| status.exit_code).map(|code| Value::from(i64::from(code)));
        object
            .clone()
            .with_attr("state", state.into())
            .with_attr("exit_code", code.unwrap_or_else(|| Value::null(Type::Number)))
            .with_attr("artifacts", artifacts_value(shown.into_iter().flat_map(|s| &s.artifacts)))
            .with_attr("metrics_found", metrics_value(shown.into_iter().flat_map(|s| &s.metrics)))
            .with_attr("log", run::log_path(folder).display().to_string().into())
    }
}

fn spec(env: &Env, id: &str, name: &str, planned: &Value) -> Result<RunSpec, LocalError> {
    let working_dir: Option<PathBuf> = planned.text("working_dir").map(|dir| env.path(dir));
    let count = |name: &str| planned.integer(name).and_then(|number| u64::try_from(number).ok());
    let mut digest = Sha256::new();
    for input in INPUTS {
        let value = planned.get_attr(input).cloned().unwrap_or_else(Value::dynamic_null);
        digest.update(value::json::to_string(&value));
        digest.update([0]);
    }
    if let Some(dir) = &working_dir {
        digest.update(tree::summarize(dir)?.fingerprint);
    }
    let mounts = planned.text_map("mounts").into_iter();
    Ok(RunSpec {
        object: id.to_owned(),
        name: name.to_owned(),
        command: planned.texts("command"),
        environment: planned.text_map("environment"),
        working_dir,
        mounts: mounts.map(|(name, path)| (name, env.path(&path))).collect(),
        outputs: planned.text_map("outputs"),
        metrics: planned.text("metrics").map(str::to_owned),
        restart: Restart {
            policy: planned.text("restart").map(str::to_owned),
            max: count("max_restarts"),
        },
        limits: Limits {
            memory_mib: count("memory_mib"),
            cpu_seconds: count("cpu_seconds"),
            timeout_s: count("timeout_s"),
        },
        key: files::hex(&digest.finalize()),
        ..RunSpec::default()
    })
}
