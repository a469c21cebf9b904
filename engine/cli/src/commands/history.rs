//! `history` and `force-unlock`: who did what to the state, and who has it.

use state::StateStore;

use super::{fail_message, fail_with};
use crate::args::{Common, ForceUnlock};
use crate::exit::Exit;
use crate::session::Session;
use crate::store::Beside;
use crate::world::rfc3339;
use crate::{store, terminal};

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
