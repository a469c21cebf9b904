//! A plan on disk.
//!
//! The first line says what the file is, and has the SHA-256 of the rest, which tells this plan from every other.
//! The rest is JSON: what people are told of the plan, its findings and costs included, without sensitive values; the configuration that it was made
//! from; and, sealed, what apply carries out, the values of variables, and the digests of the records that the plan
//! rests on. So `apply FILE` looks at nothing again: it makes the calls that were shown, and no other.
//!
//! What is sealed opens with the state's key. Where none is given, each file has a key of its own, which lies in the
//! working folder, beside the state, until the plan is carried out: nobody who finds the file alone can read it.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::digest::sha256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use check::cost::Estimate;
use component::Decision;
use plan::Plan;
use plan::file::{Basis, PlanFileError};
use report::plan_json::{self, Around};
use report::sheet::Sheet;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use state::{Key, OperationId, StateSnapshot};
use syntax::{Diagnostics, SourceMap};
use value::{Value, exact};

use super::plan::view;
use crate::session::{SavedStack, Session, Stack};
use crate::store;
use crate::world::SavedFiles;

/// The form of the file; each change of it gets another name.
const FORMAT: &str = "stratiform-plan-6";

/// How long the key of a plan that nobody carries out is kept.
const KEEP: Duration = Duration::from_secs(30 * 24 * 3600);

/// The configuration and the values that a plan was made from.
pub(crate) struct Inputs {
    files: BTreeMap<String, String>,
    modules: BTreeMap<String, String>,
    configuration: Arc<config::Configuration>,
    inputs: BTreeMap<Arc<str>, Value>,
}

impl Inputs {
    pub(crate) fn of(stack: &Stack) -> Self {
        let is_configuration = |name: &str| {
            !name.ends_with(".tfvars") && !name.ends_with(".tfvars.json") && !name.starts_with('<')
        };
        let files = stack.configuration.sources.files();
        let files = files
            .filter(|file| is_configuration(&file.name))
            .map(|file| (file.name.clone(), file.text.to_string()));
        let modules = stack.configuration.modules.values().map(|module| {
            let key: Vec<&str> = module.path.steps().iter().map(|step| &*step.name).collect();
            (key.join("."), module.dir.to_string_lossy().into_owned())
        });
        Self {
            files: files.collect(),
            modules: modules.collect(),
            configuration: Arc::clone(&stack.configuration),
            inputs: stack.inputs.clone(),
        }
    }

    /// Values without those that are never stored.
    fn lasting(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        let variables = &self.configuration.root().variables;
        self.inputs
            .iter()
            .filter(|(name, _)| !variables.get(*name).is_some_and(|one| one.ephemeral))
    }
}

/// A plan file that was read; what is sealed in it still is.
pub(crate) struct Saved {
    path: String,
    /// Tells it from every other plan.
    pub(crate) id: String,
    /// What people are told of it.
    pub(crate) sheet: Sheet,
    /// What `show -json` prints.
    pub(crate) document: Json,
    /// What was found, as SARIF.
    pub(crate) findings: Json,
    lineage: String,
    workspace: String,
    /// The name of its own key; empty if it is sealed with the state's.
    key: String,
    files: BTreeMap<String, String>,
    modules: BTreeMap<String, String>,
    sealed: String,
}

/// What was sealed in a plan file.
pub(crate) struct Opened {
    /// For [`Session::saved_plan`].
    pub(crate) plan: Json,
    /// For the stack.
    pub(crate) stack: SavedStack,
    pub(crate) ground: Ground,
}

/// The records that a plan rests on, as they were.
pub(crate) struct Ground {
    basis: Basis,
    looked_at: Basis,
}

/// What is known of a plan beside its changes, for reports.
pub(crate) struct Judged<'a> {
    /// What checks and others have found.
    pub(crate) found: &'a Diagnostics,
    /// The files that they name.
    pub(crate) sources: &'a SourceMap,
    /// What it costs, if it costs anything.
    pub(crate) estimate: Option<&'a Estimate>,
}

/// Writes a plan; readable by its owner alone.
pub(crate) fn write(
    path: &str,
    plan: &Plan,
    inputs: &Inputs,
    snapshot: &StateSnapshot,
    judged: &Judged<'_>,
    timestamp: String,
) -> std::io::Result<()> {
    let view = view(plan);
    let mut sheet = Sheet::of(&view);
    sheet.sections.extend(report::findings::section(judged.found));
    sheet.sections.extend(judged.estimate.and_then(report::cost::section));
    let findings = report::sarif::sarif(judged.found, judged.sources, env!("CARGO_PKG_VERSION"));
    let variables =
        inputs.lasting().map(|(name, value)| (Arc::clone(name), value.clone())).collect();
    let around = Around { configuration: &inputs.configuration, variables: &variables, timestamp };
    let values = inputs.lasting().map(|(name, value)| (name.to_string(), exact::to_json(value)));
    let sealed = json!({
        "plan": plan::file::write(plan),
        "inputs": values.collect::<serde_json::Map<_, _>>(),
        "basis": basis_to_json(&plan::file::basis(plan, snapshot)),
        "looked_at": basis_to_json(&plan::file::looked_at(plan, snapshot)),
    });
    let (name, key) = key_for_writing()?;
    let body = json!({
        "document": masked(plan_json::document(&view, &around, config::LANGUAGE_VERSION)),
        "lineage": snapshot.lineage,
        "workspace": store::workspace(),
        "files": inputs.files,
        "modules": inputs.modules,
        "sheet": sheet,
        "findings": findings,
        "cost": judged.estimate.map(report::cost::json),
        "key": name,
        "sealed": STANDARD.encode(key.seal(FORMAT, sealed.to_string().as_bytes())),
    })
    .to_string();
    let head = json!({
        "format": FORMAT,
        "engine_version": env!("CARGO_PKG_VERSION"),
        "sha256": sha256(body.as_bytes()),
    });
    let mut file = private_file(Path::new(path))?;
    file.write_all(format!("{head}\n{body}\n").as_bytes())?;
    file.sync_all()
}

/// Reads a plan file.
pub(crate) fn read(path: &str) -> Result<Saved, PlanFileError> {
    let bytes = std::fs::read(path).map_err(|error| PlanFileError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let not_one = |help: String| PlanFileError::NotAPlan { path: path.to_owned(), help };
    let make = || format!("make one with `plan -out={path}`");
    let text = String::from_utf8(bytes).map_err(|_| not_one(make()))?;
    let (head, body) = text.split_once('\n').unwrap_or((&text, ""));
    let head: Json = serde_json::from_str(head).map_err(|_| not_one(make()))?;
    let said = |name: &str| head.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    match said("format").as_str() {
        FORMAT => {}
        other if other.starts_with("stratiform-plan-") => {
            return Err(not_one(format!(
                "version {} has written it; use that version, or {}",
                said("engine_version"),
                make()
            )));
        }
        _ => return Err(not_one(make())),
    }
    let damaged =
        |reason: &str| PlanFileError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
    let body = body.strip_suffix('\n').unwrap_or(body);
    let id = said("sha256");
    if sha256(body.as_bytes()) != id {
        return Err(damaged("its checksum does not match"));
    }
    let body = value::json::parse(body).map_err(|_| damaged("it is no JSON"))?;
    let text = |name: &str| body.get(name).and_then(Json::as_str).map(str::to_owned);
    let texts = |name: &str| -> Option<BTreeMap<String, String>> {
        let entries = body.get(name)?.as_object()?.iter();
        entries.map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    };
    let saved = || {
        Some(Saved {
            path: path.to_owned(),
            id: id.clone(),
            sheet: Sheet::deserialize(body.get("sheet")?).ok()?,
            document: body.get("document")?.clone(),
            findings: body.get("findings")?.clone(),
            lineage: text("lineage")?,
            workspace: text("workspace")?,
            key: text("key")?,
            files: texts("files")?,
            modules: texts("modules")?,
            sealed: text("sealed")?,
        })
    };
    saved().ok_or_else(|| damaged("a part of it is missing"))
}

impl Saved {
    /// When it was made, as RFC 3339.
    pub(crate) fn made_at(&self) -> String {
        self.document.get("timestamp").and_then(Json::as_str).unwrap_or_default().to_owned()
    }

    /// Opens what is sealed, if the plan is for this state and was not carried out before; `earlier` is the operation
    /// that did.
    pub(crate) fn open(
        &self,
        session: &Session,
        snapshot: &StateSnapshot,
        earlier: Option<OperationId>,
    ) -> Result<Opened, PlanFileError> {
        let path = || self.path.clone();
        if self.sheet.errored {
            return Err(PlanFileError::Errored { path: path() });
        }
        if let Some(earlier) = earlier {
            return Err(PlanFileError::Used { path: path(), operation: earlier.0 });
        }
        let workspace = store::workspace();
        if self.workspace != workspace {
            let (planned, found) =
                (format!("workspace `{}`", self.workspace), format!("workspace `{workspace}`"));
            return Err(PlanFileError::Elsewhere { path: path(), planned, found });
        }
        if !self.lineage.is_empty() && self.lineage != snapshot.lineage {
            let shown = |lineage: &str| match lineage {
                "" => "a folder without a state".to_owned(),
                lineage => format!("the state of lineage `{lineage}`"),
            };
            let (planned, found) = (shown(&self.lineage), shown(&snapshot.lineage));
            return Err(PlanFileError::Elsewhere { path: path(), planned, found });
        }
        let plain = self.unseal()?;
        let stored =
            std::str::from_utf8(&plain).ok().and_then(|text| value::json::parse(text).ok());
        stored.and_then(|stored| self.opened(session, &stored)).ok_or_else(|| self.damaged())
    }

    /// What is in it does not fit together.
    pub(crate) fn damaged(&self) -> PlanFileError {
        let reason = "what is sealed in it does not fit the rest".to_owned();
        PlanFileError::Damaged { path: self.path.clone(), reason }
    }

    fn unseal(&self) -> Result<Vec<u8>, PlanFileError> {
        let sealed = |reason: String, help: &str| PlanFileError::Sealed {
            path: self.path.clone(),
            reason,
            help: help.to_owned(),
        };
        let key = if self.key.is_empty() {
            let help = "give the key that the plan was made with: `STRATIFORM_STATE_KEY` or `STRATIFORM_STATE_KEY_FILE`";
            match store::key() {
                Ok(Some(key)) => key,
                Ok(None) => return Err(sealed("no key is given".to_owned(), help)),
                Err(error) => return Err(sealed(error.to_string(), help)),
            }
        } else {
            let help = "a plan is carried out once, in the folder that it was made in; make a new plan. To carry plans elsewhere, give the state a key";
            let text = std::fs::read_to_string(key_path(&self.key));
            let key = text.ok().and_then(|text| Key::parse(&text).ok());
            key.ok_or_else(|| sealed("its key is not in this folder".to_owned(), help))?
        };
        let bytes = STANDARD.decode(&self.sealed).map_err(|_| self.damaged())?;
        key.open(FORMAT, &bytes).map_err(|error| {
            sealed(
                format!("this key does not open them: {error}"),
                "give the key that the plan was made with",
            )
        })
    }

    fn opened(&self, session: &Session, stored: &Json) -> Option<Opened> {
        let plan = stored.get("plan")?.clone();
        let decisions = plan.get("decisions")?.as_array()?.iter().map(Decision::from_json);
        let inputs = stored.get("inputs")?.as_object()?.iter();
        let inputs = inputs
            .map(|(name, value)| Some((Arc::from(name.as_str()), exact::from_json(value).ok()?)));
        Some(Opened {
            stack: SavedStack {
                files: SavedFiles::new(&self.files, &self.modules, Arc::clone(&session.world)),
                inputs: inputs.collect::<Option<_>>()?,
                decisions: decisions.collect::<Option<_>>()?,
            },
            ground: Ground {
                basis: basis_from_json(stored.get("basis")?)?,
                looked_at: basis_from_json(stored.get("looked_at")?)?,
            },
            plan,
        })
    }

    /// The plan was carried out, or as much of it as could be: its key has no use any more.
    pub(crate) fn spend(&self) {
        if !self.key.is_empty() {
            // Where it stays, the history still says that the plan was carried out.
            let _ = std::fs::remove_file(key_path(&self.key));
        }
    }
}

impl Ground {
    /// The first record that the plan rests on and that is not what it was.
    pub(crate) fn overtaken(&self, snapshot: &StateSnapshot) -> Option<PlanFileError> {
        let address = plan::file::overtaken(&self.basis, snapshot)?;
        Some(PlanFileError::Stale { address })
    }

    /// Makes the plan one for the state as it is now: what refreshing has found of objects that have changed since,
    /// and that the plan does not touch, is out of date.
    pub(crate) fn fit(&self, plan: &mut Plan, snapshot: &StateSnapshot) {
        plan.refreshed.retain(|(address, _)| {
            let one = self.looked_at.get_key_value(address);
            let one = one.map(|(address, digest)| (address.clone(), digest.clone()));
            plan::file::overtaken(&one.into_iter().collect(), snapshot).is_none()
        });
        plan.lineage.clone_from(&snapshot.lineage);
        plan.serial = snapshot.serial;
    }
}

fn basis_to_json(basis: &Basis) -> Json {
    basis.iter().map(|(address, digest)| (address.to_string(), json!(digest))).collect()
}

fn basis_from_json(json: &Json) -> Option<Basis> {
    let entries = json.as_object()?.iter();
    entries
        .map(|(address, digest)| {
            let digest = match digest {
                Json::Null => None,
                digest => Some(digest.as_str()?.to_owned()),
            };
            Some((address.parse().ok()?, digest))
        })
        .collect()
}

/// The state's key, or a new one that is laid down in the working folder under the name that comes with it.
fn key_for_writing() -> std::io::Result<(String, Key)> {
    let given = store::key().map_err(|error| std::io::Error::other(error.to_string()))?;
    if let Some(key) = given {
        return Ok((String::new(), key));
    }
    let (key, text) = Key::generate();
    let name = sha256(text.as_bytes())[..16].to_owned();
    let path = key_path(&name);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
        forget_old_keys(folder);
    }
    private_file(&path)?.write_all(text.as_bytes())?;
    Ok((name, key))
}

fn key_path(name: &str) -> PathBuf {
    // A name from a file that somebody else may have written must not lead out of the folder.
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    Path::new(".stratiform").join("plans").join(format!("{name}.key"))
}

/// Keys of plans that nobody has carried out.
fn forget_old_keys(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let age = entry.metadata().and_then(|found| found.modified());
        if age.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > KEEP)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// The plan without values that are sensitive.
pub(crate) fn masked(mut plan: Json) -> Json {
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
                // What is not known yet has no value that could be hidden.
                for side in ["before", "after"] {
                    if let Some(value) = output.get_mut(side) {
                        *value = Json::Null;
                    }
                }
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
