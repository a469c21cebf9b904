//! A plan on disk: what was shown, and what it was made from.
//!
//! `apply FILE` plans again from the same configuration and goes on only if the result is the same. Values of
//! sensitive variables are not in the file: they have to be given again, through the environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan::{Mode, Plan};
use report::plan_json::{self, Around};
use report::sheet::Sheet;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use value::Value;

use super::plan::view;
use crate::args::PlanArgs;
use crate::session::Stack;

const FORMAT: &str = "stratiform-plan-3";

/// What a plan was made from.
pub(crate) struct Inputs {
    vars: BTreeMap<String, String>,
    args: PlanArgs,
    files: BTreeMap<String, String>,
    configuration: Arc<config::Configuration>,
    inputs: BTreeMap<Arc<str>, Value>,
}

impl Inputs {
    pub(crate) fn of(stack: &Stack, args: &PlanArgs) -> Self {
        let root = stack.configuration.root();
        let shown = |name: &str| {
            root.variables
                .get(name)
                .is_some_and(|variable| !variable.sensitive && !variable.ephemeral)
        };
        let vars = stack
            .inputs
            .iter()
            .filter(|(name, _)| shown(name))
            .map(|(name, value)| {
                let takes_text =
                    root.variables.get(name).is_some_and(|variable| variable.takes_text);
                let text = match value.as_str() {
                    Some(text) if takes_text => text.to_owned(),
                    _ => value::json::to_string(value),
                };
                (name.to_string(), text)
            })
            .collect();
        let files = stack
            .configuration
            .sources
            .files()
            .filter(|file| {
                !file.name.ends_with(".tfvars")
                    && !file.name.ends_with(".tfvars.json")
                    && !file.name.starts_with('<')
            })
            .map(|file| (file.name.clone(), file.text.to_string()))
            .collect();
        Self {
            vars,
            args: args.clone(),
            files,
            configuration: Arc::clone(&stack.configuration),
            inputs: stack.inputs.clone(),
        }
    }
}

/// A plan file that was read.
pub(crate) struct Saved {
    pub(crate) args: PlanArgs,
    pub(crate) lineage: String,
    pub(crate) serial: u64,
    /// What people are told of it.
    pub(crate) sheet: Sheet,
    pub(crate) json: Json,
    /// What `show -json` prints.
    pub(crate) document: Json,
    pub(crate) files: BTreeMap<String, String>,
}

/// Writes a plan; readable by its owner alone.
pub(crate) fn write(
    path: &str,
    plan: &Plan,
    inputs: &Inputs,
    timestamp: String,
) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let view = view(plan);
    let around =
        Around { configuration: &inputs.configuration, variables: &inputs.inputs, timestamp };
    let document = json!({
        "document": masked(plan_json::document(&view, &around, config::LANGUAGE_VERSION)),
        "format": FORMAT,
        "engine_version": env!("CARGO_PKG_VERSION"),
        "lineage": plan.lineage,
        "serial": plan.serial,
        "vars": inputs.vars,
        "targets": inputs.args.targets,
        "replace": inputs.args.replace,
        "destroy": plan.mode == Mode::Destroy,
        "refresh_only": plan.mode == Mode::RefreshOnly,
        "reoptimize": inputs.args.reoptimize,
        "refresh": inputs.args.refresh.unwrap_or(true),
        "files": inputs.files,
        "sheet": Sheet::of(&view),
        "plan": masked(plan_json::plan(&view, config::LANGUAGE_VERSION)),
    });
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(document.to_string().as_bytes())?;
    file.sync_all()
}

/// Reads a plan file.
pub(crate) fn read(path: &str) -> Result<Saved, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("`{path}` cannot be read: {error}"))?;
    let not_one =
        || format!("`{path}` is not a plan file of this version; make one with `plan -out={path}`");
    let document: Json = serde_json::from_str(&text).map_err(|_| not_one())?;
    if document.get("format").and_then(Json::as_str) != Some(FORMAT) {
        return Err(not_one());
    }
    let sheet = document.get("sheet").and_then(|sheet| Sheet::deserialize(sheet).ok());
    let sheet = sheet.ok_or_else(not_one)?;
    let strings = |name: &str| -> Vec<String> {
        let list = document.get(name).and_then(Json::as_array).into_iter().flatten();
        list.filter_map(Json::as_str).map(str::to_owned).collect()
    };
    let map = |name: &str| -> BTreeMap<String, String> {
        let entries = document.get(name).and_then(Json::as_object).into_iter().flatten();
        entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    };
    let flag = |name: &str| document.get(name).and_then(Json::as_bool).unwrap_or(false);
    let args = PlanArgs {
        vars: map("vars").into_iter().map(|(name, text)| format!("{name}={text}")).collect(),
        targets: strings("targets"),
        replace: strings("replace"),
        destroy: flag("destroy"),
        refresh_only: flag("refresh_only"),
        reoptimize: flag("reoptimize"),
        refresh: Some(flag("refresh")),
        ..PlanArgs::default()
    };
    Ok(Saved {
        args,
        lineage: document.get("lineage").and_then(Json::as_str).unwrap_or_default().to_owned(),
        serial: document.get("serial").and_then(Json::as_u64).unwrap_or_default(),
        sheet,
        json: document.get("plan").cloned().unwrap_or_default(),
        document: document.get("document").cloned().unwrap_or_default(),
        files: map("files"),
    })
}

impl Saved {
    /// When it was made, as RFC 3339.
    pub(crate) fn made_at(&self) -> String {
        self.document.get("timestamp").and_then(Json::as_str).unwrap_or_default().to_owned()
    }

    /// Says whether a plan that was made now is the one that was saved.
    pub(crate) fn is_same(&self, plan: &Plan) -> bool {
        let view = view(plan);
        let sheet = Sheet { sections: self.sheet.sections.clone(), ..Sheet::of(&view) };
        self.sheet == sheet && self.json == masked(plan_json::plan(&view, config::LANGUAGE_VERSION))
    }

    /// The first file of the configuration that is not what it was.
    pub(crate) fn changed_file(&self, now: &syntax::SourceMap) -> Option<String> {
        let now: BTreeMap<&str, &str> =
            now.files().map(|file| (file.name.as_str(), &*file.text)).collect();
        let changed =
            self.files.iter().find(|(name, text)| now.get(name.as_str()) != Some(&text.as_str()));
        changed.map(|(name, _)| name.clone())
    }
}

/// The plan without values that are sensitive.
fn masked(mut plan: Json) -> Json {
    let Some(changes) = plan.get_mut("resource_changes").and_then(Json::as_array_mut) else {
        return plan;
    };
    for change in changes.iter_mut().filter_map(|entry| entry.get_mut("change")) {
        for side in ["before", "after"] {
            let secret = change.get(format!("{side}_sensitive")).cloned().unwrap_or_default();
            if let Some(value) = change.get_mut(side) {
                mask(value, &secret);
            }
        }
    }
    if let Some(outputs) = plan.get_mut("output_changes").and_then(Json::as_object_mut) {
        for output in outputs.values_mut() {
            if output.get("after_sensitive") == Some(&json!(true)) {
                output["before"] = Json::Null;
                output["after"] = Json::Null;
            }
        }
    }
    plan
}

fn mask(value: &mut Json, secret: &Json) {
    match (value, secret) {
        (value, Json::Bool(true)) => *value = Json::Null,
        (Json::Object(entries), Json::Object(secrets)) => {
            for (name, secret) in secrets {
                if let Some(inner) = entries.get_mut(name) {
                    mask(inner, secret);
                }
            }
        }
        (Json::Array(items), Json::Array(secrets)) => {
            for (item, secret) in items.iter_mut().zip(secrets) {
                mask(item, secret);
            }
        }
        _ => {}
    }
}
