//! A plan for machines, in the form of `terraform show -json`.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::InstanceKey;
use config::Configuration;
use plan::{Action, ActionReason, LookedAt, OutputChange, ResourceChange};
use serde_json::{Map, Value as Json, json};
use value::{Type, Value};

use crate::config_json;
use crate::plan_text::View;
use crate::values_json::{self, Shown, hidden};

/// What a plan was made from, for its document.
pub struct Around<'a> {
    /// The configuration.
    pub configuration: &'a Configuration,
    /// Values of the root module's variables; sensitive ones stay out.
    pub variables: &'a BTreeMap<Arc<str>, Value>,
    /// When it was made, as RFC 3339.
    pub timestamp: String,
}

/// The plan with all that Terraform shows beside it.
pub fn document(view: &View<'_>, around: &Around<'_>, terraform_version: &str) -> Json {
    let mut core = match plan(view, terraform_version) {
        Json::Object(core) => core,
        other => return other,
    };
    let mut out = Map::new();
    let mut take = |name: &str, out: &mut Map<String, Json>| {
        if let Some(member) = core.remove(name) {
            let empty = member.as_array().is_some_and(Vec::is_empty)
                || member.as_object().is_some_and(Map::is_empty);
            if !empty {
                out.insert(name.to_owned(), member);
            }
        }
    };
    take("format_version", &mut out);
    take("terraform_version", &mut out);
    let root = around.configuration.root();
    let shown_variables = root.variables.iter().filter(|(_, one)| !one.sensitive && !one.ephemeral);
    let variables: BTreeMap<String, Json> = shown_variables
        .filter_map(|(name, one)| {
            let value = around.variables.get(name).or(one.default.as_ref())?;
            Some((name.to_string(), json!({ "value": plain(&hidden(value.clone())) })))
        })
        .collect();
    if !variables.is_empty() {
        out.insert("variables".to_owned(), json!(variables));
    }
    out.insert("planned_values".to_owned(), planned_values(view));
    take("resource_drift", &mut out);
    take("resource_changes", &mut out);
    take("output_changes", &mut out);
    take("deferred_changes", &mut out);
    let read = view.evaluation.looked_up().map(looked_up);
    let recorded = view.changes.iter().filter_map(|change| shown(change, &change.before, true));
    let prior: Vec<Shown> = read.chain(recorded).collect();
    let outputs = known_outputs(view);
    if !prior.is_empty() || !outputs.is_empty() {
        let mut values = Map::new();
        if !outputs.is_empty() {
            values.insert("outputs".to_owned(), Json::Object(outputs));
        }
        values.insert("root_module".to_owned(), values_json::tree(prior));
        let state = json!({
            "format_version": "1.0",
            "terraform_version": terraform_version,
            "values": values,
        });
        out.insert("prior_state".to_owned(), state);
    }
    out.insert("configuration".to_owned(), config_json::configuration(around.configuration));
    let contributions: Vec<Json> = contributions(view);
    if !contributions.is_empty() {
        out.insert("relevant_attributes".to_owned(), Json::Array(contributions));
    }
    let looked_at = LookedAt::by(view.mode, view.limited, view.changes);
    let checks = view.evaluation.check_results(&looked_at);
    if !checks.is_empty() {
        out.insert("checks".to_owned(), values_json::checks(&checks));
    }
    out.insert("timestamp".to_owned(), json!(around.timestamp));
    take("applyable", &mut out);
    take("complete", &mut out);
    take("errored", &mut out);
    Json::Object(out)
}

/// Outputs that are known before anything is done.
fn known_outputs(view: &View<'_>) -> Map<String, Json> {
    let known = view.outputs.iter().chain(&view.unplanned).filter_map(|(name, change)| {
        // What will be known only later is still what it was.
        let stays = change.action == Action::Delete || !change.after.is_wholly_known();
        let value = if stays { &change.before } else { &change.after };
        (value.is_wholly_known() && !value.is_null()).then_some((name, change, value))
    });
    known
        .map(|(name, change, value)| {
            let hide = change.sensitive || !value.deep_marks().is_empty();
            let shown = if hide { Json::Null } else { plain(value) };
            let ty = value::json::type_to_json(&value.ty());
            (
                (*name).to_owned(),
                json!({ "sensitive": change.sensitive, "value": shown, "type": ty }),
            )
        })
        .collect()
}

fn planned_values(view: &View<'_>) -> Json {
    let mut out = Map::new();
    let outputs: Map<String, Json> = view
        .outputs
        .iter()
        .filter(|(_, change)| change.action != Action::Delete)
        .map(|(name, change)| {
            let mut entry = json!({ "sensitive": change.sensitive });
            if change.after.is_wholly_known() {
                let hide = change.sensitive || !change.after.deep_marks().is_empty();
                entry["type"] = value::json::type_to_json(&change.after.ty());
                entry["value"] = if hide { Json::Null } else { plain(&change.after) };
            }
            ((*name).to_owned(), entry)
        })
        .collect();
    if !outputs.is_empty() {
        out.insert("outputs".to_owned(), Json::Object(outputs));
    }
    // What only looks leads nowhere.
    let leads = view.mode != plan::Mode::RefreshOnly;
    let kept = |change: &&ResourceChange| {
        leads && change.action != Action::Delete && change.deposed.is_none()
    };
    // Terraform lists what it forgets, too, without values.
    let objects = view.changes.iter().filter(kept).filter_map(|change| match change.action {
        Action::Forget => Some(object(change, &Value::dynamic_null(), false)),
        _ => shown(change, &change.after, false),
    });
    out.insert("root_module".to_owned(), values_json::tree(objects));
    Json::Object(out)
}

fn shown(change: &ResourceChange, value: &Value, recorded: bool) -> Option<Shown> {
    let there = !value.is_null() && change.deposed.is_none();
    there.then(|| object(change, value, recorded))
}

fn object(change: &ResourceChange, value: &Value, recorded: bool) -> Shown {
    let depends_on = recorded.then(|| values_json::depends_on(&change.dependencies));
    Shown {
        address: change.address.clone(),
        provider: change.provider.provider.to_string(),
        schema_version: change.schema_version,
        identity: change.identity.as_ref().and_then(|one| {
            let identity = if recorded { &one.before } else { &one.after };
            let known = identity.as_ref().filter(|one| one.is_wholly_known())?;
            Some((one.version, plain(known)))
        }),
        value: value.clone(),
        depends_on: depends_on.unwrap_or_default(),
        tainted: recorded && change.reason == plan::ActionReason::Tainted,
    }
}

/// Attributes that the changes are made from.
fn contributions(view: &View<'_>) -> Vec<Json> {
    let outputs = view.outputs.iter().copied().collect();
    let whole = !view.limited && view.mode != plan::Mode::Destroy;
    let found = view.evaluation.contributions(whole, view.changes, &outputs);
    let step = |step: InstanceKey| match step {
        InstanceKey::String(name) => json!(&*name),
        InstanceKey::Int(index) => json!(index),
        InstanceKey::None => Json::Null,
    };
    let entry = |one: plan::Contribution| {
        let attribute: Vec<Json> = one.attribute.into_iter().map(step).collect();
        json!({ "resource": one.resource, "attribute": attribute })
    };
    found.into_iter().map(entry).collect()
}

/// What a data source has given while planning.
fn looked_up(one: plan::LookedUp) -> Shown {
    Shown {
        address: one.address,
        provider: one.provider.provider.to_string(),
        schema_version: one.schema_version,
        identity: None,
        value: one.value,
        depends_on: Vec::new(),
        tainted: false,
    }
}

/// What changes, as JSON: the part that two plans of the same world share.
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
    // What only looks has drift, and proposes nothing.
    let changes: Vec<Json> = match view.mode {
        plan::Mode::RefreshOnly => Vec::new(),
        _ => view.changes.iter().map(resource).collect(),
    };
    json!({
        "format_version": "1.2",
        "terraform_version": terraform_version,
        "resource_changes": changes,
        "resource_drift": drift,
        "output_changes": outputs,
        "deferred_changes": view.deferred.iter().map(deferred).collect::<Vec<_>>(),
        "applyable": !view.errored
            && (!view.empty || view.changes.iter().any(|one| one.action != Action::NoOp)),
        "complete": !view.errored && !view.limited && view.deferred.is_empty(),
        "errored": view.errored,
    })
}

pub(crate) fn header(address: &address::ResourceInstance, provider: &str) -> Json {
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
        entry["change"]["importing"] = match &change.identity {
            Some(identity) if identity.imports => {
                json!({ "identity": identity.before.as_ref().map(plain) })
            }
            _ => json!({ "id": id }),
        };
    }
    if let Some(identity) = &change.identity {
        for (name, one) in
            [("before_identity", &identity.before), ("after_identity", &identity.after)]
        {
            if let Some(known) = one.as_ref().filter(|one| one.is_wholly_known()) {
                entry["change"][name] = plain(known);
            }
        }
    }
    if let Some(reason) = reason(change) {
        entry["action_reason"] = json!(reason);
    }
    entry
}

/// A change that is put off, and why.
fn deferred(one: &plan::DeferredChange) -> Json {
    json!({ "reason": one.reason.name(), "resource_change": resource(&one.change) })
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

/// Why, in Terraform's words.
pub(crate) fn reason(change: &ResourceChange) -> Option<&'static str> {
    let replaces = matches!(change.action, Action::Replace(_));
    match change.reason {
        ActionReason::CannotUpdate if replaces => Some("replace_because_cannot_update"),
        ActionReason::Tainted if replaces => Some("replace_because_tainted"),
        ActionReason::Requested if replaces => Some("replace_by_request"),
        ActionReason::Triggered if replaces => Some("replace_by_triggers"),
        ActionReason::NoResource if change.previous_address.is_some() => {
            Some("delete_because_no_move_target")
        }
        ActionReason::NoResource => Some("delete_because_no_resource_config"),
        ActionReason::NoModule => Some("delete_because_no_module"),
        ActionReason::WrongRepetition => Some("delete_because_wrong_repetition"),
        ActionReason::NoKey => Some(match change.address.key {
            address::InstanceKey::None => "delete_because_wrong_repetition",
            address::InstanceKey::Int(_) => "delete_because_count_index",
            address::InstanceKey::String(_) => "delete_because_each_key",
        }),
        ActionReason::ConfigUnknown => Some("read_because_config_unknown"),
        ActionReason::DependencyPending => Some("read_because_dependency_pending"),
        ActionReason::CheckNested => Some("read_because_check_nested"),
        _ => None,
    }
}

pub(crate) fn values(actions: &[&str], before: &Value, after: &Value) -> Json {
    json!({
        "actions": actions,
        "before": plain(before),
        "after": plain(after),
        "after_unknown": if after.is_wholly_known() { json!({}) } else { unknown(after).unwrap_or_else(|| json!({})) },
        "before_sensitive": sensitive(before),
        "after_sensitive": sensitive(after),
    })
}

fn output(change: &OutputChange) -> Json {
    let mut out = json!({ "actions": change.action.names(), "before": plain(&change.before) });
    // Parts of an output are shown as soon as they are known; what is unknown as a whole has no value.
    if !change.after.is_unknown() {
        out["after"] = plain(&change.after);
    }
    out["after_unknown"] = if change.after.is_wholly_known() {
        json!(false)
    } else {
        unknown(&change.after).unwrap_or(json!(false))
    };
    out["before_sensitive"] = json!(change.sensitive);
    out["after_sensitive"] = json!(change.sensitive);
    out
}

/// The value without what is unknown; attributes that are unknown are left out, as Terraform does.
pub(crate) fn plain(value: &Value) -> Json {
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

/// `true` where a value is sensitive, in the value's shape: attributes that are single values and not sensitive are
/// left out.
pub(crate) fn sensitive(value: &Value) -> Json {
    if value.is_sensitive() {
        return json!(true);
    }
    if value.is_null() {
        return json!(false);
    }
    match value.ty() {
        Type::Object(_) | Type::Map(_) => {
            let entries = value.entries().into_iter().flatten();
            let shapes = entries.map(|(name, inner)| (name.to_string(), sensitive(inner)));
            Json::Object(shapes.filter(|(_, shape)| *shape != json!(false)).collect())
        }
        Type::List(_) | Type::Set(_) | Type::Tuple(_) => {
            value.items().unwrap_or_default().iter().map(sensitive).collect()
        }
        _ => json!(false),
    }
}
