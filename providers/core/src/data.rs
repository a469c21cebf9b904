//! `terraform_data`: keeps a value, and makes a new object when a trigger changes.

use address::AttributePath;
use sdk::native::Call;
use sdk::{Block, Created, Problem, Resource, Schema, async_trait};
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

    async fn import(&self, id: &str, _: Call<'_>) -> Result<Value, Problem> {
        Ok(self.schema().block.empty_value().with_attr("id", id.into()))
    }

    async fn find_by_token(&self, _: &str, _: Call<'_>) -> TokenAnswer {
        TokenAnswer::Absent
    }

    /// A `null_resource` keeps its id; its triggers, a map of texts, become `triggers_replace`.
    fn take_over(
        &self,
        source_provider: &str,
        source_type: &str,
        stored: &serde_json::Value,
    ) -> Option<Result<serde_json::Value, Problem>> {
        if source_type != "null_resource" || !source_provider.ends_with("/hashicorp/null") {
            return None;
        }
        let triggers = match stored.get("triggers") {
            Some(serde_json::Value::Object(entries)) => serde_json::json!({
                "type": ["map", "string"],
                "value": entries,
            }),
            _ => serde_json::Value::Null,
        };
        Some(Ok(serde_json::json!({
            "id": stored.get("id"),
            "input": null,
            "output": null,
            "triggers_replace": triggers,
        })))
    }
}
