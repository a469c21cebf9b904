//! `state …`: what the state says; `edit` holds what changes it.

pub(crate) mod edit;

use address::{ResourceInstance, Target};
use state::StateSnapshot;

use super::{fail_message, fail_with};
use crate::args::{Common, State};
use crate::exit::Exit;
use crate::session::Session;
use crate::store::Beside;
use crate::{store, terminal};

/// What is recorded, also while an apply is at work.
pub(super) fn snapshot(session: &Session, common: &Common) -> Result<StateSnapshot, Exit> {
    store::snapshot(common, &*session.world, Beside::Writer)
        .map_err(|error| fail_with(error, terminal::style(common.no_color)))
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
            if snapshot.serial == 0 {
                let help = "there is no state yet: the first `apply` makes one";
                return fail_message(help, style);
            }
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
        State::Mv(args) => edit::mv(session, args),
        State::Rm(args) => edit::rm(session, args),
        State::ReplaceProvider(args) => edit::replace_provider(session, args),
        State::Push(args) | State::Import(args) => edit::push(session, args),
        State::Export(args) => super::takeover::export(session, args),
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
