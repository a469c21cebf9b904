//! Random texts that stay what they are until they are replaced.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sdk::native::{Call, Object};
use sdk::{Block, Created, Problem, Problems, Resource, Schema, TokenAnswer, async_trait};
use value::{Type, Value};

pub(crate) struct RandomId;
pub(crate) struct RandomPassword;

/// A UUID of version 4 made from the 32 hexadecimal digits of a token.
pub(crate) fn uuid(token: &str) -> String {
    let mut bytes = [0u8; 16];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = token
            .get(2 * at..2 * at + 2)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .unwrap_or(0);
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex[part].to_owned()).join("-")
}

fn random(count: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes)
        .map_err(|error| Problem::error("the system has no random source", error.to_string()))?;
    Ok(bytes)
}

#[async_trait]
impl Resource for RandomId {
    fn lives_in_state(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "core_random_id"
    }

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("Random bytes that stay what they are until a trigger changes.")
            .required("byte_length", Type::Number, "How many bytes, from 1 to 1024.")
            .optional(
                "triggers",
                Type::map(Type::String),
                "Values; when one changes, new bytes are made.",
            )
            .replaces(&["byte_length", "triggers"])
            .computed("hex", Type::String, "The bytes in hexadecimal.")
            .computed("id", Type::String, "The bytes in base 64 for URLs, without padding.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Problems {
        in_range(config, "byte_length", 1, 1024)
    }

    async fn create(&self, planned: Value, _: Call<'_>) -> Created {
        let count = planned
            .integer("byte_length")
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(8);
        let bytes = match random(count) {
            Ok(bytes) => bytes,
            Err(problem) => return problem.into(),
        };
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let id = URL_SAFE_NO_PAD.encode(&bytes);
        Created::of(planned.with_attr("hex", hex.into()).with_attr("id", id.into()))
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

fn in_range(config: &Value, name: &str, least: i64, most: i64) -> Problems {
    let Some(number) = config.get_attr(name).and_then(Value::as_number) else { return Vec::new() };
    if number.to_i64().is_some_and(|number| (least..=most).contains(&number)) {
        return Vec::new();
    }
    let detail =
        format!("`{name}` must be a whole number from {least} to {most}, but it is {number}");
    vec![Problem::error(format!("`{name}` is out of range"), detail).at(name)]
}

#[async_trait]
impl Resource for RandomPassword {
    fn lives_in_state(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "core_random_password"
    }

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("A random password of letters and digits.")
            .required("length", Type::Number, "How many characters, from 8 to 1024.")
            .optional(
                "triggers",
                Type::map(Type::String),
                "Values; when one changes, a new password is made.",
            )
            .replaces(&["length", "triggers"])
            .computed("result", Type::String, "The password.")
            .sensitive(&["result"])
            .computed("id", Type::String, "A unique text that tells nothing about the password.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Problems {
        in_range(config, "length", 8, 1024)
    }

    async fn create(&self, planned: Value, call: Call<'_>) -> Created {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let count =
            planned.integer("length").and_then(|count| usize::try_from(count).ok()).unwrap_or(16);
        let bytes = match random(count) {
            Ok(bytes) => bytes,
            Err(problem) => return problem.into(),
        };
        // 64 letters: each has the same chance.
        let text: String =
            bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 64)])).collect();
        Created::of(
            planned.with_attr("result", text.into()).with_attr("id", uuid(call.token).into()),
        )
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
