//! Objects by module, as Terraform's JSON shows a state or what a plan leads to. Sensitive values stay out.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{InstanceKey, ModuleInstance, ResourceInstance, ResourceMode};
use serde_json::{Map, Value as Json, json};
use state::{CheckKind, CheckResult, CheckedObject, OutputRecord, StateSnapshot};
use value::Value;

use crate::plan_json::{plain, sensitive};
use crate::state_text::attributes;

/// One object to be shown.
pub(crate) struct Shown {
    pub(crate) address: ResourceInstance,
    pub(crate) provider: String,
    pub(crate) schema_version: u64,
    /// What tells the object from all others, and the version of its schema.
    pub(crate) identity: Option<(u64, Json)>,
    /// With marks; unknown parts are left out.
    pub(crate) value: Value,
    pub(crate) depends_on: Vec<String>,
    pub(crate) tainted: bool,
}

/// Modules with their objects: the `root_module` of state and planned values.
pub(crate) fn tree(objects: impl IntoIterator<Item = Shown>) -> Json {
    let mut modules: BTreeMap<ModuleInstance, Vec<Json>> = BTreeMap::new();
    modules.entry(ModuleInstance::root()).or_default();
    for object in objects {
        let module = object.address.module.clone();
        let mut parent = module.parent();
        while let Some(above) = parent {
            parent = above.parent();
            modules.entry(above).or_default();
        }
        modules.entry(module).or_default().push(resource(&object));
    }
    let mut children: BTreeMap<ModuleInstance, Vec<Json>> = BTreeMap::new();
    // From the deepest module up: each is whole before it goes into its parent.
    let mut root = json!({});
    let mut deepest_first: Vec<_> = modules.into_iter().collect();
    deepest_first
        .sort_by(|(a, _), (b, _)| b.steps().len().cmp(&a.steps().len()).then_with(|| a.cmp(b)));
    for (module, resources) in deepest_first {
        let mut entry = Map::new();
        if !resources.is_empty() {
            entry.insert("resources".to_owned(), Json::Array(resources));
        }
        if !module.is_root() {
            entry.insert("address".to_owned(), json!(module.to_string()));
        }
        if let Some(inner) = children.remove(&module) {
            entry.insert("child_modules".to_owned(), Json::Array(inner));
        }
        match module.parent() {
            Some(parent) => children.entry(parent).or_default().push(Json::Object(entry)),
            None => root = Json::Object(entry),
        }
    }
    root
}

fn resource(object: &Shown) -> Json {
    let block = &object.address.resource;
    let mut out = json!({
        "address": object.address.to_string(),
        "mode": if block.mode == ResourceMode::Data { "data" } else { "managed" },
        "type": &*block.type_name,
        "name": &*block.name,
    });
    match &object.address.key {
        InstanceKey::None => {}
        InstanceKey::Int(index) => out["index"] = json!(index),
        InstanceKey::String(key) => out["index"] = json!(&**key),
    }
    out["provider_name"] = json!(object.provider);
    out["schema_version"] = json!(object.schema_version);
    if let Some((version, identity)) = &object.identity {
        out["identity_schema_version"] = json!(version);
        out["identity"] = identity.clone();
    }
    if !object.value.is_null() {
        let values = plain(&hidden(object.value.clone()));
        // As Terraform: nothing that is known is no member at all.
        if values.as_object().is_none_or(|values| !values.is_empty()) {
            out["values"] = values;
        }
    }
    out["sensitive_values"] = sensitive(&object.value);
    if !object.depends_on.is_empty() {
        out["depends_on"] = json!(object.depends_on);
    }
    if object.tainted {
        out["tainted"] = json!(true);
    }
    out
}

/// The blocks that an object is made from.
pub(crate) fn depends_on(dependencies: &[state::Dependency]) -> Vec<String> {
    let blocks = dependencies.iter().map(|dependency| dependency.block().to_string());
    blocks.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// The value with null where it is sensitive.
pub(crate) fn hidden(value: Value) -> Value {
    if value.deep_marks().is_empty() {
        return value;
    }
    value.transform(&mut |_, value| {
        if value.is_sensitive() { Value::null(value.ty()) } else { value }
    })
}

/// Recorded outputs; sensitive ones without their values.
pub(crate) fn outputs(outputs: &BTreeMap<Arc<str>, OutputRecord>) -> Json {
    let parse = |text: &str| value::json::parse(text).unwrap_or_default();
    let entries = outputs.iter().map(|(name, output)| {
        let value = if output.sensitive { Json::Null } else { parse(&output.value_json) };
        let entry = json!({
            "sensitive": output.sensitive,
            "value": value,
            "type": parse(&output.type_json),
        });
        (name.to_string(), entry)
    });
    Json::Object(entries.collect())
}

/// What conditions came to.
pub(crate) fn checks(results: &[CheckResult]) -> Json {
    results.iter().map(check).collect()
}

fn check(result: &CheckResult) -> Json {
    let kind = match result.kind {
        CheckKind::Resource => "resource",
        CheckKind::Output => "output_value",
        CheckKind::Check => "check",
        CheckKind::Var => "var",
    };
    let mut address = json!({ "kind": kind, "to_display": result.address() });
    if !result.module.is_empty() {
        address["module"] = json!(result.module);
    }
    let (data, rest) = match result.name.strip_prefix("data.") {
        Some(rest) if kind == "resource" => (true, rest),
        _ => (false, result.name.as_str()),
    };
    let (type_name, name) = rest.split_once('.').unwrap_or(("", rest));
    address["name"] = json!(name);
    if result.kind == CheckKind::Resource {
        address["mode"] = json!(if data { "data" } else { "managed" });
        address["type"] = json!(type_name);
    }
    let mut out = json!({ "address": address, "status": result.status });
    let instances: Vec<Json> = result.objects.iter().map(checked).collect();
    if !instances.is_empty() {
        out["instances"] = Json::Array(instances);
    }
    out
}

fn checked(object: &CheckedObject) -> Json {
    let mut address = json!({ "to_display": object.address() });
    if !object.module.is_empty() {
        address["module"] = json!(object.module);
    }
    if let Some(key) = &object.key {
        address["instance_key"] = key.clone();
    }
    let mut out = json!({ "address": address, "status": object.status });
    if !object.messages.is_empty() {
        let problem = |message: &String| json!({ "message": message });
        out["problems"] = object.messages.iter().map(problem).collect();
    }
    out
}

/// A state, as `terraform show -json` shows it.
pub fn state(snapshot: &StateSnapshot, terraform_version: &str) -> Json {
    if snapshot.is_empty() {
        return json!({ "format_version": "1.0" });
    }
    let mut out = json!({ "format_version": "1.0", "terraform_version": terraform_version });
    let objects = snapshot.records.values().filter_map(|record| {
        let object = record.current.as_ref()?;
        Some(Shown {
            address: record.address.clone(),
            provider: record.provider.provider.to_string(),
            schema_version: object.schema_version,
            identity: object
                .identity
                .as_ref()
                .and_then(|one| Some((one.version, value::json::parse(&one.json).ok()?))),
            value: attributes(&object.attributes_json, &object.sensitive_paths),
            depends_on: depends_on(&object.dependencies),
            tainted: object.status == state::ObjectStatus::Tainted,
        })
    });
    let mut values = Map::new();
    if !snapshot.outputs.is_empty() {
        values.insert("outputs".to_owned(), outputs(&snapshot.outputs));
    }
    values.insert("root_module".to_owned(), tree(objects));
    out["values"] = Json::Object(values);
    if !snapshot.checks.is_empty() {
        out["checks"] = checks(&snapshot.checks);
    }
    out
}
