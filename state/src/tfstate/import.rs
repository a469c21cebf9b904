//! Terraform's state file as a snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{
    AbsResource, AttributePath, InstanceKey, ModuleInstance, PathStep, ProviderConfig, Resource,
    ResourceInstance, ResourceMode,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::check::{CheckKind, CheckResult, CheckedObject};
use crate::error::StateError;
use crate::record::{Dependency, DeposedKey, Identity, Object, ObjectStatus, OutputRecord, Record};
use crate::snapshot::StateSnapshot;

#[derive(Deserialize)]
struct File<'a> {
    version: u64,
    #[serde(default)]
    serial: u64,
    #[serde(default)]
    lineage: String,
    #[serde(borrow, default)]
    outputs: BTreeMap<String, Output<'a>>,
    #[serde(borrow, default)]
    resources: Vec<Block<'a>>,
    #[serde(default)]
    check_results: Option<Vec<Json>>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(rename = "type", borrow)]
    ty: &'a RawValue,
    #[serde(default)]
    sensitive: bool,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(default)]
    module: Option<String>,
    mode: String,
    #[serde(rename = "type")]
    type_name: String,
    name: String,
    provider: String,
    #[serde(borrow, default)]
    instances: Vec<Instance<'a>>,
}

#[derive(Deserialize)]
struct Instance<'a> {
    #[serde(default)]
    index_key: Option<Json>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    deposed: Option<String>,
    #[serde(default)]
    schema_version: u64,
    #[serde(borrow, default)]
    attributes: Option<&'a RawValue>,
    #[serde(default)]
    attributes_flat: Option<Json>,
    #[serde(default)]
    sensitive_attributes: Option<Vec<Json>>,
    #[serde(default)]
    identity_schema_version: u64,
    #[serde(borrow, default)]
    identity: Option<&'a RawValue>,
    #[serde(default)]
    private: Option<String>,
    #[serde(default)]
    dependencies: Option<Vec<String>>,
    #[serde(default)]
    create_before_destroy: bool,
}

/// Reads a state file of version 4.
///
/// `Dependency::Block` is what a file says of dependencies:
/// it knows blocks, not instances.
///
/// # Errors
///
/// [`StateError::NotAStateFile`] if the text is no such file, or says something that no address, provider or
/// object can be.
pub fn import(text: &str) -> Result<StateSnapshot, StateError> {
    value::json::check_levels(text).map_err(|error| wrong(error.to_string()))?;
    let file: File<'_> = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if file.version != 4 {
        return Err(wrong(format!("it has version {}, and only version 4 is read", file.version)));
    }
    let mut snapshot = StateSnapshot {
        lineage: file.lineage,
        serial: file.serial,
        outputs: file.outputs.into_iter().map(|(name, o)| (name.into(), output(&o))).collect(),
        ..StateSnapshot::default()
    };
    let mut records: BTreeMap<ResourceInstance, Record> = BTreeMap::new();
    for block in &file.resources {
        let (address, provider) = located(block)?;
        for instance in &block.instances {
            let at = address.instance(key(instance.index_key.as_ref())?);
            let record = records.entry(at.clone()).or_insert_with(|| Record {
                address: at.clone(),
                provider: provider.clone(),
                current: None,
                deposed: BTreeMap::new(),
            });
            let found = object(instance, &at, &address.module)?;
            match &instance.deposed {
                Some(key) => {
                    record.deposed.insert(key.parse::<DeposedKey>()?, found);
                }
                None if record.current.is_some() => {
                    return Err(wrong(format!("`{at}` stands in it twice")));
                }
                None => record.current = Some(found),
            }
        }
    }
    let checks = file.check_results.unwrap_or_default();
    // What is of a kind that came later is found anew by the next apply.
    snapshot.checks = checks.iter().filter_map(check_result).collect();
    snapshot.checks.sort_by_cached_key(CheckResult::address);
    snapshot.records = records.into_iter().map(|(at, record)| (at, Arc::new(record))).collect();
    Ok(snapshot)
}

fn wrong(reason: impl Into<String>) -> StateError {
    StateError::NotAStateFile { reason: reason.into() }
}

fn output(output: &Output<'_>) -> OutputRecord {
    OutputRecord {
        value_json: output.value.get().into(),
        type_json: output.ty.get().into(),
        sensitive: output.sensitive,
    }
}

fn check_result(json: &Json) -> Option<CheckResult> {
    let kind: CheckKind = serde_json::from_value(json.get("object_kind")?.clone()).ok()?;
    let status = |json: &Json| serde_json::from_value(json.get("status")?.clone()).ok();
    let text = |json: &Json, name: &str| json.get(name)?.as_str().map(str::to_owned);
    let (module, name, _) = split(kind, &text(json, "config_addr")?)?;
    let objects = json.get("objects").and_then(Json::as_array).into_iter().flatten();
    let object = |object: &Json| {
        let (module, name, key) = split(kind, &text(object, "object_addr")?)?;
        let messages = object.get("failure_messages").and_then(Json::as_array);
        let messages = messages.into_iter().flatten().filter_map(Json::as_str);
        let messages = messages.map(str::to_owned).collect();
        Some(CheckedObject { module, name, key, status: status(object)?, messages })
    };
    let mut objects: Vec<CheckedObject> = objects.map(object).collect::<Option<_>>()?;
    objects.sort_by_cached_key(CheckedObject::address);
    Some(CheckResult { kind, module, name, status: status(json)?, objects })
}

/// The module, what stands behind it, and the key of an instance.
fn split(kind: CheckKind, address: &str) -> Option<(String, String, Option<Json>)> {
    if kind == CheckKind::Resource {
        let instance: ResourceInstance = address.parse().ok()?;
        let module = instance.module.to_string();
        let key = match &instance.key {
            InstanceKey::None => None,
            InstanceKey::Int(index) => Some(Json::from(*index)),
            InstanceKey::String(key) => Some(Json::from(&**key)),
        };
        let inside = ResourceInstance { module: ModuleInstance::root(), ..instance };
        return Some((module, inside.to_string(), key));
    }
    let (front, name) = address.rsplit_once('.')?;
    let (module, word) = front.rsplit_once('.').unwrap_or(("", front));
    Some((module.to_owned(), format!("{word}.{name}"), None))
}

fn located(block: &Block<'_>) -> Result<(AbsResource, ProviderConfig), StateError> {
    let mode = match block.mode.as_str() {
        "managed" => ResourceMode::Managed,
        "data" => ResourceMode::Data,
        other => return Err(wrong(format!("`{other}` is no mode of a resource"))),
    };
    let module: ModuleInstance = match block.module.as_deref() {
        None | Some("") => ModuleInstance::root(),
        Some(text) => match text.parse::<address::Target>() {
            Ok(address::Target::Module(module)) => module,
            // A component's expansion reads as a resource does.
            Ok(other) => other.as_component().ok_or_else(|| not_a_module(text))?,
            Err(_) => return Err(not_a_module(text)),
        },
    };
    let resource = Resource {
        mode,
        type_name: block.type_name.as_str().into(),
        name: block.name.as_str().into(),
    };
    let address = AbsResource { module, resource };
    let parsed = address.to_string().parse::<AbsResource>();
    if parsed.as_ref() != Ok(&address) {
        return Err(wrong(format!("`{address}` is no address of a resource")));
    }
    let provider = block
        .provider
        .parse()
        .map_err(|_| wrong(format!("`{}` is no provider configuration", block.provider)))?;
    Ok((address, provider))
}

fn not_a_module(text: &str) -> StateError {
    wrong(format!("`{text}` is no address of a module"))
}

fn key(index: Option<&Json>) -> Result<InstanceKey, StateError> {
    match index {
        None | Some(Json::Null) => Ok(InstanceKey::None),
        Some(Json::String(text)) => Ok(InstanceKey::String(text.as_str().into())),
        Some(Json::Number(number)) => number
            .to_string()
            .parse()
            .map(InstanceKey::Int)
            .map_err(|_| wrong(format!("{number} is no index of an instance"))),
        Some(other) => Err(wrong(format!("{other} is no key of an instance"))),
    }
}

fn object(
    instance: &Instance<'_>,
    at: &ResourceInstance,
    module: &ModuleInstance,
) -> Result<Object, StateError> {
    if instance.attributes_flat.is_some() {
        return Err(wrong(format!(
            "`{at}` has attributes in the form of versions before 0.12; apply it once with Terraform"
        )));
    }
    let attributes = instance.attributes.map_or("null", RawValue::get);
    let status = match instance.status.as_deref() {
        None | Some("") => ObjectStatus::Ready,
        Some("tainted") => ObjectStatus::Tainted,
        Some(other) => return Err(wrong(format!("`{at}` has the unknown status `{other}`"))),
    };
    let private = match instance.private.as_deref() {
        None => Vec::new(),
        Some(text) => STANDARD
            .decode(text)
            .map_err(|_| wrong(format!("the private data of `{at}` is not base 64")))?,
    };
    let mut sensitive_paths = Vec::new();
    for path in instance.sensitive_attributes.iter().flatten() {
        sensitive_paths.push(attribute_path(path).ok_or_else(|| {
            wrong(format!("`{at}` names a sensitive attribute by something that is no path"))
        })?);
    }
    let dependencies = instance
        .dependencies
        .iter()
        .flatten()
        .map(|text| dependency(text, module))
        .collect::<Result<_, _>>()?;
    Ok(Object {
        status,
        private,
        dependencies,
        create_before_destroy: instance.create_before_destroy,
        sensitive_paths,
        identity: instance.identity.filter(|raw| raw.get() != "null").map(|raw| Identity {
            version: instance.identity_schema_version,
            json: raw.get().into(),
        }),
        ..Object::new(instance.schema_version, attributes)
    })
}

/// A dependency names a block of the configuration. Where it stands in a module that this object's own module
/// lies in, the same instances are meant; elsewhere the instance without a key.
fn dependency(text: &str, own: &ModuleInstance) -> Result<Dependency, StateError> {
    let block: AbsResource =
        text.parse().map_err(|_| wrong(format!("`{text}` is no address of a resource")))?;
    let mut steps: Vec<address::ModuleStep> = block.module.steps().to_vec();
    for (step, own) in steps.iter_mut().zip(own.steps()) {
        let same =
            (&step.kind, &step.type_name, &step.name) == (&own.kind, &own.type_name, &own.name);
        if !same {
            break;
        }
        step.key = own.key.clone();
    }
    let module = ModuleInstance::new(steps);
    Ok(Dependency::Block(AbsResource { module, ..block }))
}

fn attribute_path(path: &Json) -> Option<AttributePath> {
    let steps = path.as_array()?.iter().map(|step| {
        let value = step.get("value")?;
        match step.get("type")?.as_str()? {
            "get_attr" => Some(PathStep::Attribute(value.as_str()?.into())),
            "index" if value.is_null() => Some(PathStep::Element),
            "index" => match value.get("value")? {
                Json::String(key) => Some(PathStep::Key(key.as_str().into())),
                Json::Number(index) => Some(PathStep::Index(index.as_u64()?.try_into().ok()?)),
                _ => None,
            },
            _ => None,
        }
    });
    Some(AttributePath(steps.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tfstate::export;

    const FILE: &str = r#"{
      "version": 4, "terraform_version": "1.11.4", "serial": 7, "lineage": "l",
      "outputs": { "o": { "value": ["s", 0.1], "type": ["tuple", ["string", "number"]], "sensitive": true } },
      "resources": [
        { "mode": "data", "type": "d", "name": "d", "provider": "provider[\"registry.terraform.io/hashicorp/x\"]", "instances": [
            { "schema_version": 0, "attributes": { "id": "d" }, "sensitive_attributes": [] }
        ] },
        { "module": "module.m[\"k\"]", "mode": "managed", "type": "x_thing", "name": "t",
          "provider": "module.m.provider[\"registry.terraform.io/hashicorp/x\"].west",
          "instances": [
            { "index_key": 2, "status": "tainted", "schema_version": 3, "attributes": { "id": "i", "n": 12345678901234567890.5 },
              "sensitive_attributes": [[{ "type": "get_attr", "value": "l" }, { "type": "index", "value": { "value": 0, "type": "number" } }]],
              "private": "AQI=", "dependencies": ["module.m.x_thing.u", "x_thing.v"], "create_before_destroy": true },
            { "index_key": 2, "deposed": "0000000a", "schema_version": 3, "attributes": { "id": "old" }, "sensitive_attributes": [] }
          ] }
      ], "check_results": [
        { "object_kind": "check", "config_addr": "module.m.check.c", "status": "fail", "objects": [
            { "object_addr": "module.m[\"a.b\"].check.c", "status": "fail", "failure_messages": ["no"] } ] },
        { "object_kind": "resource", "config_addr": "module.m.x_thing.t", "status": "unknown", "objects": [
            { "object_addr": "module.m[\"k\"].x_thing.t[2]", "status": "unknown" } ] },
        { "object_kind": "output", "config_addr": "output.o", "status": "pass", "objects": null }
      ] }"#;

    #[test]
    fn a_file_that_is_imported_and_exported_says_the_same() {
        let snapshot = import(FILE).unwrap();
        assert_eq!(
            (snapshot.serial, snapshot.lineage.as_str(), snapshot.records.len()),
            (7, "l", 2)
        );
        let key = snapshot.checks[1].objects[0].key.clone();
        assert_eq!((key, &*snapshot.checks[0].module), (Some(Json::from(2)), "module.m"));
        let (address, record) = snapshot.records.last_key_value().unwrap();
        assert_eq!(address.to_string(), "module.m[\"k\"].x_thing.t[2]");
        let object = record.current.as_ref().unwrap();
        assert_eq!(object.status, ObjectStatus::Tainted);
        let names: Vec<String> =
            object.dependencies.iter().map(|dependency| dependency.block().to_string()).collect();
        assert_eq!(names, ["module.m[\"k\"].x_thing.u", "x_thing.v"]);
        let wanted: Json = serde_json::from_str(FILE).unwrap();
        assert_eq!(export(&snapshot, "1.11.4").unwrap(), wanted);
    }

    #[test]
    fn checks_of_components_are_not_shown_to_terraform() {
        let mut snapshot = import(FILE).unwrap();
        let known = export(&snapshot, "1.11.4").unwrap()["check_results"].clone();
        for module in ["cluster.train", "module.m.cluster.train", "cluster.train.module.m"] {
            let check =
                crate::CheckResult { module: module.to_owned(), ..snapshot.checks[0].clone() };
            snapshot.checks.push(check);
        }
        assert_eq!(export(&snapshot, "1.11.4").unwrap()["check_results"], known);
        snapshot.checks.drain(..3);
        assert_eq!(export(&snapshot, "1.11.4").unwrap()["check_results"], Json::Null);
    }

    #[test]
    fn what_is_no_state_is_refused_and_says_why() {
        for (text, reason) in [
            ("", "EOF while parsing"),
            ("[]", "expected struct File"),
            (r#"{"version":3}"#, "it has version 3"),
            (&FILE.replace("\"managed\"", "\"other\""), "no mode of a resource"),
            (&FILE.replace("x_thing\", \"name\": \"t\"", "1\", \"name\": \"t\""), "no address"),
            (
                &FILE.replace("\"index_key\": 2, \"dep", "\"index_key\": true, \"dep"),
                "no key of an instance",
            ),
            (&FILE.replace("AQI=", "?"), "not base 64"),
            (&FILE.replace("\"deposed\": \"0000000a\", ", ""), "stands in it twice"),
        ] {
            let error = import(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}\n{error}");
        }
    }
}
