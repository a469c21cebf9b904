//! A provider for tests, with what few others have: identities, work that is put off, data of modules, objects that
//! come from other types, and a process that says how often it was started.
#![allow(clippy::disallowed_methods, reason = "a program for tests")]

use std::sync::Arc;

use protocol::serve;
use sdk::native::{Call, EphemeralResource, Object};
use sdk::{
    Block, Created, DataSource, Deferral, Factory, Function, FunctionSchema, IdentitySchema,
    ImportKey, MoveRequest, NativeProvider, Opened, Private, Problem, Provider, ProviderError,
    Resource, Schema, async_trait,
};
use value::{Type, Value};

/// `peer_thing` knows everything; `peer_old` is what its objects may come from.
struct Thing(&'static str);

#[async_trait]
impl Resource for Thing {
    fn name(&self) -> &'static str {
        self.0
    }

    fn schema(&self) -> Schema {
        let block = Block::new()
            .required("name", Type::String, "A name.")
            .optional("zone", Type::String, "Where it is.")
            .optional("kind", Type::String, "Another kind is another object.")
            .replaces(&["kind"])
            .optional("waits", Type::Bool, "Put the work off.")
            .optional("key", Type::String, "A secret that is stored nowhere.")
            .write_only(&["key"])
            .optional("inputs", Type::list(Type::String), "Whatever it is made from.")
            .computed("told_by", Type::String, "The module, as it calls itself.")
            .computed("id", Type::String, "Its id.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        let refused = config.text("name") == Some("refused");
        let problem = || Problem::error("this name is refused", "Take another one.").at("name");
        refused.then(problem).into_iter().collect()
    }

    fn identity_schema(&self) -> Option<IdentitySchema> {
        let schema = IdentitySchema::default().required("id", Type::String, "Its id.");
        // The next version of this provider calls the zone otherwise.
        let schema = match is_next() {
            true => {
                IdentitySchema { version: 1, ..schema.optional("place", Type::String, "Where.") }
            }
            false => schema.optional("zone", Type::String, "Where it is."),
        };
        (self.0 == "peer_thing").then_some(schema)
    }

    fn identity(&self, object: &Value) -> Value {
        let place = if is_next() { "place" } else { "zone" };
        let part = |name: &str| object.get_attr(name).cloned().unwrap_or_else(Value::dynamic_null);
        Value::object([("id", part("id")), (place, part("zone"))])
    }

    fn upgrade_identity(
        &self,
        _: u64,
        mut stored: serde_json::Value,
    ) -> Result<serde_json::Value, Problem> {
        let zone = stored.as_object_mut().and_then(|parts| parts.remove("zone"));
        if zone.as_ref().and_then(serde_json::Value::as_str) == Some("lost") {
            return Err(Problem::error("this zone is no place", "It was given up."));
        }
        stored["place"] = zone.unwrap_or_default();
        Ok(stored)
    }

    async fn import_by_identity(&self, identity: Value, _: Call<'_>) -> Result<Value, Problem> {
        let id = identity.text("id").unwrap_or_default().to_owned();
        Ok(found(&self.schema(), &id).with_attr(
            "zone",
            identity.get_attr("zone").cloned().unwrap_or_else(Value::dynamic_null),
        ))
    }

    async fn import(&self, id: &str, _: Call<'_>) -> Result<Value, Problem> {
        Ok(found(&self.schema(), id))
    }

    fn puts_off(&self, config: &Value, _: &Call<'_>) -> Option<Deferral> {
        config.flag("waits").unwrap_or(false).then_some(Deferral::AbsentPrerequisite)
    }

    fn puts_off_import(&self, key: &ImportKey, _: &Call<'_>) -> Option<Deferral> {
        let late = matches!(key, ImportKey::Id(id) if id == "id-late");
        late.then_some(Deferral::AbsentPrerequisite)
    }

    fn takes_over(&self) -> bool {
        self.0 == "peer_thing"
    }

    fn take_over(&self, from: &MoveRequest) -> Option<Result<Value, Problem>> {
        if &*from.source_type != "peer_old" && &*from.source_type != "terraform_data" {
            return None;
        }
        let Ok(old) = serde_json::from_str::<serde_json::Value>(&from.source_json) else {
            return Some(Err(Problem::error("the stored object cannot be read", "")));
        };
        let text = |name: &str| old.get(name).and_then(serde_json::Value::as_str);
        // A value of any type stands beside its type.
        let input = || old.get("input")?.get("value")?.as_str();
        let name = text("name").or_else(input).unwrap_or_default();
        let object = found(&self.schema(), text("id").unwrap_or_default());
        Some(Ok(object.with_attr("name", name.into())))
    }

    async fn create(&self, planned: Value, call: Call<'_>) -> Created {
        if let Some(busy) = busy() {
            return busy.into();
        }
        let id = format!("id-{}", planned.text("name").unwrap_or_default());
        let module = call.meta.get_attr("module").cloned().unwrap_or_else(Value::dynamic_null);
        Created::of(planned.with_attr("id", id.as_str().into()).with_attr("told_by", module))
    }

    async fn read(&self, current: Value, _: Call<'_>) -> Result<Value, Problem> {
        busy().map_or(Ok(current), Err)
    }

    async fn update(&self, _: Value, planned: Value, _: Call<'_>) -> Created {
        Created::of(planned)
    }

    async fn delete(&self, _: Value, _: Call<'_>) -> Result<(), Problem> {
        Ok(())
    }
}

/// So many calls are refused as by a backend that is busy: what `PEER_BUSY` says.
fn busy() -> Option<Problem> {
    static LEFT: std::sync::OnceLock<std::sync::atomic::AtomicI64> = std::sync::OnceLock::new();
    let wanted = || std::env::var("PEER_BUSY").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let left = LEFT.get_or_init(|| std::sync::atomic::AtomicI64::new(wanted()));
    let refused = left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) > 0;
    refused.then(|| Problem::error("ThrottlingException: Rate exceeded", "Try again in 20 ms."))
}

/// Whether this is the next version of the provider, as its program's name says.
fn is_next() -> bool {
    std::env::args().next().is_some_and(|name| name.ends_with("_v2.0.0"))
}

/// How many processes of this program run from this path.
fn alive() -> usize {
    let own = std::env::args().next().unwrap_or_default();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    // Beside numbers there are names that mean this process.
    let is_number = |one: &std::fs::DirEntry| {
        one.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit())
    };
    let processes = processes.filter(is_number);
    let line = processes.filter_map(|one| std::fs::read(one.path().join("cmdline")).ok());
    line.filter(|line| line.split(|byte| *byte == 0).next() == Some(own.as_bytes())).count()
}

/// The object of an id: its name is what follows `id-`.
fn found(schema: &Schema, id: &str) -> Value {
    let name = id.strip_prefix("id-").unwrap_or(id);
    schema.block.empty_value().with_attr("id", id.into()).with_attr("name", name.into())
}

/// `peer_told`: what the module has told the provider.
struct Told;

#[async_trait]
impl DataSource for Told {
    fn name(&self) -> &'static str {
        "peer_told"
    }

    fn schema(&self) -> Schema {
        let block = Block::new().optional("input", Type::String, "Whatever it is asked.").computed(
            "module",
            Type::String,
            "The module, as it calls itself.",
        );
        Schema { version: 0, block }
    }

    async fn read(&self, config: Value, call: Call<'_>) -> Result<Value, Problem> {
        let module = call.meta.get_attr("module").cloned().unwrap_or_else(Value::dynamic_null);
        Ok(config.with_attr("module", module))
    }
}

/// `peer_key`: a secret that lasts as long as a run.
struct Key;

#[async_trait]
impl EphemeralResource for Key {
    fn name(&self) -> &'static str {
        "peer_key"
    }

    fn schema(&self) -> Schema {
        let block = Block::new().optional("waits", Type::Bool, "Put the work off.").computed(
            "secret",
            Type::String,
            "The secret.",
        );
        Schema { version: 0, block }
    }

    fn puts_off(&self, config: &Value, _: &Call<'_>) -> Option<Deferral> {
        config.flag("waits").unwrap_or(false).then_some(Deferral::AbsentPrerequisite)
    }

    async fn open(&self, config: Value, _: Call<'_>) -> Result<Opened, Problem> {
        Ok(Opened {
            result: config.with_attr("secret", "hush".into()),
            deferred: None,
            private: Private::EMPTY,
            renew_at_unix_ms: None,
        })
    }
}

/// `shout`: a text in capitals.
struct Shout;

impl Function for Shout {
    fn name(&self) -> &'static str {
        "shout"
    }

    fn schema(&self) -> FunctionSchema {
        FunctionSchema {
            parameters: vec![("text".into(), Type::String)],
            variadic: None,
            accepts: Vec::new(),
            parameter_descriptions: Vec::new(),
            result: Type::String,
            summary: "A text in capitals.".to_owned(),
            description: "A text in capitals.".to_owned(),
        }
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, Problem> {
        let text = arguments.first().and_then(Value::as_str).unwrap_or_default();
        Ok(text.to_uppercase().as_str().into())
    }
}

struct Peer;

#[async_trait]
impl Factory for Peer {
    fn address(&self) -> address::ProviderAddress {
        address::ProviderAddress {
            namespace: "test".into(),
            ..address::ProviderAddress::implied("peer")
        }
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        let settings = Block::new().optional("region", Type::String, "Where everything is.");
        let meta = Block::new().optional("module", Type::String, "The module's name.");
        let provider = NativeProvider::new(
            Schema { version: 0, block: settings },
            vec![Box::new(Thing("peer_thing")), Box::new(Thing("peer_old"))],
            vec![Box::new(Told)],
        );
        let provider = provider.with_settings_check(|settings| {
            let refused = settings.text("region") == Some("nowhere");
            let problem = || Problem::error("there is no such region", "").at("region");
            refused.then(problem).into_iter().collect()
        });
        let provider = provider.with_ephemerals(vec![Box::new(Key)]);
        let provider = provider.with_functions(vec![Box::new(Shout)]);
        Ok(Arc::new(provider.with_meta(Schema { version: 0, block: meta })))
    }
}

fn main() -> std::process::ExitCode {
    if let Ok(path) = std::env::var("PEER_STARTS") {
        use std::io::Write as _;
        let file = std::fs::File::options().create(true).append(true).open(path);
        let _ = file.and_then(|mut file| writeln!(file, "start {}", alive()));
    }
    serve::program(Arc::new(Peer), std::env::vars())
}
