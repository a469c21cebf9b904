//! What conditions came to: those of variables, resources, outputs and `check` blocks.

use serde::{Deserialize, Serialize};

/// All conditions of one block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// What has the conditions.
    pub kind: CheckKind,
    /// The module as the configuration has it; empty for the root.
    pub module: String,
    /// What it is called within its module, as `check.a`, `output.b`, `var.c`, `type.name` or `data.type.name`.
    pub name: String,
    /// The worst of its objects; where there are none, whether that is known.
    pub status: CheckStatus,
    /// The block in each instance of its module, and each instance of it.
    pub objects: Vec<CheckedObject>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedObject {
    /// The instance of the module; empty for the root.
    pub module: String,
    /// Its name within its module, with its key.
    pub name: String,
    /// The key of an instance: a number or a text.
    pub key: Option<serde_json::Value>,
    /// What its conditions came to.
    pub status: CheckStatus,
    /// What the author says of those that do not hold; nothing sensitive.
    pub messages: Vec<String>,
}

/// What has conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// A resource, a data source or an ephemeral one.
    Resource,
    /// An output.
    Output,
    /// A `check` block.
    Check,
    /// An input variable.
    Var,
}

/// What conditions came to, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// All hold.
    Pass,
    /// One is not known yet.
    Unknown,
    /// One does not hold.
    Fail,
    /// One could not be evaluated.
    Error,
}

/// An address within a module.
pub(crate) fn within(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}.{name}") }
}

impl CheckResult {
    /// The block's address.
    pub fn address(&self) -> String {
        within(&self.module, &self.name)
    }
}

impl CheckedObject {
    /// The object's address.
    pub fn address(&self) -> String {
        within(&self.module, &self.name)
    }
}
