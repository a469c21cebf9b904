//! Where the state of a workspace is.
//!
//! By default it is a store of our own in `.stratiform/state`. A `backend "local"` block with a `path` keeps it as
//! Terraform's file, for those who share it: the file is what is true between two commands, and a store beside it holds
//! the journal and the history (`shared`).

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use config::LocalBackend;
use serde_json::{Value as Json, json};

use crate::store::{DEFAULT, env};
use crate::world::RealWorld;

/// Where the state of a workspace is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The store's folder.
    pub(crate) folder: PathBuf,
    /// Terraform's file, where the state is kept as one.
    pub(crate) file: Option<PathBuf>,
}

/// The place of a workspace's state.
pub(crate) fn place(workspace: &str) -> Place {
    match settings() {
        None => Place { folder: own().join(workspace), file: None },
        Some(settings) => {
            let file = file(settings, workspace);
            let mut folder = file.clone().into_os_string();
            folder.push(".stratiform");
            Place { folder: folder.into(), file: Some(file) }
        }
    }
}

/// The folders that hold something of each workspace but `default`.
pub(crate) fn workspaces() -> PathBuf {
    settings().map_or_else(own, workspace_dir)
}

fn own() -> PathBuf {
    PathBuf::from(".stratiform").join("state")
}

fn file(settings: &LocalBackend, workspace: &str) -> PathBuf {
    if workspace == DEFAULT {
        return PathBuf::from(settings.path.as_deref().unwrap_or("terraform.tfstate"));
    }
    workspace_dir(settings).join(workspace).join("terraform.tfstate")
}

fn workspace_dir(settings: &LocalBackend) -> PathBuf {
    PathBuf::from(settings.workspace_dir.as_deref().unwrap_or("terraform.tfstate.d"))
}

/// What the configuration and `init -backend-config` say; `None` where the state is in a store of our own.
fn settings() -> Option<&'static LocalBackend> {
    static SETTINGS: OnceLock<Option<LocalBackend>> = OnceLock::new();
    SETTINGS.get_or_init(|| read().filter(|one| *one != LocalBackend::default())).as_ref()
}

fn read() -> Option<LocalBackend> {
    let written = config::local_backend(&RealWorld::new())?;
    let chosen = chosen().unwrap_or_default();
    Some(LocalBackend {
        path: written.path.or(chosen.path),
        workspace_dir: written.workspace_dir.or(chosen.workspace_dir),
    })
}

/// Terraform's record of what `init` was told; ours is the same.
fn record() -> PathBuf {
    let folder = env("TF_DATA_DIR").unwrap_or_else(|| ".terraform".to_owned());
    Path::new(&folder).join("terraform.tfstate")
}

fn chosen() -> Option<LocalBackend> {
    let json: Json = serde_json::from_str(&std::fs::read_to_string(record()).ok()?).ok()?;
    let backend = json.get("backend").filter(|one| one.get("type") == Some(&json!("local")))?;
    let text = |name: &str| backend.get("config")?.get(name)?.as_str().map(str::to_owned);
    Some(LocalBackend { path: text("path"), workspace_dir: text("workspace_dir") })
}

/// Keeps what `init -backend-config` was given: `NAME=VALUE`, or a file of such lines. Nothing given forgets what was
/// kept only if that is asked for.
///
/// # Errors
///
/// What is wrong with it, in words.
pub(crate) fn choose(given: &[String], reconfigure: bool) -> Result<(), String> {
    if given.is_empty() {
        if reconfigure && record().exists() {
            std::fs::remove_file(record()).map_err(|error| error.to_string())?;
        }
        return Ok(());
    }
    if config::local_backend(&RealWorld::new()).is_none() {
        return Err("`-backend-config` needs a `backend \"local\"` block, whose settings it gives: add `terraform { backend \"local\" {} }`".to_owned());
    }
    let mut settings = LocalBackend::default();
    for one in given {
        let lines = match one.split_once('=') {
            Some(_) => vec![one.clone()],
            None => file_lines(one)?,
        };
        for line in lines {
            let (name, value) = line.split_once('=').unwrap_or((&line, ""));
            let value = value.trim().trim_matches('"').to_owned();
            match name.trim() {
                "path" => settings.path = Some(value),
                "workspace_dir" => settings.workspace_dir = Some(value),
                other => {
                    return Err(format!(
                        "`-backend-config`: local storage has no setting `{other}`; it has `path` and `workspace_dir`"
                    ));
                }
            }
        }
    }
    let document = json!({
        "version": 3,
        "terraform_version": config::LANGUAGE_VERSION,
        "backend": {
            "type": "local",
            "config": { "path": settings.path, "workspace_dir": settings.workspace_dir },
            "hash": 0,
        },
    });
    let write = || {
        if let Some(folder) = record().parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(record(), format!("{document:#}\n"))
    };
    write().map_err(|error| format!("`{}` cannot be written: {error}", record().display()))
}

fn file_lines(path: &str) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("`-backend-config={path}`: {error}"))?;
    let lines = text.lines().map(str::trim);
    let written = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '/']));
    Ok(written.map(str::to_owned).collect())
}
