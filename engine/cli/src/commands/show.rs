//! `show`: the state, or a plan file.

use super::state::{Shapes, snapshot};
use super::{fail_with, planfile};
use crate::args::Show;
use crate::exit::Exit;
use crate::session::Session;
use crate::terminal;

/// Shows the state, or a plan file.
pub(crate) async fn show(session: &Session, args: &Show) -> Exit {
    let style = terminal::style(args.common.no_color);
    if let Some(path) = &args.file {
        return match planfile::read(path) {
            Ok(saved) if args.common.json => {
                terminal::line(&saved.document.to_string());
                Exit::Success
            }
            Ok(saved) => {
                terminal::print(&report::plan_text::text(&saved.sheet, style));
                Exit::Success
            }
            Err(error) => fail_with(error, style),
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
    let shapes = Shapes::of(session, snapshot.records.values().map(|record| &**record)).await;
    for record in snapshot.records.values() {
        terminal::line(&report::state_text::record(record, shapes.get(record)));
    }
    if !snapshot.outputs.is_empty() {
        terminal::line("Outputs:\n");
        terminal::print(&report::state_text::outputs(&snapshot));
    }
    Exit::Success
}
