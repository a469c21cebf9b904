//! A folder that Terraform has worked in: its state file is taken over by the first command that changes the
//! state, and given back by `state export -give-back`.
//!
//! Commands that only look read the file where it lies. After a takeover the file is set aside, so that nobody
//! plans with a state that has stopped being true.

use std::path::Path;

use state::{OperationInfo, OperationOutcome, StateError, StateSnapshot, StateStore};

use super::{fail_message, fail_with};
use crate::args::{Common, StateExport};
use crate::exit::Exit;
use crate::session::Session;
use crate::store::Beside;
use crate::{store, terminal};

/// What is added to the name of a file that was taken over.
const ASIDE: &str = ".taken-over";

/// Takes over Terraform's state file if there is one and no state of our own; asks, unless told to go on.
pub(crate) fn take_over(session: &Session, common: &Common, go_on: bool) -> Result<(), Exit> {
    let style = terminal::style(common.no_color);
    let failed = |error: StateError| fail_with(error, style);
    let Some((path, file)) = store::terraforms(common, &*session.world).map_err(failed)? else {
        return Ok(());
    };
    let shown = path.display();
    let count = file.managed().count();
    if !go_on {
        let question = format!(
            "`{shown}` holds Terraform's state of {count} objects. Take it over? It is kept as `{shown}{ASIDE}`. Only `yes` is taken for a yes: "
        );
        if common.input == Some(false)
            || common.json
            || terminal::ask(&question).as_deref() != Some("yes")
        {
            let message = format!(
                "Terraform's state in `{shown}` was not taken over; nothing was changed. `-auto-approve` takes it over, `state import {shown}` does nothing else"
            );
            return Err(fail_message(&message, style));
        }
    }
    adopt(session, common, &file, &shown.to_string()).map_err(failed)?;
    set_aside(&path).map_err(|error| {
        let message = format!(
            "the state is taken over, but `{shown}` cannot be renamed: {error}; remove it, it is out of date from now on"
        );
        fail_message(&message, style)
    })?;
    terminal::error_line(&format!(
        "Took over Terraform's state of {count} objects; the file is kept as `{shown}{ASIDE}`."
    ));
    Ok(())
}

fn adopt(
    session: &Session,
    common: &Common,
    file: &StateSnapshot,
    name: &str,
) -> Result<(), StateError> {
    let world = &*session.world;
    let store = store::open(common, world)?;
    let guard = store::lock(&store, common, "takeover", world)?;
    let info = OperationInfo {
        command: "takeover".to_owned(),
        who: store::who(),
        time_unix_ms: store::now_ms(world),
        summary: name.to_owned(),
        plan: String::new(),
    };
    let operation = store.begin_operation(&guard, info)?;
    let changes =
        state::edit::replace_all(&StateSnapshot::default(), file, true).unwrap_or_default();
    store.commit_as(operation, changes, &file.lineage, file.serial)?;
    store.end_operation(operation, OperationOutcome::Done)
}

fn set_aside(path: &Path) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(ASIDE);
    std::fs::rename(path, name)
}

/// `state export`
pub(crate) fn export(session: &Session, args: &StateExport) -> Exit {
    let style = terminal::style(args.common.no_color);
    // Who gives the state away must be alone with it.
    let beside = if args.give_back { Beside::Nobody } else { Beside::Writer };
    let snapshot = match store::snapshot(&args.common, &*session.world, beside) {
        Ok(snapshot) => snapshot,
        Err(error) => return fail_with(error, style),
    };
    let default = store::terraform_file(&store::workspace());
    let path = args.file.as_ref().map_or(default, Into::into);
    let components = !snapshot.decisions.is_empty();
    if args.give_back && components {
        let message = "the stack has components, which Terraform does not know; without `-give-back` its objects can still be exported";
        return fail_message(message, style);
    }
    let document = match state::tfstate::export(&snapshot, config::LANGUAGE_VERSION) {
        Ok(document) => document,
        Err(error) => return fail_with(error, style),
    };
    if let Err(error) = write_new(&path, &format!("{document:#}\n")) {
        let message = format!("`{}` cannot be written: {error}", path.display());
        return fail_message(&message, style);
    }
    if args.give_back
        && let Err(error) = store::retire(store::now_ms(&*session.world))
    {
        let message = format!(
            "the state is written to `{}`, but the one here cannot be set aside: {error}",
            path.display()
        );
        return fail_message(&message, style);
    }
    let count = snapshot.managed().count();
    terminal::line(&format!("Wrote the state of {count} objects to {}.", path.display()));
    Exit::Success
}

/// Writes a file that was not there before, as a whole or not at all.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    if path.exists() {
        return Err(std::io::Error::other("it is there already; move it away first"));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut half = path.as_os_str().to_owned();
    half.push(".half");
    let mut file = private_file(Path::new(&half))?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&half, path)
}

/// A state holds secrets: only its owner may read it.
fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
