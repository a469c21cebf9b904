//! The resources. Each is a [`Work`]: what to make, how to look at it, how to end it. [`Adapter`] makes a
//! resource of the SDK of it: ids from tokens, the object's record, work off the engine's thread.

mod endpoint;
mod fabric;
mod job;
mod node_pool;
mod pipeline;
mod volume;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use address::AttributePath;
use sdk::native::{Call, Object};
use sdk::{
    Created, Listed, Private, Problem, Problems, Resource, Schema, TokenAnswer, async_trait,
};
use value::{Type, Value};

use crate::error::LocalError;
use crate::files;
use crate::home::{Home, Kind, ObjectRecord};

/// All resources.
pub(crate) fn all() -> Vec<Box<dyn Resource>> {
    vec![
        Box::new(Adapter(Arc::new(node_pool::NodePool))),
        Box::new(Adapter(Arc::new(fabric::Fabric))),
        Box::new(Adapter(Arc::new(volume::Volume))),
        Box::new(Adapter(Arc::new(job::Job))),
        Box::new(Adapter(Arc::new(pipeline::Pipeline))),
        Box::new(Adapter(Arc::new(endpoint::Endpoint))),
    ]
}

/// What a call knows of its surroundings.
#[derive(Clone)]
pub(crate) struct Env {
    pub(crate) home: Home,
    pub(crate) executable: PathBuf,
    pub(crate) working_dir: PathBuf,
    pub(crate) progress: sdk::ProgressSink,
}

impl Env {
    /// A path of the configuration, which is relative to the stack's folder.
    pub(crate) fn path(&self, text: &str) -> PathBuf {
        self.working_dir.join(text)
    }
}

/// An object that could not be made as it should be.
pub(crate) struct Fault {
    pub(crate) error: LocalError,
    /// What there is of it.
    pub(crate) left: Option<Value>,
}

impl From<LocalError> for Fault {
    fn from(error: LocalError) -> Self {
        Self { error, left: None }
    }
}

/// One kind of object.
pub(crate) trait Work: Send + Sync + 'static {
    /// The resource type.
    const NAME: &'static str;
    /// The folder that holds its objects.
    const KIND: Kind;

    fn schema(&self) -> Schema;

    fn validate(&self, _config: &Value) -> Problems {
        Vec::new()
    }

    /// Changes the default plan.
    fn plan(&self, _prior: &Value, planned: Value) -> Value {
        planned
    }

    /// Makes the object, or makes an existing one what is planned. May be repeated.
    fn make(&self, env: &Env, id: &str, folder: &Path, planned: &Value) -> Result<Value, Fault>;

    /// The object as it is; `None` if it is gone.
    fn look(
        &self,
        env: &Env,
        id: &str,
        folder: &Path,
        current: &Value,
    ) -> Result<Option<Value>, LocalError>;

    /// Ends everything that belongs to the object; its folder is removed afterwards.
    fn end(&self, env: &Env, id: &str, folder: &Path, prior: &Value) -> Result<(), LocalError>;
}

/// The provider's words for an error.
pub(crate) fn problem(error: &LocalError) -> Problem {
    let help = miette::Diagnostic::help(error).map(|help| help.to_string());
    Problem::error(error.to_string(), help.unwrap_or_default())
}

struct Adapter<W>(Arc<W>);

fn env(call: &Call<'_>) -> Env {
    Env {
        home: Home { root: call.context.home_dir.clone() },
        executable: call.context.executable.clone(),
        working_dir: call.context.working_dir.clone(),
        progress: call.progress.clone(),
    }
}

/// Runs work that waits for processes and files away from the engine's thread.
async fn away<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(run)
        .await
        .map_err(|error| Problem::error("the local provider failed", error.to_string()))
}

impl<W: Work> Adapter<W> {
    async fn make(&self, id: String, token: String, planned: Value, call: &Call<'_>) -> Created {
        let (work, env) = (Arc::clone(&self.0), env(call));
        let done = away(move || {
            let folder = env.home.folder(W::KIND, &id)?;
            files::create_folder(&folder)?;
            let named = planned.with_attr("id", id.as_str().into());
            let made = work.make(&env, &id, &folder, &named);
            let (object, error) = match made {
                Ok(object) => (object, None),
                Err(Fault { error, left: Some(left) }) => (left, Some(error)),
                Err(Fault { error, left: None }) => return Err(error),
            };
            let record = ObjectRecord {
                format: 1,
                id: id.clone(),
                name: object.text("name").unwrap_or_default().to_owned(),
                token,
                stack: env.working_dir.clone(),
                created_unix_ms: crate::clock::unix_ms(),
                attributes: value::json::to_plain(&object),
            };
            env.home.write_object(W::KIND, &record)?;
            Ok((object, error))
        })
        .await;
        match done {
            Err(failed) => failed.into(),
            Ok(Err(error)) => problem(&error).into(),
            Ok(Ok((object, error))) => {
                Created { object, problems: error.iter().map(problem).collect() }
            }
        }
    }

    fn decode(&self, record: &ObjectRecord) -> Option<Value> {
        value::json::decode(&record.attributes, &self.0.schema().block.ty()).ok()
    }
}

#[async_trait]
impl<W: Work> Resource for Adapter<W> {
    fn name(&self) -> &'static str {
        W::NAME
    }

    fn schema(&self) -> Schema {
        self.0.schema()
    }

    fn validate(&self, config: &Value) -> Problems {
        self.0.validate(config)
    }

    fn plan(&self, prior: &Value, planned: Value, _: &Value) -> (Value, Vec<AttributePath>) {
        (self.0.plan(prior, planned), Vec::new())
    }

    async fn create(&self, planned: Value, call: Call<'_>) -> Created {
        let id = Home::id(W::KIND, call.token);
        let created = self.make(id.clone(), call.token.to_owned(), planned, &call).await;
        if created.object.is_null() {
            // Nothing came of it, so nothing may be left of it.
            let (work, env) = (Arc::clone(&self.0), env(&call));
            let null = Value::null(self.schema().block.ty());
            let _ = away(move || {
                let folder = env.home.folder(W::KIND, &id)?;
                work.end(&env, &id, &folder, &null)?;
                env.home.remove_object(W::KIND, &id)
            })
            .await;
        }
        created
    }

    async fn read(&self, current: Value, call: Call<'_>) -> Result<Value, Problem> {
        let (work, env) = (Arc::clone(&self.0), env(&call));
        let looked = away(move || {
            let id = current.text("id").unwrap_or_default().to_owned();
            let folder = env.home.folder(W::KIND, &id)?;
            if env.home.object(W::KIND, &id)?.is_none() {
                return Ok(None);
            }
            work.look(&env, &id, &folder, &current)
        })
        .await?;
        match looked {
            Ok(Some(object)) => Ok(object),
            Ok(None) => Ok(Value::dynamic_null()),
            Err(error) => Err(problem(&error)),
        }
    }

    async fn update(&self, prior: Value, planned: Value, call: Call<'_>) -> Created {
        let id = prior.text("id").unwrap_or_default().to_owned();
        let home = Home { root: call.context.home_dir.clone() };
        let token =
            home.object(W::KIND, &id).ok().flatten().map(|record| record.token).unwrap_or_default();
        self.make(id, token, planned, &call).await
    }

    async fn delete(&self, prior: Value, call: Call<'_>) -> Result<(), Problem> {
        let (work, env) = (Arc::clone(&self.0), env(&call));
        let ended = away(move || {
            let id = prior.text("id").unwrap_or_default().to_owned();
            let folder = env.home.folder(W::KIND, &id)?;
            work.end(&env, &id, &folder, &prior)?;
            env.home.remove_object(W::KIND, &id)
        })
        .await?;
        ended.map_err(|error| problem(&error))
    }

    async fn import(&self, id: &str, call: Call<'_>) -> Result<Value, Problem> {
        let record = env(&call).home.object(W::KIND, id).map_err(|error| problem(&error))?;
        record
            .and_then(|record| self.decode(&record))
            .ok_or_else(|| Problem::error(format!("there is no `{id}` on this machine"), ""))
    }

    async fn list(&self, call: Call<'_>) -> Option<Result<Vec<Listed>, Problem>> {
        let found = env(&call).home.objects(W::KIND).map_err(|error| problem(&error));
        Some(found.map(|records| {
            let listed = records.iter().filter_map(|record| {
                Some(Listed {
                    id: record.id.clone(),
                    token: Some(record.token.clone()),
                    state: self.decode(record)?,
                })
            });
            listed.collect()
        }))
    }

    async fn find_by_token(&self, token: &str, call: Call<'_>) -> TokenAnswer {
        let env = env(&call);
        let id = Home::id(W::KIND, token);
        match env.home.object(W::KIND, &id) {
            Ok(Some(record)) => match self.decode(&record) {
                Some(state) => TokenAnswer::Present { state, private: Private::EMPTY },
                None => TokenAnswer::Unsupported,
            },
            Ok(None) => {
                // What was begun and never finished is taken away, so that nothing of it stays.
                let work = Arc::clone(&self.0);
                let null = Value::null(self.schema().block.ty());
                let _ = away(move || {
                    let folder = env.home.folder(W::KIND, &id)?;
                    work.end(&env, &id, &folder, &null)?;
                    env.home.remove_object(W::KIND, &id)
                })
                .await;
                TokenAnswer::Absent
            }
            Err(_) => TokenAnswer::Unsupported,
        }
    }
}

/// A whole number of an object, or a default.
pub(crate) fn whole(object: &Value, name: &str, default: u64) -> u64 {
    object.integer(name).and_then(|number| u64::try_from(number).ok()).unwrap_or(default)
}

/// Complains of numbers below a limit.
pub(crate) fn at_least(config: &Value, names: &[&str], least: i64) -> Problems {
    let low = |name: &&&str| {
        config
            .get_attr(name)
            .and_then(Value::as_number)
            .is_some_and(|n| *n < value::Number::from(least))
    };
    let wrong = names.iter().filter(low);
    wrong
        .map(|name| {
            let detail = format!("`{name}` must be at least {least}");
            Problem::error(format!("`{name}` is too small"), detail).at(*name)
        })
        .collect()
}

/// Complains of texts that are none of the known words.
pub(crate) fn one_of(config: &Value, name: &str, words: &[&str]) -> Problems {
    match config.text(name) {
        Some(text) if !words.contains(&text) => {
            let detail = format!("`{name}` is `{text}`; it must be one of {}", words.join(", "));
            vec![Problem::error(format!("`{name}` is not known"), detail).at(name)]
        }
        _ => Vec::new(),
    }
}

/// Complains of paths that lead out of the folder that a command runs in.
pub(crate) fn stay_below(object: &Value, what: &str, at: &str) -> Problems {
    let metrics = object.text("metrics").map(|path| ("metrics".to_owned(), path.to_owned()));
    let outputs = object
        .text_map("outputs")
        .into_iter()
        .map(|(name, path)| (format!("output `{name}`"), path));
    let out = outputs.chain(metrics).filter_map(|(name, path)| {
        let error = files::below(Path::new("."), &path).err()?;
        Some(
            Problem::error(
                format!("the path of {name}{what} is not allowed: {error}"),
                "give a path below the folder that the command runs in, such as `out/model.json`",
            )
            .at(at),
        )
    });
    out.collect()
}

/// Artifacts as a map of objects.
pub(crate) fn artifacts_value<'a>(
    found: impl IntoIterator<Item = (&'a String, &'a crate::run::Artifact)>,
) -> Value {
    let entries = found.into_iter().map(|(name, artifact)| {
        let value = Value::object([
            ("path", Value::from(artifact.path.display().to_string())),
            ("digest", Value::from(artifact.digest.as_str())),
            ("bytes", Value::from(artifact.bytes)),
        ]);
        (name.clone(), value)
    });
    Value::map(artifact_type(), entries)
}

/// Metrics as a map of numbers.
pub(crate) fn metrics_value<'a>(
    found: impl IntoIterator<Item = (&'a String, &'a serde_json::Number)>,
) -> Value {
    let entries = found.into_iter().map(|(name, number)| {
        let number = value::Number::parse(&number.to_string()).unwrap_or(value::Number::ZERO);
        (name.clone(), Value::number(number))
    });
    Value::map(Type::Number, entries)
}

fn artifact_type() -> Type {
    Type::object([("path", Type::String), ("digest", Type::String), ("bytes", Type::Number)])
}

/// The type of artifacts by name.
pub(crate) fn artifacts_type() -> Type {
    Type::map(artifact_type())
}
