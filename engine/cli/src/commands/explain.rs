//! `explain`: why something is planned as it is, what it waits for, and where its values come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{ModuleInstance, ResourceInstance, Target};
use plan::explain::{NameKind, Subject};
use plan::{Mode, Plan};
use report::explain::{Given, Told};
use state::StateSnapshot;
use value::Value;

use super::planfile;
use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::judge::Bench;
use crate::session::{self, Origins, Session, Stack, Wanted};
use crate::store::{self, Beside};
use crate::terminal;
use crate::ui::Ui;

/// The command.
pub(crate) async fn explain(session: &Session, args: &ExplainArgs) -> Exit {
    // What is explained is one document, not messages.
    let common = crate::args::Common { json: false, ..args.common.clone() };
    let ui = Ui::new(&common, session.clock());
    explained(session, args, &ui).await.unwrap_or_else(|exit| exit)
}

async fn explained(session: &Session, args: &ExplainArgs, ui: &Ui) -> Result<Exit, Exit> {
    let snapshot = store::snapshot(&args.common, &*session.world, Beside::Writer)
        .map_err(|error| ui.fail_with(error))?;
    let ready = match &args.plan {
        Some(path) => from_file(session, args, path, &snapshot, ui).await?,
        None => planned(session, args, &snapshot, ui).await?,
    };
    let Ready { plan, configuration, inputs, origins } = ready;
    let look = |text: &str| plan::explain::explain(&plan, &parse(text)?);
    let mut address = args.address.clone();
    let mut explanation = look(&address);
    if explanation.is_none()
        && let [only] = inside(&plan, &address).as_slice()
    {
        address.clone_from(only);
        explanation = look(&address);
    }
    let Some(explanation) = explanation else {
        return Err(ui.fail_message(&unknown(&plan, &args.address)));
    };
    let bench = Bench {
        session,
        configuration: &configuration,
        inputs: &inputs,
        snapshot: &snapshot,
        components: &[],
    };
    let findings = bench.findings(&plan, &address);
    let told = Told {
        address: &address,
        plan: &plan,
        explanation: &explanation,
        sources: &configuration.sources,
        given: &origins,
        findings: &findings,
    };
    if args.common.json {
        terminal::line(&told.json().to_string());
    } else {
        terminal::print(&told.text(ui.style));
    }
    Ok(Exit::Success)
}

/// A plan and what it was made from.
struct Ready {
    plan: Plan,
    configuration: Arc<config::Configuration>,
    inputs: BTreeMap<Arc<str>, Value>,
    origins: Origins,
}

/// Plans anew. What checks refuse is explained all the same.
async fn planned(
    session: &Session,
    args: &ExplainArgs,
    snapshot: &StateSnapshot,
    ui: &Ui,
) -> Result<Ready, Exit> {
    let plan_args = args.as_plan();
    let options = session::options(&plan_args, Mode::Normal)
        .map_err(|found| ui.fail(&found, &syntax::SourceMap::new()))?;
    let (stack, mut found) = session.stack(&Wanted::of(&plan_args), snapshot).await;
    let sources = Arc::clone(&stack.configuration.sources);
    if found.has_errors() {
        return Err(ui.fail(&found, &sources));
    }
    let Stack { configuration, inputs, origins, .. } = &stack;
    let (configuration, inputs, origins) =
        (Arc::clone(configuration), inputs.clone(), origins.clone());
    let (plan, more) = session.plan_unchecked(stack, snapshot, options).await;
    found.extend(more);
    let Some(plan) = plan else { return Err(ui.fail(&found, &sources)) };
    Ok(Ready { plan, configuration, inputs, origins })
}

/// Takes the plan of a file; whether it was carried out does not matter here.
async fn from_file(
    session: &Session,
    args: &ExplainArgs,
    path: &str,
    snapshot: &StateSnapshot,
    ui: &Ui,
) -> Result<Ready, Exit> {
    let saved = planfile::read(path).map_err(|error| ui.fail_with(error))?;
    let opened = saved.open(session, snapshot, None).map_err(|error| ui.fail_with(error))?;
    let wanted = Wanted::Saved { saved: opened.stack, given: args.as_plan().inputs() };
    let (stack, found) = session.stack(&wanted, snapshot).await;
    let sources = Arc::clone(&stack.configuration.sources);
    if found.has_errors() {
        return Err(ui.fail(&found, &sources));
    }
    let (configuration, inputs) = (Arc::clone(&stack.configuration), stack.inputs.clone());
    let given = |name: &Arc<str>| {
        let source = format!("the plan file `{path}`");
        (Arc::clone(name), Given { source, span: None })
    };
    let origins = inputs.keys().map(given).collect();
    match session.saved_plan(stack, &opened.plan).await {
        Ok(Some(plan)) => Ok(Ready { plan, configuration, inputs, origins }),
        Ok(None) => Err(ui.fail_with(saved.damaged())),
        Err(found) => Err(ui.fail(&found, &sources)),
    }
}

/// `module.m[0].output.x` and the like; else a resource instance.
fn parse(text: &str) -> Option<Subject> {
    let (front, name) = text.rsplit_once('.').unwrap_or(("", text));
    let (module, word) = match front.rsplit_once('.') {
        Some((module, word)) => (module.parse::<ModuleInstance>().ok(), word),
        None => (Some(ModuleInstance::root()), front),
    };
    let kinds = [NameKind::Output, NameKind::Local, NameKind::Variable];
    let kind = kinds.into_iter().find(|kind| kind.word() == word);
    if let (Some(module), Some(kind)) = (module, kind) {
        return Some(Subject::Name(module, kind, name.into()));
    }
    text.parse::<ResourceInstance>().ok().map(Subject::Instance)
}

/// The objects of a block or module.
fn inside(plan: &Plan, text: &str) -> Vec<String> {
    let target = text.parse::<Target>();
    target.map(|target| plan::explain::within(plan, &target)).unwrap_or_default()
}

/// That there is no such thing, and what was perhaps meant.
fn unknown(plan: &Plan, text: &str) -> String {
    let inside = inside(plan, text);
    if !inside.is_empty() {
        let shown: Vec<String> = inside.iter().take(5).map(|one| format!("`{one}`")).collect();
        let more = if inside.len() > 5 { ", …" } else { "" };
        return format!(
            "`{text}` has {} objects: name one of them: {}{more}",
            inside.len(),
            shown.join(", ")
        );
    }
    let known = plan::explain::subjects(plan);
    let near = syntax::suggest(text, known.iter().map(String::as_str));
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("neither the configuration nor the state has `{text}`{hint}")
}
