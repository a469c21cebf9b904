//! What only looks or lasts for a run: a data source over the world's objects, and a lease that must be renewed.

use sdk::native::{Call, Object};
use sdk::{
    Block, DataSource, EphemeralResource, Opened, Private, Problem, Renewed, Schema, async_trait,
};
use value::{Type, Value};

use crate::{log, objects, world};

/// `sim_lookup`: finds an object by its name.
pub(crate) struct Lookup;

#[async_trait]
impl DataSource for Lookup {
    fn name(&self) -> &'static str {
        "sim_lookup"
    }

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("An object of the simulated world, by its name.")
            .required("name", Type::String, "The name.")
            .computed("size", Type::Number, "Its size.")
            .computed("id", Type::String, "Unique in the world.");
        Schema { version: 0, block }
    }

    async fn read(&self, config: Value, call: Call<'_>) -> Result<Value, Problem> {
        let dir = world(&call)?;
        let name = config.text("name").unwrap_or_default();
        let found = objects(&dir).into_iter().find(|(_, object)| object.text("name") == Some(name));
        let Some((_, object)) = found else {
            return Err(
                Problem::error("no such object", format!("nothing is called `{name}`")).at("name")
            );
        };
        let part = |name: &str| object.get_attr(name).cloned().unwrap_or_else(Value::dynamic_null);
        Ok(config.with_attr("size", part("size")).with_attr("id", part("id")))
    }
}

/// `sim_lease`: a secret that lasts as long as a run.
pub(crate) struct Lease;

impl Lease {
    fn renew_at(ttl_ms: Option<u64>, now_ms: u64) -> Option<u64> {
        ttl_ms.map(|ttl| now_ms + ttl)
    }
}

/// What must be known to renew and to end a lease: its name and how long it lasts.
fn private(name: &str, ttl_ms: Option<u64>) -> Private {
    format!("{name}\n{}", ttl_ms.unwrap_or(0)).as_bytes().into()
}

fn parts(private: &Private) -> (String, Option<u64>) {
    let text = String::from_utf8_lossy(private.as_bytes()).into_owned();
    let (name, ttl) = text.split_once('\n').unwrap_or((&text, ""));
    (name.to_owned(), ttl.parse().ok().filter(|ttl| *ttl > 0))
}

#[expect(clippy::disallowed_methods, reason = "a lease ends by the clock of the backend")]
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

#[async_trait]
impl EphemeralResource for Lease {
    fn name(&self) -> &'static str {
        "sim_lease"
    }

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("A secret that is made for a run and ends with it.")
            .required("name", Type::String, "A name; `refused` cannot be leased.")
            .optional("ttl_ms", Type::Number, "After how many milliseconds it must be renewed.")
            .computed("token", Type::String, "The secret.")
            .sensitive(&["token"]);
        Schema { version: 0, block }
    }

    async fn open(&self, config: Value, call: Call<'_>) -> Result<Opened, Problem> {
        let name = config.text("name").unwrap_or_default().to_owned();
        if name == "refused" {
            return Err(
                Problem::error("the lease is refused", "`refused` is not leased").at("name")
            );
        }
        let ttl_ms = config.integer("ttl_ms").and_then(|ms| u64::try_from(ms).ok());
        log(&world(&call)?, &format!("open {name}"))?;
        Ok(Opened {
            deferred: None,
            result: config.with_attr("token", format!("token-of-{name}").into()),
            private: private(&name, ttl_ms),
            renew_at_unix_ms: Self::renew_at(ttl_ms, now_ms()),
        })
    }

    async fn renew(&self, private: Private, call: Call<'_>) -> Result<Renewed, Problem> {
        let (name, ttl_ms) = parts(&private);
        log(&world(&call)?, &format!("renew {name}"))?;
        Ok(Renewed { private, renew_at_unix_ms: Self::renew_at(ttl_ms, now_ms()) })
    }

    async fn close(&self, private: Private, call: Call<'_>) -> Result<(), Problem> {
        let (name, _) = parts(&private);
        log(&world(&call)?, &format!("close {name}"))
    }
}
