//! Objects as Rust structs, through serde.
//!
//! ```
//! use sdk::typed;
//! use serde::{Deserialize, Serialize};
//! use value::{Type, Value};
//! # use stratiform_sdk as sdk;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Queue {
//!     name: String,
//!     depth: Option<u64>,
//!     url: Option<String>,
//! }
//!
//! let block = sdk::Block::new()
//!     .required("name", Type::String, "Its name.")
//!     .optional("depth", Type::Number, "How many messages it holds.")
//!     .computed("url", Type::String, "Where it is.");
//! let planned = block.empty_value().with_attr("name", "jobs".into());
//! let mut queue: Queue = typed::read(&planned).unwrap();
//! queue.url = Some(format!("queue://{}", queue.name));
//! let object = typed::write(&queue, &block).unwrap();
//! assert_eq!(object.get_attr("url").and_then(Value::as_str), Some("queue://jobs"));
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use value::Value;

use crate::problem::Problem;
use crate::schema::Block;

/// Reads an object into a struct. Null and unknown parts are absent: give them `Option` fields.
///
/// # Errors
///
/// A [`Problem`] if the object does not fit the struct; its text holds no value.
pub fn read<T: DeserializeOwned>(object: &Value) -> Result<T, Problem> {
    serde_json::from_value(plain(object)).map_err(|error| {
        Problem::error("the object does not fit the provider's own form", shape_of(&error))
    })
}

/// Writes a struct as an object of a schema.
///
/// # Errors
///
/// A [`Problem`] if the struct does not fit the schema.
pub fn write<T: Serialize>(object: &T, block: &Block) -> Result<Value, Problem> {
    let misfit =
        |message: String| Problem::error("the provider's object does not fit its schema", message);
    let tree = serde_json::to_value(object).map_err(|error| misfit(shape_of(&error)))?;
    value::json::decode(&tree, &block.ty()).map_err(|error| misfit(error.to_string()))
}

/// Serde's messages quote values, and a value may be secret.
fn shape_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match (text.find("missing field"), text.find("expected")) {
        (Some(_), _) => text,
        (None, Some(at)) => text[at..].to_owned(),
        (None, None) => "a value is of another form".to_owned(),
    }
}

fn plain(value: &Value) -> Json {
    if value.is_unknown() || value.is_null() {
        return Json::Null;
    }
    if let Some(items) = value.items() {
        return items.iter().map(plain).collect();
    }
    if let Some(entries) = value.entries() {
        let set = entries.iter().filter(|(_, value)| !value.is_null() && !value.is_unknown());
        return Json::Object(set.map(|(name, value)| (name.to_string(), plain(value))).collect());
    }
    value::json::to_plain(value)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sized {
        #[expect(dead_code, reason = "reading it is the test")]
        size: u64,
    }

    #[test]
    fn an_object_of_another_form_is_a_problem_that_shows_no_value() {
        let object = Value::object([("size", Value::from("hunter2"))]);
        let problem = read::<Sized>(&object).unwrap_err();
        assert_eq!(problem.detail, "expected u64");
        let missing =
            read::<Sized>(&Value::object([("size", Value::unknown(value::Type::Number))]));
        assert_eq!(missing.unwrap_err().detail, "missing field `size`");
    }
}
