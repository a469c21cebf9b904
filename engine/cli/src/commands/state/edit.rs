//! What people do to a state by hand: `state mv|rm|replace-provider|push`, `taint`, `untaint`.
//!
//! Each takes the lock, works out its changes from what is recorded then, and writes them as one operation
//! that the history shows.

use std::io::Read;

use address::{ProviderAddress, ResourceInstance, Target};
use state::edit::{self, EditError};
use state::{
    Change, ObjectStatus, OperationInfo, OperationOutcome, SledStore, StateSnapshot, StateStore,
};

use super::super::{fail_message, fail_with, takeover};
use crate::args::{Common, ReplaceProvider, StateMove, StatePush, StateRemove, Taint};
use crate::exit::Exit;
use crate::session::Session;
use crate::{store, terminal};

/// What an edit writes, and the words that tell of it.
pub(crate) struct Edit {
    changes: Vec<Change>,
    /// Lineage and serial that the state takes over with a file.
    identity: Option<(String, u64)>,
    words: Vec<String>,
}

impl Edit {
    /// Changes of which whoever makes them tells.
    pub(crate) fn of(changes: Vec<Change>) -> Self {
        Self { changes, identity: None, words: Vec::new() }
    }
}

/// Runs an edit: `work_out` sees the state that nobody else can change by then.
pub(crate) fn run(
    session: &Session,
    common: &Common,
    command: &str,
    summary: &str,
    work_out: impl FnOnce(&StateSnapshot) -> Result<Edit, Exit>,
) -> Exit {
    let style = terminal::style(common.no_color);
    let world = &*session.world;
    let failed = |error| fail_with(error, style);
    // A push brings a state along; everything else works on the one that is there.
    if command != "state push"
        && let Err(exit) = takeover::take_over(session, common, true)
    {
        return exit;
    }
    let store = match store::open(common, world) {
        Ok(store) => store,
        Err(error) => return failed(error),
    };
    let guard = match store::lock(&store, common, command, world) {
        Ok(guard) => guard,
        Err(error) => return failed(error),
    };
    let snapshot = match store.snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => return failed(error),
    };
    let edit = match work_out(&snapshot) {
        Ok(edit) => edit,
        Err(exit) => return exit,
    };
    let info = OperationInfo {
        command: command.to_owned(),
        who: store::who(),
        time_unix_ms: store::now_ms(world),
        summary: summary.to_owned(),
        plan: String::new(),
    };
    match write(&store, &guard, info, edit.changes, edit.identity) {
        Ok(()) => {
            edit.words.iter().for_each(|line| terminal::line(line));
            Exit::Success
        }
        Err(error) => failed(error),
    }
}

/// Writes changes as one operation.
pub(crate) fn write(
    store: &SledStore,
    guard: &state::LockGuard,
    info: OperationInfo,
    changes: Vec<Change>,
    identity: Option<(String, u64)>,
) -> Result<(), state::StateError> {
    if changes.is_empty() && identity.is_none() {
        return Ok(());
    }
    let operation = store.begin_operation(guard, info)?;
    match identity {
        Some((lineage, serial)) => store.commit_as(operation, changes, &lineage, serial)?,
        None => store.commit(operation, changes)?,
    };
    store.end_operation(operation, OperationOutcome::Done)
}

fn target(text: &str, common: &Common) -> Result<Target, Exit> {
    text.parse().map_err(|error: address::AddressError| {
        fail_message(&error.to_string(), terminal::style(common.no_color))
    })
}

/// Says that nothing has an address, and which one comes near.
fn refused(error: EditError, snapshot: &StateSnapshot, common: &Common) -> Exit {
    let error = match error {
        EditError::NothingThere { address, .. } => {
            let known: Vec<String> = snapshot.records.keys().map(ToString::to_string).collect();
            let near = syntax::suggest(&address, known.iter().map(String::as_str));
            let suggestion = near.map_or_else(
                || "`state list` shows what there is".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            EditError::NothingThere { address, suggestion: Some(suggestion) }
        }
        other => other,
    };
    fail_with(error, terminal::style(common.no_color))
}

/// `state mv`
pub(crate) fn mv(session: &Session, args: &StateMove) -> Exit {
    let (from, to) =
        match (target(&args.source, &args.common), target(&args.destination, &args.common)) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(exit), _) | (_, Err(exit)) => return exit,
        };
    let summary = format!("{from} to {to}");
    let plan = |snapshot: &StateSnapshot| {
        edit::move_objects(snapshot, &from, &to)
            .map_err(|error| refused(error, snapshot, &args.common))
    };
    if args.dry_run {
        return look(session, &args.common, |snapshot| {
            plan(snapshot)?;
            terminal::line(&format!("Would move \"{from}\" to \"{to}\""));
            Ok(())
        });
    }
    run(session, &args.common, "state mv", &summary, |snapshot| {
        let words = vec![
            format!("Move \"{from}\" to \"{to}\""),
            "Successfully moved 1 object(s).".to_owned(),
        ];
        Ok(Edit { changes: plan(snapshot)?.changes, identity: None, words })
    })
}

/// `state rm`
pub(crate) fn rm(session: &Session, args: &StateRemove) -> Exit {
    let mut targets = Vec::new();
    for text in &args.addresses {
        match target(text, &args.common) {
            Ok(target) => targets.push(target),
            Err(exit) => return exit,
        }
    }
    let picked = |snapshot: &StateSnapshot| -> Result<Vec<ResourceInstance>, Exit> {
        let mut found = Vec::new();
        for target in &targets {
            let some = edit::select_some(snapshot, target)
                .map_err(|error| refused(error, snapshot, &args.common))?;
            found.extend(some);
        }
        found.sort();
        found.dedup();
        Ok(found)
    };
    if args.dry_run {
        return look(session, &args.common, |snapshot| {
            for address in picked(snapshot)? {
                terminal::line(&format!("Would remove {address}"));
            }
            Ok(())
        });
    }
    run(session, &args.common, "state rm", &args.addresses.join(" "), |snapshot| {
        let found = picked(snapshot)?;
        let mut words: Vec<String> =
            found.iter().map(|address| format!("Removed {address}")).collect();
        words.push(format!("Successfully removed {} resource instance(s).", found.len()));
        Ok(Edit { changes: edit::remove(&found), identity: None, words })
    })
}

fn look(
    session: &Session,
    common: &Common,
    say: impl FnOnce(&StateSnapshot) -> Result<(), Exit>,
) -> Exit {
    match super::snapshot(session, common).and_then(|snapshot| say(&snapshot)) {
        Ok(()) => Exit::Success,
        Err(exit) => exit,
    }
}

/// `state replace-provider`
pub(crate) fn replace_provider(session: &Session, args: &ReplaceProvider) -> Exit {
    let style = terminal::style(args.common.no_color);
    let parse = |text: &str| text.parse::<ProviderAddress>();
    let (from, to) = match (parse(&args.from), parse(&args.to)) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(error), _) | (_, Err(error)) => return fail_message(&error.to_string(), style),
    };
    let summary = format!("{from} to {to}");
    run(session, &args.common, "state replace-provider", &summary, |snapshot| {
        let changes = edit::replace_provider(snapshot, &from, &to);
        if changes.is_empty() {
            terminal::line("No matching resources found.");
            return Ok(Edit { changes, identity: None, words: Vec::new() });
        }
        let blocks: std::collections::BTreeSet<String> = changes
            .iter()
            .filter_map(|change| match change {
                Change::PutRecord(record) => Some(record.address.block().to_string()),
                _ => None,
            })
            .collect();
        terminal::line(&format!("These resources change their provider from {from} to {to}:\n"));
        for block in &blocks {
            terminal::line(&format!("  {block}"));
        }
        let question = "\nDo you want to make these changes? Only `yes` is taken for a yes: ";
        let asked = !args.auto_approve;
        if asked && terminal::ask(question).as_deref() != Some("yes") {
            terminal::line("Cancelled replacing providers.");
            return Err(Exit::Success);
        }
        let words =
            vec![format!("\nSuccessfully replaced provider for {} resources.", blocks.len())];
        Ok(Edit { changes, identity: None, words })
    })
}

/// `state push`
pub(crate) fn push(session: &Session, args: &StatePush) -> Exit {
    let style = terminal::style(args.common.no_color);
    let text = if args.file == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(&args.file)
    };
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            return fail_message(&format!("`{}` cannot be read: {error}", args.file), style);
        }
    };
    let file = match state::tfstate::import(&text) {
        Ok(file) => file,
        Err(error) => return fail_with(error, style),
    };
    run(session, &args.common, "state push", &args.file, |here| {
        taken_over(here, &file, args.force, &args.common)
    })
}

/// The edit that replaces what is recorded by what a file says.
pub(crate) fn taken_over(
    here: &StateSnapshot,
    file: &StateSnapshot,
    forced: bool,
    common: &Common,
) -> Result<Edit, Exit> {
    let changes = edit::replace_all(here, file, forced)
        .map_err(|error| fail_with(error, terminal::style(common.no_color)))?;
    let identity = Some((file.lineage.clone(), file.serial));
    Ok(Edit { changes, identity, words: Vec::new() })
}

/// `taint`
pub(crate) fn taint(session: &Session, args: &Taint) -> Exit {
    mark(session, args, "taint", ObjectStatus::Tainted, "has been marked as tainted")
}

/// `untaint`
pub(crate) fn untaint(session: &Session, args: &Taint) -> Exit {
    mark(session, args, "untaint", ObjectStatus::Ready, "has been successfully untainted")
}

fn mark(session: &Session, args: &Taint, command: &str, status: ObjectStatus, done: &str) -> Exit {
    let style = terminal::style(args.common.no_color);
    let address: ResourceInstance = match args.address.parse() {
        Ok(address) => address,
        Err(error) => {
            let error: address::AddressError = error;
            return fail_message(&error.to_string(), style);
        }
    };
    run(session, &args.common, command, &args.address, |snapshot| {
        match edit::set_status(snapshot, &address, status) {
            Ok(change) => {
                let words = vec![format!("Resource instance {address} {done}.")];
                Ok(Edit { changes: vec![change], identity: None, words })
            }
            Err(EditError::NothingThere { .. }) if args.allow_missing => {
                terminal::error_line(&format!(
                    "Warning: there is no `{address}`; with -allow-missing this is no error."
                ));
                Err(Exit::Success)
            }
            Err(error) => Err(refused(error, snapshot, &args.common)),
        }
    })
}
