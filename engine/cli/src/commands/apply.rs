//! `apply`, `destroy` and `refresh`: plan, ask, carry out.

use std::sync::Arc;

use apply::{Event, Options, Request};
use plan::file::PlanFileError;
use plan::{Attempt, Plan, StepKind};
use report::progress;
use state::{OperationInfo, OperationOutcome, SledStore, StateSnapshot, StateStore};
use syntax::SourceMap;
use tokio::sync::watch;

use super::plan::{mode, view};
use super::{planfile, recover, takeover};
use crate::args::{ApplyArgs, Common};
use crate::exit::Exit;
use crate::judge::Bench;
use crate::session::{self, Session, Wanted};
use crate::ui::Ui;
use crate::{store, terminal};

/// How often the picture of a run moves.
const TICK: std::time::Duration = std::time::Duration::from_millis(120);

/// Plans and carries out, or carries out a plan file.
pub(crate) async fn apply(session: &Session, args: &ApplyArgs, command: &str) -> Exit {
    let ui = Ui::new(&args.plan.common, session.clock());
    let saved = match args.file.as_deref().map(planfile::read).transpose() {
        Ok(saved) => saved,
        Err(error) => return ui.fail_with(error),
    };
    let common = &args.plan.common;
    if let Err(exit) = takeover::take_over(session, common, args.auto_approve || saved.is_some()) {
        return exit;
    }
    let store = match store::open(common, &*session.world) {
        Ok(store) => store,
        Err(error) => return ui.fail_with(error),
    };
    let guard = match store::lock(&store, common, command, &*session.world) {
        Ok(guard) => guard,
        Err(error) => return ui.fail_with(error),
    };
    if let Some(notice) = guard.notice() {
        ui.warn(notice);
    }
    if let Err(exit) = recover::settle(session, &store, &args.plan, &ui).await {
        return exit;
    }
    let snapshot = match store.snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => return ui.fail_with(error),
    };
    let ready = match &saved {
        Some(saved) => from_file(session, saved, args, &store, &snapshot, &ui).await,
        None => planned(session, args, command, &snapshot, &ui).await,
    };
    let Ready { plan, sources, keeps_lock_file, last_look } = match ready {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let parallelism = args.plan.parallelism.unwrap_or(plan::Options::default().parallelism);
    let file = saved.as_ref().map_or("", |saved| saved.id.as_str());
    let exit = carry_out(
        session,
        &store,
        &guard,
        plan,
        last_look,
        command,
        file,
        parallelism,
        &sources,
        &ui,
    )
    .await;
    if let Some(saved) = &saved {
        saved.spend();
    }
    if keeps_lock_file && let Err(message) = write_lock_file(&store) {
        return ui.fail_message(&message);
    }
    exit
}

/// A plan that has been approved.
struct Ready {
    plan: Plan,
    sources: Arc<SourceMap>,
    keeps_lock_file: bool,
    /// Checks that waited for values.
    last_look: Option<apply::LastLook>,
}

/// Plans, shows and asks.
async fn planned(
    session: &Session,
    args: &ApplyArgs,
    command: &str,
    snapshot: &StateSnapshot,
    ui: &Ui,
) -> Result<Ready, Exit> {
    let options = session::options(&args.plan, mode(&args.plan))
        .map_err(|found| ui.fail(&found, &SourceMap::new()))?;
    let (stack, mut found) = session.stack(&Wanted::of(&args.plan), snapshot).await;
    let sources = Arc::clone(&stack.configuration.sources);
    if found.has_errors() {
        return Err(ui.fail(&found, &sources));
    }
    let keeps_lock_file = component::lock::is_wanted(&stack.configuration);
    let (configuration, inputs) = (Arc::clone(&stack.configuration), stack.inputs.clone());
    let components = stack.components.clone();
    let (attempt, more) = session.attempt(stack, snapshot, options, &session.registry).await;
    found.extend(more);
    let plan = match attempt {
        Attempt::Planned(plan) => *plan,
        Attempt::Failed(part) => {
            if let Some(part) = part {
                super::plan::show_part(&part, ui);
            }
            return Err(ui.fail(&found, &sources));
        }
    };
    ui.diagnostics(&found, &sources);
    super::plan::show(&view(&plan), ui);
    if !plan.is_empty() && !args.auto_approve && !approved(&args.plan.common, ui) {
        let message = format!("{command} was not confirmed; nothing was changed");
        return Err(ui.fail_message(&message));
    }
    let bench = Bench {
        session,
        configuration: &configuration,
        inputs: &inputs,
        snapshot,
        components: &components,
    };
    let last_look = bench.last_look(&plan, &configuration);
    Ok(Ready { plan, sources, keeps_lock_file, last_look })
}

/// Takes a plan from its file. Nothing is planned again; it stands or is refused.
async fn from_file(
    session: &Session,
    saved: &planfile::Saved,
    args: &ApplyArgs,
    store: &SledStore,
    snapshot: &StateSnapshot,
    ui: &Ui,
) -> Result<Ready, Exit> {
    let earlier = store.carried_out(&saved.id).map_err(|error| ui.fail_with(error))?;
    let opened = saved.open(session, snapshot, earlier).map_err(|error| ui.fail_with(error))?;
    let planfile::Opened { plan: stored, stack, ground } = opened;
    if let Some(error) = ground.overtaken(snapshot) {
        return Err(ui.fail_with(error));
    }
    // What leads back restores the placements of then, whatever would be chosen now.
    let leads_back = stored.get("mode").and_then(serde_json::Value::as_str) == Some("undo");
    let decided = if leads_back { Vec::new() } else { stack.decisions.clone() };
    let wanted = Wanted::Saved { saved: stack, given: args.plan.inputs() };
    let (stack, found) = session.stack(&wanted, snapshot).await;
    let sources = Arc::clone(&stack.configuration.sources);
    if found.has_errors() {
        return Err(ui.fail(&found, &sources));
    }
    let elsewhere = decided.iter().find(|planned| {
        let now = stack.decisions.iter().find(|now| now.component == planned.component);
        !now.is_some_and(|now| {
            (&now.backend, &now.offer, &now.implementation, now.machines)
                == (&planned.backend, &planned.offer, &planned.implementation, planned.machines)
        })
    });
    if let Some(planned) = elsewhere {
        let component = planned.component.clone();
        return Err(ui.fail_with(PlanFileError::Placement { component }));
    }
    let keeps_lock_file = component::lock::is_wanted(&stack.configuration);
    let (configuration, inputs) = (Arc::clone(&stack.configuration), stack.inputs.clone());
    let components = stack.components.clone();
    match session.saved_plan(stack, &stored).await {
        Ok(Some(mut plan)) => {
            ground.fit(&mut plan, snapshot);
            let bench = Bench {
                session,
                configuration: &configuration,
                inputs: &inputs,
                snapshot,
                components: &components,
            };
            let last_look = bench.last_look(&plan, &configuration);
            Ok(Ready { plan, sources, keeps_lock_file, last_look })
        }
        Ok(None) => Err(ui.fail_with(saved.damaged())),
        Err(found) => Err(ui.fail(&found, &sources)),
    }
}

/// Writes what is placed now, for reviews to see.
fn write_lock_file(store: &SledStore) -> Result<(), String> {
    let path = component::lock::PATH;
    let decisions = store.snapshot().map(|snapshot| session::decided(&snapshot));
    let text = component::lock::write(decisions.map_err(|error| error.to_string())?.values());
    let partial = format!("{path}.partial");
    std::fs::write(&partial, text)
        .and_then(|()| std::fs::rename(&partial, path))
        .map_err(|error| format!("`{path}` cannot be written: {error}"))
}

/// Asks a person.
pub(super) fn approved(common: &Common, ui: &Ui) -> bool {
    if common.input == Some(false) || common.json {
        return false;
    }
    let question =
        format!("\n{} Only `yes` is taken for a yes: ", ui.style.bold("Carry out this plan?"));
    terminal::ask(&question).as_deref() == Some("yes")
}

/// Carries out an approved plan, and tells what came of it.
#[expect(clippy::too_many_arguments, reason = "each is of another kind")]
pub(super) async fn carry_out(
    session: &Session,
    store: &SledStore,
    guard: &state::LockGuard,
    plan: Plan,
    last_look: Option<apply::LastLook>,
    command: &str,
    file: &str,
    parallelism: usize,
    sources: &SourceMap,
    ui: &Ui,
) -> Exit {
    let mode = plan.mode;
    let destroy = mode == plan::Mode::Destroy;
    let counts = plan.counts();
    let info = OperationInfo {
        command: command.to_owned(),
        who: store::who(),
        time_unix_ms: store::now_ms(&*session.world),
        summary: format!(
            "{} added, {} changed, {} destroyed",
            counts.added, counts.changed, counts.destroyed
        ),
        plan: file.to_owned(),
    };
    let operation = match store.begin_operation(guard, info) {
        Ok(operation) => operation,
        Err(error) => return ui.fail_with(error),
    };
    let (stop_sender, stop) = watch::channel(false);
    let interrupts = tokio::spawn(interrupts(stop_sender));
    let calls = |step: &&plan::Step| {
        use StepKind::{Create, Delete, Read, Update};
        matches!(step.kind, Create | Update | Delete | Read)
    };
    ui.begin(plan.steps.iter().filter(calls).count());
    let voice = ui.clone();
    let events = move |event: Event| voice.event(&event);
    let mut plan = plan;
    let snapshot_lineage = store.snapshot().map(|snapshot| snapshot.lineage).unwrap_or_default();
    if plan.lineage.is_empty() {
        plan.lineage = snapshot_lineage;
    }
    let work = apply::run(Request {
        plan,
        store,
        operation,
        registry: session.registry.clone(),
        context: session.context.clone(),
        world: session.clock(),
        options: Options { parallelism },
        events: Arc::new(events),
        stop,
        last_look,
        ssh_agent: store::env("SSH_AUTH_SOCK").map(Into::into),
    });
    tokio::pin!(work);
    let mut clock = tokio::time::interval(TICK);
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            _ = clock.tick() => ui.tick(),
        }
    };
    ui.end();
    interrupts.abort();
    let summary = match result {
        Ok(summary) => summary,
        Err(error) => {
            let outcome = OperationOutcome::Failed { message: error.to_string() };
            let _ = store.end_operation(operation, outcome);
            return ui.fail_with(error);
        }
    };
    let complete = summary.is_complete();
    let outcome = match (complete, summary.stopped) {
        (true, _) => OperationOutcome::Done,
        (false, true) => OperationOutcome::Interrupted,
        (false, false) => {
            OperationOutcome::Failed { message: format!("{} failed", summary.failed.len()) }
        }
    };
    if let Err(error) = store.end_operation(operation, outcome) {
        return ui.fail_with(error);
    }
    if let Err(warning) = super::history::shorten(session, store, guard) {
        ui.warn(&warning);
    }
    ui.diagnostics(&summary.diagnostics, sources);
    if ui.is_json() {
        if complete {
            // As Terraform: a plan file is applied, whatever is in it.
            let told = if file.is_empty() { mode } else { plan::Mode::Normal };
            ui.say(&ui.messages().summary(&summary, told));
        }
        // As Terraform: a run that failed tells of neither, and `destroy` tells of no outputs; `apply -destroy` does.
        if complete
            && command != "destroy"
            && let Ok(snapshot) = store.snapshot()
        {
            ui.say(&ui.messages().outputs(&snapshot.outputs));
        }
    } else {
        terminal::line("");
        terminal::print(&progress::summary(&summary, destroy, ui.style));
        if complete && !destroy {
            show_outputs(store, ui);
        }
    }
    if complete { Exit::Success } else { Exit::Failure }
}

fn show_outputs(store: &SledStore, ui: &Ui) {
    if let Ok(snapshot) = store.snapshot()
        && !snapshot.outputs.is_empty()
    {
        terminal::line(&format!("\n{}\n", ui.style.bold("Outputs:")));
        terminal::print(&report::state_text::outputs(&snapshot));
    }
}

/// The first interrupt asks for an end; the second one ends. A request to terminate and a terminal that is
/// closed count as interrupts.
async fn interrupts(stop: watch::Sender<bool>) {
    let mut asked = signals();
    if asked.recv().await.is_none() {
        return;
    }
    let _ = stop.send(true);
    if asked.recv().await.is_some() {
        terminal::error_line(
            "Stopped at once. The journal holds what was begun; run `stratiform recover`.",
        );
        #[expect(
            clippy::exit,
            reason = "the user has asked twice; the journal is durable at every moment"
        )]
        std::process::exit(1);
    }
}

/// Requests to end, as they come: interrupts, requests to terminate, a terminal that is closed.
pub(super) fn signals() -> tokio::sync::mpsc::UnboundedReceiver<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, asked) = tokio::sync::mpsc::unbounded_channel();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        // Where a signal cannot be listened to it does what it does anyway: it ends the process.
        let Ok(mut signal) = signal(kind) else { continue };
        let sender = sender.clone();
        tokio::spawn(
            async move { while signal.recv().await.is_some() && sender.send(()).is_ok() {} },
        );
    }
    asked
}
