//! `plan`: shows what apply would do.

use std::sync::Arc;

use plan::{Attempt, Mode, Plan};
use report::plan_text;
use syntax::{Diagnostics, SourceMap};

use super::planfile;
use crate::args::{PlanArgs, PlanCommand};
use crate::exit::Exit;
use crate::judge::{self, Bench};
use crate::session::{self, Session, Wanted};
use crate::store::Beside;
use crate::ui::Ui;
use crate::{store, terminal};

/// The kind of plan that the flags ask for.
pub(crate) fn mode(args: &PlanArgs) -> Mode {
    if args.destroy {
        Mode::Destroy
    } else if args.refresh_only {
        Mode::RefreshOnly
    } else {
        Mode::Normal
    }
}

/// What is shown of a plan.
pub(crate) fn view(plan: &Plan) -> plan_text::View<'_> {
    plan_text::View::of(plan)
}

/// Writes what was found as SARIF, if that is asked for.
fn write_sarif(
    command: &PlanCommand,
    found: &Diagnostics,
    sources: &SourceMap,
) -> Result<(), String> {
    let Some(path) = &command.sarif else { return Ok(()) };
    let log = report::sarif::sarif(found, sources, env!("CARGO_PKG_VERSION"));
    std::fs::write(path, format!("{log:#}\n"))
        .map_err(|error| format!("`{path}` cannot be written: {error}"))
}

/// There is no plan.
fn refused(command: &PlanCommand, found: &Diagnostics, sources: &SourceMap, ui: &Ui) -> Exit {
    let written = write_sarif(command, found, sources);
    let exit = ui.fail(found, sources);
    match written {
        Ok(()) => exit,
        Err(error) => ui.fail_message(&error),
    }
}

/// The plan file cannot be written.
fn unwritten(path: &str, error: &std::io::Error, ui: &Ui) -> Exit {
    ui.fail_message(&format!("the plan cannot be written to `{path}`: {error}"))
}

/// Shows a plan, or tells of it.
pub(super) fn show(view: &plan_text::View<'_>, ui: &Ui) {
    if ui.is_json() {
        ui.messages().plan(view).iter().for_each(|message| ui.say(message));
    } else {
        terminal::print(&view.show(ui.style));
    }
}

/// Shows what could be planned in spite of errors; people, if that is anything.
pub(super) fn show_part(part: &Plan, ui: &Ui) {
    if ui.is_json() || !part.is_empty() {
        show(&view(part), ui);
    }
}

/// Plans and shows.
pub(crate) async fn plan(session: &Session, command: &PlanCommand) -> Exit {
    let args = &command.plan;
    let ui = Ui::new(&args.common, session.clock());
    // Without a lock, a plan may be made beside an apply; it tells what is true at this moment.
    let beside = if args.common.lock == Some(false) { Beside::Writer } else { Beside::Nobody };
    let snapshot = match super::recover::told_snapshot(session, &args.common, beside, &ui) {
        Ok(snapshot) => snapshot,
        Err(error) => return ui.fail_with(error),
    };
    let options = match session::options(args, mode(args)) {
        Ok(options) => plan::Options { refresh: options.refresh && !command.offline, ..options },
        Err(found) => return ui.fail(&found, &SourceMap::new()),
    };
    if let Some(path) = &args.generate_config_out
        && let Err(exit) = super::generate::configuration(session, args, path, &snapshot, &ui).await
    {
        return exit;
    }
    let (stack, mut found) = session.stack(&Wanted::of(args), &snapshot).await;
    let sources = Arc::clone(&stack.configuration.sources);
    let saved = planfile::Inputs::of(&stack);
    if found.has_errors() {
        return refused(command, &found, &sources, &ui);
    }
    let (configuration, inputs) = (Arc::clone(&stack.configuration), stack.inputs.clone());
    let components = stack.components.clone();
    let (attempt, more) = session.attempt(stack, &snapshot, options, &session.registry).await;
    found.extend(more);
    let plan = match attempt {
        Attempt::Planned(plan) => plan,
        Attempt::Failed(None) => return refused(command, &found, &sources, &ui),
        Attempt::Failed(Some(part)) => {
            show_part(&part, &ui);
            if let Some(path) = &args.out {
                let time = ui.messages().timestamp;
                let judged = planfile::Judged { found: &found, sources: &sources, estimate: None };
                if let Err(error) = planfile::write(path, &part, &saved, &snapshot, &judged, time) {
                    return unwritten(path, &error, &ui);
                }
            }
            return refused(command, &found, &sources, &ui);
        }
    };
    if let Err(error) = write_sarif(command, &found, &sources) {
        return ui.fail_message(&error);
    }
    ui.diagnostics(&found, &sources);
    let view = view(&plan);
    let bench = Bench {
        session,
        configuration: &configuration,
        inputs: &inputs,
        snapshot: &snapshot,
        components: &components,
    };
    let has_price =
        !plan.is_empty() && (judge::is_priced(&plan) || judge::has_prospects(&components));
    let wanted = has_price && (!ui.is_json() || args.out.is_some());
    let estimate = wanted.then(|| bench.estimate(&plan).ok()).flatten().map(|(one, _)| one);
    show(&view, &ui);
    if let (false, Some(estimate)) = (ui.is_json(), &estimate) {
        terminal::print(&report::cost::summary(estimate));
    }
    if let Some(path) = &args.out {
        let time = ui.messages().timestamp;
        let judged =
            planfile::Judged { found: &found, sources: &sources, estimate: estimate.as_ref() };
        if let Err(error) = planfile::write(path, &plan, &saved, &snapshot, &judged, time) {
            return unwritten(path, &error, &ui);
        }
        if !args.common.json {
            terminal::line(&format!("\nSaved the plan to: {path}"));
            // Whoever runs this in a pipeline knows what comes next.
            if store::env("TF_IN_AUTOMATION").is_none() {
                terminal::line(&format!("Run `stratiform apply \"{path}\"` to carry it out."));
            }
        }
    }
    let exit =
        if args.detailed_exitcode && !plan.is_empty() { Exit::Changes } else { Exit::Success };
    // The process ends now: taking a plan of 10,000 objects apart would be a tenth of all work.
    std::mem::forget((plan, snapshot, saved, found, sources));
    exit
}
