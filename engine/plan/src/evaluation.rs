//! The values of a configuration: module instances, what their names mean, and what expressions make of it.
//!
//! The walk fills it while planning. Apply takes it over, puts real objects in the place of planned ones and
//! asks for the same expressions again; [`demand`] evaluates anew whatever was not known before.

pub mod assertion;
mod conditions;
mod contributing;
pub(crate) mod demand;
mod looked_up;
mod module;
pub mod renewal;
mod scope;
mod stored;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use address::{
    ConfigResource, InstanceKey, ModuleInstance, ProviderConfig, Resource, ResourceInstance,
    ResourceMode,
};
use config::{Condition, Configuration};
use lang::{Context, Expression, Phase, World};
use syntax::{Diagnostics, Span};
use value::{Marks, Type, Value, convert};

use crate::decode::MOST_LEVELS;
use crate::ephemeral::Told;
use crate::error::{KnownValues, PlanError};
use crate::function::{Functions, InModule};
use crate::prepare::{Block, ProviderBlock};
use crate::restore::Restored;

pub use conditions::LookedAt;
pub use contributing::Contribution;
pub use looked_up::LookedUp;
pub(crate) use module::{Expansion, ModuleState, Repetition};
pub(crate) use scope::InstanceScope;

/// Names a module instance in an [`Evaluation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub(crate) usize);

/// The root module's instance.
pub const ROOT: ModuleId = ModuleId(0);

/// Values of a configuration, as far as they are known.
pub struct Evaluation {
    /// What is evaluated.
    pub config: Arc<Configuration>,
    /// The world that functions see.
    pub world: Arc<dyn World>,
    /// Name of the workspace.
    pub workspace: Arc<str>,
    /// Blocks with their compiled bodies.
    pub(crate) blocks: BTreeMap<ConfigResource, Arc<Block>>,
    /// Provider configurations with their compiled bodies.
    pub(crate) providers: BTreeMap<ProviderConfig, Arc<ProviderBlock>>,
    /// Functions of providers, where they can be called.
    functions: Option<Arc<Functions>>,
    phase: Phase,
    /// Nothing has a value yet: what only a run could know is unknown.
    checking: bool,
    modules: Vec<ModuleState>,
    index: BTreeMap<ModuleInstance, ModuleId>,
    root_inputs: BTreeMap<Arc<str>, Value>,
    /// What is led back to an earlier state.
    pub(crate) restored: Restored,
    /// What has happened to ephemeral objects while the plan was made, in that order.
    pub told_of_ephemerals: Vec<Told>,
    /// The walk has ended with faults: what has no value gets none.
    failed: bool,
}

impl std::fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluation").field("modules", &self.modules.len()).finish_non_exhaustive()
    }
}

impl Evaluation {
    /// An evaluation that holds the root module with its input values and nothing else.
    pub fn new(
        config: Arc<Configuration>,
        world: Arc<dyn World>,
        workspace: Arc<str>,
        root_inputs: BTreeMap<Arc<str>, Value>,
    ) -> Self {
        let mut evaluation = Self {
            config,
            world,
            workspace,
            blocks: BTreeMap::new(),
            providers: BTreeMap::new(),
            functions: None,
            phase: Phase::Plan,
            checking: false,
            modules: Vec::new(),
            index: BTreeMap::new(),
            root_inputs,
            restored: Restored::default(),
            told_of_ephemerals: Vec::new(),
            failed: false,
        };
        let root = Arc::clone(evaluation.config.root());
        evaluation.open(ModuleState::new(ModuleInstance::root(), root, None, Repetition::single()));
        evaluation
    }

    /// An evaluation in which every module of the configuration is open once, and nothing is known of variables,
    /// resources and repetitions: enough to find what is wrong whatever their values are.
    pub(crate) fn for_check(
        config: Arc<Configuration>,
        world: Arc<dyn World>,
        workspace: Arc<str>,
    ) -> Self {
        let mut evaluation = Self::new(config, world, workspace, BTreeMap::new());
        evaluation.checking = true;
        let mut waiting = vec![ROOT];
        while let Some(id) = waiting.pop() {
            let (parent, instance) =
                (Arc::clone(&evaluation.module(id).module), evaluation.module(id).instance.clone());
            for step in parent.calls.keys() {
                let path = parent.path.child(step.clone());
                let Some(child) = evaluation.config.modules.get(&path).cloned() else { continue };
                let instance = instance.child(address::ModuleStep {
                    kind: step.kind,
                    type_name: Arc::clone(&step.type_name),
                    name: Arc::clone(&step.name),
                    key: InstanceKey::None,
                });
                let origin = Some((id, step.clone()));
                let state = ModuleState::new(instance, child, origin, Repetition::single());
                waiting.push(evaluation.open(state));
            }
        }
        evaluation
    }

    /// Lets expressions call functions of these providers.
    pub(crate) fn use_functions(&mut self, readers: &crate::Readers) {
        self.functions = Some(Arc::new(Functions::new(readers.clone())));
    }

    /// Adds a module instance.
    pub(crate) fn open(&mut self, state: ModuleState) -> ModuleId {
        let id = ModuleId(self.modules.len());
        self.index.insert(state.instance.clone(), id);
        self.modules.push(state);
        id
    }

    pub(crate) fn module(&self, id: ModuleId) -> &ModuleState {
        &self.modules[id.0]
    }

    pub(crate) fn module_mut(&mut self, id: ModuleId) -> &mut ModuleState {
        &mut self.modules[id.0]
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = (ModuleId, &ModuleState)> {
        self.modules.iter().enumerate().map(|(at, module)| (ModuleId(at), module))
    }

    /// The module instance at an address, if it was expanded.
    pub fn find(&self, instance: &ModuleInstance) -> Option<ModuleId> {
        self.index.get(instance).copied()
    }

    /// Records what a resource instance is worth to those that refer to it.
    pub fn set_instance(&mut self, address: &ResourceInstance, value: Value) {
        if let Some(id) = self.find(&address.module) {
            self.set_in(id, &address.resource, &address.key, value);
        }
    }

    pub(crate) fn set_in(
        &mut self,
        id: ModuleId,
        resource: &Resource,
        key: &InstanceKey,
        value: Value,
    ) {
        if let Some(block) = self.modules[id.0].resources.get_mut(resource) {
            block.instances.insert(key.clone(), value);
            block.whole = OnceLock::new();
        }
    }

    /// The value of a resource instance.
    pub fn instance(&self, address: &ResourceInstance) -> Option<&Value> {
        let id = self.find(&address.module)?;
        self.modules[id.0].resources.get(&address.resource)?.instances.get(&address.key)
    }

    /// The schema that the objects of a type follow, if this provider took part in the plan.
    pub fn schema(
        &self,
        provider: &ProviderConfig,
        mode: ResourceMode,
        type_name: &str,
    ) -> Option<&sdk::Schema> {
        let schema = &self.providers.get(provider)?.schema;
        match mode {
            ResourceMode::Managed => schema.resources.get(type_name),
            ResourceMode::Data => schema.data_sources.get(type_name),
            ResourceMode::Ephemeral => schema.ephemerals.get(type_name),
        }
    }

    /// Evaluates an expression in a module instance.
    pub(crate) fn evaluate(
        &self,
        id: ModuleId,
        repetition: &Repetition,
        expression: &Expression,
    ) -> Result<Value, Diagnostics> {
        self.with_context(id, repetition, None, |ctx| expression.evaluate(ctx))
    }

    /// Runs something with the context of a module instance, and of a block instance in it.
    pub(crate) fn with_context<T>(
        &self,
        id: ModuleId,
        repetition: &Repetition,
        self_value: Option<&Value>,
        run: impl FnOnce(&Context<'_>) -> T,
    ) -> T {
        let scope = InstanceScope { evaluation: self, module: id, repetition, self_value };
        let module = &self.modules[id.0];
        let functions =
            self.functions.as_ref().map(|functions| InModule { functions, module: &module.module });
        run(&Context {
            scope: &scope,
            world: &*self.world,
            phase: self.phase,
            module_dir: Path::new(&module.module.dir),
            functions: functions.as_ref().map(|all| {
                let all: &dyn lang::ProviderFunctions = all;
                all
            }),
        })
    }

    /// Evaluates an input variable of a module instance, checks it and records it.
    /// Whether the value that `for_each` gives a module instance was not wholly known when it was planned, and may
    /// be by now.
    pub(crate) fn has_stale_element(&self, id: ModuleId) -> bool {
        let value = self.module(id).repetition.value.as_ref();
        self.phase == Phase::Apply && value.is_some_and(|value| !value.is_wholly_known())
    }

    /// Gives a module instance the value that `for_each` has for it by now.
    fn renew_element(&mut self, id: ModuleId, parent: ModuleId) -> Result<(), Diagnostics> {
        if !self.has_stale_element(id) {
            return Ok(());
        }
        let call = self.module(id).call.clone();
        let calls = &self.module(parent).module.calls;
        let for_each = call.and_then(|step| calls.get(&step)?.for_each.clone());
        let Some(for_each) = for_each else { return Ok(()) };
        let address = self.module(id).instance.to_string();
        let elements = self.elements(parent, &for_each, &address)?;
        if let (Expansion::ForEach(elements), InstanceKey::String(key)) =
            (elements, self.module(id).repetition.key.clone())
        {
            self.module_mut(id).repetition.value = elements.get(&key).cloned();
        }
        Ok(())
    }

    pub(crate) fn evaluate_variable(
        &mut self,
        id: ModuleId,
        name: &Arc<str>,
    ) -> Result<Value, Diagnostics> {
        let module = Arc::clone(&self.module(id).module);
        let Some(variable) = module.variables.get(name) else {
            return Ok(Value::dynamic_unknown());
        };
        let given = match self.module(id).parent {
            None if self.checking => Some(Value::unknown(variable.ty.ty.without_optional())),
            None => self.root_inputs.get(name).cloned(),
            Some(parent) => {
                let call = self.module(id).call.clone().and_then(|step| {
                    self.module(parent)
                        .module
                        .calls
                        .get(&step)
                        .map(|call| call.inputs.get(name).cloned())
                });
                match call.flatten() {
                    None => None,
                    Some(expression) => {
                        if expression.references().iter().any(crate::prepare::is_each_value) {
                            self.renew_element(id, parent)?;
                        }
                        let repetition = self.module(id).repetition.clone();
                        let value = self.evaluate(parent, &repetition, &expression)?;
                        let value = accept(variable, value, &expression, name)?;
                        let address = format!("{}var.{name}", prefix(&self.module(id).instance));
                        suits(variable, &value, &address, expression.span())?;
                        Some(value)
                    }
                }
            }
        };
        let mut value = match given {
            Some(value)
                if !(value.is_null() && !variable.nullable && variable.default.is_some()) =>
            {
                value
            }
            _ => match &variable.default {
                Some(default) => default.clone(),
                None => Value::unknown(variable.ty.ty.without_optional()),
            },
        };
        value = marked(variable, value);
        self.module_mut(id).variables.insert(Arc::clone(name), value.clone());
        let address = format!("{}var.{name}", prefix(&self.module(id).instance));
        let conditions = variable.validations.as_slice();
        let diagnostics = self.check_conditions(
            id,
            &Repetition::single(),
            None,
            conditions,
            "validation",
            &address,
        );
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        if self.checking {
            // What this call gives is right. Inside, a module is checked for all that it may be given.
            value = marked(variable, Value::unknown(variable.ty.ty.without_optional()));
            self.module_mut(id).variables.insert(Arc::clone(name), value.clone());
        }
        Ok(value)
    }

    /// Evaluates a local value of a module instance and records it.
    pub(crate) fn evaluate_local(
        &mut self,
        id: ModuleId,
        name: &Arc<str>,
    ) -> Result<Value, Diagnostics> {
        let module = Arc::clone(&self.module(id).module);
        let Some(local) = module.locals.get(name) else { return Ok(Value::dynamic_unknown()) };
        let value = self.evaluate(id, &Repetition::single(), &local.value)?;
        self.module_mut(id).locals.insert(Arc::clone(name), value.clone());
        Ok(value)
    }

    /// Evaluates an output of a module instance, checks it and records it.
    pub(crate) fn evaluate_output(
        &mut self,
        id: ModuleId,
        name: &Arc<str>,
    ) -> Result<Value, Diagnostics> {
        let failed = self.check_output(id, name);
        if failed.has_errors() { Err(failed) } else { self.output_value(id, name) }
    }

    /// What the conditions of an output come to.
    pub(crate) fn check_output(&self, id: ModuleId, name: &Arc<str>) -> Diagnostics {
        let state = self.module(id);
        let Some(output) = state.module.outputs.get(name) else { return Diagnostics::new() };
        let address = format!("{}output.{name}", prefix(&state.instance));
        let conditions = &output.preconditions;
        self.check_conditions(id, &Repetition::single(), None, conditions, "precondition", &address)
    }

    /// Evaluates an output of a module instance and records it, whatever its conditions say.
    pub(crate) fn output_value(
        &mut self,
        id: ModuleId,
        name: &Arc<str>,
    ) -> Result<Value, Diagnostics> {
        let module = Arc::clone(&self.module(id).module);
        let Some(output) = module.outputs.get(name) else { return Ok(Value::dynamic_unknown()) };
        let address = format!("{}output.{name}", prefix(&self.module(id).instance));
        let mut value = self.evaluate(id, &Repetition::single(), &output.value)?;
        let unsuitable = |message: &str, help: &str| PlanError::UnsuitableValue {
            what: "value",
            address: address.clone(),
            message: message.to_owned(),
            span: output.value.span(),
            help: Some(help.to_owned()),
        };
        if value.deep_marks().contains(Marks::EPHEMERAL) && !output.ephemeral {
            return Err(unsuitable(
                "is ephemeral, but the output is not declared so",
                "in a child module add `ephemeral = true` to the output; the root module's outputs are stored, so use `ephemeralasnull(…)` there",
            )
            .into());
        }
        if id == ROOT && value.is_deeper_than(MOST_LEVELS) {
            return Err(PlanError::TooDeep {
                name: address,
                limit: MOST_LEVELS,
                span: output.value.span(),
            }
            .into());
        }
        if id == ROOT && value.deep_marks().contains(Marks::SENSITIVE) && !output.sensitive {
            return Err(unsuitable(
                "is sensitive, but the output is not marked so",
                "add `sensitive = true` to the output, or wrap the value in `nonsensitive(…)` if it may be shown",
            )
            .into());
        }
        if output.sensitive {
            value = value.mark(Marks::SENSITIVE);
        }
        if output.ephemeral {
            value = value.mark(Marks::EPHEMERAL);
        }
        let module = self.module_mut(id);
        module.outputs.insert(Arc::clone(name), value.clone());
        Ok(value)
    }

    /// Forgets the objects that calls are made of, so that they are put together anew.
    pub(crate) fn forget_calls_above(&mut self, id: ModuleId) {
        if let (Some(parent), Some(step)) = (self.module(id).parent, self.module(id).call.clone())
            && let Some(call) = self.module_mut(parent).calls.get_mut(&step)
        {
            call.whole = OnceLock::new();
        }
    }

    /// Evaluates conditions; those whose value is not known yet hold for now.
    pub(crate) fn check_conditions(
        &self,
        id: ModuleId,
        repetition: &Repetition,
        self_value: Option<&Value>,
        conditions: &[Condition],
        kind: &'static str,
        address: &str,
    ) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for condition in conditions {
            match self.condition(id, repetition, self_value, condition) {
                Ok(None) => {}
                Ok(Some(failed)) => diagnostics.push(PlanError::ConditionFailed {
                    kind,
                    address: address.to_owned(),
                    message: failed.message,
                    span: condition.condition.span(),
                    values: failed.values,
                }),
                Err(errors) => diagnostics.extend(errors),
            }
        }
        diagnostics
    }

    /// Evaluates one condition: the message if it does not hold.
    pub(crate) fn condition(
        &self,
        id: ModuleId,
        repetition: &Repetition,
        self_value: Option<&Value>,
        condition: &Condition,
    ) -> Result<Option<FailedCondition>, Diagnostics> {
        Ok(match self.judge(id, repetition, self_value, condition)? {
            Judged::Fails(failed) => Some(failed),
            Judged::Holds | Judged::Open => None,
        })
    }

    /// Says whether one condition holds, as far as that is known.
    pub(crate) fn judge(
        &self,
        id: ModuleId,
        repetition: &Repetition,
        self_value: Option<&Value>,
        condition: &Condition,
    ) -> Result<Judged, Diagnostics> {
        self.with_context(id, repetition, self_value, |ctx| {
            let result = condition.condition.evaluate(ctx)?;
            let (result, _) = result.unmark();
            let holds = convert(&result, &Type::Bool).ok().filter(|value| !value.is_null());
            let Some(holds) = holds else {
                return Err(PlanError::UnsuitableValue {
                    what: "condition",
                    address: "this block".to_owned(),
                    message: format!(
                        "must be true or false, but is {}",
                        result.ty().friendly_name()
                    ),
                    span: condition.condition.span(),
                    help: None,
                }
                .into());
            };
            match holds.as_bool() {
                Some(true) => return Ok(Judged::Holds),
                None => return Ok(Judged::Open),
                Some(false) => {}
            }
            let message = condition.error_message.evaluate(ctx)?;
            let message = if message.deep_marks().is_empty() {
                message.as_str().unwrap_or("the message is not known yet").to_owned()
            } else {
                "the message holds a sensitive value, so it is not shown".to_owned()
            };
            let values = values_of(&condition.condition, ctx);
            Ok(Judged::Fails(FailedCondition { message, values }))
        })
    }

    /// From now on values are real: whatever was not wholly known is evaluated anew when it is asked for.
    pub fn begin_apply(&mut self) {
        self.phase = Phase::Apply;
        self.forget_what_does_not_last();
        for module in &mut self.modules {
            for (resource, block) in &mut module.resources {
                if resource.mode == address::ResourceMode::Ephemeral {
                    block.instances.clear();
                }
                block.whole = OnceLock::new();
            }
        }
    }

    /// Names whose values are not wholly known are evaluated anew when somebody asks for them.
    fn forget_what_does_not_last(&mut self) {
        for module in &mut self.modules {
            module.variables.retain(|_, value| lasts(value));
            module.locals.retain(|_, value| lasts(value));
            module.outputs.retain(|_, value| lasts(value));
            for call in module.calls.values_mut() {
                call.whole = OnceLock::new();
            }
        }
    }

    /// Evaluates, in apply, expressions that stand in the block of a module's call, for one of its instances: what the
    /// module is given, as far as it is known by now. `None` stands for what cannot be evaluated. What is not known yet
    /// is not remembered, since nothing here waits for it.
    pub fn given(
        &mut self,
        instance: &ModuleInstance,
        expressions: &[&Expression],
    ) -> Vec<Option<Value>> {
        let Some(id) = self.find(instance) else { return vec![None; expressions.len()] };
        let Some(parent) = self.module(id).parent else { return vec![None; expressions.len()] };
        let mut values = Vec::with_capacity(expressions.len());
        for expression in expressions {
            let stale = expression.references().iter().any(crate::prepare::is_each_value)
                && self.renew_element(id, parent).is_err();
            let repetition = self.module(id).repetition.clone();
            let ready = !stale && self.demand(parent, expression.references()).is_ok();
            values.push(if ready {
                self.evaluate(parent, &repetition, expression).ok()
            } else {
                None
            });
        }
        self.forget_what_does_not_last();
        values
    }

    /// From now on functions whose result differs from call to call have one. Values stay as they are.
    pub fn begin_console(&mut self) {
        self.phase = Phase::Apply;
    }

    /// Root outputs with their values, as far as they could be evaluated.
    pub fn root_outputs(&self) -> &BTreeMap<Arc<str>, Value> {
        &self.module(ROOT).outputs
    }
}

/// What a condition comes to.
pub(crate) enum Judged {
    Holds,
    /// That is not known yet.
    Open,
    Fails(FailedCondition),
}

/// A condition that does not hold.
pub(crate) struct FailedCondition {
    /// The author's words.
    pub(crate) message: String,
    /// What the names in it are, where that may be shown.
    pub(crate) values: Option<KnownValues>,
}

/// What the references of an expression are worth: those that are known, short and no secret.
fn values_of(expression: &Expression, ctx: &Context<'_>) -> Option<KnownValues> {
    const LONGEST: usize = 60;
    let mut shown = Vec::new();
    for reference in expression.references() {
        let Ok(value) = Expression::reference(reference.clone()).evaluate(ctx) else { continue };
        if !value.is_wholly_known() || !value.deep_marks().is_empty() {
            continue;
        }
        let text = value::json::to_string(&value);
        let one = (reference.to_string(), text);
        if one.1.chars().count() <= LONGEST && !shown.contains(&one) {
            shown.push(one);
        }
    }
    (!shown.is_empty()).then_some(KnownValues(shown))
}

/// Says whether a value of the plan is still the value in apply.
fn lasts(value: &Value) -> bool {
    value.is_wholly_known() && !value.deep_marks().contains(Marks::EPHEMERAL)
}

/// The value with the marks that its variable is declared to have.
fn marked(variable: &config::Variable, mut value: Value) -> Value {
    if variable.sensitive {
        value = value.mark(Marks::SENSITIVE);
    }
    if variable.ephemeral {
        value = value.mark(Marks::EPHEMERAL);
    }
    value
}

/// A module's variable takes null and ephemeral values only where it says so.
fn suits(
    variable: &config::Variable,
    value: &Value,
    address: &str,
    span: Span,
) -> Result<(), Diagnostics> {
    let fault = |message: &str, help: String| -> Diagnostics {
        PlanError::UnsuitableValue {
            what: "value",
            address: address.to_owned(),
            message: message.to_owned(),
            span,
            help: Some(help),
        }
        .into()
    };
    if value.is_null() && !variable.nullable && variable.default.is_none() {
        let help = "give a value, or remove `nullable = false` from the variable".to_owned();
        return Err(fault("is null, but the variable takes no null", help));
    }
    if value.deep_marks().contains(Marks::EPHEMERAL) && !variable.ephemeral {
        let help = "add `ephemeral = true` to the variable".to_owned();
        return Err(fault("is ephemeral, but the variable is not declared so", help));
    }
    Ok(())
}

fn accept(
    variable: &config::Variable,
    value: Value,
    expression: &Expression,
    name: &str,
) -> Result<Value, Diagnostics> {
    variable.ty.accept(value).map_err(|error| {
        PlanError::WrongType {
            path: name.to_owned(),
            message: error.to_string(),
            span: expression.span(),
            help: Some(format!("the variable is declared as `{}`", variable.ty.ty)),
        }
        .into()
    })
}

/// `module.a.` for addresses of what lies in a module instance; empty for the root.
pub(crate) fn prefix(instance: &ModuleInstance) -> String {
    if instance.is_root() { String::new() } else { format!("{instance}.") }
}

/// A reference that leads to nothing.
pub(crate) fn nowhere(name: String, span: Span, reason: impl Into<String>) -> Diagnostics {
    PlanError::UnknownReference { name, span, reason: reason.into() }.into()
}
