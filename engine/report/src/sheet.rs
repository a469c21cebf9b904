//! What people are told of a plan, before it is known in which form: text, HTML and Markdown are made from it.
//!
//! In: a [`View`]. Out: a [`Sheet`], which a plan file keeps. Values are in it as lines, already without what is
//! sensitive, so that no form that is made from it can give a secret away.

use plan::evaluation::Evaluation;
use plan::{Action, Mode, ReplaceOrder, ResourceChange, StepKind};
use serde::{Deserialize, Serialize};

use crate::diff::{self, Line};
use crate::plan_json;
use crate::plan_text::View;
use crate::values::{Sign, key, visible};

/// A plan as people see it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// What the run is for.
    pub mode: Purpose,
    /// Whether there is nothing to do.
    pub empty: bool,
    /// Whether planning met errors, and this is what could be planned.
    #[serde(default)]
    pub errored: bool,
    /// How many objects are touched.
    pub counts: Counts,
    /// Objects that are not what the state records.
    pub drift: Vec<Entry>,
    /// What will be done to which object, in the order of addresses.
    pub entries: Vec<Entry>,
    /// Outputs that change.
    pub outputs: Vec<Line>,
    /// How many outputs change.
    pub changed_outputs: usize,
    /// Where components go.
    pub placements: Vec<Placement>,
    /// Checks that wait for values.
    pub deferred_checks: Vec<String>,
    /// More that is known of the plan, such as its price; empty where nobody has added anything.
    #[serde(default)]
    pub sections: Vec<Section>,
    /// The order in which entries are carried out.
    pub steps: Vec<Step>,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To bring the world to what the configuration says.
    #[default]
    Apply,
    /// To destroy what the state holds.
    Destroy,
    /// To record what is real.
    Refresh,
    /// To bring back what an earlier state records.
    Undo,
}

/// How many objects a plan touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Created, halves of replacements included.
    pub add: usize,
    /// Updated in place.
    pub change: usize,
    /// Destroyed, halves of replacements included.
    pub destroy: usize,
    /// Brought into the state.
    pub import: usize,
    /// Dropped from the state.
    pub forget: usize,
}

/// Where a component goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Its address.
    pub component: String,
    /// What was chosen.
    pub offer: String,
    /// Where that is.
    pub backend: String,
    /// Why.
    pub reason: String,
}

/// A part of a report that others write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// Amounts before and after, to be drawn beside each other; empty where there is nothing to draw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bars: Vec<Bar>,
}

/// An amount before and after, drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// What it is of.
    pub label: String,
    /// Its length before, in thousandths of the longest.
    pub before: u32,
    /// Its length after, in thousandths of the longest.
    pub after: u32,
    /// The amounts in words.
    pub text: String,
}

/// What happens to one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// It goes.
    Destroy,
    /// It goes, and comes again.
    Replace,
    /// It comes again, and the old one goes.
    ReplaceNewFirst,
    /// It leaves the state and lives on.
    Forget,
    /// It changes in place.
    Update,
    /// It comes.
    Create,
    /// It comes into the state as it is.
    Import,
    /// It gets another address.
    Move,
    /// It is looked at while applying.
    Read,
    /// It has changed by other hands.
    Drifted,
    /// It has gone by other hands.
    Gone,
}

/// One object of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its address.
    pub address: String,
    /// The module it is in; empty for the root.
    pub module: String,
    /// `resource` or `data`.
    pub kind: String,
    /// Its type.
    pub type_name: String,
    /// The name of its block.
    pub name: String,
    /// What happens to it.
    pub verb: Verb,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// Where it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// What is shown of it.
    pub lines: Vec<Line>,
}

/// One thing that apply does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// In one word; empty for a step that only joins others.
    pub does: String,
    /// The entry that it carries out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<usize>,
    /// Steps that come before, by their place.
    pub after: Vec<usize>,
}

impl Verb {
    /// The sign before its block.
    pub fn sign(self) -> Sign {
        match self {
            Self::Destroy | Self::Gone => Sign::Remove,
            Self::Replace => Sign::Replace,
            Self::ReplaceNewFirst => Sign::ReplaceFirst,
            Self::Forget => Sign::Forget,
            Self::Update | Self::Drifted => Sign::Change,
            Self::Create => Sign::Add,
            Self::Import | Self::Move => Sign::Same,
            Self::Read => Sign::Read,
        }
    }

    /// What follows the address.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Destroy => "will be destroyed",
            Self::Replace | Self::ReplaceNewFirst => "must be replaced",
            Self::Forget => "will no longer be managed by Stratiform, but will not be destroyed",
            Self::Update => "will be updated in-place",
            Self::Create => "will be created",
            Self::Import => "will be imported",
            Self::Move => "has moved here",
            Self::Read => "will be read during apply",
            Self::Drifted => "has changed",
            Self::Gone => "has been deleted",
        }
    }

    /// What its sign means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Destroy | Self::Gone => "destroy",
            Self::Replace => "destroy and then create replacement",
            Self::ReplaceNewFirst => "create replacement and then destroy",
            Self::Forget => "forget, without destroying",
            Self::Update | Self::Drifted => "update in-place",
            Self::Create => "create",
            Self::Import => "import",
            Self::Move => "move",
            Self::Read => "read (data sources)",
        }
    }

    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Destroy | Self::Gone => "destroy",
            Self::Replace | Self::ReplaceNewFirst => "replace",
            Self::Forget => "forget",
            Self::Update | Self::Drifted => "update",
            Self::Create => "create",
            Self::Import => "import",
            Self::Move => "move",
            Self::Read => "read",
        }
    }

    /// Whether an object is lost.
    pub fn destroys(self) -> bool {
        matches!(self, Self::Destroy | Self::Replace | Self::ReplaceNewFirst)
    }
}

impl Sheet {
    /// What is to be told of a plan.
    pub fn of(view: &View<'_>) -> Self {
        let mut place = vec![None; view.changes.len()];
        let mut entries = Vec::new();
        for (at, change) in view.changes.iter().enumerate() {
            if let Some(verb) = verb(change) {
                place[at] = Some(entries.len());
                entries.push(entry(change, verb, view.evaluation));
            }
        }
        let outputs: Vec<_> =
            view.outputs.iter().filter(|(_, change)| change.action != Action::NoOp).collect();
        let counts = view.counts;
        Self {
            mode: match view.mode {
                Mode::Normal => Purpose::Apply,
                Mode::Undo => Purpose::Undo,
                Mode::Destroy => Purpose::Destroy,
                Mode::RefreshOnly => Purpose::Refresh,
            },
            empty: view.empty,
            errored: view.errored,
            counts: Counts {
                add: counts.added,
                change: counts.changed,
                destroy: counts.destroyed,
                import: counts.imported,
                forget: counts.forgotten,
            },
            drift: view
                .drift
                .iter()
                // What a refresh records is shown in full.
                .filter(|one| !one.spelling || view.mode == Mode::RefreshOnly)
                .map(|one| drifted(one, view.evaluation))
                .collect(),
            entries,
            outputs: output_lines(&outputs),
            changed_outputs: outputs.len(),
            placements: view.decisions.iter().map(placement).collect(),
            deferred_checks: view.deferred_checks.iter().map(|check| visible(check)).collect(),
            sections: put_off(view),
            steps: view.steps.iter().map(|one| step(one, &place)).collect(),
        }
    }
}

/// Changes that are left to a later run, with the reasons.
fn put_off(view: &View<'_>) -> Vec<Section> {
    use plan::DeferredReason::{Prerequisite, Provider};
    use sdk::Deferral;
    if view.deferred.is_empty() {
        return Vec::new();
    }
    let line = |one: &plan::DeferredChange| {
        let reason = match one.reason {
            Prerequisite => "what it is made from is put off",
            Provider(Deferral::Unknown) => "its provider says so, and not why",
            Provider(Deferral::ResourceConfigUnknown) => "its configuration is not known yet",
            Provider(Deferral::ProviderConfigUnknown) => {
                "the configuration of its provider is not known yet"
            }
            Provider(Deferral::AbsentPrerequisite) => "something that it needs does not exist yet",
        };
        let actions = one.change.action.names().join(", then ");
        format!("{} ({actions}): {reason}", one.change.address)
    };
    let lines = view.deferred.iter().map(line).collect();
    vec![Section { title: "Put off to a later run".to_owned(), lines, bars: Vec::new() }]
}

fn placement(decision: &component::Decision) -> Placement {
    Placement {
        component: decision.component.clone(),
        offer: decision.offer.clone(),
        backend: decision.backend.clone(),
        reason: visible(decision.reasons.first().map_or("", String::as_str)),
    }
}

fn step(step: &plan::Step, place: &[Option<usize>]) -> Step {
    let does = match step.kind {
        StepKind::Create => "create",
        StepKind::Update => "update",
        StepKind::Delete => "destroy",
        StepKind::Forget => "forget",
        StepKind::Read => "read",
        StepKind::Import => "import",
        StepKind::Join => "",
    };
    let entry = step.change.and_then(|change| place.get(change).copied().flatten());
    Step { does: does.to_owned(), entry, after: step.after.clone() }
}

/// What is said of a change; nothing of an object that stays as and where it is.
pub(crate) fn verb(change: &ResourceChange) -> Option<Verb> {
    Some(match change.action {
        Action::NoOp if change.importing.is_some() => Verb::Import,
        Action::NoOp if change.previous_address.is_some() => Verb::Move,
        Action::NoOp => return None,
        Action::Create => Verb::Create,
        Action::Read => Verb::Read,
        Action::Update => Verb::Update,
        Action::Replace(ReplaceOrder::DeleteThenCreate) => Verb::Replace,
        Action::Replace(ReplaceOrder::CreateThenDelete) => Verb::ReplaceNewFirst,
        Action::Delete => Verb::Destroy,
        Action::Forget => Verb::Forget,
    })
}

fn header(address: &address::ResourceInstance, verb: Verb) -> Entry {
    let block = &address.resource;
    let data = block.mode == address::ResourceMode::Data;
    Entry {
        address: visible(&address.to_string()),
        module: if address.module.is_root() {
            String::new()
        } else {
            visible(&address.module.to_string())
        },
        kind: if data { "data" } else { "resource" }.to_owned(),
        type_name: block.type_name.to_string(),
        name: block.name.to_string(),
        verb,
        reasons: Vec::new(),
        moved_from: None,
        lines: Vec::new(),
    }
}

fn entry(change: &ResourceChange, verb: Verb, evaluation: &Evaluation) -> Entry {
    let mut entry = header(&change.address, verb);
    if let Some(key) = &change.deposed {
        entry.address = format!("{} (deposed object {key})", entry.address);
        entry.reasons.push("left over from an unfinished replacement".to_owned());
    }
    entry.reasons.extend(reason(change));
    entry.reasons.extend(change.remarks.iter().map(|remark| visible(remark)));
    entry.moved_from = change.previous_address.as_ref().map(|from| visible(&from.to_string()));
    if let Some(id) = &change.importing {
        entry.reasons.push(format!("imported from {}", crate::values::quote(id)));
    }
    let nothing = value::Value::dynamic_null();
    let (before, after) = match change.action {
        Action::Delete => (&change.before, &nothing),
        Action::Forget => (&change.before, &change.before),
        Action::Create | Action::Read => (&nothing, &change.after),
        _ => (&change.before, &change.after),
    };
    // A deposed object is shown as it is recorded, without types.
    let known = change.deposed.is_none();
    let schema = shape(&change.provider, &change.address, evaluation).filter(|_| known);
    entry.lines = diff::object(before, after, 4, &change.requires_replace, schema);
    entry
}

/// What tells the blocks of an object from its attributes.
fn shape<'e>(
    provider: &address::ProviderConfig,
    address: &address::ResourceInstance,
    evaluation: &'e Evaluation,
) -> Option<&'e sdk::Block> {
    let resource = &address.resource;
    evaluation.schema(provider, resource.mode, &resource.type_name).map(|schema| &schema.block)
}

fn drifted(drift: &plan::DriftChange, evaluation: &Evaluation) -> Entry {
    let gone = drift.real.is_null();
    let mut entry = header(&drift.address, if gone { Verb::Gone } else { Verb::Drifted });
    let schema = shape(&drift.provider, &drift.address, evaluation);
    entry.lines = diff::object(&drift.recorded, &drift.real, 4, &[], schema);
    entry
}

fn output_lines(outputs: &[&(&str, &plan::OutputChange)]) -> Vec<Line> {
    let width = outputs.iter().map(|(name, _)| key(name).chars().count()).max().unwrap_or(0);
    let mut out = Vec::new();
    for (name, change) in outputs {
        let hide = |shown: &value::Value| {
            if change.sensitive && !shown.is_null() {
                shown.clone().mark(value::Marks::SENSITIVE)
            } else {
                shown.clone()
            }
        };
        let (before, after) = (hide(&change.before), hide(&change.after));
        let label = format!("{:width$} = ", key(name));
        let nothing = value::Value::dynamic_null();
        let (before, after) = match change.action {
            Action::Create => (&nothing, &after),
            Action::Delete => (&before, &nothing),
            _ => (&before, &after),
        };
        out.extend(diff::named(&label, before, after, 0));
    }
    out
}

/// Why, in words that can follow the address's line.
pub(crate) fn reason(change: &ResourceChange) -> Option<String> {
    let block = &change.address.resource;
    let key = |key: &address::InstanceKey| visible(&key.to_string());
    Some(match plan_json::reason(change)? {
        "replace_because_cannot_update" => return None,
        "replace_because_tainted" => "its creation did not end well, so it is tainted".to_owned(),
        "replace_by_request" => "as -replace asks for".to_owned(),
        "replace_by_triggers" => "because of a change in replace_triggered_by".to_owned(),
        "delete_because_no_resource_config" => {
            format!("because {}.{} is not in the configuration", block.type_name, block.name)
        }
        "delete_because_no_module" => {
            format!(
                "because {} is not in the configuration",
                visible(&change.address.module.to_string())
            )
        }
        "delete_because_wrong_repetition" => {
            "because its block has count, for_each or neither, and its key is of another kind"
                .to_owned()
        }
        "delete_because_count_index" => {
            format!("because index {} is out of range for count", key(&change.address.key))
        }
        "delete_because_each_key" => {
            format!("because key {} is not in the map of for_each", key(&change.address.key))
        }
        "delete_because_no_move_target" => "because a moved block leads nowhere".to_owned(),
        "read_because_config_unknown" => {
            "because its configuration depends on values that are not known yet".to_owned()
        }
        "read_because_dependency_pending" => {
            "because something that it depends on is going to change".to_owned()
        }
        "read_because_check_nested" => "because a check looks again when all is done".to_owned(),
        other => other.replace('_', " "),
    })
}
