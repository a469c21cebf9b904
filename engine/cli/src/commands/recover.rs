//! `recover`: shows and settles what an earlier run has left open.

use state::{SledStore, StateError, StateSnapshot, StateStore};

use crate::args::{Common, PlanArgs};
use crate::exit::Exit;
use crate::session::{Session, Wanted};
use crate::store::{self, Beside};
use crate::ui::Ui;

/// The command.
pub(crate) async fn recover(session: &Session, args: &PlanArgs) -> Exit {
    let ui = Ui::new(&args.common, session.clock());
    if !store::exists() {
        ui.note("Nothing is left open: there is no state yet.");
        return Exit::Success;
    }
    let store = match store::open(&args.common, &*session.world) {
        Ok(store) => store,
        Err(error) => return ui.fail_with(error),
    };
    let _guard = match store::lock(&store, &args.common, "recover", &*session.world) {
        Ok(guard) => guard,
        Err(error) => return ui.fail_with(error),
    };
    match settle(session, &store, args, &ui).await {
        Ok(0) => {
            ui.note("Nothing is left open.");
            Exit::Success
        }
        Ok(_) => Exit::Success,
        Err(exit) => exit,
    }
}

/// What is recorded, for a plan; says what an earlier run has left open.
pub(crate) fn told_snapshot(
    session: &Session,
    common: &Common,
    beside: Beside,
    ui: &Ui,
) -> Result<StateSnapshot, StateError> {
    let world = &*session.world;
    if !store::exists() {
        return store::snapshot(common, world, beside);
    }
    // What others have written to a shared file is true, and nothing of ours is open in it.
    if let Some(file) = store::foreign(&store::workspace())? {
        return Ok(file);
    }
    let (snapshot, open) = store::ask(common, world, beside, |store| {
        Ok((store.snapshot()?, store.journal().open_intents()?))
    })?;
    // What a writer that is at work has begun is its own business.
    let unfinished = if beside == Beside::Nobody { open } else { Vec::new() };
    for recorded in unfinished {
        let line = format!(
            "An earlier run did not finish `{}`; the next apply, or `stratiform recover`, asks what became of it.",
            recorded.intent.address
        );
        ui.warn(&line);
    }
    Ok(snapshot)
}

/// Settles what is open; how many intents there were.
pub(crate) async fn settle(
    session: &Session,
    store: &SledStore,
    args: &PlanArgs,
    ui: &Ui,
) -> Result<usize, Exit> {
    let open = store.journal().open_intents().map_err(|error| ui.fail_with(error))?;
    if open.is_empty() {
        return Ok(0);
    }
    let snapshot = store.snapshot().map_err(|error| ui.fail_with(error))?;
    let (stack, found) = session.stack(&Wanted::of(args), &snapshot).await;
    let sources = std::sync::Arc::clone(&stack.configuration.sources);
    if found.has_errors() {
        return Err(ui.fail(&found, &sources));
    }
    let readers = plan::Readers::new(&session.registry);
    let request = session.request(stack, &snapshot, plan::Options::default(), &readers);
    let mut evaluation =
        plan::settings(&request).await.map_err(|found| ui.fail(&found, &sources))?;
    let settled = apply::recover(store, &session.registry, &session.context, &mut evaluation)
        .await
        .map_err(|error| ui.fail_with(error))?;
    ui.note(
        &ui.style.bold("An earlier run was cut short. This is what became of what it had begun:"),
    );
    for one in &settled {
        let found = match &one.found {
            apply::Found::Made => "was made, and is in the state now".to_owned(),
            apply::Found::NotMade => "was not made".to_owned(),
            apply::Found::Looked => "exists; the state says what it is now".to_owned(),
            apply::Found::Gone => "is gone; the state says so".to_owned(),
            apply::Found::InProgress => "is still being worked on by the backend; it stays open".to_owned(),
            apply::Found::Unknown => {
                "cannot be found by the provider: look whether it exists, and import or delete it by hand".to_owned()
            }
            apply::Found::NotAsked(reason) => format!("could not be looked up and stays open: {reason}"),
        };
        ui.note(&format!("  {} ({}): {found}", one.address, one.action));
    }
    ui.note("");
    Ok(settled.len())
}
