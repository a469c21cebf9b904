//! `terraform_remote_state`: the outputs of another stack.
//!
//! That stack may be Terraform's, whose state file is read, or one of ours, whose store lies beside where that file
//! would be. As in Terraform, sensitive outputs come without their mark: say so again where they are used.

use std::path::{Path, PathBuf};

use sdk::native::{Call, Object};
use sdk::{Block, DataSource, Problem, Problems, Schema, async_trait};
use value::json::MOST_VALUE_LEVELS;
use value::{Type, Value};

/// Gives the outputs in the store of a stack of ours: its folder, the name of the workspace. `None` if there is no
/// store. Errors are for people.
pub type Stores = fn(&Path, &str) -> Result<Option<Value>, String>;

/// The workspace that every stack has.
const DEFAULT: &str = "default";

/// Kinds of storage that Terraform 1.11 knows.
///
/// Source: Terraform's documentation of backends.
const KINDS: [&str; 12] = [
    "azurerm",
    "consul",
    "cos",
    "gcs",
    "http",
    "kubernetes",
    "local",
    "oci",
    "oss",
    "pg",
    "remote",
    "s3",
];

pub(crate) struct RemoteState {
    pub(crate) stores: Stores,
}

#[async_trait]
impl DataSource for RemoteState {
    fn name(&self) -> &'static str {
        "terraform_remote_state"
    }

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("The outputs of the root module of another stack.")
            .required("backend", Type::String, "How the other stack keeps its state: `local`.")
            .optional(
                "config",
                Type::Dynamic,
                "Where it is: an object with `path`, the other stack's `terraform.tfstate` (which need not be there if the stack is one of Stratiform), and `workspace_dir`.",
            )
            .optional("workspace", Type::String, "The workspace; `default` if left out.")
            .optional("defaults", Type::Dynamic, "An object with values for outputs that are not there.")
            .computed("outputs", Type::Dynamic, "An object with all outputs.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Problems {
        let mut problems = Problems::new();
        let fault = |detail: String, path: &str| {
            Problem::error("the place of the state cannot be used", detail).at(path)
        };
        match config.text("backend") {
            None | Some("local") => {}
            Some(kind) if KINDS.contains(&kind) => problems.push(fault(
                format!("state that is kept in `{kind}` cannot be read yet; only `local` can: fetch the file with `terraform state pull`, or give the values as variables"),
                "backend",
            )),
            Some(kind) => {
                problems.push(fault(format!("there is no backend type `{kind}`; write `local`"), "backend"));
            }
        }
        if config.text("backend") == Some("local") {
            problems.extend(wrong_place(config).map(|detail| fault(detail, "config")));
        }
        let defaults = config.get_attr("defaults");
        if defaults
            .is_some_and(|one| !one.is_null() && !one.is_unknown() && one.entries().is_none())
        {
            problems
                .push(fault("`defaults` is an object: `{ NAME = VALUE }`".to_owned(), "defaults"));
        }
        problems
    }

    async fn read(&self, config: Value, call: Call<'_>) -> Result<Value, Problem> {
        let workspace = config.text("workspace").unwrap_or(DEFAULT).to_owned();
        let place = config.get_attr("config");
        let text =
            |name: &str| place.and_then(|place| place.get_attr(name)).and_then(Value::as_str);
        let path = PathBuf::from(text("path").unwrap_or("terraform.tfstate"));
        let file = if workspace == DEFAULT {
            path.clone()
        } else {
            let folder = text("workspace_dir").unwrap_or("terraform.tfstate.d");
            Path::new(folder).join(&workspace).join("terraform.tfstate")
        };
        let folder = call.context.working_dir.join(path.parent().unwrap_or(Path::new("")));
        let unreadable =
            |reason: String| Problem::error("the state cannot be read", reason).at("config");
        let found = match (self.stores)(&folder, &workspace).map_err(unreadable)? {
            Some(outputs) => Some(outputs),
            None => of_file(&call.context.working_dir.join(&file))
                .map_err(|reason| unreadable(format!("`{}`: {reason}", file.display())))?,
        };
        let Some(found) = found else {
            let detail = format!(
                "there is neither `{}` nor a store of Stratiform in `{}` for workspace `{workspace}`; has that stack been applied?",
                file.display(),
                folder.display(),
            );
            return Err(Problem::error("no stored state was found", detail).at("config"));
        };
        let defaults = config.get_attr("defaults").and_then(Value::entries).into_iter().flatten();
        let found = found.entries().into_iter().flatten();
        // What is there comes later, and counts.
        let outputs =
            Value::object(defaults.chain(found).map(|(name, value)| (name.clone(), value.clone())));
        Ok(config.with_attr("outputs", outputs))
    }
}

/// What is wrong with the settings of local storage; parts may be unknown.
fn wrong_place(config: &Value) -> Option<String> {
    let place = config.get_attr("config").filter(|one| !one.is_null() && !one.is_unknown())?;
    let Some(entries) = place.entries() else {
        return Some(
            "`config` is an object: `{ path = \"../network/terraform.tfstate\" }`".to_owned(),
        );
    };
    entries.iter().find_map(|(name, value)| match &**name {
        "path" | "workspace_dir" if value.is_null() || value.is_unknown() => None,
        "path" | "workspace_dir" if value.as_str().is_some() => None,
        "path" | "workspace_dir" => {
            Some(format!("`{name}` is a text, not a value of type {}", value.ty()))
        }
        other => Some(format!(
            "local storage has no setting `{other}`; it has `path` and `workspace_dir`"
        )),
    })
}

/// The outputs in Terraform's state file; `None` if there is no file.
fn of_file(path: &Path) -> Result<Option<Value>, String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if text.is_empty() {
        return Ok(None);
    }
    let file =
        value::json::parse(&text).map_err(|error| format!("it is no state file: {error}"))?;
    match file.get("version").and_then(serde_json::Value::as_u64) {
        Some(4) => {}
        Some(other) => return Err(format!("it has version {other}, and only version 4 is read")),
        None => return Err("it is no state file".to_owned()),
    }
    let outputs = file.get("outputs").and_then(serde_json::Value::as_object);
    let entries = outputs.into_iter().flatten().map(|(name, output)| {
        let value =
            output_value(output).ok_or_else(|| format!("its output `{name}` is no value"))?;
        if value.is_deeper_than(MOST_VALUE_LEVELS) {
            return Err(format!("its output `{name}` has more than {MOST_VALUE_LEVELS} levels"));
        }
        Ok((name.as_str(), value))
    });
    Ok(Some(Value::object(entries.collect::<Result<Vec<_>, String>>()?)))
}

fn output_value(output: &serde_json::Value) -> Option<Value> {
    let ty = value::json::type_from_json(output.get("type")?).ok()?;
    // As text: numbers keep all their digits.
    value::json::decode_str(&output.get("value")?.to_string(), &ty).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(config: &Value) -> Vec<String> {
        let none: Stores = |_, _| Ok(None);
        RemoteState { stores: none }.validate(config).into_iter().map(|one| one.detail).collect()
    }

    fn config(backend: &str, place: Value) -> Value {
        Value::object([("backend", Value::from(backend)), ("config", place)])
    }

    #[test]
    fn settings_are_checked_as_far_as_they_are_known() {
        let table = [
            (config("local", Value::object([("path", Value::from("a"))])), None),
            (config("local", Value::object([("path", Value::unknown(Type::String))])), None),
            (config("local", Value::dynamic_null()), None),
            (config("local", Value::dynamic_unknown()), None),
            (config("local", Value::object([("pat", Value::from("a"))])), Some("no setting `pat`")),
            (config("local", Value::object([("path", Value::from(1))])), Some("is a text")),
            (config("local", Value::from("a")), Some("is an object")),
            (config("s3", Value::dynamic_null()), Some("`s3` cannot be read yet")),
            (config("locl", Value::dynamic_null()), Some("no backend type `locl`")),
        ];
        for (config, wanted) in table {
            let found = problems(&config);
            match wanted {
                None => assert_eq!(found, [""; 0]),
                Some(part) => assert!(found.len() == 1 && found[0].contains(part), "{found:?}"),
            }
        }
    }
}
