//! Terraform's machine-readable UI: one JSON object per line, versions of `-json` of plan and apply.
//!
//! Source: Terraform's documentation, "Machine-Readable UI", version 1.2.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{InstanceKey, ResourceInstance};
use apply::{Event, Summary};
use plan::ephemeral::{Stage, Told};
use plan::{Action, Mode, OutputChange, ResourceChange};
use serde_json::{Map, Value as Json, json};
use state::OutputRecord;
use syntax::{Diagnostics, Severity, SourceMap, severity_of};

use crate::plan_text::View;
use crate::progress::{self, verb};
use crate::style::Style;
use crate::{diagnostics, live, plan_json};

/// Makes messages that carry the time that it was made with.
pub struct Messages {
    /// The present, as RFC 3339.
    pub timestamp: String,
}

impl Messages {
    pub(crate) fn message(
        &self,
        level: &str,
        kind: &str,
        text: &str,
        body: &[(&str, Json)],
    ) -> Json {
        let mut out = Map::new();
        out.insert("@level".to_owned(), json!(level));
        out.insert("@message".to_owned(), json!(text));
        out.insert("@module".to_owned(), json!("terraform.ui"));
        out.insert("@timestamp".to_owned(), json!(self.timestamp));
        out.extend(body.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        out.insert("type".to_owned(), json!(kind));
        Json::Object(out)
    }

    /// The first message: who speaks.
    pub fn version(&self, language_version: &str, own_version: &str) -> Json {
        let body = [
            ("terraform", json!(language_version)),
            ("stratiform", json!(own_version)),
            ("ui", json!("1.2")),
        ];
        self.message("info", "version", &format!("Stratiform {own_version}"), &body)
    }

    /// A line that has no form of its own.
    pub fn log(&self, level: &str, text: &str) -> Json {
        self.message(level, "log", text, &[])
    }

    /// Errors and warnings.
    pub fn diagnostics(&self, found: &Diagnostics, sources: &SourceMap) -> Vec<Json> {
        let all = diagnostics::sorted(found).into_iter().map(|one| {
            let (level, word) = match severity_of(one) {
                Severity::Error => ("error", "Error"),
                Severity::Warning => ("warn", "Warning"),
            };
            let body = [("diagnostic", diagnostics::json(one, sources))];
            self.message(level, "diagnostic", &format!("{word}: {one}"), &body)
        });
        all.collect()
    }

    /// A plan: what drifted, what will change, how much, and the outputs.
    pub fn plan(&self, view: &View<'_>) -> Vec<Json> {
        let mut out = Vec::new();
        for one in view.evaluation.looked_up() {
            out.extend(self.looked_up(&one));
        }
        out.extend(view.evaluation.told_of_ephemerals.iter().map(|told| self.ephemeral(told)));
        for drift in view.drift {
            let action = if drift.real.is_null() { "delete" } else { "update" };
            let change = json!({ "resource": resource(&drift.address), "action": action });
            let text = format!("{}: Drift detected ({action})", drift.address);
            out.push(self.message("info", "resource_drift", &text, &[("change", change)]));
        }
        out.extend(view.changes.iter().filter_map(|change| self.planned_change(change)));
        let counts = view.counts;
        let imported = if counts.imported > 0 {
            format!("{} to import, ", counts.imported)
        } else {
            String::new()
        };
        let text = format!(
            "Plan: {imported}{} to add, {} to change, {} to destroy.",
            counts.added, counts.changed, counts.destroyed
        );
        let changes = json!({
            "add": counts.added,
            "change": counts.changed,
            "import": counts.imported,
            "remove": counts.destroyed,
            "operation": "plan",
        });
        out.push(self.message("info", "change_summary", &text, &[("changes", changes)]));
        if !view.outputs.is_empty() {
            out.push(self.planned_outputs(&view.outputs));
        }
        out
    }

    /// What happens to an ephemeral object.
    fn ephemeral(&self, told: &Told) -> Json {
        let action = progress::doing(told.operation).1;
        let mut body = json!({ "resource": resource(&told.address), "action": action });
        let kind = match told.stage {
            Stage::Started => "ephemeral_op_start",
            Stage::Ended { elapsed_ms } => {
                body["elapsed_seconds"] = json!(elapsed_ms / 1000);
                "ephemeral_op_complete"
            }
            Stage::Failed { elapsed_ms } => {
                body["elapsed_seconds"] = json!(elapsed_ms / 1000);
                "ephemeral_op_errored"
            }
        };
        self.message("info", kind, &progress::ephemeral(told, Style::PLAIN), &[("hook", body)])
    }

    /// A data source that was read for the plan.
    fn looked_up(&self, one: &plan::LookedUp) -> [Json; 2] {
        let address = &one.address;
        let mut body = json!({ "resource": resource(address), "action": "read" });
        let started = format!("{address}: Refreshing...");
        let started = self.message("info", "apply_start", &started, &[("hook", body.clone())]);
        let id = one.value.get_attr("id").filter(|id| id.deep_marks().is_empty());
        let mut shown = String::new();
        if let Some(id) = id.and_then(value::Value::as_str) {
            body["id_key"] = json!("id");
            body["id_value"] = json!(id);
            shown = format!(" [id={id}]");
        }
        body["elapsed_seconds"] = json!(0);
        let ended = format!("{address}: Refresh complete after 0s{shown}");
        [started, self.message("info", "apply_complete", &ended, &[("hook", body)])]
    }

    fn planned_change(&self, change: &ResourceChange) -> Option<Json> {
        let action = match change.action {
            Action::NoOp if change.importing.is_some() => "import",
            Action::NoOp if change.previous_address.is_some() => "move",
            Action::NoOp => return None,
            Action::Create => "create",
            Action::Read => "read",
            Action::Update => "update",
            Action::Replace(_) => "replace",
            Action::Delete => "delete",
            Action::Forget => "remove",
        };
        let mut body = json!({ "resource": resource(&change.address), "action": action });
        if let Some(previous) = &change.previous_address {
            body["previous_resource"] = resource(previous);
        }
        if let Some(id) = &change.importing {
            body["importing"] = json!({ "id": id });
        }
        if let Some(reason) = plan_json::reason(change) {
            body["reason"] = json!(short_reason(reason));
        }
        let text = format!("{}: Plan to {action}", change.address);
        Some(self.message("info", "planned_change", &text, &[("change", body)]))
    }

    fn planned_outputs(&self, outputs: &[(&str, &OutputChange)]) -> Json {
        let entries = outputs.iter().map(|(name, change)| {
            let action = match change.action {
                Action::Create => "create",
                Action::Delete => "delete",
                Action::NoOp => "noop",
                _ => "update",
            };
            ((*name).to_owned(), json!({ "sensitive": change.sensitive, "action": action }))
        });
        let entries: Map<String, Json> = entries.collect();
        let text = format!("Outputs: {}", entries.len());
        self.message("info", "outputs", &text, &[("outputs", Json::Object(entries))])
    }

    /// An event of apply.
    pub fn event(&self, event: &Event) -> Option<Json> {
        if let Event::ProvisionerEnded { address, kind, failed } = event {
            let (name, text) = if *failed {
                ("provision_errored", "Provisioning errored")
            } else {
                ("provision_complete", "Provisioning complete")
            };
            let body = json!({ "resource": resource(address), "provisioner": &**kind });
            let text = format!("{address}: ({kind}) {text}");
            return Some(self.message("info", name, &text, &[("hook", body)]));
        }
        let text = progress::line(event, Style::PLAIN)?;
        let hook = |kind: &str, body: Json| self.message("info", kind, &text, &[("hook", body)]);
        let with_id = |body: &mut Json, id: &Option<String>| {
            if let Some(id) = id {
                body["id_key"] = json!("id");
                body["id_value"] = json!(id);
            }
        };
        Some(match event {
            Event::Started { address, action, kind, id } => {
                let mut body =
                    json!({ "resource": resource(address), "action": verb(*action, *kind).2 });
                with_id(&mut body, id);
                hook("apply_start", body)
            }
            Event::Progress { address, .. } => {
                hook("apply_progress", json!({ "resource": resource(address) }))
            }
            Event::ProvisionerStarted { address, kind } => hook(
                "provision_start",
                json!({ "resource": resource(address), "provisioner": &**kind }),
            ),
            Event::Ephemeral(told) => return Some(self.ephemeral(told)),
            Event::ProvisionerEnded { .. } => return None,
            Event::Provisioner { address, kind, line } => hook(
                "provision_progress",
                json!({ "resource": resource(address), "provisioner": &**kind, "output": line }),
            ),
            Event::Finished { address, action, kind, id, elapsed_ms } => {
                let mut body =
                    json!({ "resource": resource(address), "action": verb(*action, *kind).2 });
                with_id(&mut body, id);
                body["elapsed_seconds"] = json!(elapsed_ms / 1000);
                hook("apply_complete", body)
            }
            Event::Failed { address, action, kind, elapsed_ms } => hook(
                "apply_errored",
                json!({
                    "resource": resource(address),
                    "action": verb(*action, *kind).2,
                    "elapsed_seconds": elapsed_ms / 1000,
                }),
            ),
            Event::Stopping => self.log("warn", &text),
        })
    }

    /// A step that takes its time.
    pub fn still(&self, still: &live::Still) -> Json {
        let body = json!({
            "resource": resource(&still.address),
            "action": verb(still.action, still.kind).2,
            "elapsed_seconds": still.elapsed_ms / 1000,
        });
        self.message("info", "apply_progress", &still.line(Style::PLAIN), &[("hook", body)])
    }

    /// An operation on an ephemeral object that takes its time.
    pub fn still_ephemeral(&self, still: &live::StillEphemeral) -> Json {
        let body = json!({
            "resource": resource(&still.address),
            "action": progress::doing(still.operation).1,
            "elapsed_seconds": still.elapsed_ms / 1000,
        });
        let text = still.line(Style::PLAIN);
        self.message("info", "ephemeral_op_progress", &text, &[("hook", body)])
    }

    /// The end of a run.
    pub fn summary(&self, summary: &Summary, mode: Mode) -> Json {
        let destroy = mode == Mode::Destroy;
        let changes = json!({
            "add": summary.added,
            "change": summary.changed,
            "import": summary.imported,
            "remove": summary.destroyed,
            "operation": if destroy { "destroy" } else { "apply" },
        });
        let text = progress::summary(summary, destroy, Style::PLAIN);
        self.message("info", "change_summary", text.trim(), &[("changes", changes)])
    }

    /// The outputs that a run has left; sensitive values stay out.
    pub fn outputs(&self, outputs: &BTreeMap<Arc<str>, OutputRecord>) -> Json {
        let parse = |text: &str| value::json::parse(text).unwrap_or_default();
        let entries: Map<String, Json> = outputs
            .iter()
            .map(|(name, output)| {
                let mut entry =
                    json!({ "sensitive": output.sensitive, "type": parse(&output.type_json) });
                if !output.sensitive {
                    entry["value"] = parse(&output.value_json);
                }
                (name.to_string(), entry)
            })
            .collect();
        let text = format!("Outputs: {}", entries.len());
        self.message("info", "outputs", &text, &[("outputs", Json::Object(entries))])
    }
}

/// The reason as this form spells it: without the action that it is for, where Terraform leaves it out.
fn short_reason(reason: &'static str) -> &'static str {
    match reason {
        "replace_because_cannot_update" => "cannot_update",
        "replace_because_tainted" => "tainted",
        "replace_by_request" => "requested",
        "replace_by_triggers" => "replace_triggered_by",
        other => other,
    }
}

fn resource(address: &ResourceInstance) -> Json {
    let module = if address.module.is_root() { String::new() } else { address.module.to_string() };
    json!({
        "addr": address.to_string(),
        "module": module,
        "resource": format!("{}{}", address.resource, address.key),
        "implied_provider": address.resource.implied_provider(),
        "resource_type": &*address.resource.type_name,
        "resource_name": &*address.resource.name,
        "resource_key": match &address.key {
            InstanceKey::None => Json::Null,
            InstanceKey::Int(index) => json!(index),
            InstanceKey::String(key) => json!(&**key),
        },
    })
}
