//! Where the state is, and how it is opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lang::World;
use state::{
    Failpoint, Key, LockGuard, LockRequest, NoFailpoint, OpenOptions, SledStore, StateError,
    StateSnapshot, StateStore,
};
use value::Value;

use crate::args::Common;
use crate::place::{self, place};
use crate::shared;

/// The workspace that every state has.
pub(crate) const DEFAULT: &str = "default";

/// The name of the workspace: what the environment says, else what was chosen.
pub(crate) fn workspace() -> String {
    let chosen = || std::fs::read_to_string(choice()).ok();
    let name = env("TF_WORKSPACE").or_else(chosen).unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { DEFAULT.to_owned() } else { name.to_owned() }
}

/// Says whether a workspace can be called so: the name is also that of a folder.
pub(crate) fn is_workspace_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.~$&+=:@".contains(c);
    !name.is_empty() && name.chars().all(allowed) && !matches!(name, "." | "..")
}

/// What is said of a name that [`is_workspace_name`] refuses.
pub(crate) const NO_WORKSPACE_NAME: &str =
    "cannot name a workspace: only letters, digits and -_.~$&+=:@ are allowed";

/// The file that holds the choice; Terraform's, so that both programs work in the same workspace.
fn choice() -> PathBuf {
    let folder = env("TF_DATA_DIR").unwrap_or_else(|| ".terraform".to_owned());
    PathBuf::from(folder).join("environment")
}

/// Chooses a workspace for later commands.
pub(crate) fn choose_workspace(name: &str) -> std::io::Result<()> {
    let path = choice();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, name)
}

/// All workspaces: `default` first, then by name; the chosen one is there even if it holds nothing yet.
pub(crate) fn workspaces() -> Vec<String> {
    let mut names = vec![workspace()];
    let entries = std::fs::read_dir(place::workspaces()).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    names.extend(folders.filter_map(|entry| entry.file_name().into_string().ok()));
    names.retain(|name| name != DEFAULT);
    names.sort();
    names.dedup();
    names.insert(0, DEFAULT.to_owned());
    names
}

/// Makes room for the state of a workspace.
pub(crate) fn make_workspace(name: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(place::workspaces().join(name))
}

/// Deletes the state of a workspace.
pub(crate) fn delete_workspace(name: &str) -> std::io::Result<()> {
    std::fs::remove_dir_all(place::workspaces().join(name))
}

/// A variable of the environment; an empty one counts as none.
pub(crate) fn env(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the environment is read here")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn folder() -> PathBuf {
    place(&workspace()).folder
}

/// Says whether there is a state at all.
pub(crate) fn exists() -> bool {
    folder().join("db").exists()
}

/// The key for the state, from the environment or from a file that it names.
pub(crate) fn key() -> Result<Option<Key>, StateError> {
    let text = match (env("STRATIFORM_STATE_KEY"), env("STRATIFORM_STATE_KEY_FILE")) {
        (Some(text), _) => text,
        (None, Some(path)) => std::fs::read_to_string(&path).map_err(|error| {
            StateError::KeyInvalid { reason: format!("`{path}` cannot be read: {error}") }
        })?,
        (None, None) => return Ok(None),
    };
    Key::parse(&text).map(Some)
}

fn options(common: &Common, world: &dyn World, workspace: &str) -> Result<OpenOptions, StateError> {
    let mut bytes = [0u8; 16];
    world.random_bytes(&mut bytes);
    let key = key()?;
    if let (Some(_), Some(file)) = (&key, place(workspace).file) {
        return Err(StateError::SharedFile {
            path: file.display().to_string(),
            reason: "nothing in it can be sealed with a key".to_owned(),
            help: "take `path` out of the `backend` block, or unset the key".to_owned(),
        });
    }
    Ok(OpenOptions {
        key,
        lineage: lineage(bytes),
        workspace: workspace.to_owned(),
        timeout: timeout(common),
        failpoint: failpoint(),
    })
}

/// A lineage in the form of those that Terraform makes.
fn lineage(bytes: [u8; 16]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

/// Opens the state; a new one is made if there is none.
pub(crate) fn open(common: &Common, world: &dyn World) -> Result<SledStore, StateError> {
    let store = open_as_it_is(common, world)?;
    shared::take_in(&store, &place(&workspace()), common, world)?;
    Ok(store)
}

/// The same, whatever a shared file says.
pub(crate) fn open_as_it_is(common: &Common, world: &dyn World) -> Result<SledStore, StateError> {
    SledStore::open_folder(&folder(), options(common, world, &workspace())?)
}

/// How much a command minds that another one has the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// It looks, and may look while an apply is at work.
    Writer,
    /// It prepares a change, and waits for its turn as `-lock-timeout` says.
    Nobody,
}

/// Asks the state, which must be there.
pub(crate) fn ask<T>(
    common: &Common,
    world: &dyn World,
    beside: Beside,
    ask: impl Fn(&SledStore) -> Result<T, StateError>,
) -> Result<T, StateError> {
    ask_in(&workspace(), common, world, beside, ask)
}

fn ask_in<T>(
    workspace: &str,
    common: &Common,
    world: &dyn World,
    beside: Beside,
    ask: impl Fn(&SledStore) -> Result<T, StateError>,
) -> Result<T, StateError> {
    let folder = place(workspace).folder;
    let options = options(common, world, workspace)?;
    match beside {
        Beside::Nobody => ask(&SledStore::open_folder(&folder, options)?),
        // Whoever can read a copy need not wait for the writer.
        Beside::Writer => {
            let options = OpenOptions { timeout: Duration::ZERO, ..options };
            state::read_folder(&folder, &options, ask)
        }
    }
}

/// What is recorded, without making a state where there is none.
pub(crate) fn snapshot(
    common: &Common,
    world: &dyn World,
    beside: Beside,
) -> Result<StateSnapshot, StateError> {
    snapshot_of(&workspace(), common, world, beside)
}

/// What others have written to the file that holds the state of a workspace.
pub(crate) fn foreign(workspace: &str) -> Result<Option<StateSnapshot>, StateError> {
    let file = shared::foreign(&place(workspace))?;
    Ok(file.map(|file| StateSnapshot { workspace: workspace.to_owned(), ..file }))
}

/// What is recorded of a workspace.
pub(crate) fn snapshot_of(
    workspace: &str,
    common: &Common,
    world: &dyn World,
    beside: Beside,
) -> Result<StateSnapshot, StateError> {
    if let Some(file) = foreign(workspace)? {
        return Ok(file);
    }
    let place = place(workspace);
    let own = if place.folder.join("db").exists() {
        ask_in(workspace, common, world, beside, StateStore::snapshot)?
    } else {
        StateSnapshot { workspace: workspace.to_owned(), ..StateSnapshot::default() }
    };
    // Before the first write of our own, Terraform's file is what is true.
    let is_new = own.serial == 0 && place.file.is_none();
    let file = if is_new { read_terraforms(workspace)? } else { None };
    Ok(file.map_or(own, |(_, file)| StateSnapshot { workspace: workspace.to_owned(), ..file }))
}

/// The outputs in the store of another stack, for `terraform_remote_state`. It may be written to meanwhile.
pub(crate) fn outputs_of(stack: &Path, workspace: &str) -> Result<Option<Value>, String> {
    let folder = stack.join(".stratiform").join("state").join(workspace);
    if !folder.join("db").exists() {
        return Ok(None);
    }
    let told = |error: StateError| format!("the store in `{}`: {error}", folder.display());
    let options = OpenOptions {
        key: key().map_err(told)?,
        lineage: String::new(),
        workspace: workspace.to_owned(),
        timeout: Duration::ZERO,
        failpoint: Arc::new(NoFailpoint),
    };
    let snapshot = state::read_folder(&folder, &options, StateStore::snapshot).map_err(told)?;
    // A store that has never been written to says nothing of the stack.
    if snapshot.serial == 0 {
        return Ok(None);
    }
    let outputs = snapshot.outputs.iter();
    let values = outputs.filter_map(|(name, output)| Some((Arc::clone(name), output.value()?)));
    Ok(Some(Value::object(values)))
}

/// Where Terraform keeps the state of a workspace.
pub(crate) fn terraform_file(workspace: &str) -> PathBuf {
    if workspace == DEFAULT {
        return PathBuf::from("terraform.tfstate");
    }
    PathBuf::from("terraform.tfstate.d").join(workspace).join("terraform.tfstate")
}

fn read_terraforms(workspace: &str) -> Result<Option<(PathBuf, StateSnapshot)>, StateError> {
    let path = terraform_file(workspace);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let path = path.display().to_string();
            return Err(StateError::Unreadable { path, reason: error.to_string() });
        }
    };
    let file = state::tfstate::import(&text)?;
    Ok((!file.is_empty()).then_some((path, file)))
}

/// Terraform's state of this workspace, if there is one and nothing of our own was written yet.
pub(crate) fn terraforms(
    common: &Common,
    world: &dyn World,
) -> Result<Option<(PathBuf, StateSnapshot)>, StateError> {
    if place(&workspace()).file.is_some() {
        return Ok(None);
    }
    if exists() && ask(common, world, Beside::Writer, |store| Ok(store.serial()))? > 0 {
        return Ok(None);
    }
    read_terraforms(&workspace())
}

/// Sets the state of this workspace aside: another program has it from now on.
pub(crate) fn retire(now_unix_ms: u64) -> std::io::Result<()> {
    let aside = PathBuf::from(".stratiform").join("given-back");
    std::fs::create_dir_all(&aside)?;
    std::fs::rename(folder(), aside.join(format!("{}-{now_unix_ms}", workspace())))
}

/// How long to wait for a lock.
pub(crate) fn timeout(common: &Common) -> Duration {
    let text = common.lock_timeout.as_deref().unwrap_or("0s");
    let number: String = text.chars().take_while(char::is_ascii_digit).collect();
    let amount: u64 = number.parse().unwrap_or(0);
    match &text[number.len()..] {
        "ms" => Duration::from_millis(amount),
        "m" => Duration::from_secs(amount * 60),
        "h" => Duration::from_secs(amount * 3600),
        _ => Duration::from_secs(amount),
    }
}

/// Takes the writer's lock.
pub(crate) fn lock(
    store: &SledStore,
    common: &Common,
    operation: &str,
    world: &dyn World,
) -> Result<LockGuard, StateError> {
    store.lock(LockRequest { timeout: timeout(common), ..lock_request(operation, world) })
}

/// Asks for a lock without waiting for it.
pub(crate) fn lock_request(operation: &str, world: &dyn World) -> LockRequest {
    LockRequest {
        who: who(),
        operation: operation.to_owned(),
        reason: String::new(),
        now_unix_ms: now_ms(world),
        pid: std::process::id(),
        host: host(),
        timeout: Duration::ZERO,
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms(world: &dyn World) -> u64 {
    u64::try_from(world.now_unix_nanos() / 1_000_000).unwrap_or(u64::MAX)
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}

/// Who runs this, for locks and the history.
pub(crate) fn who() -> String {
    let user = env("USER").or_else(|| env("LOGNAME")).unwrap_or_else(|| "somebody".to_owned());
    format!("{user}@{}", host())
}

/// `STRATIFORM_TEST_FAILPOINT=NAME:COUNT` ends the process at a named point of a durable write. Crash tests use it.
pub(crate) fn failpoint() -> Arc<dyn Failpoint> {
    let wanted = env("STRATIFORM_TEST_FAILPOINT");
    let parsed = wanted.as_deref().and_then(|text| {
        let (name, count) = text.split_once(':')?;
        Some((name.to_owned(), count.parse::<u64>().ok()?))
    });
    match parsed {
        Some((name, count)) => {
            Arc::new(Abort { name, left: std::sync::atomic::AtomicU64::new(count) })
        }
        None => Arc::new(NoFailpoint),
    }
}

struct Abort {
    name: String,
    left: std::sync::atomic::AtomicU64,
}

impl Failpoint for Abort {
    fn hit(&self, point: &'static str) -> std::io::Result<()> {
        if point == self.name && self.left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) == 1 {
            std::process::abort();
        }
        Ok(())
    }
}
