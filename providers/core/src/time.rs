//! A time that stays, and a pause.

use std::time::Duration;

use sdk::native::{Call, Object};
use sdk::{Block, Created, Problem, Problems, Resource, Schema, TokenAnswer, async_trait};
use value::{Type, Value};

pub(crate) struct Timestamp;
pub(crate) struct Wait;

#[async_trait]
impl Resource for Timestamp {
    fn lives_in_state(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "core_timestamp"
    }

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("The time at which it was made, in seconds since 1970.")
            .optional(
                "triggers",
                Type::map(Type::String),
                "Values; when one changes, a new time is taken.",
            )
            .replaces(&["triggers"])
            .computed("unix_s", Type::Number, "Seconds since 1970-01-01T00:00:00Z.")
            .computed("id", Type::String, "A unique text.");
        Schema { version: 0, block }
    }

    async fn create(&self, planned: Value, call: Call<'_>) -> Created {
        #[expect(
            clippy::disallowed_methods,
            reason = "reading the clock is what this resource is for"
        )]
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let id = crate::random::uuid(call.token);
        Created::of(planned.with_attr("unix_s", now.as_secs().into()).with_attr("id", id.into()))
    }

    async fn read(&self, current: Value, _: Call<'_>) -> Result<Value, Problem> {
        Ok(current)
    }

    async fn update(&self, _: Value, planned: Value, _: Call<'_>) -> Created {
        Created::of(planned)
    }

    async fn delete(&self, _: Value, _: Call<'_>) -> Result<(), Problem> {
        Ok(())
    }

    async fn find_by_token(&self, _: &str, _: Call<'_>) -> TokenAnswer {
        TokenAnswer::Absent
    }
}

#[async_trait]
impl Resource for Wait {
    fn name(&self) -> &'static str {
        "core_wait"
    }

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("A pause between what it depends on and what depends on it.")
            .optional("create_ms", Type::Number, "How long creating takes, in milliseconds.")
            .optional("destroy_ms", Type::Number, "How long destroying takes, in milliseconds.")
            .computed("id", Type::String, "A unique text.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Problems {
        let negative = |name: &&str| {
            config
                .get_attr(name)
                .and_then(Value::as_number)
                .is_some_and(|number| number.is_negative())
        };
        let wrong = ["create_ms", "destroy_ms"].into_iter().filter(negative);
        wrong
            .map(|name| {
                Problem::error("a pause cannot be negative", format!("`{name}` is below 0"))
                    .at(name)
            })
            .collect()
    }

    async fn create(&self, planned: Value, call: Call<'_>) -> Created {
        pause(&planned, "create_ms").await;
        Created::of(planned.with_attr("id", crate::random::uuid(call.token).into()))
    }

    async fn read(&self, current: Value, _: Call<'_>) -> Result<Value, Problem> {
        Ok(current)
    }

    async fn update(&self, _: Value, planned: Value, _: Call<'_>) -> Created {
        Created::of(planned)
    }

    async fn delete(&self, prior: Value, _: Call<'_>) -> Result<(), Problem> {
        pause(&prior, "destroy_ms").await;
        Ok(())
    }

    async fn find_by_token(&self, _: &str, _: Call<'_>) -> TokenAnswer {
        TokenAnswer::Absent
    }
}

async fn pause(object: &Value, name: &str) {
    let ms = object.integer(name).and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
