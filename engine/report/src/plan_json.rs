//! A plan for machines, in the form of `terraform show -json`.

use plan::{Action, ActionReason, OutputChange, ResourceChange};
use serde_json::{Map, Value as Json, json};
use value::Value;

use crate::plan_text::View;

/// The plan as JSON.
pub fn plan(view: &View<'_>, terraform_version: &str) -> Json {
    let outputs: Map<String, Json> =
        view.outputs.iter().map(|(name, change)| ((*name).to_owned(), output(change))).collect();
    let drift: Vec<Json> = view
        .drift
        .iter()
        .map(|drift| {
            let action = if drift.real.is_null() { "delete" } else { "update" };
            let mut entry = header(&drift.address, &drift.provider.provider.to_string());
            entry["change"] = values(&[action], &drift.recorded, &drift.real);
            entry
        })
        .collect();
    json!({
        "format_version": "1.2",
        "terraform_version": terraform_version,
        "resource_changes": view.changes.iter().map(resource).collect::<Vec<_>>(),
        "resource_drift": drift,
        "output_changes": outputs,
        "applyable": !view.empty,
        "complete": true,
        "errored": false,
    })
}

fn header(address: &address::ResourceInstance, provider: &str) -> Json {
    let mode = match address.resource.mode {
        address::ResourceMode::Data => "data",
        _ => "managed",
    };
    let mut entry = json!({
        "address": address.to_string(),
        "mode": mode,
        "type": &*address.resource.type_name,
        "name": &*address.resource.name,
        "provider_name": provider,
    });
    if !address.module.is_root() {
        entry["module_address"] = json!(address.module.to_string());
    }
    match &address.key {
        address::InstanceKey::None => {}
        address::InstanceKey::Int(index) => entry["index"] = json!(index),
        address::InstanceKey::String(key) => entry["index"] = json!(&**key),
    }
    entry
}

fn resource(change: &ResourceChange) -> Json {
    let mut entry = header(&change.address, &change.provider.provider.to_string());
    if let Some(key) = &change.deposed {
        entry["deposed"] = json!(key.as_str());
    }
    if let Some(previous) = &change.previous_address {
        entry["previous_address"] = json!(previous.to_string());
    }
    entry["change"] = values(change.action.names(), &change.before, &change.after);
    if !change.requires_replace.is_empty() {
        let paths: Vec<Json> = change.requires_replace.iter().map(path).collect();
        entry["change"]["replace_paths"] = json!(paths);
    }
    if let Some(id) = &change.importing {
        entry["change"]["importing"] = json!({ "id": id });
    }
    if let Some(reason) = reason(change.action, change.reason) {
        entry["action_reason"] = json!(reason);
    }
    entry
}

fn path(path: &address::AttributePath) -> Json {
    path.steps()
        .iter()
        .map(|step| match step {
            address::PathStep::Attribute(name) | address::PathStep::Key(name) => json!(&**name),
            address::PathStep::Index(index) => json!(index),
            address::PathStep::Element => Json::Null,
        })
        .collect()
}

fn reason(action: Action, reason: ActionReason) -> Option<&'static str> {
    let replaces = matches!(action, Action::Replace(_));
    match reason {
        ActionReason::CannotUpdate if replaces => Some("replace_because_cannot_update"),
        ActionReason::Tainted if replaces => Some("replace_because_tainted"),
        ActionReason::Requested if replaces => Some("replace_by_request"),
        ActionReason::Triggered if replaces => Some("replace_by_triggers"),
        ActionReason::NoResource => Some("delete_because_no_resource_config"),
        ActionReason::NoModule => Some("delete_because_no_module"),
        ActionReason::NoKey => Some("delete_because_each_key"),
        ActionReason::ConfigUnknown => Some("read_because_config_unknown"),
        ActionReason::DependencyPending => Some("read_because_dependency_pending"),
        _ => None,
    }
}

fn values(actions: &[&str], before: &Value, after: &Value) -> Json {
    json!({
        "actions": actions,
        "before": plain(before),
        "after": plain(after),
        "after_unknown": if after.is_null() { json!({}) } else { unknown(after).unwrap_or_else(|| json!({})) },
        "before_sensitive": sensitive(before),
        "after_sensitive": sensitive(after),
    })
}

fn output(change: &OutputChange) -> Json {
    let known = change.after.is_wholly_known();
    json!({
        "actions": change.action.names(),
        "before": plain(&change.before),
        "after": if known { plain(&change.after) } else { Json::Null },
        "after_unknown": !known,
        "before_sensitive": change.sensitive,
        "after_sensitive": change.sensitive,
    })
}

/// The value without what is unknown; attributes that are unknown are left out, as Terraform does.
fn plain(value: &Value) -> Json {
    if value.is_null() || value.is_unknown() {
        return Json::Null;
    }
    if let Some(items) = value.items() {
        return items.iter().map(plain).collect();
    }
    if let Some(entries) = value.entries() {
        let known = entries.iter().filter(|(_, value)| !value.is_unknown());
        return Json::Object(known.map(|(name, value)| (name.to_string(), plain(value))).collect());
    }
    value::json::to_plain(value)
}

/// `true` where a value is unknown, in the value's shape; `None` if all of it is known.
fn unknown(value: &Value) -> Option<Json> {
    if value.is_unknown() {
        return Some(json!(true));
    }
    if let Some(items) = value.items() {
        return Some(items.iter().map(|item| unknown(item).unwrap_or(json!(false))).collect());
    }
    if let Some(entries) = value.entries() {
        let found =
            entries.iter().filter_map(|(name, value)| Some((name.to_string(), unknown(value)?)));
        return Some(Json::Object(found.collect()));
    }
    None
}

/// `true` where a value is sensitive, in the value's shape.
fn sensitive(value: &Value) -> Json {
    if value.is_sensitive() {
        return json!(true);
    }
    if value.deep_marks().is_empty() {
        return if value.is_null() { json!(false) } else { json!({}) };
    }
    if let Some(items) = value.items() {
        return items.iter().map(sensitive).collect();
    }
    let found =
        value.entries().into_iter().flatten().filter(|(_, value)| !value.deep_marks().is_empty());
    Json::Object(found.map(|(name, value)| (name.to_string(), sensitive(value))).collect())
}
