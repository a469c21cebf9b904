//! `undo`: a plan that leads back to what an earlier state records, shown, approved and carried out as any plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::ResourceInstance;
use plan::{Goal, Mode};
use state::{ChangeKind, Moment, Operation, OperationId, StateError, StateSnapshot, StateStore};
use syntax::SourceMap;

use super::plan::view;
use super::{apply, planfile, recover};
use crate::args::{PlanArgs, UndoArgs};
use crate::exit::Exit;
use crate::session::{self, Session, Wanted};
use crate::store::{self, Beside};
use crate::terminal;
use crate::ui::Ui;
use crate::world::rfc3339;

/// What counts as an apply, where no operation is named.
const APPLIES: [&str; 3] = ["apply", "destroy", "undo"];

/// The command.
pub(crate) async fn undo(session: &Session, args: &UndoArgs) -> Exit {
    let ui = Ui::new(&args.common, session.clock());
    if !store::exists() {
        return ui.fail_message("nothing has been done yet, so there is nothing to undo");
    }
    let plan_args = args.as_plan();
    let done = match &args.out {
        Some(path) => write(session, args, &plan_args, path, &ui).await,
        None => carry_out(session, args, &plan_args, &ui).await,
    };
    done.unwrap_or_else(|exit| exit)
}

/// Plans, and writes the plan to a file.
async fn write(
    session: &Session,
    args: &UndoArgs,
    plan_args: &PlanArgs,
    path: &str,
    ui: &Ui,
) -> Result<Exit, Exit> {
    let told = recover::told_snapshot(session, &args.common, Beside::Nobody, ui);
    let snapshot = told.map_err(|error| ui.fail_with(error))?;
    let aim = store::ask(&args.common, &*session.world, Beside::Nobody, |store| {
        Aim::of(store, args.operation)
    });
    let aim = checked(aim, ui)?;
    let Planned { plan, saved, .. } = planned(session, plan_args, &snapshot, &aim, ui).await?;
    let time = ui.messages().timestamp;
    let (found, sources) = (syntax::Diagnostics::new(), syntax::SourceMap::new());
    // Checks are about configurations, and prices too; a way back has neither.
    let judged = planfile::Judged { found: &found, sources: &sources, estimate: None };
    if let Err(error) = planfile::write(path, &plan, &saved, &snapshot, &judged, time) {
        return Err(ui.fail_message(&format!("the plan cannot be written to `{path}`: {error}")));
    }
    if !ui.is_json() {
        terminal::line(&format!(
            "\nSaved the plan to: {path}\nRun `stratiform apply \"{path}\"` to carry it out."
        ));
    }
    Ok(Exit::Success)
}

/// Plans, asks and carries out.
async fn carry_out(
    session: &Session,
    args: &UndoArgs,
    plan_args: &PlanArgs,
    ui: &Ui,
) -> Result<Exit, Exit> {
    let store = store::open(&args.common, &*session.world).map_err(|error| ui.fail_with(error))?;
    let guard = store::lock(&store, &args.common, "undo", &*session.world)
        .map_err(|error| ui.fail_with(error))?;
    if let Some(notice) = guard.notice() {
        ui.warn(notice);
    }
    recover::settle(session, &store, plan_args, ui).await?;
    let snapshot = store.snapshot().map_err(|error| ui.fail_with(error))?;
    let aim = checked(Aim::of(&store, args.operation), ui)?;
    let planned = planned(session, plan_args, &snapshot, &aim, ui).await?;
    if !planned.plan.is_empty() && !args.auto_approve && !apply::approved(&args.common, ui) {
        return Err(ui.fail_message("undo was not confirmed; nothing was changed"));
    }
    let parallelism = args.parallelism.unwrap_or(plan::Options::default().parallelism);
    let Planned { plan, sources, .. } = planned;
    // What was there before passed its checks when it was made.
    let last_look = None;
    let exit = apply::carry_out(
        session,
        &store,
        &guard,
        plan,
        last_look,
        "undo",
        "",
        parallelism,
        &sources,
        ui,
    );
    Ok(exit.await)
}

struct Planned {
    plan: plan::Plan,
    saved: planfile::Inputs,
    sources: Arc<SourceMap>,
}

/// Plans and shows.
async fn planned(
    session: &Session,
    args: &PlanArgs,
    snapshot: &StateSnapshot,
    aim: &Aim,
    ui: &Ui,
) -> Result<Planned, Exit> {
    let mut options =
        session::options(args, Mode::Undo).map_err(|found| ui.fail(&found, &SourceMap::new()))?;
    options.goal = Some(Arc::clone(&aim.goal));
    let (stack, mut found) = session.stack(&Wanted::of(args), snapshot).await;
    let sources = Arc::clone(&stack.configuration.sources);
    if found.has_errors() {
        return Err(ui.fail(&found, &sources));
    }
    let saved = planfile::Inputs::of(&stack);
    let (plan, more) = session.plan(stack, snapshot, options).await;
    found.extend(more);
    let Some(plan) = plan else { return Err(ui.fail(&found, &sources)) };
    ui.diagnostics(&found, &sources);
    ui.note(&format!("This leads back to the state before {}.\n", aim.shown));
    if ui.is_json() {
        for message in ui.messages().plan(&view(&plan)) {
            ui.say(&message);
        }
    } else {
        terminal::print(&view(&plan).show(ui.style));
    }
    if !plan.is_empty() {
        ui.note(
            "\nThe configuration stays as it is: unless it is changed as well, the next apply plans what it says again.",
        );
    }
    Ok(Planned { plan, saved, sources })
}

/// Where to.
struct Aim {
    goal: Arc<Goal>,
    /// The operation, for people.
    shown: String,
}

impl Aim {
    /// The state before an operation; `None` inside if none is named and nothing was applied.
    fn of(store: &dyn StateStore, named: Option<u64>) -> Result<Option<Self>, StateError> {
        let history = store.history()?;
        let is_apply = |one: &&Operation| {
            APPLIES.contains(&one.info.command.as_str()) && !one.changes.is_empty()
        };
        let last = || history.iter().rev().find(is_apply).map(|one| one.id);
        let Some(id) = named.map(OperationId).or_else(last) else { return Ok(None) };
        let snapshot = store.snapshot_of(Moment::Before(id))?;
        let (mut came, mut left) = (BTreeMap::new(), BTreeMap::new());
        for change in history.iter().filter(|one| one.id >= id).flat_map(|one| &one.changes) {
            let Ok(address) = change.address.parse::<ResourceInstance>() else { continue };
            match change.kind {
                ChangeKind::Added | ChangeKind::TakenIn => came.insert(address, change.kind),
                ChangeKind::Removed | ChangeKind::Forgotten => left.insert(address, change.kind),
                ChangeKind::Updated => None,
            };
        }
        let only = |changes: BTreeMap<ResourceInstance, ChangeKind>, wanted: ChangeKind| {
            let found = changes.into_iter().filter(|(_, kind)| *kind == wanted);
            found.map(|(address, _)| address).collect()
        };
        let goal = Goal {
            snapshot,
            operation: id.0,
            alive: only(left, ChangeKind::Forgotten),
            taken_in: only(came, ChangeKind::TakenIn),
        };
        let info = history.iter().find(|one| one.id == id).map(|one| &one.info);
        let about = info.map(|info| {
            format!(" ({}, {}, {})", info.command, rfc3339(info.time_unix_ms), info.who)
        });
        let shown = format!("operation {id}{}", about.unwrap_or_default());
        Ok(Some(Self { goal: Arc::new(goal), shown }))
    }
}

fn checked(aim: Result<Option<Aim>, StateError>, ui: &Ui) -> Result<Aim, Exit> {
    match aim {
        Ok(Some(aim)) => Ok(aim),
        Ok(None) => Err(ui.fail_message(
            "nothing was applied yet; `history` lists what was done, `undo OPERATION` leads back to before one of these",
        )),
        Err(error) => Err(ui.fail_with(error)),
    }
}
