//! A snapshot as Terraform's state file.

use address::{AbsResource, InstanceKey, ResourceInstance, ResourceMode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use crate::check::{CheckResult, CheckedObject};
use crate::error::StateError;
use crate::record::{Dependency, Object, ObjectStatus, Record};
use crate::snapshot::StateSnapshot;

/// Writes a snapshot as Terraform's state.
///
/// Members stand in the order in which Terraform writes them, resources in the order of their addresses.
///
/// # Errors
///
/// [`StateError::Damaged`] if a recorded value is no JSON, or too deep to be read.
pub fn export(snapshot: &StateSnapshot, terraform_version: &str) -> Result<Json, StateError> {
    let mut resources: Vec<Json> = Vec::new();
    let mut last: Option<AbsResource> = None;
    for record in snapshot.records.values() {
        let block = record.address.block();
        if last.as_ref() != Some(&block) {
            resources.push(resource(&block, record));
            last = Some(block);
        }
        let objects = record.current.iter().map(|object| (None, object));
        let deposed = record.deposed.iter().map(|(key, object)| (Some(key.as_str()), object));
        let instances =
            objects.chain(deposed).map(|(key, object)| instance(&record.address, key, object));
        let instances = instances.collect::<Result<Vec<_>, _>>()?;
        if let Some(list) = resources.last_mut().and_then(|entry| entry["instances"].as_array_mut())
        {
            list.extend(instances);
        }
    }
    let outputs = snapshot
        .outputs
        .iter()
        .map(|(name, output)| {
            let of = format!("output.{name}");
            let mut entry = json!({
                "value": recorded(&of, &output.value_json)?,
                "type": recorded(&of, &output.type_json)?,
            });
            if output.sensitive {
                entry["sensitive"] = json!(true);
            }
            Ok((name.to_string(), entry))
        })
        .collect::<Result<serde_json::Map<String, Json>, StateError>>()?;
    Ok(json!({
        "version": 4,
        "terraform_version": terraform_version,
        "serial": snapshot.serial,
        "lineage": snapshot.lineage,
        "outputs": outputs,
        "resources": resources,
        "check_results": checks(&snapshot.checks),
    }))
}

/// A recorded text as JSON.
fn recorded(entry: &str, text: &str) -> Result<Json, StateError> {
    value::json::parse(text)
        .map_err(|error| StateError::Damaged { entry: entry.to_owned(), reason: error.to_string() })
}

/// Those of components are left out: Terraform 1.11 ends in a panic where an address of a check has such a step.
fn checks(results: &[CheckResult]) -> Json {
    let known: Vec<&CheckResult> =
        results.iter().filter(|result| !is_of_component(&result.module)).collect();
    if known.is_empty() {
        return Json::Null;
    }
    let object = |object: &CheckedObject| {
        let mut entry = json!({ "object_addr": object.address(), "status": object.status });
        if !object.messages.is_empty() {
            entry["failure_messages"] = json!(object.messages);
        }
        entry
    };
    let results = known.into_iter().map(|result| {
        let objects: Vec<Json> = result.objects.iter().map(object).collect();
        json!({
            "object_kind": result.kind,
            "config_addr": result.address(),
            "status": result.status,
            "objects": if objects.is_empty() { Json::Null } else { Json::Array(objects) },
        })
    });
    Json::Array(results.collect())
}

/// Whether the path of a module, without keys, has a step that is no module call.
fn is_of_component(module: &str) -> bool {
    !module.is_empty() && module.split('.').step_by(2).any(|step| step != "module")
}

fn resource(block: &AbsResource, record: &Record) -> Json {
    let mode = match block.resource.mode {
        ResourceMode::Data => "data",
        _ => "managed",
    };
    let mut resource = json!({});
    if !block.module.is_root() {
        resource["module"] = json!(block.module.to_string());
    }
    resource["mode"] = json!(mode);
    resource["type"] = json!(&*block.resource.type_name);
    resource["name"] = json!(&*block.resource.name);
    resource["provider"] = json!(record.provider.to_string());
    resource["instances"] = json!([]);
    resource
}

fn instance(
    address: &ResourceInstance,
    deposed: Option<&str>,
    object: &Object,
) -> Result<Json, StateError> {
    let of = address.to_string();
    let attributes = recorded(&of, &object.attributes_json)?;
    let sensitive: Vec<Json> = object.sensitive_paths.iter().map(path).collect();
    let mut instance = json!({});
    match &address.key {
        InstanceKey::None => {}
        InstanceKey::Int(index) => instance["index_key"] = json!(index),
        InstanceKey::String(name) => instance["index_key"] = json!(&**name),
    }
    if object.status == ObjectStatus::Tainted {
        instance["status"] = json!("tainted");
    }
    if let Some(deposed) = deposed {
        instance["deposed"] = json!(deposed);
    }
    instance["schema_version"] = json!(object.schema_version);
    instance["attributes"] = attributes;
    instance["sensitive_attributes"] = json!(sensitive);
    if let Some(identity) = &object.identity {
        instance["identity_schema_version"] = json!(identity.version);
        instance["identity"] = recorded(&of, &identity.json)?;
    }
    if !object.private.is_empty() {
        instance["private"] = json!(STANDARD.encode(&object.private));
    }
    if !object.dependencies.is_empty() {
        let mut names: Vec<String> = object
            .dependencies
            .iter()
            .map(|dependency| match dependency {
                Dependency::Instance(instance) => instance.block().config().to_string(),
                Dependency::Block(block) => block.config().to_string(),
            })
            .collect();
        names.sort();
        names.dedup();
        instance["dependencies"] = json!(names);
    }
    if object.create_before_destroy {
        instance["create_before_destroy"] = json!(true);
    }
    Ok(instance)
}

fn path(path: &address::AttributePath) -> Json {
    let steps: Vec<Json> = path
        .steps()
        .iter()
        .map(|step| match step {
            address::PathStep::Attribute(name) => json!({ "type": "get_attr", "value": &**name }),
            address::PathStep::Key(key) => {
                json!({ "type": "index", "value": { "value": &**key, "type": "string" } })
            }
            address::PathStep::Index(index) => {
                json!({ "type": "index", "value": { "value": index, "type": "number" } })
            }
            address::PathStep::Element => json!({ "type": "index", "value": null }),
        })
        .collect();
    Json::Array(steps)
}
