//! `local_pipeline`: steps that run in the order of their needs, each watched by a supervisor of its own.
//!
//! A step is run again only if what it is made from has changed: its command, environment, code, or the digests
//! of the artifacts that it takes from the steps before it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sdk::native::Object;
use sdk::{Block, Problem, Problems, Schema};
use sha2::{Digest, Sha256};
use value::{Type, Value};

use super::{Env, Fault, Work, artifacts_type, artifacts_value, metrics_value, stay_below};
use crate::error::LocalError;
use crate::home::Kind;
use crate::run::{self, Artifact, Limits, Restart, RunSpec, RunStatus, SUCCEEDED};
use crate::{files, process, tree};

pub(super) struct Pipeline;

fn step_type() -> Type {
    Type::object_with_optional([
        ("command", Type::list(Type::String), false),
        ("needs", Type::list(Type::String), true),
        ("environment", Type::map(Type::String), true),
        ("outputs", Type::map(Type::String), true),
        ("metrics", Type::String, true),
        ("timeout_s", Type::Number, true),
        ("memory_mib", Type::Number, true),
    ])
}

impl Work for Pipeline {
    const NAME: &'static str = "local_pipeline";
    const KIND: Kind = Kind::Pipeline;

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("Steps that run on this machine in the order of their needs.")
            .required("name", Type::String, "A name for people.")
            .required("steps", Type::map(step_type()), "The steps by name. `outputs` maps artifacts to paths, `metrics` is the path of a JSON object of numbers.")
            .optional("working_dir", Type::String, "A folder whose files each step finds in its own.")
            .optional("mounts", Type::map(Type::String), "Folders by the name under which each step finds them.")
            .optional("triggers", Type::map(Type::String), "Values; when one changes, all steps run again.")
            .computed("state", Type::String, "`succeeded`, or what went wrong.")
            .computed("artifacts", artifacts_type(), "Path, digest and size of each artifact.")
            .computed("metrics", Type::map(Type::Number), "The numbers that the steps have written.")
            .computed("id", Type::String, "Unique on this machine.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Problems {
        let Some(steps) = config.get_attr("steps").filter(|steps| steps.is_wholly_known()) else {
            return Vec::new();
        };
        let names: BTreeSet<String> =
            steps.entries().into_iter().flatten().map(|(name, _)| name.to_string()).collect();
        let mut problems = Vec::new();
        for (name, step) in steps.entries().into_iter().flatten() {
            problems.extend(stay_below(step, &format!(" of step `{name}`"), "steps"));
            if step.texts("command").is_empty() {
                problems.push(
                    Problem::error(
                        format!("step `{name}` has no command"),
                        "give a program and its arguments",
                    )
                    .at("steps"),
                );
            }
            for needed in step.texts("needs").iter().filter(|needed| !names.contains(*needed)) {
                let detail =
                    format!("there are {}", names.iter().cloned().collect::<Vec<_>>().join(", "));
                problems.push(
                    Problem::error(
                        format!("step `{name}` needs `{needed}`, which is no step"),
                        detail,
                    )
                    .at("steps"),
                );
            }
        }
        if problems.is_empty() && order(steps).is_none() {
            problems.push(
                Problem::error("the steps need each other in a ring", "remove one of the `needs`")
                    .at("steps"),
            );
        }
        problems
    }

    fn plan(&self, prior: &Value, planned: Value) -> Value {
        if prior.is_null() {
            return planned;
        }
        let inputs = ["name", "steps", "working_dir", "mounts", "triggers"];
        let changed = inputs.iter().any(|name| prior.get_attr(name) != planned.get_attr(name));
        if changed || prior.text("state") != Some(SUCCEEDED) {
            return planned.with_unknown("state").with_unknown("artifacts").with_unknown("metrics");
        }
        planned
    }

    fn make(&self, env: &Env, id: &str, folder: &Path, planned: &Value) -> Result<Value, Fault> {
        let steps = planned.get_attr("steps").cloned().unwrap_or_else(Value::empty_object);
        let Some(order) = order(&steps) else { return Ok(planned.clone()) };
        self.drop_old_steps(id, folder, &steps)?;
        let mut run = Progress { env, id, folder, planned, steps: &steps, done: BTreeMap::new() };
        match run.all(order)? {
            None => Ok(result(planned, SUCCEEDED, &run.done)),
            Some((name, status)) => Err(Fault {
                error: run::failure(&folder.join("steps").join(&name), &name, &status),
                left: Some(result(planned, &format!("step {name} {}", status.state), &run.done)),
            }),
        }
    }

    fn look(
        &self,
        _: &Env,
        _: &str,
        folder: &Path,
        current: &Value,
    ) -> Result<Option<Value>, LocalError> {
        let steps = current.get_attr("steps").cloned().unwrap_or_else(Value::empty_object);
        let mut state = SUCCEEDED.to_owned();
        let mut done = BTreeMap::new();
        for name in order(&steps).unwrap_or_default() {
            match run::status(&folder.join("steps").join(&name))? {
                Some(status) if status.state == SUCCEEDED => {
                    done.insert(name, status);
                }
                Some(status) => {
                    state = format!("step {name} {}", status.state);
                    break;
                }
                None => {
                    state = format!("step {name} missing");
                    break;
                }
            }
        }
        if state != SUCCEEDED {
            return Ok(Some(current.clone().with_attr("state", state.into())));
        }
        Ok(Some(result(current, SUCCEEDED, &done)))
    }

    fn end(&self, _: &Env, id: &str, folder: &Path, _: &Value) -> Result<(), LocalError> {
        for name in step_folders(folder) {
            process::end_marked(&object(id, &name), Duration::from_secs(2))?;
        }
        files::remove(&folder.join("steps"))
    }
}

/// The steps of one make, as far as they have come.
struct Progress<'a> {
    env: &'a Env,
    id: &'a str,
    folder: &'a Path,
    planned: &'a Value,
    steps: &'a Value,
    done: BTreeMap<String, RunStatus>,
}

impl Progress<'_> {
    /// Runs the steps, each as soon as those that it needs have succeeded. Gives the first that failed; what runs
    /// beside it comes to its end.
    fn all(&mut self, order: Vec<String>) -> Result<Option<(String, RunStatus)>, LocalError> {
        let at_once = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let mut waiting = order;
        let mut running: BTreeSet<String> = BTreeSet::new();
        let mut failed: Option<(String, RunStatus)> = None;
        loop {
            let ready: Vec<String> = waiting
                .iter()
                .filter(|name| {
                    let step = self.steps.get_attr(name);
                    let needs = step.map(|step| step.texts("needs")).unwrap_or_default();
                    failed.is_none() && needs.iter().all(|needed| self.done.contains_key(needed))
                })
                .take(at_once.saturating_sub(running.len()))
                .cloned()
                .collect();
            for name in &ready {
                waiting.retain(|other| other != name);
                if self.start(name)? {
                    running.insert(name.clone());
                }
            }
            if running.is_empty() && ready.is_empty() {
                return Ok(failed);
            }
            let mut ended: Option<(String, RunStatus)> = None;
            let mut broken = None;
            if !running.is_empty() {
                process::wait_until(Duration::MAX, || {
                    for name in &running {
                        match run::status(&self.step_folder(name)) {
                            Ok(Some(status)) if status.state == run::RUNNING => {}
                            Ok(Some(status)) => ended = Some((name.clone(), status)),
                            Ok(None) => {
                                broken = Some(LocalError::ObjectMissing {
                                    kind: "run",
                                    id: name.clone(),
                                });
                            }
                            Err(error) => broken = Some(error),
                        }
                    }
                    ended.is_some() || broken.is_some()
                });
            }
            if let Some(error) = broken {
                return Err(error);
            }
            if let Some((name, status)) = ended {
                running.remove(&name);
                if status.state == SUCCEEDED {
                    self.tell(&name, &status);
                    self.done.insert(name, status);
                } else {
                    failed = failed.or(Some((name, status)));
                }
            }
        }
    }

    /// Starts a step; false if it has succeeded already with all that it is made from.
    fn start(&mut self, name: &str) -> Result<bool, LocalError> {
        let Some(step) = self.steps.get_attr(name) else { return Ok(false) };
        let spec = spec(self.env, self.id, name, step, self.planned, &self.done)?;
        let folder = self.step_folder(name);
        files::create_folder(&folder)?;
        let known = run::status(&folder)?;
        match known.filter(|status| status.state == SUCCEEDED && status.key == spec.key) {
            Some(status) => {
                self.env.progress.tell(&format!("step {name}: unchanged"));
                self.tell(name, &status);
                self.done.insert(name.to_owned(), status);
                Ok(false)
            }
            None => {
                self.env.progress.tell(&format!("step {name}: running"));
                run::start(&self.env.executable, &folder, &spec)?;
                Ok(true)
            }
        }
    }

    fn step_folder(&self, name: &str) -> PathBuf {
        self.folder.join("steps").join(name)
    }

    fn tell(&self, name: &str, status: &RunStatus) {
        for (metric, number) in &status.metrics {
            self.env.progress.tell(&format!("step {name}: {metric} = {number}"));
        }
    }
}

impl Pipeline {
    fn drop_old_steps(&self, id: &str, folder: &Path, steps: &Value) -> Result<(), LocalError> {
        for name in step_folders(folder) {
            if steps.get_attr(&name).is_none() {
                process::end_marked(&object(id, &name), Duration::from_secs(2))?;
                files::remove(&folder.join("steps").join(&name))?;
            }
        }
        Ok(())
    }
}

fn object(id: &str, step: &str) -> String {
    format!("{id}.{step}")
}

fn step_folders(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("steps")).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The steps, each after those that it needs; `None` for a ring.
fn order(steps: &Value) -> Option<Vec<String>> {
    let mut waiting: BTreeMap<String, BTreeSet<String>> = steps
        .entries()
        .into_iter()
        .flatten()
        .map(|(name, step)| (name.to_string(), step.texts("needs").into_iter().collect()))
        .collect();
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting
            .iter()
            .find(|(_, needs)| needs.iter().all(|n| order.contains(n)))
            .map(|(name, _)| name.clone())?;
        waiting.remove(&ready);
        order.push(ready);
    }
    Some(order)
}

fn spec(
    env: &Env,
    id: &str,
    name: &str,
    step: &Value,
    planned: &Value,
    done: &BTreeMap<String, RunStatus>,
) -> Result<RunSpec, LocalError> {
    let working_dir = planned.text("working_dir").map(|dir| env.path(dir));
    let mounts: BTreeMap<String, PathBuf> = planned
        .text_map("mounts")
        .into_iter()
        .map(|(name, path)| (name, env.path(&path)))
        .collect();
    let mut inputs = BTreeMap::new();
    let mut digest = Sha256::new();
    let mut add = |text: &str| {
        digest.update(text.as_bytes());
        digest.update([0]);
    };
    add(&value::json::to_string(step));
    add(&value::json::to_string(planned.get_attr("triggers").unwrap_or(&Value::dynamic_null())));
    if let Some(dir) = &working_dir {
        add(&tree::summarize(dir)?.fingerprint);
    }
    for (mount, path) in &mounts {
        add(mount);
        add(&path.display().to_string());
    }
    for needed in step.texts("needs") {
        let Some(status) = done.get(&needed) else { continue };
        for (artifact, Artifact { path, digest, .. }) in &status.artifacts {
            add(artifact);
            add(digest);
            inputs.insert(artifact.clone(), path.clone());
        }
    }
    let key = files::hex(&digest.finalize());
    Ok(RunSpec {
        object: object(id, name),
        name: name.to_owned(),
        command: step.texts("command"),
        environment: step.text_map("environment"),
        working_dir,
        mounts,
        inputs,
        outputs: step.text_map("outputs"),
        metrics: step.text("metrics").map(str::to_owned),
        restart: Restart::default(),
        limits: Limits {
            memory_mib: step.integer("memory_mib").and_then(|mib| u64::try_from(mib).ok()),
            cpu_seconds: None,
            timeout_s: step.integer("timeout_s").and_then(|seconds| u64::try_from(seconds).ok()),
        },
        key,
    })
}

fn result(object: &Value, state: &str, done: &BTreeMap<String, RunStatus>) -> Value {
    let artifacts = done.values().flat_map(|status| &status.artifacts);
    let metrics = done.values().flat_map(|status| &status.metrics);
    object
        .clone()
        .with_attr("state", state.into())
        .with_attr("artifacts", artifacts_value(artifacts))
        .with_attr("metrics", metrics_value(metrics))
}
