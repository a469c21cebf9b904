//! `-generate-config-out`: blocks for what `import` blocks bring in without one.
//!
//! The objects are looked up first, as if empty blocks were there. Then they are written out and planned. Where the
//! provider refuses an attribute, which one must be without is tried: the one with which least is lost.

use std::collections::BTreeSet;
use std::path::Path;

use plan::{Mode, Options, Unwritten};
use report::config_text::{self, Line, Subject};
use state::StateSnapshot;
use syntax::{Diagnostics, SourceMap};

use crate::args::PlanArgs;
use crate::exit::Exit;
use crate::session::{Session, Stack, Wanted, problem};
use crate::terminal;
use crate::ui::Ui;

/// So many attributes are left out before the text is given as it is.
const TRIES: usize = 64;

/// Writes the file, and makes it part of the configuration. Nothing is written if nothing is missing.
pub(crate) async fn configuration(
    session: &Session,
    args: &PlanArgs,
    path: &str,
    snapshot: &StateSnapshot,
    ui: &Ui,
) -> Result<(), Exit> {
    let refused = |message: &str, help: &str| {
        ui.fail_with(syntax::Report { help: Some(help.to_owned()), ..problem(message) })
    };
    if super::plan::mode(args) != Mode::Normal {
        let message = "`-generate-config-out` goes with neither `-destroy` nor `-refresh-only`";
        return Err(refused(message, "plan without them"));
    }
    if Path::new(path).exists() {
        let message =
            format!("`{path}` is there already, and `-generate-config-out` writes new files alone");
        return Err(refused(&message, "name another file, or move what is in this one elsewhere"));
    }
    let name = draft_name(path);
    let missing = missing(session, args, snapshot, ui).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let subjects = look_up(session, args, &name, missing, snapshot, ui).await?;
    let text = settle(session, args, &name, &subjects, snapshot).await;
    std::fs::write(path, &text)
        .map_err(|error| ui.fail_message(&format!("`{path}` cannot be written: {error}")))?;
    session.world.set_draft(&name, text);
    if !ui.is_json() {
        let objects = match subjects.len() {
            1 => "an imported object".to_owned(),
            count => format!("{count} imported objects"),
        };
        terminal::error_line(&format!(
            "Wrote the configuration of {objects} to `{path}`. Review it before you keep it."
        ));
    }
    Ok(())
}

/// The name under which the file is read. One that would not be read where it is to be is read beside the others.
fn draft_name(path: &str) -> String {
    let plain = path.strip_prefix("./").unwrap_or(path);
    let is_own = !plain.contains('/') && plain.ends_with(".tf") && !plain.starts_with('.');
    if is_own { plain.to_owned() } else { "generated.stratiform.tf".to_owned() }
}

async fn load(
    session: &Session,
    args: &PlanArgs,
    snapshot: &StateSnapshot,
    ui: &Ui,
) -> Result<Stack, Exit> {
    let (stack, found) = session.stack(&Wanted::of(args), snapshot).await;
    if found.has_errors() {
        return Err(ui.fail(&found, &stack.configuration.sources));
    }
    Ok(stack)
}

async fn missing(
    session: &Session,
    args: &PlanArgs,
    snapshot: &StateSnapshot,
    ui: &Ui,
) -> Result<Vec<Unwritten>, Exit> {
    let stack = load(session, args, snapshot, ui).await?;
    let sources = std::sync::Arc::clone(&stack.configuration.sources);
    let readers = plan::Readers::new(&session.registry);
    let request = session.request(stack, snapshot, Options::default(), &readers);
    let mut missing = plan::unwritten(&request).await.map_err(|found| ui.fail(&found, &sources))?;
    missing.retain(|one| snapshot.record(&one.address).is_none());
    Ok(missing)
}

/// Looks the objects up, with empty blocks for them.
async fn look_up(
    session: &Session,
    args: &PlanArgs,
    name: &str,
    missing: Vec<Unwritten>,
    snapshot: &StateSnapshot,
    ui: &Ui,
) -> Result<Vec<Subject>, Exit> {
    let provider = |one: &Unwritten| one.provider.as_ref().map(ToString::to_string);
    let mut stubs = String::new();
    for one in &missing {
        let resource = &one.address.resource;
        let inside = provider(one).map(|name| format!(" provider = {name} ")).unwrap_or_default();
        let (type_name, name) = (&resource.type_name, &resource.name);
        stubs.push_str(&format!("resource \"{type_name}\" \"{name}\" {{{inside}}}\n"));
    }
    session.world.set_draft(name, stubs);
    let stack = load(session, args, snapshot, ui).await?;
    let sources = std::sync::Arc::clone(&stack.configuration.sources);
    let addresses = missing.iter().map(|one| one.address.clone());
    let options = Options {
        mode: Mode::RefreshOnly,
        targets: addresses.map(address::Target::Instance).collect(),
        imports: missing.iter().map(|one| (one.address.clone(), one.id.clone())).collect(),
        parallelism: args.parallelism.unwrap_or(Options::default().parallelism).max(1),
        ..Options::default()
    };
    let (plan, found) = session.plan(stack, snapshot, options).await;
    let Some(plan) = plan else { return Err(ui.fail(&found, &sources)) };
    let subjects = missing.into_iter().filter_map(|one| {
        let change = plan.changes.iter().find(|change| change.address == one.address)?;
        let provider = provider(&one);
        Some(Subject {
            schema: plan.evaluation.schema_of(&one.address)?.block,
            object: change.before.clone(),
            address: one.address,
            id: one.id,
            provider,
        })
    });
    Ok(subjects.collect())
}

/// Leaves out what the provider refuses.
async fn settle(
    session: &Session,
    args: &PlanArgs,
    name: &str,
    subjects: &[Subject],
    snapshot: &StateSnapshot,
) -> String {
    let mut left_out = BTreeSet::new();
    loop {
        let (text, lines) = config_text::blocks(subjects, &left_out);
        if left_out.len() >= TRIES {
            return text;
        }
        session.world.set_draft(name, text.clone());
        let options = Options { refresh: false, ..Options::default() };
        let (stack, found) = session.stack(&Wanted::of(args), snapshot).await;
        let sources = std::sync::Arc::clone(&stack.configuration.sources);
        let found =
            if found.has_errors() { found } else { session.plan(stack, snapshot, options).await.1 };
        let Some(key) = refused_line(&found, &sources, name, &lines) else { return text };
        left_out.insert(key);
    }
}

/// Of the attributes that errors point at, the one with which least is lost.
fn refused_line(
    found: &Diagnostics,
    sources: &SourceMap,
    name: &str,
    lines: &[Line],
) -> Option<config_text::Key> {
    let errors = found.iter().filter(|one| syntax::severity_of(*one) == syntax::Severity::Error);
    let offsets = errors.flat_map(|one| one.labels().into_iter().flatten());
    let places = offsets.filter_map(|label| {
        let location = sources.locate(u32::try_from(label.offset()).ok()?);
        (location.file == name).then_some(location.line)
    });
    let lines = places.filter_map(|line| lines.get(line.checked_sub(1)?));
    let (_, key) = lines.filter_map(|line| Some((line.idle, line.key.clone()?))).max()?;
    Some(key)
}
