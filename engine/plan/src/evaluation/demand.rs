//! Evaluates what is asked for, and first whatever that needs.
//!
//! While planning, the walk sees to it that a name is evaluated before it is read. In apply, names whose
//! values were not known are evaluated again when somebody asks; the steps' order promises that the objects
//! behind them are there. A chain of names may be long, so it is worked off from a list, not by recursion.

use std::collections::BTreeSet;
use std::sync::Arc;

use address::{InstanceKey, ModulePathStep};
use config::{Module, Reference};
use lang::{Expression, Traversal};
use syntax::Diagnostics;

use super::{Evaluation, ModuleId};
use crate::prepare::is_each_value;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Variable(ModuleId, Arc<str>),
    Local(ModuleId, Arc<str>),
    Output(ModuleId, Arc<str>),
}

impl Evaluation {
    /// Makes sure that all that these references lead to has a value.
    pub(crate) fn demand(
        &mut self,
        module: ModuleId,
        references: &[Traversal],
    ) -> Result<(), Diagnostics> {
        self.work_off(self.missing(module, references), |_, _, found| Err(found))
    }

    /// Evaluates every name of a module instance and all behind them. What fails is reported once, and counts as
    /// unknown for whoever refers to it.
    pub(crate) fn demand_module(&mut self, id: ModuleId) -> Diagnostics {
        let module = Arc::clone(&self.module(id).module);
        let variables = module.variables.keys().map(|name| Name::Variable(id, Arc::clone(name)));
        let locals = module.locals.keys().map(|name| Name::Local(id, Arc::clone(name)));
        let outputs = module.outputs.keys().map(|name| Name::Output(id, Arc::clone(name)));
        let mut names: Vec<Name> = variables.chain(locals).chain(outputs).collect();
        names.reverse();
        let mut all = Diagnostics::new();
        let done = self.work_off(names, |evaluation, name, found| {
            all.extend(found);
            evaluation.give_up(name);
            Ok(())
        });
        debug_assert!(done.is_ok(), "failures are taken in");
        all
    }

    /// Evaluates names, and first what they need; from a list, since chains may be long.
    fn work_off(
        &mut self,
        mut stack: Vec<Name>,
        mut failed: impl FnMut(&mut Self, &Name, Diagnostics) -> Result<(), Diagnostics>,
    ) -> Result<(), Diagnostics> {
        let mut open: BTreeSet<Name> = BTreeSet::new();
        while let Some(name) = stack.pop() {
            if self.has(&name) {
                continue;
            }
            if open.insert(name.clone()) {
                let (module, references) = self.needs(&name);
                let missing = self.missing(module, &references);
                if !missing.is_empty() {
                    stack.push(name);
                    stack.extend(missing);
                    continue;
                }
            }
            if let Err(found) = self.evaluate_name(&name) {
                failed(self, &name, found)?;
            }
        }
        Ok(())
    }

    /// Lets a name that cannot be evaluated be unknown.
    fn give_up(&mut self, name: &Name) {
        let unknown = value::Value::dynamic_unknown();
        match name {
            Name::Variable(id, name) => {
                self.module_mut(*id).variables.insert(Arc::clone(name), unknown);
            }
            Name::Local(id, name) => {
                self.module_mut(*id).locals.insert(Arc::clone(name), unknown);
            }
            Name::Output(id, name) => {
                self.module_mut(*id).outputs.insert(Arc::clone(name), unknown);
            }
        }
    }

    /// Evaluates an output of the root module, and first whatever it needs.
    pub fn demand_root_output(&mut self, name: &Arc<str>) -> Result<value::Value, Diagnostics> {
        if let Some(value) = self.restored.output(name) {
            return Ok(value);
        }
        if let Some(value) = self.module(super::ROOT).outputs.get(name) {
            return Ok(value.clone());
        }
        let module = Arc::clone(&self.module(super::ROOT).module);
        if let Some(output) = module.outputs.get(name) {
            let references = output_references(output);
            self.demand(super::ROOT, &references)?;
        }
        self.evaluate_output(super::ROOT, name)
    }

    /// Evaluates an expression as if it stood in the root module, and first whatever it needs.
    pub fn demand_expression(
        &mut self,
        expression: &lang::Expression,
    ) -> Result<value::Value, Diagnostics> {
        self.demand(super::ROOT, expression.references())?;
        self.evaluate(super::ROOT, &super::Repetition::single(), expression)
    }

    /// Ephemeral blocks that references lead to, through whatever names lie between.
    pub(crate) fn ephemerals_named(
        &self,
        module: ModuleId,
        references: &[Traversal],
    ) -> BTreeSet<(ModuleId, address::Resource)> {
        let mut found = self.resources_named(module, references);
        found.retain(|(_, resource)| resource.mode == address::ResourceMode::Ephemeral);
        found
    }

    /// Resource blocks that references lead to, through whatever names lie between.
    pub(crate) fn resources_named(
        &self,
        module: ModuleId,
        references: &[Traversal],
    ) -> BTreeSet<(ModuleId, address::Resource)> {
        let mut found = BTreeSet::new();
        let mut seen: BTreeSet<Name> = BTreeSet::new();
        let mut waiting: Vec<(ModuleId, Vec<Traversal>)> = vec![(module, references.to_vec())];
        while let Some((module, references)) = waiting.pop() {
            for traversal in &references {
                let resolved = config::resolve(&self.module(module).module, traversal);
                if let Ok(config::Resolved { reference: Reference::Resource(resource), .. }) =
                    resolved
                {
                    found.insert((module, resource));
                }
            }
            for name in self.names(module, &references) {
                if seen.insert(name.clone()) {
                    waiting.push(self.needs(&name));
                }
            }
        }
        found
    }

    /// The references of an expression that are not known yet, in words. Behind a name that only passes a value
    /// on stands where the value comes from.
    pub(crate) fn unknown_references(&self, module: ModuleId, expression: &Expression) -> String {
        let mut found: Vec<String> = Vec::new();
        for reference in expression.references() {
            if !self.is_unknown(module, reference) {
                continue;
            }
            let origins = self.unknown_origins(module, reference);
            let line = match origins.as_slice() {
                [] => format!("`{reference}`"),
                origins => format!("`{reference}` (from {})", origins.join(", ")),
            };
            if !found.contains(&line) {
                found.push(line);
            }
        }
        found.join(", ")
    }

    fn is_unknown(&self, module: ModuleId, reference: &Traversal) -> bool {
        let expression = Expression::reference(reference.clone());
        let value = self.evaluate(module, &super::Repetition::single(), &expression);
        value.is_ok_and(|value| !value.is_wholly_known())
    }

    /// The unknown attributes of resources that a name's value comes from.
    fn unknown_origins(&self, module: ModuleId, reference: &Traversal) -> Vec<String> {
        let mut origins: Vec<String> = Vec::new();
        let mut seen: BTreeSet<Name> = BTreeSet::new();
        let mut waiting: Vec<Name> =
            self.names(module, std::slice::from_ref(reference)).into_iter().collect();
        while let Some(name) = waiting.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let (module, references) = self.needs(&name);
            for reference in references.iter().filter(|one| self.is_unknown(module, one)) {
                let behind = self.names(module, std::slice::from_ref(reference));
                if behind.is_empty() {
                    let within = super::prefix(&self.module(module).instance);
                    origins.push(format!("`{within}{reference}`"));
                }
                waiting.extend(behind);
            }
        }
        origins.sort();
        origins.dedup();
        origins
    }

    fn has(&self, name: &Name) -> bool {
        match name {
            Name::Variable(id, name) => self.module(*id).variables.contains_key(name),
            Name::Local(id, name) => self.module(*id).locals.contains_key(name),
            Name::Output(id, name) => self.module(*id).outputs.contains_key(name),
        }
    }

    fn evaluate_name(&mut self, name: &Name) -> Result<(), Diagnostics> {
        match name {
            Name::Variable(id, name) => self.evaluate_variable(*id, name).map(drop),
            Name::Local(id, name) => self.evaluate_local(*id, name).map(drop),
            Name::Output(id, name) => {
                self.evaluate_output(*id, name)?;
                self.forget_calls_above(*id);
                Ok(())
            }
        }
    }

    /// The references of a name's expression, and the module in which they are read.
    fn needs(&self, name: &Name) -> (ModuleId, Vec<Traversal>) {
        match name {
            Name::Variable(id, name) => {
                let state = self.module(*id);
                let (Some(parent), Some(step)) = (state.parent, &state.call) else {
                    return (*id, Vec::new());
                };
                let call = self.module(parent).module.calls.get(step);
                let input = call.and_then(|call| call.inputs.get(name));
                let mut found = input.map(|input| input.references().to_vec()).unwrap_or_default();
                if self.has_stale_element(*id) && found.iter().any(is_each_value) {
                    let for_each = call.and_then(|call| call.for_each.as_ref());
                    found.extend(for_each.into_iter().flat_map(|all| all.references().to_vec()));
                }
                (parent, found)
            }
            Name::Local(id, name) => {
                let local = self.module(*id).module.locals.get(name);
                (*id, local.map(|local| local.value.references().to_vec()).unwrap_or_default())
            }
            Name::Output(id, name) => {
                let output = self.module(*id).module.outputs.get(name);
                (*id, output.map(output_references).unwrap_or_default())
            }
        }
    }

    fn missing(&self, id: ModuleId, references: &[Traversal]) -> Vec<Name> {
        self.names(id, references).into_iter().filter(|name| !self.has(name)).collect()
    }

    /// The names that references lead to.
    fn names(&self, id: ModuleId, references: &[Traversal]) -> BTreeSet<Name> {
        let module: &Module = &self.module(id).module;
        let mut names = BTreeSet::new();
        for traversal in references {
            let Ok(resolved) = config::resolve(module, traversal) else { continue };
            match &resolved.reference {
                Reference::Variable(name) => {
                    names.insert(Name::Variable(id, Arc::clone(name)));
                }
                Reference::Local(name) => {
                    names.insert(Name::Local(id, Arc::clone(name)));
                }
                Reference::Call(step) => self.outputs_named(id, step, &resolved, &mut names),
                _ => {}
            }
        }
        names
    }

    fn outputs_named(
        &self,
        id: ModuleId,
        step: &ModulePathStep,
        resolved: &config::Resolved<'_>,
        names: &mut BTreeSet<Name>,
    ) {
        let Some(call) = self.module(id).calls.get(step) else { return };
        let wanted = crate::prepare::output_name(resolved);
        let key = crate::prepare::constant_key(resolved.key);
        for (child_key, child) in &call.children {
            if key.as_ref().is_some_and(|key| key != child_key && *child_key != InstanceKey::None) {
                continue;
            }
            let outputs = self.module(*child).module.outputs.keys();
            let outputs =
                outputs.filter(|name| wanted.as_ref().is_none_or(|wanted| wanted == *name));
            names.extend(outputs.map(|name| Name::Output(*child, Arc::clone(name))));
        }
    }
}

pub(crate) fn output_references(output: &config::Output) -> Vec<Traversal> {
    let conditions = output.preconditions.iter().flat_map(|condition| {
        condition.condition.references().iter().chain(condition.error_message.references())
    });
    output.value.references().iter().chain(conditions).cloned().collect()
}
