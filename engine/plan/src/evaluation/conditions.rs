//! What all conditions come to, for those who look at a plan or a state with a program.
//!
//! The walk has stopped at whatever failed; here the same conditions are asked once more, with the values at hand,
//! and nothing is reported.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::{InstanceKey, ModuleInstance, ModulePath, Resource, ResourceInstance};
use config::{Condition, Module};
use state::{CheckKind, CheckResult, CheckStatus, CheckedObject};
use value::Value;

use super::{Evaluation, Judged, ModuleId, Repetition};
use crate::model::{Mode, ResourceChange};
use crate::walk::repetition_of;

/// Of what conditions are asked; those of anything else are open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookedAt {
    /// Of everything.
    Everything,
    /// Of these instances of resources.
    Only(BTreeSet<String>),
    /// Of nothing, since everything is to be destroyed.
    Nothing,
}

impl LookedAt {
    /// What a plan has looked at.
    pub fn by<'a>(
        mode: Mode,
        limited: bool,
        changes: impl IntoIterator<Item = &'a ResourceChange>,
    ) -> Self {
        match (mode, limited) {
            (Mode::Destroy, _) => Self::Nothing,
            (_, false) => Self::Everything,
            (_, true) => {
                Self::Only(changes.into_iter().map(|change| change.address.to_string()).collect())
            }
        }
    }
}

impl Evaluation {
    /// The results of all blocks with conditions, in the order of their addresses.
    pub fn check_results(&self, looked_at: &LookedAt) -> Vec<CheckResult> {
        let mut results = Vec::new();
        let looked = *looked_at != LookedAt::Nothing;
        let mut by_path: BTreeMap<&ModulePath, Vec<ModuleId>> = BTreeMap::new();
        for (id, state) in self.modules().filter(|_| looked) {
            by_path.entry(&state.module.path).or_default().push(id);
        }
        for module in self.config.modules.values() {
            if conditions_of(module).next().is_none() {
                continue;
            }
            let instances = by_path.get(&module.path).map(Vec::as_slice).unwrap_or_default();
            let expanded = looked && (!instances.is_empty() || self.is_expanded(&module.path));
            self.of_module(module, instances, expanded, &mut results);
        }
        if let LookedAt::Only(planned) = looked_at {
            for result in &mut results {
                let is_resource = result.kind == CheckKind::Resource;
                result.objects.retain(|one| is_resource && planned.contains(&one.address()));
                let worst = result.objects.iter().map(|one| one.status).max();
                result.status = worst.unwrap_or(CheckStatus::Unknown);
            }
        }
        results.sort_by_cached_key(CheckResult::address);
        results
    }

    /// The same by the end of an apply: what was not known before is evaluated first.
    pub fn final_check_results(&mut self, looked_at: &LookedAt) -> Vec<CheckResult> {
        let modules: Vec<(ModuleId, Arc<Module>)> = self
            .modules()
            .filter(|_| *looked_at != LookedAt::Nothing)
            .map(|(id, state)| (id, Arc::clone(&state.module)))
            .collect();
        for (id, module) in modules {
            let references: Vec<lang::Traversal> = conditions_of(&module)
                .flat_map(|one| {
                    one.condition.references().iter().chain(one.error_message.references())
                })
                .cloned()
                .collect();
            // What cannot be evaluated stays open.
            let _ = self.demand(id, &references);
        }
        self.check_results(looked_at)
    }

    fn of_module(
        &self,
        module: &Module,
        instances: &[ModuleId],
        expanded: bool,
        results: &mut Vec<CheckResult>,
    ) {
        let mut add = |kind, name: String, objects: Option<Vec<CheckedObject>>| {
            let none = if objects.is_some() { CheckStatus::Pass } else { CheckStatus::Unknown };
            let objects = objects.unwrap_or_default();
            let status = objects.iter().map(|one| one.status).max().unwrap_or(none);
            let module = module.path.to_string();
            results.push(CheckResult { kind, module, name, status, objects });
        };
        let single = |name: String, conditions: &[&Condition], kind| {
            let objects = instances.iter().filter(|id| match kind {
                CheckKind::Var => name
                    .strip_prefix("var.")
                    .is_some_and(|name| self.module(**id).variables.contains_key(name)),
                _ => true,
            });
            let objects: Vec<CheckedObject> = objects
                .map(|id| self.object(*id, &Repetition::single(), name.clone(), conditions, None))
                .collect();
            (expanded || !objects.is_empty()).then_some(objects)
        };
        for (name, variable) in &module.variables {
            let conditions: Vec<&Condition> = variable.validations.iter().collect();
            if !conditions.is_empty() {
                let name = format!("var.{name}");
                let objects = single(name.clone(), &conditions, CheckKind::Var);
                add(CheckKind::Var, name, objects);
            }
        }
        for (name, output) in &module.outputs {
            let conditions: Vec<&Condition> = output.preconditions.iter().collect();
            if !conditions.is_empty() {
                let name = format!("output.{name}");
                let mut objects = single(name.clone(), &conditions, CheckKind::Output);
                if objects.is_none() && module.path.is_root() {
                    // Outputs of the root are there whether or not anybody looks.
                    objects = Some(vec![open(name.clone())]);
                }
                add(CheckKind::Output, name, objects);
            }
        }
        for check in &module.checks {
            let conditions: Vec<&Condition> = check.assertions.iter().collect();
            let name = format!("check.{}", check.name);
            let objects = single(name.clone(), &conditions, CheckKind::Check);
            add(CheckKind::Check, name, objects);
        }
        for (resource, block) in &module.resources {
            let lifecycle = &block.lifecycle;
            if lifecycle.preconditions.is_empty() && lifecycle.postconditions.is_empty() {
                continue;
            }
            let before: Vec<&Condition> = lifecycle.preconditions.iter().collect();
            let after: Vec<&Condition> = lifecycle.postconditions.iter().collect();
            let objects = instances
                .iter()
                .map(|id| self.of_resource(*id, resource, &before, &after))
                .collect::<Option<Vec<_>>>()
                .map(|objects| objects.concat());
            let objects = objects.filter(|objects| expanded || !objects.is_empty());
            add(CheckKind::Resource, resource.to_string(), objects);
        }
    }

    /// `None` if it is not known yet which instances there are.
    fn of_resource(
        &self,
        id: ModuleId,
        resource: &Resource,
        before: &[&Condition],
        after: &[&Condition],
    ) -> Option<Vec<CheckedObject>> {
        let state = self.module(id);
        let expansion = state.resources.get(resource)?.expansion.as_ref()?;
        let objects = expansion.repetitions().into_iter().map(|repetition| {
            let key = repetition.key;
            let repetition = repetition_of(state, resource, &key);
            let address = ResourceInstance {
                module: ModuleInstance::root(),
                resource: resource.clone(),
                key: key.clone(),
            };
            let name = address.to_string();
            let own = state.resources.get(resource).and_then(|block| block.instances.get(&key));
            let mut object = self.object(id, &repetition, name.clone(), before, None);
            let own = own.cloned().unwrap_or_else(Value::dynamic_unknown);
            let later = self.object(id, &repetition, name, after, Some(&own));
            object.status = object.status.max(later.status);
            object.messages.extend(later.messages);
            object.key = match key {
                InstanceKey::None => None,
                InstanceKey::Int(index) => Some(index.into()),
                InstanceKey::String(key) => Some((&*key).into()),
            };
            object
        });
        Some(objects.collect())
    }

    fn object(
        &self,
        id: ModuleId,
        repetition: &Repetition,
        name: String,
        conditions: &[&Condition],
        own: Option<&Value>,
    ) -> CheckedObject {
        let (mut status, mut messages) = (CheckStatus::Pass, Vec::new());
        for condition in conditions {
            let found = match self.judge(id, repetition, own, condition) {
                Ok(Judged::Holds) => CheckStatus::Pass,
                Ok(Judged::Open) => CheckStatus::Unknown,
                Ok(Judged::Fails(failed)) => {
                    messages.push(failed.message);
                    CheckStatus::Fail
                }
                Err(_) => CheckStatus::Error,
            };
            status = status.max(found);
        }
        let module = self.module(id).instance.to_string();
        CheckedObject { module, name, key: None, status, messages }
    }

    /// Says whether it is known which instances of a module there are.
    fn is_expanded(&self, path: &ModulePath) -> bool {
        let steps = path.steps();
        self.modules().all(|(_, state)| {
            let depth = state.module.path.steps().len();
            let above = depth < steps.len() && steps[..depth] == *state.module.path.steps();
            let call = if above { state.calls.get(&steps[depth]) } else { None };
            call.is_none_or(|call| call.expansion.is_some())
        })
    }
}

/// An object of the root module that nobody has looked at.
fn open(name: String) -> CheckedObject {
    let (module, key, messages) = (String::new(), None, Vec::new());
    CheckedObject { module, name, key, status: CheckStatus::Unknown, messages }
}

/// All conditions of a module.
fn conditions_of(module: &Module) -> impl Iterator<Item = &Condition> {
    let variables = module.variables.values().flat_map(|one| &one.validations);
    let outputs = module.outputs.values().flat_map(|one| &one.preconditions);
    let checks = module.checks.iter().flat_map(|one| &one.assertions);
    let resources = module.resources.values();
    let around = resources
        .flat_map(|one| one.lifecycle.preconditions.iter().chain(&one.lifecycle.postconditions));
    variables.chain(outputs).chain(checks).chain(around)
}
