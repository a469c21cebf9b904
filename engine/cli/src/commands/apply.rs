//! `apply`, `destroy` and `refresh`: plan, ask, carry out.

use std::sync::Arc;

use apply::{Event, Options, Request};
use lang::World;
use plan::Plan;
use report::{Style, progress};
use state::{OperationInfo, OperationOutcome, SledStore, StateStore};
use syntax::SourceMap;
use tokio::sync::watch;

use super::plan::{mode, view};
use super::{fail, fail_message, fail_with, planfile, recover};
use crate::args::ApplyArgs;
use crate::exit::Exit;
use crate::session::{self, Session};
use crate::world::rfc3339;
use crate::{store, terminal};

/// Plans and carries out, or carries out a plan file.
pub(crate) async fn apply(session: &Session, args: &ApplyArgs, command: &str) -> Exit {
    let style = terminal::style(args.plan.common.no_color);
    let saved = match args.file.as_deref().map(planfile::read).transpose() {
        Ok(saved) => saved,
        Err(message) => return fail_message(&message, style),
    };
    let common = &args.plan.common;
    let store = match store::open(common, &*session.world) {
        Ok(store) => store,
        Err(error) => return fail_with(error, style),
    };
    let guard = match store::lock(&store, common, command, &*session.world) {
        Ok(guard) => guard,
        Err(error) => return fail_with(error, style),
    };
    if let Some(notice) = guard.notice() {
        terminal::error_line(notice);
    }
    let plan_args = saved.as_ref().map_or(&args.plan, |saved| &saved.args);
    if let Err(exit) = recover::settle(session, &store, plan_args, style).await {
        return exit;
    }
    let snapshot = match store.snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => return fail_with(error, style),
    };
    if let Some(saved) = &saved
        && (saved.serial != snapshot.serial
            || !(saved.lineage == snapshot.lineage || saved.lineage.is_empty()))
    {
        let (planned, found) = (saved.serial, snapshot.serial);
        return fail_with(apply::ApplyError::StalePlan { planned, found }, style);
    }
    let options = match session::options(plan_args, mode(plan_args)) {
        Ok(options) => options,
        Err(found) => return fail(&found, &SourceMap::new(), style),
    };
    let parallelism = args.plan.parallelism.unwrap_or(options.parallelism);
    let (stack, mut found) = session.stack(&plan_args.vars, &plan_args.var_files, &snapshot).await;
    let sources = Arc::clone(&stack.configuration.sources);
    if found.has_errors() {
        return fail(&found, &sources, style);
    }
    if let Some(file) = saved.as_ref().and_then(|saved| saved.changed_file(&sources)) {
        return fail_message(
            &format!("the plan is stale: `{file}` has changed since it was made; make a new plan"),
            style,
        );
    }
    let (plan, more) = session.plan(stack, &snapshot, options).await;
    found.extend(more);
    let Some(plan) = plan else { return fail(&found, &sources, style) };
    terminal::diagnostics(&found, &sources, style);
    if let Some(saved) = &saved {
        if !saved.is_same(&plan) {
            return fail_message(
                "the plan is stale: the real objects have changed since it was made; make a new plan",
                style,
            );
        }
    } else {
        if !common.json {
            terminal::print(&view(&plan).show(style));
        }
        if !plan.is_empty() && !args.auto_approve && !approved(args, style) {
            return fail_message(
                &format!("{command} was not confirmed; nothing was changed"),
                style,
            );
        }
    }
    carry_out(session, &store, &guard, plan, args, command, parallelism, &sources, style).await
}

fn approved(args: &ApplyArgs, style: Style) -> bool {
    if args.plan.common.input == Some(false) || args.plan.common.json {
        return false;
    }
    let question =
        format!("\n{} Only `yes` is taken for a yes: ", style.bold("Carry out this plan?"));
    terminal::ask(&question).as_deref() == Some("yes")
}

#[expect(clippy::too_many_arguments, reason = "one call site, and each is of another kind")]
async fn carry_out(
    session: &Session,
    store: &SledStore,
    guard: &state::LockGuard,
    plan: Plan,
    args: &ApplyArgs,
    command: &str,
    parallelism: usize,
    sources: &SourceMap,
    style: Style,
) -> Exit {
    let destroy = plan.mode == plan::Mode::Destroy;
    let counts = plan.counts();
    let info = OperationInfo {
        command: command.to_owned(),
        who: store::who(),
        time_unix_ms: store::now_ms(&*session.world),
        summary: format!(
            "{} added, {} changed, {} destroyed",
            counts.added, counts.changed, counts.destroyed
        ),
    };
    let operation = match store.begin_operation(guard, info) {
        Ok(operation) => operation,
        Err(error) => return fail_with(error, style),
    };
    let (stop_sender, stop) = watch::channel(false);
    let interrupts = tokio::spawn(interrupts(stop_sender));
    let json = args.plan.common.json;
    let world: Arc<dyn World> = Arc::clone(&session.world) as Arc<dyn World>;
    let clock = Arc::clone(&world);
    let events = move |event: Event| {
        if json {
            let timestamp = rfc3339(store::now_ms(&*clock));
            if let Some(message) = progress::json(&event, &timestamp) {
                terminal::line(&message.to_string());
            }
        } else if let Some(line) = progress::line(&event, style) {
            terminal::line(&line);
        }
    };
    let mut plan = plan;
    let snapshot_lineage = store.snapshot().map(|snapshot| snapshot.lineage).unwrap_or_default();
    if plan.lineage.is_empty() {
        plan.lineage = snapshot_lineage;
    }
    let result = apply::run(Request {
        plan,
        store,
        operation,
        registry: session.registry.clone(),
        context: session.context.clone(),
        world,
        options: Options { parallelism, ..Options::default() },
        events: Arc::new(events),
        stop,
    })
    .await;
    interrupts.abort();
    let summary = match result {
        Ok(summary) => summary,
        Err(error) => {
            let outcome = OperationOutcome::Failed { message: error.to_string() };
            let _ = store.end_operation(operation, outcome);
            return fail_with(error, style);
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
        return fail_with(error, style);
    }
    terminal::diagnostics(&summary.diagnostics, sources, style);
    if json {
        let message = serde_json::json!({
            "@level": "info",
            "@message": progress::summary(&summary, destroy, Style::PLAIN).trim(),
            "@module": "terraform.ui",
            "@timestamp": rfc3339(store::now_ms(&*session.world)),
            "type": "change_summary",
            "changes": {
                "add": summary.added,
                "change": summary.changed,
                "import": summary.imported,
                "remove": summary.destroyed,
                "operation": if destroy { "destroy" } else { "apply" },
            },
        });
        terminal::line(&message.to_string());
    } else {
        terminal::line("");
        terminal::print(&progress::summary(&summary, destroy, style));
        if complete && !destroy {
            show_outputs(store, style);
        }
    }
    if complete { Exit::Success } else { Exit::Failure }
}

fn show_outputs(store: &SledStore, style: Style) {
    if let Ok(snapshot) = store.snapshot()
        && !snapshot.outputs.is_empty()
    {
        terminal::line(&format!("\n{}\n", style.bold("Outputs:")));
        terminal::print(&report::state_text::outputs(&snapshot));
    }
}

/// The first interrupt asks for an end; the second one ends.
async fn interrupts(stop: watch::Sender<bool>) {
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    let _ = stop.send(true);
    if tokio::signal::ctrl_c().await.is_ok() {
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
