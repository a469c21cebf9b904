//! `terraform_data`: keeps a value, and makes a new object when a trigger changes.

use address::AttributePath;
use sdk::native::Call;
use sdk::{Block, Created, MoveRequest, Problem, Resource, Schema, async_trait};
use value::{Type, Value};

use sdk::TokenAnswer;

pub(crate) struct Data;

#[async_trait]
impl Resource for Data {
    fn lives_in_state(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "terraform_data"
    }

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe(
                "Keeps a value in the state, and can stand for anything that has to happen once.",
            )
            .optional("input", Type::Dynamic, "A value, which `output` repeats after apply.")
            .computed("output", Type::Dynamic, "The value of `input`.")
            .optional(
                "triggers_replace",
                Type::Dynamic,
                "A value; when it changes, a new object is made.",
            )
            .replaces(&["triggers_replace"])
            .computed("id", Type::String, "A unique text.");
        Schema { version: 0, block }
    }

    fn plan(&self, prior: &Value, planned: Value, _: &Value) -> (Value, Vec<AttributePath>) {
        // Which id it will be is not known, but there will be one: conditions may rely on that.
        let planned = match planned.get_attr("id").cloned() {
            Some(id) => planned.with_attr("id", id.refined_not_null()),
            None => planned,
        };
        let input = planned.get_attr("input").cloned().unwrap_or_else(Value::dynamic_null);
        let unchanged = !prior.is_null() && prior.get_attr("input") == Some(&input);
        if unchanged {
            return (planned, Vec::new());
        }
        // A new object without input has no output; a changed input leaves it open, even if it is null now.
        let output =
            if prior.is_null() && input.is_null() { input } else { Value::unknown(input.ty()) };
        (planned.with_attr("output", output), Vec::new())
    }

    async fn create(&self, planned: Value, call: Call<'_>) -> Created {
        let input = planned.get_attr("input").cloned().unwrap_or_else(Value::dynamic_null);
        let id = crate::random::uuid(call.token);
        Created::of(planned.with_attr("output", input).with_attr("id", id.into()))
    }

    async fn read(&self, current: Value, _: Call<'_>) -> Result<Value, Problem> {
        Ok(current)
    }

    async fn update(&self, _: Value, planned: Value, _: Call<'_>) -> Created {
        let input = planned.get_attr("input").cloned().unwrap_or_else(Value::dynamic_null);
        Created::of(planned.with_attr("output", input))
    }

    async fn delete(&self, _: Value, _: Call<'_>) -> Result<(), Problem> {
        Ok(())
    }

    fn takes_over(&self) -> bool {
        true
    }

    /// A `null_resource` keeps its id, and its triggers as an object: so they are written in most configurations,
    /// and a map would differ from that.
    fn take_over(&self, from: &MoveRequest) -> Option<Result<Value, Problem>> {
        if from.source_type.as_ref() != "null_resource" {
            return None;
        }
        let unreadable = || Problem::error("the stored `null_resource` cannot be read", "");
        let Ok(stored) = value::json::parse(&from.source_json) else {
            return Some(Err(unreadable()));
        };
        let text = |json: &serde_json::Value| json.as_str().map(Value::from);
        let Some(id) = stored.get("id").and_then(text) else { return Some(Err(unreadable())) };
        let triggers = stored.get("triggers").and_then(|one| one.as_object());
        let triggers = triggers.map_or_else(Value::dynamic_null, |all| {
            let all = all.iter().filter_map(|(name, one)| Some((name.as_str(), text(one)?)));
            Value::object(all)
        });
        let object = self.schema().block.empty_value();
        Some(Ok(object.with_attr("id", id).with_attr("triggers_replace", triggers)))
    }

    async fn import(&self, id: &str, _: Call<'_>) -> Result<Value, Problem> {
        Ok(self.schema().block.empty_value().with_attr("id", id.into()))
    }

    async fn find_by_token(&self, _: &str, _: Call<'_>) -> TokenAnswer {
        TokenAnswer::Absent
    }
}
