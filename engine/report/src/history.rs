//! What has been done to a state, and what differs between two of its moments.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use address::ResourceInstance;
use serde_json::{Map, Value as Json, json};
use state::{
    ChangeKind, Object, ObjectStatus, Operation, OperationOutcome, OutputRecord, Record,
    StateSnapshot,
};
use value::{Marks, Value};

use crate::diff;
use crate::plan_json;
use crate::plan_text::line;
use crate::state_text::attributes;
use crate::style::Style;
use crate::values::{Sign, key, visible};
use crate::values_json::hidden;

/// So many changes of an operation are listed.
const LISTED: usize = 20;

/// Operations, newest last.
pub fn text(operations: &[Operation], time: impl Fn(u64) -> String) -> String {
    let mut out = String::new();
    for operation in operations {
        let held = if operation.held { "" } else { "  (what was before it is not held)" };
        let _ = writeln!(
            out,
            "{:>4}  {}  {}  {}  {}{held}",
            operation.id,
            time(operation.info.time_unix_ms),
            visible(&operation.info.who),
            operation.info.command,
            outcome(operation),
        );
        for change in operation.changes.iter().take(LISTED) {
            let sign = match change.kind {
                ChangeKind::Added => '+',
                ChangeKind::TakenIn => '&',
                ChangeKind::Updated => '~',
                ChangeKind::Removed => '-',
                ChangeKind::Forgotten => '.',
            };
            let _ = writeln!(out, "        {sign} {}", visible(&change.address));
        }
        if operation.changes.len() > LISTED {
            let _ = writeln!(out, "        and {} more", operation.changes.len() - LISTED);
        }
    }
    out
}

fn outcome(operation: &Operation) -> String {
    match &operation.outcome {
        Some(OperationOutcome::Done) => "done".to_owned(),
        Some(OperationOutcome::Failed { message }) => format!("failed: {message}"),
        Some(OperationOutcome::Interrupted) => "interrupted".to_owned(),
        None => "not finished".to_owned(),
    }
}

/// Operations for machines, oldest first.
pub fn json(operations: &[Operation], time: impl Fn(u64) -> String) -> Json {
    let list: Vec<Json> = operations.iter().map(|one| operation(one, &time)).collect();
    json!({ "format_version": "1.0", "operations": list })
}

fn operation(operation: &Operation, time: &impl Fn(u64) -> String) -> Json {
    let (word, message) = match &operation.outcome {
        Some(OperationOutcome::Done) => ("done", None),
        Some(OperationOutcome::Failed { message }) => ("failed", Some(message)),
        Some(OperationOutcome::Interrupted) => ("interrupted", None),
        None => ("unfinished", None),
    };
    let changes = operation.changes.iter().map(|change| {
        let kind = match change.kind {
            ChangeKind::Added => "added",
            ChangeKind::TakenIn => "taken-in",
            ChangeKind::Updated => "updated",
            ChangeKind::Removed => "removed",
            ChangeKind::Forgotten => "forgotten",
        };
        json!({ "address": change.address, "kind": kind })
    });
    let mut out = json!({
        "operation": operation.id.0,
        "command": operation.info.command,
        "who": operation.info.who,
        "time": time(operation.info.time_unix_ms),
        "summary": operation.info.summary,
        "outcome": word,
        "held": operation.held,
        "changes": changes.collect::<Vec<_>>(),
    });
    if let Some(message) = message {
        out["message"] = json!(message);
    }
    if !operation.info.plan.is_empty() {
        out["plan"] = json!(operation.info.plan);
    }
    out
}

/// What became of the objects and outputs of one state in another one.
pub struct Difference {
    objects: Vec<Became>,
    outputs: Vec<(String, Value, Value)>,
}

/// What became of one object.
struct Became {
    address: ResourceInstance,
    provider: String,
    moved_from: Option<ResourceInstance>,
    /// Null where there was none.
    before: Value,
    after: Value,
    remarks: Vec<String>,
}

impl Became {
    fn word(&self) -> &'static str {
        match (self.before.is_null(), self.after.is_null(), &self.moved_from) {
            (true, ..) => "came",
            (_, true, _) => "went",
            (_, _, Some(_)) if self.before == self.after => "moved",
            _ => "changed",
        }
    }
}

/// Compares two states of one history.
pub fn difference(before: &StateSnapshot, after: &StateSnapshot) -> Difference {
    let moved = state::compare::moved(before, after);
    let left: BTreeSet<&ResourceInstance> = moved.values().collect();
    // What data sources gave is no object.
    let managed = before.managed().chain(after.managed());
    let addresses: BTreeSet<&ResourceInstance> = managed.map(|(address, _)| address).collect();
    let mut objects = Vec::new();
    for address in addresses.into_iter().filter(|address| !left.contains(address)) {
        let old = before.records.get(moved.get(address).unwrap_or(address)).map(|one| &**one);
        let new = after.records.get(address).map(|one| &**one);
        objects.extend(became(address, moved.get(address), old, new));
    }
    let names: BTreeSet<_> = before.outputs.keys().chain(after.outputs.keys()).collect();
    let outputs = names.into_iter().filter_map(|name| {
        let (old, new) = (before.outputs.get(name), after.outputs.get(name));
        (old != new).then(|| (name.to_string(), output(old), output(new)))
    });
    Difference { objects, outputs: outputs.collect() }
}

fn became(
    address: &ResourceInstance,
    moved_from: Option<&ResourceInstance>,
    old: Option<&Record>,
    new: Option<&Record>,
) -> Option<Became> {
    let current = |record: Option<&Record>| record.and_then(|record| record.current.clone());
    let (before, after) = (current(old), current(new));
    let mut remarks = Vec::new();
    let tainted = |object: &Option<Object>| {
        object.as_ref().is_some_and(|object| object.status == ObjectStatus::Tainted)
    };
    match (tainted(&before), tainted(&after)) {
        (false, true) => remarks.push("is tainted".to_owned()),
        (true, false) if after.is_some() => remarks.push("is not tainted any more".to_owned()),
        _ => {}
    }
    let deposed = |record: Option<&Record>| record.map_or(0, |record| record.deposed.len());
    match (deposed(old), deposed(new)) {
        (old, new) if old == new => {}
        (_, 0) => remarks.push("objects that were left over are gone".to_owned()),
        (_, count) => remarks.push(format!("{count} left over from an unfinished replacement")),
    }
    if let (Some(old), Some(new)) = (old, new)
        && old.provider != new.provider
    {
        remarks.push(format!("its provider was `{}`, and is `{}`", old.provider, new.provider));
    }
    // What was secret on either side is secret on both.
    let mut secret: Vec<_> = before.iter().flat_map(|one| one.sensitive_paths.clone()).collect();
    secret.extend(after.iter().flat_map(|one| one.sensitive_paths.clone()));
    let value = |object: &Option<Object>| {
        object
            .as_ref()
            .map_or_else(Value::dynamic_null, |one| attributes(&one.attributes_json, &secret))
    };
    let (before, after) = (value(&before), value(&after));
    if before == after && remarks.is_empty() && moved_from.is_none() {
        return None;
    }
    let provider = new.or(old)?.provider.provider.to_string();
    let (address, moved_from) = (address.clone(), moved_from.cloned());
    Some(Became { address, provider, moved_from, before, after, remarks })
}

fn output(record: Option<&OutputRecord>) -> Value {
    let Some(record) = record else { return Value::dynamic_null() };
    let tree = value::json::parse(&record.value_json).unwrap_or_default();
    let value = value::json::from_plain(&tree);
    if record.sensitive { value.mark(Marks::SENSITIVE) } else { value }
}

impl Difference {
    /// Whether the states are the same.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.outputs.is_empty()
    }

    /// For people.
    pub fn text(&self, style: Style) -> String {
        let mut out = String::new();
        if self.is_empty() {
            out.push_str("Nothing differs.\n");
            return out;
        }
        for one in &self.objects {
            let (sign, word) = match one.word() {
                "came" => (Sign::Add, "came".to_owned()),
                "went" => (Sign::Remove, style.red("went")),
                "moved" => (Sign::Same, "moved".to_owned()),
                other => (Sign::Change, other.to_owned()),
            };
            let address = visible(&one.address.to_string());
            let _ = writeln!(out, "  # {} {word}", style.bold(&address));
            if let Some(from) = &one.moved_from {
                let from = visible(&from.to_string());
                let _ = writeln!(out, "{}", style.dim(&format!("  # (was {from})")));
            }
            for remark in &one.remarks {
                let _ = writeln!(out, "{}", style.dim(&format!("  # ({})", visible(remark))));
            }
            let block = &one.address.resource;
            let _ = writeln!(
                out,
                "{} resource \"{}\" \"{}\" {{",
                sign.show(style),
                block.type_name,
                block.name
            );
            let lines = diff::object(&one.before, &one.after, 4, &[], None);
            for one in &lines {
                line(one, style, &mut out);
            }
            out.push_str("    }\n\n");
        }
        if !self.outputs.is_empty() {
            let _ = writeln!(out, "{}", style.bold("Outputs:"));
            let width = self.outputs.iter().map(|(name, ..)| key(name).chars().count()).max();
            for (name, before, after) in &self.outputs {
                let label = format!("{:w$} = ", key(name), w = width.unwrap_or(0));
                let lines = diff::named(&label, before, after, 0);
                for one in &lines {
                    line(one, style, &mut out);
                }
            }
            out.push('\n');
        }
        let count = |word: &str| self.objects.iter().filter(|one| one.word() == word).count();
        let mut totals =
            format!("{} came, {} changed, {} went", count("came"), count("changed"), count("went"));
        if count("moved") > 0 {
            let _ = write!(totals, ", {} moved", count("moved"));
        }
        let _ = writeln!(out, "{} {totals}.", style.bold("Objects:"));
        out
    }

    /// For machines: changes as in a plan's JSON, without sensitive values.
    pub fn json(&self) -> Json {
        let changes = self.objects.iter().map(|one| {
            let actions: &[&str] = match one.word() {
                "came" => &["create"],
                "went" => &["delete"],
                "moved" => &["no-op"],
                _ => &["update"],
            };
            let mut entry = plan_json::header(&one.address, &one.provider);
            if let Some(from) = &one.moved_from {
                entry["previous_address"] = json!(from.to_string());
            }
            entry["change"] = masked(actions, &one.before, &one.after);
            if !one.remarks.is_empty() {
                entry["remarks"] = json!(one.remarks);
            }
            entry
        });
        let outputs: Map<String, Json> = self
            .outputs
            .iter()
            .map(|(name, before, after)| {
                let actions: &[&str] = match (before.is_null(), after.is_null()) {
                    (true, _) => &["create"],
                    (_, true) => &["delete"],
                    _ => &["update"],
                };
                (name.clone(), masked(actions, before, after))
            })
            .collect();
        json!({
            "format_version": "1.0",
            "resource_changes": changes.collect::<Vec<_>>(),
            "output_changes": outputs,
        })
    }
}

fn masked(actions: &[&str], before: &Value, after: &Value) -> Json {
    let mut values = plan_json::values(actions, before, after);
    values["before"] = plan_json::plain(&hidden(before.clone()));
    values["after"] = plan_json::plain(&hidden(after.clone()));
    if let Some(values) = values.as_object_mut() {
        values.remove("after_unknown");
    }
    values
}
