//! `show`, `output`, `state …`, `history`, `force-unlock`: what the state says.

use address::{ResourceInstance, Target};
use lang::World;
use serde_json::{Value as Json, json};
use state::{Change, OperationInfo, OperationOutcome, StateSnapshot, StateStore};

use super::{fail_message, fail_with, planfile};
use crate::args::{Common, ForceUnlock, Output, Show, State};
use crate::exit::Exit;
use crate::session::Session;
use crate::store::Beside;
use crate::world::rfc3339;
use crate::{store, terminal};

fn snapshot(session: &Session, common: &Common) -> Result<StateSnapshot, Exit> {
    store::snapshot(common, &*session.world, Beside::Writer)
        .map_err(|error| fail_with(error, terminal::style(common.no_color)))
}

/// Shows the state, or a plan file.
pub(crate) fn show(session: &Session, args: &Show) -> Exit {
    let style = terminal::style(args.common.no_color);
    if let Some(path) = &args.file {
        return match planfile::read(path) {
            Ok(saved) if args.common.json => {
                terminal::line(&saved.document.to_string());
                Exit::Success
            }
            Ok(saved) => {
                terminal::print(&saved.text);
                Exit::Success
            }
            Err(message) => fail_message(&message, style),
        };
    }
    let snapshot = match snapshot(session, &args.common) {
        Ok(snapshot) => snapshot,
        Err(exit) => return exit,
    };
    if args.common.json {
        let state = report::values_json::state(&snapshot, config::LANGUAGE_VERSION);
        terminal::line(&state.to_string());
        return Exit::Success;
    }
    if snapshot.is_empty() {
        terminal::line("The state is empty.");
    }
    for record in snapshot.records.values() {
        terminal::line(&report::state_text::record(record));
    }
    if !snapshot.outputs.is_empty() {
        terminal::line("Outputs:\n");
        terminal::print(&report::state_text::outputs(&snapshot));
    }
    Exit::Success
}

/// Shows outputs.
pub(crate) fn output(session: &Session, args: &Output) -> Exit {
    let style = terminal::style(args.common.no_color);
    let snapshot = match snapshot(session, &args.common) {
        Ok(snapshot) => snapshot,
        Err(exit) => return exit,
    };
    let parse = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default();
    let Some(name) = &args.name else {
        if args.common.json {
            let all: serde_json::Map<String, Json> = snapshot
                .outputs
                .iter()
                .map(|(name, output)| {
                    let entry = json!({
                        "sensitive": output.sensitive,
                        "type": parse(&output.type_json),
                        "value": parse(&output.value_json),
                    });
                    (name.to_string(), entry)
                })
                .collect();
            terminal::line(&format!("{:#}", Json::Object(all)));
        } else if snapshot.outputs.is_empty() {
            terminal::error_line("The state has no outputs.");
        } else {
            terminal::print(&report::state_text::outputs(&snapshot));
        }
        return Exit::Success;
    };
    let Some(output) = snapshot.outputs.get(name.as_str()) else {
        let near = syntax::suggest(name, snapshot.outputs.keys().map(|key| &**key));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return fail_message(&format!("the state has no output `{name}`{hint}"), style);
    };
    if args.common.json {
        terminal::line(&output.value_json);
    } else if args.raw {
        match parse(&output.value_json) {
            Json::String(text) => terminal::print(&text),
            value @ (Json::Number(_) | Json::Bool(_)) => terminal::print(&value.to_string()),
            _ => {
                return fail_message(
                    "`-raw` prints strings, numbers and bools; use `-json`",
                    style,
                );
            }
        }
    } else {
        terminal::line(&report::state_text::output_value(&output.value_json));
    }
    Exit::Success
}

/// `state …`
pub(crate) fn state(session: &Session, command: &State) -> Exit {
    match command {
        State::List(args) => {
            let style = terminal::style(args.common.no_color);
            let mut targets: Vec<Target> = Vec::new();
            for text in &args.addresses {
                match text.parse() {
                    Ok(target) => targets.push(target),
                    Err(_) => return fail_message(&format!("`{text}` is not an address"), style),
                }
            }
            let snapshot = match snapshot(session, &args.common) {
                Ok(snapshot) => snapshot,
                Err(exit) => return exit,
            };
            for address in snapshot.records.keys() {
                if targets.is_empty() || targets.iter().any(|target| target.covers(address)) {
                    terminal::line(&address.to_string());
                }
            }
            Exit::Success
        }
        State::Show(args) => with_record(session, &args.common, &args.address, |record| {
            terminal::print(&report::state_text::record(record));
            Exit::Success
        }),
        State::Pull(common) => match snapshot(session, common) {
            Ok(snapshot) => {
                let state = state::tfstate::export(&snapshot, config::LANGUAGE_VERSION);
                terminal::line(&format!("{state:#}"));
                Exit::Success
            }
            Err(exit) => exit,
        },
        State::Rm(args) => remove(session, &args.common, &args.address),
    }
}

fn with_record(
    session: &Session,
    common: &Common,
    address: &str,
    run: impl FnOnce(&state::Record) -> Exit,
) -> Exit {
    let style = terminal::style(common.no_color);
    let Ok(wanted) = address.parse::<ResourceInstance>() else {
        return fail_message(
            &format!("`{address}` is not the address of a resource instance"),
            style,
        );
    };
    let snapshot = match snapshot(session, common) {
        Ok(snapshot) => snapshot,
        Err(exit) => return exit,
    };
    if let Some(record) = snapshot.records.get(&wanted) {
        run(record)
    } else {
        let known: Vec<String> = snapshot.records.keys().map(ToString::to_string).collect();
        let near = syntax::suggest(address, known.iter().map(String::as_str));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        fail_message(&format!("the state has no `{address}`{hint}"), style)
    }
}

fn remove(session: &Session, common: &Common, address: &str) -> Exit {
    let style = terminal::style(common.no_color);
    with_record(session, common, address, |record| {
        let removed = || -> Result<(), state::StateError> {
            let world: &dyn World = &*session.world;
            let store = store::open(common, world)?;
            let guard = store::lock(&store, common, "state rm", world)?;
            let info = OperationInfo {
                command: "state rm".to_owned(),
                who: store::who(),
                time_unix_ms: store::now_ms(world),
                summary: address.to_owned(),
            };
            let operation = store.begin_operation(&guard, info)?;
            store.commit(operation, vec![Change::DeleteRecord(record.address.clone())])?;
            store.end_operation(operation, OperationOutcome::Done)
        };
        match removed() {
            Ok(()) => {
                terminal::line(&format!("Dropped {address} from the state; the object lives on."));
                Exit::Success
            }
            Err(error) => fail_with(error, style),
        }
    })
}

/// `history`
pub(crate) fn history(session: &Session, common: &Common) -> Exit {
    let style = terminal::style(common.no_color);
    if !store::exists() {
        terminal::line("Nothing has been done yet.");
        return Exit::Success;
    }
    let operations = store::ask(common, &*session.world, Beside::Writer, StateStore::history);
    match operations {
        Ok(operations) => {
            terminal::print(&report::state_text::history(&operations, rfc3339));
            Exit::Success
        }
        Err(error) => fail_with(error, style),
    }
}

/// `force-unlock`
pub(crate) fn force_unlock(session: &Session, args: &ForceUnlock) -> Exit {
    let style = terminal::style(args.common.no_color);
    if !args.force
        && terminal::ask("Break the lock? Only `yes` is taken for a yes: ").as_deref()
            != Some("yes")
    {
        return fail_message("the lock was left as it is", style);
    }
    let broken =
        store::open(&args.common, &*session.world).and_then(|store| store.force_unlock(&args.id));
    match broken {
        Ok(holder) => {
            terminal::line(&format!("Broke the lock of {holder}."));
            Exit::Success
        }
        Err(error) => fail_with(error, style),
    }
}
