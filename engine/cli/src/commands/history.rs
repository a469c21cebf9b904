//! `history` and `force-unlock`: who did what to the state, and who has it.

use state::{LockGuard, Moment, Operation, OperationId, StateError, StateSnapshot, StateStore};

use super::{fail_message, fail_with};
use crate::args::{Common, ForceUnlock, HistoryArgs, HistoryCommand, HistoryDiff, HistoryPrune};
use crate::exit::Exit;
use crate::session::Session;
use crate::store::Beside;
use crate::world::rfc3339;
use crate::{store, terminal};

const DAY_MS: u64 = 24 * 3600 * 1000;

/// `history …`
pub(crate) fn run(session: &Session, args: &HistoryArgs) -> Exit {
    match &args.command {
        None => history(session, &args.common),
        Some(HistoryCommand::Diff(args)) => diff(session, args),
        Some(HistoryCommand::Prune(args)) => prune(session, args),
    }
}

/// `history`
fn history(session: &Session, common: &Common) -> Exit {
    let style = terminal::style(common.no_color);
    let operations = if store::exists() {
        store::ask(common, &*session.world, Beside::Writer, StateStore::history)
    } else {
        Ok(Vec::new())
    };
    match operations {
        Ok(operations) if common.json => {
            terminal::line(&report::history::json(&operations, rfc3339).to_string());
        }
        Ok(operations) if operations.is_empty() => terminal::line("Nothing has been done yet."),
        Ok(operations) => terminal::print(&report::history::text(&operations, rfc3339)),
        Err(error) => return fail_with(error, style),
    }
    Exit::Success
}

/// `history diff`
fn diff(session: &Session, args: &HistoryDiff) -> Exit {
    let style = terminal::style(args.common.no_color);
    if !store::exists() {
        return fail_message("nothing has been done yet, so there is nothing to compare", style);
    }
    let states = store::ask(&args.common, &*session.world, Beside::Writer, |store| {
        let to = match args.to {
            Some(to) => left_by(store, to)?,
            None => store.snapshot()?,
        };
        Ok((left_by(store, args.from)?, to))
    });
    let (from, to) = match states {
        Ok(states) => states,
        Err(error) => return fail_with(error, style),
    };
    let difference = report::history::difference(&from, &to);
    if args.common.json {
        terminal::line(&difference.json().to_string());
    } else {
        terminal::print(&difference.text(style));
    }
    Exit::Success
}

/// The state as an operation left it; 0 is the beginning.
fn left_by(store: &dyn StateStore, operation: u64) -> Result<StateSnapshot, StateError> {
    let moment = match operation {
        0 => Moment::Before(OperationId(1)),
        id => Moment::After(OperationId(id)),
    };
    store.snapshot_of(moment)
}

/// `history prune`
fn prune(session: &Session, args: &HistoryPrune) -> Exit {
    let style = terminal::style(args.common.no_color);
    if args.keep.is_none() && args.days.is_none() {
        return fail_message("say what stays: `-keep=N` operations, or those of `-days=D`", style);
    }
    if args.keep == Some(0) {
        return fail_message("`-keep` must be at least 1: the last operation stays", style);
    }
    if !store::exists() {
        terminal::line("Nothing has been done yet.");
        return Exit::Success;
    }
    let now_ms = store::now_ms(&*session.world);
    let pruned = store::open(&args.common, &*session.world).and_then(|store| {
        let guard = store::lock(&store, &args.common, "history prune", &*session.world)?;
        let first = first_kept(&store.history()?, args.keep, args.days, now_ms);
        let pruned = store.prune(&guard, first)?;
        guard.release()?;
        Ok(pruned)
    });
    match pruned {
        Ok(pruned) if args.common.json => {
            let first = pruned.first.map(|id| id.0);
            let told = serde_json::json!({ "forgotten": pruned.operations, "first": first });
            terminal::line(&told.to_string());
        }
        Ok(pruned) if pruned.operations == 0 => terminal::line("Nothing is old enough to go."),
        Ok(pruned) => {
            let first =
                pruned.first.map_or(String::new(), |id| format!("; {id} is the oldest now"));
            terminal::line(&format!("Forgot {} operations{first}.", pruned.operations));
        }
        Err(error) => return fail_with(error, style),
    }
    Exit::Success
}

/// The oldest operation that stays.
fn first_kept(
    operations: &[Operation],
    keep: Option<usize>,
    days: Option<u64>,
    now_ms: u64,
) -> OperationId {
    let count = operations.len();
    let by_number = keep.map(|keep| count.saturating_sub(keep));
    let by_age = days.map(|days| {
        let since = now_ms.saturating_sub(days.saturating_mul(DAY_MS));
        operations.iter().position(|one| one.info.time_unix_ms >= since).unwrap_or(count)
    });
    let at = by_number.into_iter().chain(by_age).min().unwrap_or(0);
    let past_the_last = operations.last().map_or(1, |last| last.id.0 + 1);
    operations.get(at).map_or(OperationId(past_the_last), |operation| operation.id)
}

/// Forgets what is older than `STRATIFORM_HISTORY_KEEP=N` operations or `STRATIFORM_HISTORY_DAYS=D` days allow, at the
/// end of a run; where both are set, what either keeps stays. Nothing is forgotten where neither is.
///
/// # Errors
///
/// In words, for a warning: the run itself has gone well.
pub(crate) fn shorten(
    session: &Session,
    store: &dyn StateStore,
    guard: &LockGuard,
) -> Result<(), String> {
    let keep = limit("STRATIFORM_HISTORY_KEEP")?;
    let days = limit("STRATIFORM_HISTORY_DAYS")?;
    if keep.is_none() && days.is_none() {
        return Ok(());
    }
    let keep = keep.map(|keep| usize::try_from(keep).unwrap_or(usize::MAX));
    let now_ms = store::now_ms(&*session.world);
    let pruned = store.history().and_then(|operations| {
        let first = first_kept(&operations, keep, days, now_ms);
        // The last operation stays, however old.
        let first = operations.last().map_or(first, |last| first.min(last.id));
        store.prune(guard, first)
    });
    pruned.map(drop).map_err(|error| format!("the history could not be shortened: {error}"))
}

fn limit(name: &str) -> Result<Option<u64>, String> {
    let Some(text) = store::env(name) else { return Ok(None) };
    let number = text.parse::<u64>().ok().filter(|number| *number > 0);
    let wrong = || format!("`{name}={text}` is no number of at least 1, so nothing is forgotten");
    number.map(Some).ok_or_else(wrong)
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
