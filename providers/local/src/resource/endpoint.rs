//! `local_endpoint`: a gateway on loopback before replicas of a model server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sdk::native::Object;
use sdk::{Block, Problem, Problems, Schema};
use value::{Type, Value};

use super::{Env, Fault, Work, whole};
use crate::error::LocalError;
use crate::gateway::{self, EndpointSpec, READY, STARTING, Scale};
use crate::home::Kind;
use crate::run::{self, RunSpec};
use crate::{files, process};

pub(super) struct Endpoint;

fn scale_type() -> Type {
    Type::object_with_optional([
        ("min", Type::Number, true),
        ("max", Type::Number, true),
        ("target_concurrency", Type::Number, true),
        ("idle_to_zero_s", Type::Number, true),
        ("max_queue", Type::Number, true),
    ])
}

impl Work for Endpoint {
    const NAME: &'static str = "local_endpoint";
    const KIND: Kind = Kind::Endpoint;

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("An HTTP endpoint on loopback that starts replicas of a model server on demand.")
            .required("name", Type::String, "A name for people.")
            .required("command", Type::list(Type::String), "The model server; `{port}` and `{model}` are replaced.")
            .optional("model_path", Type::String, "The model's file or folder.")
            .optional("model_digest", Type::String, "The model's digest; a change of it starts new replicas.")
            .optional("working_dir", Type::String, "A folder whose files each replica finds in its own.")
            .optional("environment", Type::map(Type::String), "Environment of the replicas.")
            .optional("port", Type::Number, "The port; a free one otherwise.")
            .optional("scale", scale_type(), "How many replicas: from `min` to `max`, one for each `target_concurrency` requests.")
            .optional("health_path", Type::String, "What answers 200 when a replica is ready; `/health` otherwise.")
            .optional("start_timeout_s", Type::Number, "How long a replica may take to become ready; 30 otherwise.")
            .optional("drain_s", Type::Number, "How long requests may go on when it stops; 10 otherwise.")
            .computed("url", Type::String, "Where it answers.")
            .computed("state", Type::String, "`ready`, or what is wrong.")
            .computed("id", Type::String, "Unique on this machine.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Problems {
        let mut problems = Vec::new();
        let command = config.get_attr("command");
        if command.is_some_and(|command| command.is_wholly_known() && command.len() == Some(0)) {
            problems.push(
                Problem::error("there is no command", "give a program and its arguments")
                    .at("command"),
            );
        }
        let port = config.get_attr("port").and_then(Value::as_number);
        if port.is_some_and(|port| !port.to_i64().is_some_and(|port| (1..=65535).contains(&port))) {
            problems.push(
                Problem::error("the port is out of range", "a port is from 1 to 65535").at("port"),
            );
        }
        problems
    }

    fn plan(&self, prior: &Value, planned: Value) -> Value {
        if prior.is_null() {
            return planned;
        }
        let computed = ["url", "state", "id"];
        let changed = planned.entries().into_iter().flatten().any(|(name, value)| {
            !computed.contains(&&**name) && prior.get_attr(name) != Some(value)
        });
        let moved = prior.get_attr("port") != planned.get_attr("port");
        let planned = if changed || prior.text("state") != Some(READY) {
            planned.with_unknown("state")
        } else {
            planned
        };
        if moved { planned.with_unknown("url") } else { planned }
    }

    fn make(&self, env: &Env, id: &str, folder: &Path, planned: &Value) -> Result<Value, Fault> {
        let name = planned.text("name").unwrap_or_default().to_owned();
        let before = gateway::status(folder)?.map(|status| status.port);
        stop(id, folder, whole(planned, "drain_s", 10))?;
        let wanted = planned.integer("port").and_then(|port| u16::try_from(port).ok());
        if let Some(port) = wanted
            && !crate::ledger::is_free(port)
        {
            let holder =
                "another process listens there; choose another `port`, or leave it out".to_owned();
            return Err(LocalError::PortInUse { port, holder }.into());
        }
        let port = wanted.or(before.filter(|port| crate::ledger::is_free(*port))).unwrap_or(0);
        let spec = spec(env, id, &name, planned, port);
        if let Some(program) = spec.run.command.first() {
            let dir = spec.run.working_dir.clone().unwrap_or_else(|| folder.to_owned());
            process::find_program(program, &dir)?;
        }
        let work = folder.join("work");
        files::remove(&work)?;
        run::prepare_work(&work, &spec.run)?;
        let spec_path = folder.join("spec.json");
        files::write_record(&spec_path, &spec)?;
        process::spawn_helper(&env.executable, id, "gateway", &spec_path)?;
        env.progress.tell("starting the first replica");
        let patience = Duration::from_secs(spec.start_timeout_s + 20);
        let mut last = None;
        process::wait_until(patience, || {
            last = gateway::status(folder).ok().flatten();
            last.as_ref().is_some_and(|status| status.state != STARTING)
        });
        match last {
            Some(status) if status.state == READY => {
                let url = format!("http://127.0.0.1:{}", status.port);
                Ok(planned.clone().with_attr("url", url.into()).with_attr("state", READY.into()))
            }
            other => {
                let reason = other
                    .map_or_else(|| "its gateway did not start".to_owned(), |status| status.reason);
                let log = newest_log(folder)
                    .map_or_else(|| "it has no log".to_owned(), |log| run::log_words(&log));
                stop(id, folder, 0)?;
                Err(LocalError::NotHealthy { name, reason, log }.into())
            }
        }
    }

    fn look(
        &self,
        _: &Env,
        _: &str,
        folder: &Path,
        current: &Value,
    ) -> Result<Option<Value>, LocalError> {
        let Some(status) = gateway::status(folder)? else {
            return Ok(Some(current.clone().with_attr("state", "stopped".into())));
        };
        Ok(Some(current.clone().with_attr("state", status.state.into())))
    }

    fn end(&self, _: &Env, id: &str, folder: &Path, prior: &Value) -> Result<(), LocalError> {
        stop(id, folder, whole(prior, "drain_s", 10))
    }
}

fn stop(id: &str, folder: &Path, drain_s: u64) -> Result<(), LocalError> {
    process::end_marked(id, Duration::from_secs(drain_s + 2))?;
    files::remove(&folder.join("status.json"))
}

fn newest_log(folder: &Path) -> Option<PathBuf> {
    let mut found: Vec<(std::time::SystemTime, PathBuf)> = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(about) = std::fs::symlink_metadata(&path) else { continue };
            if about.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|e| e == "log") && !path.ends_with("helper.log")
            {
                found.extend(about.modified().ok().map(|time| (time, path)));
            }
        }
    }
    found.into_iter().max().map(|(_, path)| path)
}

fn spec(env: &Env, id: &str, name: &str, planned: &Value, port: u16) -> EndpointSpec {
    let scale = planned.get_attr("scale").cloned().unwrap_or_else(Value::dynamic_null);
    let max = whole(&scale, "max", 1).max(1);
    EndpointSpec {
        run: RunSpec {
            object: id.to_owned(),
            name: name.to_owned(),
            command: planned.texts("command"),
            environment: planned.text_map("environment"),
            working_dir: planned.text("working_dir").map(|dir| env.path(dir)),
            ..RunSpec::default()
        },
        model_path: planned.text("model_path").map(|path| env.path(path)),
        port,
        scale: Scale {
            min: whole(&scale, "min", 1).min(max),
            max,
            target_concurrency: whole(&scale, "target_concurrency", 1).max(1),
            idle_to_zero_s: whole(&scale, "idle_to_zero_s", 60),
            max_queue: whole(&scale, "max_queue", 64),
        },
        health_path: planned.text("health_path").unwrap_or("/health").to_owned(),
        start_timeout_s: whole(planned, "start_timeout_s", 30),
        drain_s: whole(planned, "drain_s", 10),
    }
}
