//! A backend that lives in a folder, for tests of the engine: it can be slow, refuse, hang and lie.
//!
//! In: calls of the engine. Out: one file per object in the folder that the provider's `world` names, and a line
//! per call in `calls.log`. **Creating is not idempotent**: every call makes a new object, as most real
//! backends do; but objects remember the token of the call that made them, so they can be found.

mod lease;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use address::ProviderAddress;
use sdk::native::{Call, Object};
use sdk::{
    Block, Created, Factory, Listed, NativeProvider, Private, Problem, Provider, ProviderError,
    Resource, Schema, TokenAnswer, async_trait,
};
use serde_json::json;
use value::{Type, Value};

/// `stratiform/sim`.
pub struct Sim;

impl Sim {
    /// The provider with its faults: its setting `faults` breaks promises on demand.
    pub fn factory() -> Arc<dyn Factory> {
        Arc::new(sdk::faulty::FaultyFactory(Arc::new(Self)))
    }
}

#[async_trait]
impl Factory for Sim {
    fn address(&self) -> ProviderAddress {
        ProviderAddress { namespace: "stratiform".into(), ..ProviderAddress::implied("sim") }
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        let block = Block::new()
            .describe("A backend in a folder, for tests.")
            .required("world", Type::String, "The folder that holds the objects.")
            .optional("delay_ms", Type::Number, "How long each change takes, in milliseconds.")
            .optional("fail", Type::list(Type::String), "Names whose creation fails.")
            .optional(
                "fail_once",
                Type::list(Type::String),
                "Names whose first creation says that it may be tried again.",
            )
            .optional("hang", Type::list(Type::String), "Names whose creation never ends.")
            .optional("lie", Type::list(Type::String), "Names whose creation returns another name.")
            .optional(
                "faults",
                Type::list(Type::String),
                "Promises to break, each as `CALL:FAULT` or `CALL:FAULT:NAME`.",
            );
        let schema = Schema { version: 0, block };
        let provider =
            NativeProvider::new(schema, vec![Box::new(Node)], vec![Box::new(lease::Lookup)]);
        Ok(Arc::new(provider.with_ephemerals(vec![Box::new(lease::Lease)])))
    }
}

struct Node;

fn world(call: &Call<'_>) -> Result<PathBuf, Problem> {
    let world = call.settings.text("world").unwrap_or("sim-world");
    let dir = call.context.working_dir.join(world);
    fs::create_dir_all(&dir).map_err(|error| broken(&dir, &error))?;
    Ok(dir)
}

fn broken(path: &Path, error: &std::io::Error) -> Problem {
    Problem::error("the simulated world is broken", format!("`{}`: {error}", path.display()))
}

fn log(dir: &Path, line: &str) -> Result<(), Problem> {
    let path = dir.join("calls.log");
    let file = fs::OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| writeln!(file, "{line}")).map_err(|error| broken(&path, &error))
}

/// Writes an object so that a reader sees all of it or none.
fn write(dir: &Path, id: &str, token: &str, object: &Value) -> Result<(), Problem> {
    let path = dir.join(format!("{id}.json"));
    let attributes = value::json::to_plain(object);
    let text = json!({ "token": token, "attributes": attributes }).to_string();
    let partial = dir.join(format!("{id}.partial"));
    fs::write(&partial, text)
        .and_then(|()| fs::rename(&partial, &path))
        .map_err(|error| broken(&path, &error))
}

fn read(path: &Path) -> Option<(String, Value)> {
    let tree = value::json::parse(&fs::read_to_string(path).ok()?).ok()?;
    let object = value::json::decode(tree.get("attributes")?, &Node.schema().block.ty()).ok()?;
    Some((tree.get("token")?.as_str()?.to_owned(), object))
}

fn objects(dir: &Path) -> Vec<(String, Value)> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    paths.sort();
    paths.iter().filter_map(|path| read(path)).collect()
}

async fn pause(call: &Call<'_>) {
    let ms = call.settings.integer("delay_ms").and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0);
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

#[async_trait]
impl Resource for Node {
    fn name(&self) -> &'static str {
        "sim_node"
    }

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("An object in the simulated world.")
            .required("name", Type::String, "A name; it need not be unique.")
            .optional("size", Type::Number, "Can be changed in place.")
            .optional("zone", Type::String, "A change of it makes a new object.")
            .replaces(&["zone"])
            .optional("secret", Type::String, "Never shown.")
            .sensitive(&["secret"])
            .optional("secret_wo", Type::String, "Given to the backend, and stored nowhere.")
            .write_only(&["secret_wo"])
            .optional("inputs", Type::list(Type::String), "Whatever it depends on.")
            .computed("id", Type::String, "Unique in the world.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        match config.text("name") {
            Some("") => vec![Problem::error("a name is required", "`name` is empty").at("name")],
            _ => Vec::new(),
        }
    }

    async fn create(&self, planned: Value, call: Call<'_>) -> Created {
        let name = planned.text("name").unwrap_or_default().to_owned();
        let named = |list: &str| call.settings.texts(list).contains(&name);
        let dir = match world(&call) {
            Ok(dir) => dir,
            Err(problem) => return problem.into(),
        };
        if named("hang") {
            std::future::pending::<()>().await;
        }
        if named("fail") {
            return Problem::error(
                "the simulated backend refuses",
                format!("`{name}` is in `fail`"),
            )
            .into();
        }
        let tried = dir.join(format!("{name}.tried"));
        if named("fail_once") && !tried.exists() {
            let _ = fs::write(&tried, "");
            return Problem::error("the simulated backend is busy", "try again")
                .retryable(Some(1))
                .into();
        }
        // Every call makes an object of its own, whatever its token.
        let mut number = 0u64;
        let id = loop {
            let id = format!("n-{}-{number}", call.token);
            if !dir.join(format!("{id}.json")).exists() {
                break id;
            }
            number += 1;
        };
        let object = planned.with_attr("id", id.as_str().into());
        if let Err(problem) = write(&dir, &id, call.token, &object)
            .and_then(|()| log(&dir, &format!("create {name} {id}")))
        {
            return problem.into();
        }
        if let Some(secret) = call.config.text("secret_wo")
            && let Err(problem) = log(&dir, &format!("write-only {name} {} bytes", secret.len()))
        {
            return problem.into();
        }
        pause(&call).await;
        if named("lie") {
            return Created::of(object.with_attr("name", "another name".into()));
        }
        Created::of(object)
    }

    async fn read(&self, current: Value, call: Call<'_>) -> Result<Value, Problem> {
        let dir = world(&call)?;
        let id = current.text("id").unwrap_or_default();
        Ok(read(&dir.join(format!("{id}.json")))
            .map_or_else(Value::dynamic_null, |(_, object)| object))
    }

    async fn update(&self, prior: Value, planned: Value, call: Call<'_>) -> Created {
        let id = prior.text("id").unwrap_or_default().to_owned();
        let done = world(&call).and_then(|dir| {
            let token =
                read(&dir.join(format!("{id}.json"))).map(|(token, _)| token).unwrap_or_default();
            write(&dir, &id, &token, &planned)?;
            log(&dir, &format!("update {id}"))
        });
        pause(&call).await;
        match done {
            Ok(()) => Created::of(planned),
            Err(problem) => problem.into(),
        }
    }

    async fn delete(&self, prior: Value, call: Call<'_>) -> Result<(), Problem> {
        let dir = world(&call)?;
        let id = prior.text("id").unwrap_or_default();
        let path = dir.join(format!("{id}.json"));
        match fs::remove_file(&path) {
            Ok(()) => log(&dir, &format!("delete {id}"))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(broken(&path, &error)),
        }
        pause(&call).await;
        Ok(())
    }

    async fn import(&self, id: &str, call: Call<'_>) -> Result<Value, Problem> {
        let dir = world(&call)?;
        let found = read(&dir.join(format!("{id}.json"))).map(|(_, object)| object);
        found.ok_or_else(|| {
            Problem::error("no such object", format!("there is no `{id}` in the world"))
        })
    }

    async fn list(&self, call: Call<'_>) -> Option<Result<Vec<Listed>, Problem>> {
        Some(world(&call).map(|dir| {
            let found = objects(&dir).into_iter();
            found
                .map(|(token, state)| Listed {
                    id: state.text("id").unwrap_or_default().to_owned(),
                    token: Some(token),
                    state,
                })
                .collect()
        }))
    }

    async fn find_by_token(&self, token: &str, call: Call<'_>) -> TokenAnswer {
        let Ok(dir) = world(&call) else { return TokenAnswer::Unsupported };
        let found = objects(&dir).into_iter().find(|(own, _)| own == token);
        found.map_or(TokenAnswer::Absent, |(_, state)| TokenAnswer::Present {
            state,
            private: Private::EMPTY,
        })
    }
}

#[cfg(test)]
mod tests {
    use sdk::conformance::{Case, check_resource};

    use super::*;

    #[tokio::test]
    async fn keeps_the_promises_of_a_resource() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        let settings = Sim.create().await.unwrap().schema().provider.block.empty_value();
        check_resource(Case {
            provider: Sim.create().await.unwrap(),
            settings: settings.with_attr("world", "w".into()),
            context: sdk::Context {
                working_dir: dir.path().to_owned(),
                executable: ".".into(),
                engine_version: String::new(),
                home_dir: ".".into(),
                deferral_allowed: false,
            },
            type_name: "sim_node",
            config: Value::object([("name", Value::from("a")), ("size", Value::from(1))]),
            changed: Some(Value::object([("name", Value::from("a")), ("size", Value::from(2))])),
            bad: Some(Value::object([("name", Value::from(""))])),
            meddle: Some(Box::new(move |object| {
                let id = object.text("id").unwrap_or_default();
                let (token, object) = read(&path.join(format!("w/{id}.json"))).unwrap();
                write(&path.join("w"), id, &token, &object.with_attr("size", 7.into())).unwrap();
            })),
        })
        .await;
    }
}
