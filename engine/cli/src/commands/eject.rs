//! `eject`: components become plain modules, with which anybody can go on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use address::Target;
use component::eject::{Ejected, Request};
use state::{Change, CheckResult, StateSnapshot};

use super::fmt::{difference, replace};
use super::state::edit::{self, Edit};
use super::{fail, fail_message, fail_with};
use crate::args::EjectArgs;
use crate::exit::Exit;
use crate::session::{Session, Wanted};
use crate::store::{self, Beside};
use crate::terminal;

/// Shows what becomes of the files, and writes them.
pub(crate) async fn eject(session: &Session, args: &EjectArgs) -> Exit {
    let style = terminal::style(args.common.no_color);
    let failed = |message: String| fail_message(&message, style);
    let folder = args.out.trim_start_matches("./").trim_end_matches('/');
    if folder.is_empty() || folder.starts_with(['/', '.']) {
        return failed(format!("`-out={}` is not the name of a folder within this one", args.out));
    }
    let snapshot = match store::snapshot(&args.common, &*session.world, Beside::Writer) {
        Ok(snapshot) => snapshot,
        Err(error) => return fail_with(error, style),
    };
    let (stack, found) = session.stack(&Wanted::of(&args.as_plan()), &snapshot).await;
    if found.has_errors() {
        return fail(&found, &stack.configuration.sources, style);
    }
    let mut typed = config::Configuration::clone(&stack.configuration);
    let (types, _) = component::load_types(&mut typed, &*session.world);
    // What the state has of a place says why it was chosen; what is new says only that it was kept.
    let recorded = crate::session::decided(&snapshot);
    let decisions: Vec<component::Decision> = stack
        .decisions
        .iter()
        .map(|now| match recorded.get(&now.component) {
            Some(then) if then.offer == now.offer && then.backend == now.backend => then.clone(),
            _ => now.clone(),
        })
        .collect();
    let request = Request {
        configuration: &stack.configuration,
        types: &types,
        sources: &typed.sources,
        components: &stack.components,
        decisions: &decisions,
        addresses: &args.addresses,
        folder,
        for_terraform: args.terraform,
        world: &*session.world,
    };
    let ejected = match component::eject::eject(&request) {
        Ok(ejected) => ejected,
        Err(error) => return fail(&error.into(), &stack.configuration.sources, style),
    };
    if ejected.moves.is_empty() {
        terminal::line("There are no components; nothing is to be ejected.");
        return Exit::Success;
    }
    if let Some((path, _)) = ejected.new.iter().find(|(path, _)| path.exists()) {
        let path = path.display();
        return failed(format!(
            "`{path}` is there already, and `eject` replaces no file of a module: move it away, or name another folder with `-out`"
        ));
    }
    show(&ejected);
    if args.dry_run {
        terminal::line("\nNothing was written, because of `-dry-run`.");
        return Exit::Success;
    }
    if let Err(error) = write(&ejected) {
        return failed(error);
    }
    if args.terraform {
        let exit = move_state(session, args, &ejected, &snapshot);
        if exit != Exit::Success {
            let moves: Vec<String> = ejected
                .moves
                .iter()
                .map(|(old, new)| format!("`stratiform state mv {old} {new}`"))
                .collect();
            terminal::error_line(&format!(
                "The files are written, but the state is as it was: run {}.",
                moves.join(", ")
            ));
            return exit;
        }
        terminal::line(
            "\nWritten. `stratiform state export -give-back` gives the state to Terraform.",
        );
    } else {
        terminal::line("\nWritten. The next apply notes the new addresses and changes no object.");
    }
    Exit::Success
}

fn show(ejected: &Ejected) {
    for (path, before, after) in &ejected.changed {
        terminal::print(&difference(&path.display().to_string(), before, after));
    }
    let mut folders: Vec<&Path> =
        ejected.new.iter().filter_map(|(path, _)| path.parent()).collect();
    folders.dedup();
    terminal::line("");
    for folder in folders {
        let here = ejected.new.iter().filter(|(path, _)| path.parent() == Some(folder));
        let names: Vec<String> = here
            .filter_map(|(path, _)| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect();
        terminal::line(&format!("new: {}: {}", folder.display(), names.join(", ")));
    }
    for note in &ejected.notes {
        terminal::line(&format!("note: {note}"));
    }
}

/// New files first: what refers to them comes when they are there.
fn write(ejected: &Ejected) -> Result<(), String> {
    let failed = |path: &PathBuf, error: std::io::Error| {
        format!("`{}` cannot be written: {error}", path.display())
    };
    for (path, bytes) in &ejected.new {
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        made.and_then(|()| std::fs::write(path, bytes)).map_err(|error| failed(path, error))?;
    }
    for (path, before, after) in &ejected.changed {
        let now = std::fs::read_to_string(path).map_err(|error| failed(path, error))?;
        if now != *before {
            return Err(format!(
                "`{}` has changed while it was read; run `eject` again",
                path.display()
            ));
        }
        replace(path, after).map_err(|error| failed(path, error))?;
    }
    Ok(())
}

/// Gives the objects their new addresses, as one operation.
fn move_state(
    session: &Session,
    args: &EjectArgs,
    ejected: &Ejected,
    snapshot: &StateSnapshot,
) -> Exit {
    if snapshot.is_empty() && snapshot.decisions.is_empty() {
        return Exit::Success;
    }
    let summary: Vec<&str> = ejected.moves.iter().map(|(old, _)| old.as_str()).collect();
    edit::run(session, &args.common, "eject", &summary.join(" "), |snapshot| {
        let mut now = snapshot.clone();
        let mut changes: Vec<Change> = Vec::new();
        for (from, to) in instances(&now, &ejected.moves) {
            // A component that was never applied has nothing to move.
            let Ok(found) = state::edit::move_objects(&now, &from, &to) else { continue };
            // A module has no placement.
            let kept =
                found.changes.into_iter().filter(|one| !matches!(one, Change::PutDecision(_)));
            for change in kept {
                follow(&mut now, &change);
                changes.push(change);
            }
        }
        let forgotten = now
            .decisions
            .keys()
            .filter(|component| ejected.moves.iter().any(|(old, _)| old == *component));
        changes.extend(forgotten.cloned().map(Change::DeleteDecision));
        changes.extend(renamed_checks(&now, &ejected.moves).map(Change::PutChecks));
        Ok(Edit::of(changes))
    })
}

/// The moves of the instances of components, which keep their keys.
fn instances(snapshot: &StateSnapshot, moves: &[(String, String)]) -> Vec<(Target, Target)> {
    let mut found = BTreeSet::new();
    for step in snapshot.records.keys().filter_map(|address| address.module.steps().first()) {
        let name = format!("{}.{}", step.type_name, step.name);
        if let Some((_, new)) = moves.iter().find(|(old, _)| *old == name) {
            found.insert((format!("{name}{}", step.key), format!("{new}{}", step.key)));
        }
    }
    let parsed = found.into_iter().map(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    parsed.flatten().collect()
}

/// What conditions came to, with the new addresses; `None` where the components have none.
fn renamed_checks(
    snapshot: &StateSnapshot,
    moves: &[(String, String)],
) -> Option<Vec<CheckResult>> {
    let mut checks = snapshot.checks.clone();
    let mut is_changed = false;
    let mut rename = |module: &mut String| {
        let new = moves.iter().find_map(|(old, new)| {
            let rest = module.strip_prefix(old.as_str())?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then(|| format!("{new}{rest}"))
        });
        if let Some(new) = new {
            *module = new;
            is_changed = true;
        }
    };
    for check in &mut checks {
        rename(&mut check.module);
        check.objects.iter_mut().for_each(|object| rename(&mut object.module));
    }
    is_changed.then_some(checks)
}

/// What a change makes of a state in memory.
fn follow(snapshot: &mut StateSnapshot, change: &Change) {
    match change {
        Change::PutRecord(record) => {
            snapshot.records.insert(record.address.clone(), Arc::new(record.clone()));
        }
        Change::ForgetRecord(address) => {
            snapshot.records.remove(address);
        }
        Change::DeleteDecision(component) => {
            snapshot.decisions.remove(component);
        }
        _ => {}
    }
}
