//! `workspace …`: several states of one configuration.

use ::state::StateSnapshot;

use super::{fail_message, state};
use crate::args::{Common, Workspace, WorkspaceDelete, WorkspaceNew, WorkspaceSelect};
use crate::exit::Exit;
use crate::session::Session;
use crate::store::Beside;
use crate::{store, terminal};

/// `workspace …`
pub(crate) fn workspace(session: &Session, command: &Workspace) -> Exit {
    match command {
        Workspace::List(_) => list(),
        Workspace::Show(_) => {
            terminal::line(&store::workspace());
            Exit::Success
        }
        Workspace::Select(args) => select(args),
        Workspace::New(args) => new(session, args),
        Workspace::Delete(args) => delete(session, args),
    }
}

fn list() -> Exit {
    let chosen = store::workspace();
    for name in store::workspaces() {
        let star = if name == chosen { '*' } else { ' ' };
        terminal::line(&format!("{star} {name}"));
    }
    terminal::line("");
    Exit::Success
}

/// Refuses to choose while the environment has chosen already.
fn overridden(common: &Common) -> Option<Exit> {
    let set = store::env("TF_WORKSPACE")?;
    let message =
        format!("TF_WORKSPACE is set to `{set}` and chooses the workspace; unset it first");
    Some(fail_message(&message, terminal::style(common.no_color)))
}

fn valid(name: &str, common: &Common) -> Result<(), Exit> {
    if store::is_workspace_name(name) {
        return Ok(());
    }
    let message = format!("`{name}` {}", store::NO_WORKSPACE_NAME);
    Err(fail_message(&message, terminal::style(common.no_color)))
}

fn choose(name: &str, common: &Common) -> Result<(), Exit> {
    store::choose_workspace(name).map_err(|error| {
        let message = format!("the choice cannot be written: {error}");
        fail_message(&message, terminal::style(common.no_color))
    })
}

fn select(args: &WorkspaceSelect) -> Exit {
    let style = terminal::style(args.common.no_color);
    if let Some(exit) = overridden(&args.common) {
        return exit;
    }
    if let Err(exit) = valid(&args.name, &args.common) {
        return exit;
    }
    if !store::workspaces().contains(&args.name) {
        if args.or_create {
            return create(&args.name, &args.common);
        }
        let known = store::workspaces();
        let near = syntax::suggest(&args.name, known.iter().map(String::as_str));
        let hint = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        let message = format!(
            "there is no workspace `{name}`; {hint}`workspace new {name}` or `workspace select -or-create {name}` makes it",
            name = args.name
        );
        return fail_message(&message, style);
    }
    match choose(&args.name, &args.common) {
        Ok(()) => {
            terminal::line(&format!("Switched to workspace \"{}\".", args.name));
            Exit::Success
        }
        Err(exit) => exit,
    }
}

fn create(name: &str, common: &Common) -> Exit {
    if let Err(error) = store::make_workspace(name) {
        let message = format!("the workspace cannot be made: {error}");
        return fail_message(&message, terminal::style(common.no_color));
    }
    match choose(name, common) {
        Ok(()) => {
            terminal::line(&format!("Created and switched to workspace \"{name}\"!"));
            terminal::line(
                "\nIts state is empty: a plan sees none of the objects of other workspaces.",
            );
            Exit::Success
        }
        Err(exit) => exit,
    }
}

fn new(session: &Session, args: &WorkspaceNew) -> Exit {
    let style = terminal::style(args.common.no_color);
    if let Some(exit) = overridden(&args.common) {
        return exit;
    }
    if let Err(exit) = valid(&args.name, &args.common) {
        return exit;
    }
    if store::workspaces().contains(&args.name) {
        return fail_message(&format!("there is a workspace `{}` already", args.name), style);
    }
    // The file is read before anything is made.
    let file = match args.state.as_deref().map(read_state).transpose() {
        Ok(file) => file,
        Err(message) => return fail_message(&message, style),
    };
    let made = create(&args.name, &args.common);
    match file {
        Some(file) if made == Exit::Success => {
            let summary = args.state.clone().unwrap_or_default();
            state::edit::run(session, &args.common, "workspace new", &summary, |here| {
                state::edit::taken_over(here, &file, true, &args.common)
            })
        }
        _ => made,
    }
}

fn read_state(path: &str) -> Result<StateSnapshot, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("`{path}` cannot be read: {error}"))?;
    ::state::tfstate::import(&text).map_err(|error| format!("`{path}`: {error}"))
}

fn delete(session: &Session, args: &WorkspaceDelete) -> Exit {
    let style = terminal::style(args.common.no_color);
    let name = &args.name;
    if let Err(exit) = valid(name, &args.common) {
        return exit;
    }
    if *name == store::workspace() {
        let message = format!("`{name}` is the workspace that is chosen; select another one first");
        return fail_message(&message, style);
    }
    if name == "default" {
        return fail_message("the workspace `default` cannot be deleted", style);
    }
    if !store::workspaces().contains(name) {
        return fail_message(&format!("there is no workspace `{name}`"), style);
    }
    let snapshot = store::snapshot_of(name, &args.common, &*session.world, Beside::Nobody);
    let snapshot = match snapshot {
        Ok(snapshot) => snapshot,
        Err(_) if args.force => StateSnapshot::default(),
        Err(error) => return super::fail_with(error, style),
    };
    let left = snapshot.managed().count();
    if left > 0 && !args.force {
        let some: Vec<String> =
            snapshot.managed().take(10).map(|(address, _)| format!("  - {address}")).collect();
        let more = if left > 10 { format!("\n  and {} more", left - 10) } else { String::new() };
        let message = format!(
            "the workspace `{name}` is not empty: it holds\n{}{more}\ndestroy these first; `-force` deletes the workspace, and nothing knows of them any more",
            some.join("\n")
        );
        return fail_message(&message, style);
    }
    if let Err(error) = store::delete_workspace(name) {
        return fail_message(&format!("the workspace cannot be deleted: {error}"), style);
    }
    terminal::line(&format!("Deleted workspace \"{name}\"!"));
    if left > 0 {
        terminal::error_line(&format!(
            "Warning: \"{name}\" was not empty. Its objects may still exist, and nothing knows of them any more."
        ));
    }
    Exit::Success
}
