//! How many instances a block has: `count` and `for_each`.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{InstanceKey, ModulePathStep, ModuleStep, Resource};
use lang::Expression;
use syntax::{Diagnostics, Span};
use value::{Marks, Type, Value, convert};

use super::{NodeKey, Walk};
use crate::error::PlanError;
use crate::evaluation::{Expansion, ModuleId, ModuleState, Repetition, prefix};

impl Walk<'_> {
    pub(super) fn expand(
        &mut self,
        module: ModuleId,
        resource: &Resource,
    ) -> Result<(), Diagnostics> {
        let Some(block) = self.block(module, resource).cloned() else { return Ok(()) };
        let address = format!("{}{resource}", prefix(&self.evaluation.module(module).instance));
        let expansion = self.expansion(
            module,
            block.config.count.as_ref(),
            block.config.for_each.as_ref(),
            &address,
        );
        let expansion = match expansion {
            Ok(expansion) => expansion,
            // How many there are does not matter to a run that leaves all of them alone.
            Err(_) if self.included.as_ref().is_some_and(|all| !all.contains(&block.address)) => {
                return Ok(());
            }
            Err(found) => return Err(found),
        };
        let keys: Vec<InstanceKey> = expansion.repetitions().into_iter().map(|r| r.key).collect();
        if let Some(state) = self.evaluation.module_mut(module).resources.get_mut(resource) {
            state.expansion = Some(expansion);
        }
        for key in keys {
            self.node(NodeKey::Instance(module, resource.clone(), key));
        }
        Ok(())
    }

    pub(super) fn expand_call(
        &mut self,
        module: ModuleId,
        step: &ModulePathStep,
    ) -> Result<(), Diagnostics> {
        let parent = Arc::clone(&self.evaluation.module(module).module);
        let Some(call) = parent.calls.get(step) else { return Ok(()) };
        let address = format!("{}{step}", prefix(&self.evaluation.module(module).instance));
        let expansion =
            self.expansion(module, call.count.as_ref(), call.for_each.as_ref(), &address)?;
        let config = Arc::clone(&self.evaluation.config);
        let Some(module_of_all) = config.modules.get(&parent.path.child(step.clone())) else {
            return Ok(());
        };
        let mut children = BTreeMap::new();
        for repetition in expansion.repetitions() {
            let key = repetition.key.clone();
            let instance = self.evaluation.module(module).instance.child(ModuleStep {
                kind: step.kind,
                type_name: Arc::clone(&step.type_name),
                name: Arc::clone(&step.name),
                key: key.clone(),
            });
            let child = Arc::clone(config.replacement_of(&instance).unwrap_or(module_of_all));
            let origin = Some((module, step.clone()));
            let state = ModuleState::new(instance, child, origin, repetition);
            let id = self.evaluation.open(state);
            children.insert(key, id);
        }
        let opened: Vec<ModuleId> = children.values().copied().collect();
        if let Some(state) = self.evaluation.module_mut(module).calls.get_mut(step) {
            state.expansion = Some(expansion);
            state.children = children;
        }
        for id in opened {
            self.open(id);
        }
        Ok(())
    }

    fn expansion(
        &self,
        module: ModuleId,
        count: Option<&Expression>,
        for_each: Option<&Expression>,
        address: &str,
    ) -> Result<Expansion, Diagnostics> {
        let single = Repetition::single();
        if let Some(count) = count {
            let value = self.evaluation.evaluate(module, &single, count)?;
            return count_expansion(&value, count.span(), address)
                .map_err(|error| self.with_unknown_names(error, module, count).into());
        }
        if let Some(for_each) = for_each {
            let value = self.evaluation.evaluate(module, &single, for_each)?;
            return for_each_expansion(&value, for_each.span(), address)
                .map_err(|error| self.with_unknown_names(error, module, for_each).into());
        }
        Ok(Expansion::Single)
    }

    /// Says in the error what of the expression is not known.
    fn with_unknown_names(
        &self,
        mut error: PlanError,
        module: ModuleId,
        expression: &Expression,
    ) -> PlanError {
        if let PlanError::UnknownExpansion { unknown, .. } = &mut error {
            let names = self.evaluation.unknown_references(module, expression);
            if !names.is_empty() {
                *unknown = names;
            }
        }
        error
    }
}

/// `each` and `count` of an instance.
pub(crate) fn repetition_of(
    state: &ModuleState,
    resource: &Resource,
    key: &InstanceKey,
) -> Repetition {
    let value =
        match (state.resources.get(resource).and_then(|block| block.expansion.as_ref()), key) {
            (Some(Expansion::ForEach(elements)), InstanceKey::String(key)) => {
                elements.get(key).cloned()
            }
            _ => None,
        };
    Repetition { key: key.clone(), value }
}

pub(crate) fn count_expansion(
    value: &Value,
    span: Span,
    address: &str,
) -> Result<Expansion, PlanError> {
    let invalid = |message: String, help: Option<String>| PlanError::InvalidExpansion {
        argument: "count",
        address: address.to_owned(),
        message,
        span,
        help,
    };
    if value.marks().contains(Marks::EPHEMERAL) {
        let help = "use a number that is the same in plan and apply".to_owned();
        return Err(invalid(
            "the number is ephemeral, but the instances last".to_owned(),
            Some(help),
        ));
    }
    // How many there are is no secret, even if it comes from one.
    let value = &value.clone().unmark().0;
    let number = convert(value, &Type::Number).map_err(|error| invalid(error.to_string(), None))?;
    if number.is_unknown() {
        return Err(PlanError::UnknownExpansion {
            argument: "count",
            address: address.to_owned(),
            unknown: "the number".to_owned(),
            span,
        });
    }
    let Some(number) = number.as_number() else {
        return Err(invalid("a number is required, but it is null".to_owned(), None));
    };
    number.to_usize().map(Expansion::Count).ok_or_else(|| {
        invalid(format!("a whole number from 0 is required, but it is {number}"), None)
    })
}

pub(crate) fn for_each_expansion(
    value: &Value,
    span: Span,
    address: &str,
) -> Result<Expansion, PlanError> {
    let invalid = |message: String, help: Option<String>| PlanError::InvalidExpansion {
        argument: "for_each",
        address: address.to_owned(),
        message,
        span,
        help,
    };
    let unknown = || PlanError::UnknownExpansion {
        argument: "for_each",
        address: address.to_owned(),
        unknown: "the keys".to_owned(),
        span,
    };
    if !value.marks().is_empty() {
        let help = "use `nonsensitive(…)` if the keys may be known".to_owned();
        return Err(invalid(
            "it is sensitive or ephemeral, but addresses show its keys".to_owned(),
            Some(help),
        ));
    }
    let suitable = match value.ty() {
        Type::Dynamic | Type::Map(_) | Type::Object(_) => true,
        Type::Set(element) => matches!(*element, Type::String | Type::Dynamic),
        _ => false,
    };
    if value.is_unknown() && suitable {
        return Err(unknown());
    }
    if value.is_null() {
        return Err(invalid(
            "a map or a set of strings is required, but it is null".to_owned(),
            None,
        ));
    }
    if let Some(entries) = value.entries() {
        return Ok(Expansion::ForEach(entries.to_map()));
    }
    if !value.is_set() {
        let help = "wrap a list of strings in `toset(…)`".to_owned();
        let found = value.ty().friendly_name();
        return Err(invalid(
            format!("a map or a set of strings is required, but it is a {found}"),
            Some(help),
        ));
    }
    let mut elements = BTreeMap::new();
    for item in value.items().unwrap_or_default() {
        if item.is_unknown() {
            return Err(unknown());
        }
        let Some(key) = item.as_arc_str() else {
            let found = if item.is_null() { "null".to_owned() } else { item.ty().friendly_name() };
            return Err(invalid(format!("the set must hold strings, but holds {found}"), None));
        };
        elements.insert(Arc::clone(key), item.clone());
    }
    Ok(Expansion::ForEach(elements))
}
