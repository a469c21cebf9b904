//! An evaluation on its way to apply, as JSON and back: which module instances there are, and what of them is
//! known by the end of a plan.
//!
//! The configuration is not part of it. What apply evaluates again anyway, and everything ephemeral, is left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{AbsResource, InstanceKey, ModuleInstance, ModulePathStep, Resource, ResourceMode};
use serde_json::{Map, Value as Json, json};
use value::{Value, exact};

use super::module::{BlockState, CallState, Expansion};
use super::{Evaluation, ModuleId, ModuleState, ROOT, Repetition, lasts};

impl Evaluation {
    /// The module instances with what is known of them.
    pub(crate) fn to_json(&self) -> Json {
        Json::Array(self.modules.iter().map(module_to_json).collect())
    }

    /// Fills an evaluation that holds the root module alone with what [`Self::to_json`] has written of one of the
    /// same configuration. `None` if it was not.
    pub(crate) fn restore(&mut self, stored: &Json) -> Option<()> {
        for (at, stored) in stored.as_array()?.iter().enumerate() {
            let instance: ModuleInstance = stored.get("instance")?.as_str()?.parse().ok()?;
            let id = match instance.parent() {
                None => ROOT,
                Some(parent) => {
                    let replacement = self.config.replacement_of(&instance);
                    let of_all = || self.config.modules.get(&instance.module());
                    let module = Arc::clone(replacement.or_else(of_all)?);
                    let step = ModulePathStep::from(instance.steps().last()?);
                    let origin = Some((self.find(&parent)?, step));
                    let repetition = repetition_from_json(stored.get("repetition")?)?;
                    self.open(ModuleState::new(instance, module, origin, repetition))
                }
            };
            if id.0 != at {
                return None;
            }
            self.restore_module(id, stored)?;
        }
        Some(())
    }

    fn restore_module(&mut self, id: ModuleId, stored: &Json) -> Option<()> {
        let state = self.module_mut(id);
        state.variables = values_from_json(stored.get("variables")?)?;
        state.locals = values_from_json(stored.get("locals")?)?;
        state.outputs = values_from_json(stored.get("outputs")?)?;
        for (name, stored) in stored.get("resources")?.as_object()? {
            let resource = name.parse::<AbsResource>().ok()?.resource;
            let block = state.resources.get_mut(&resource)?;
            block.expansion = expansion_from_json(stored.get("expansion")?)?;
            for entry in stored.get("instances")?.as_array()? {
                let key = key_from_json(entry.get(0)?)?;
                block.instances.insert(key, exact::from_json(entry.get(1)?).ok()?);
            }
        }
        for (name, stored) in stored.get("calls")?.as_object()? {
            let step = name.parse::<ModuleInstance>().ok()?;
            let call = state.calls.get_mut(&ModulePathStep::from(step.steps().last()?))?;
            call.expansion = expansion_from_json(stored.get("expansion")?)?;
            for entry in stored.get("children")?.as_array()? {
                let child = usize::try_from(entry.get(1)?.as_u64()?).ok()?;
                call.children.insert(key_from_json(entry.get(0)?)?, ModuleId(child));
            }
        }
        Some(())
    }
}

fn module_to_json(state: &ModuleState) -> Json {
    let resources: Map<String, Json> = state
        .resources
        .iter()
        .map(|(name, block)| (name.to_string(), block_to_json(name, block)))
        .collect();
    let calls: Map<String, Json> =
        state.calls.iter().map(|(step, call)| (step.to_string(), call_to_json(call))).collect();
    json!({
        "instance": state.instance.to_string(),
        "repetition": repetition_to_json(&state.repetition),
        "variables": values_to_json(&state.variables),
        "locals": values_to_json(&state.locals),
        "outputs": values_to_json(&state.outputs),
        "resources": resources,
        "calls": calls,
    })
}

fn block_to_json(resource: &Resource, block: &BlockState) -> Json {
    let kept = resource.mode != ResourceMode::Ephemeral;
    let instances = block.instances.keys().filter(|_| kept).filter_map(|key| {
        Some(json!([key_to_json(key), exact::to_json(block.instances.get(key)?)]))
    });
    json!({
        "expansion": expansion_to_json(block.expansion.as_ref()),
        "instances": instances.collect::<Vec<_>>(),
    })
}

fn call_to_json(call: &CallState) -> Json {
    let children = call.children.iter().map(|(key, child)| json!([key_to_json(key), child.0]));
    json!({
        "expansion": expansion_to_json(call.expansion.as_ref()),
        "children": children.collect::<Vec<_>>(),
    })
}

fn values_to_json(values: &BTreeMap<Arc<str>, Value>) -> Json {
    let lasting = values.iter().filter(|(_, value)| lasts(value));
    Json::Object(lasting.map(|(name, value)| (name.to_string(), exact::to_json(value))).collect())
}

fn values_from_json(json: &Json) -> Option<BTreeMap<Arc<str>, Value>> {
    let entries = json.as_object()?.iter();
    entries
        .map(|(name, value)| Some((Arc::from(name.as_str()), exact::from_json(value).ok()?)))
        .collect()
}

fn key_to_json(key: &InstanceKey) -> Json {
    match key {
        InstanceKey::None => Json::Null,
        InstanceKey::Int(index) => json!(index),
        InstanceKey::String(name) => json!(&**name),
    }
}

fn key_from_json(json: &Json) -> Option<InstanceKey> {
    Some(match json {
        Json::Null => InstanceKey::None,
        Json::String(name) => InstanceKey::String(Arc::from(name.as_str())),
        index => InstanceKey::Int(index.as_i64()?),
    })
}

fn repetition_to_json(repetition: &Repetition) -> Json {
    json!({
        "key": key_to_json(&repetition.key),
        "value": repetition.value.as_ref().map(exact::to_json),
    })
}

fn repetition_from_json(json: &Json) -> Option<Repetition> {
    let value = match json.get("value")? {
        Json::Null => None,
        value => Some(exact::from_json(value).ok()?),
    };
    Some(Repetition { key: key_from_json(json.get("key")?)?, value })
}

fn expansion_to_json(expansion: Option<&Expansion>) -> Json {
    match expansion {
        None => Json::Null,
        Some(Expansion::Single) => json!("single"),
        Some(Expansion::Count(count)) => json!(count),
        Some(Expansion::ForEach(elements)) => Json::Object(
            elements.iter().map(|(key, value)| (key.to_string(), exact::to_json(value))).collect(),
        ),
    }
}

fn expansion_from_json(json: &Json) -> Option<Option<Expansion>> {
    Some(match json {
        Json::Null => None,
        Json::String(_) => Some(Expansion::Single),
        Json::Object(_) => Some(Expansion::ForEach(values_from_json(json)?)),
        count => Some(Expansion::Count(usize::try_from(count.as_u64()?).ok()?)),
    })
}
