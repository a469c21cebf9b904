//! Evaluates what is asked for, and first whatever that needs.
//!
//! While planning, the walk sees to it that a name is evaluated before it is read. In apply, names whose
//! values were not known are evaluated again when somebody asks; the steps' order promises that the objects
//! behind them are there. A chain of names may be long, so it is worked off from a list, not by recursion.

use std::collections::BTreeSet;
use std::sync::Arc;

use address::{InstanceKey, ModulePathStep};
use config::{Module, Reference};
use lang::Traversal;
use syntax::Diagnostics;

use super::{Evaluation, ModuleId};

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
        let mut stack = self.missing(module, references);
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
            self.evaluate_name(&name)?;
        }
        Ok(())
    }

    /// Evaluates an output of the root module, and first whatever it needs.
    pub fn demand_root_output(&mut self, name: &Arc<str>) -> Result<value::Value, Diagnostics> {
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
                (parent, input.map(|input| input.references().to_vec()).unwrap_or_default())
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
                Reference::Call(step) => self.missing_outputs(id, step, &resolved, &mut names),
                _ => {}
            }
        }
        names.into_iter().filter(|name| !self.has(name)).collect()
    }

    fn missing_outputs(
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

fn output_references(output: &config::Output) -> Vec<Traversal> {
    let conditions = output.preconditions.iter().flat_map(|condition| {
        condition.condition.references().iter().chain(condition.error_message.references())
    });
    output.value.references().iter().chain(conditions).cloned().collect()
}
