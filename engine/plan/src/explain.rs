//! Why something is planned as it is: what changes and which line says so, what it waits for, and where its values
//! come from. Looks at a finished plan; asks nobody.
//!
//! A value is followed from the expression that sets it, through every reference, down to what refers to nothing:
//! a literal, a variable of the root module, or what a provider decides.

use std::collections::BTreeSet;
use std::sync::Arc;

use address::{AttributePath, InstanceKey, ModuleInstance, ResourceInstance, ResourceMode};
use config::{Reference, Resolved};
use lang::{Expression, Traversal, TraversalStep};
use state::Dependency;
use syntax::Span;
use value::Value;

use crate::action::Action;
use crate::evaluation::demand::output_references;
use crate::evaluation::{Evaluation, ModuleId, ROOT, Repetition, prefix};
use crate::instance::differences;
use crate::model::{Plan, StepKind};
use crate::prepare::{Block, constant_key, output_name};
use crate::walk::repetition_of;

/// References are followed so far; what lies deeper is not shown.
const DEEPEST: usize = 24;

/// So many links are shown of one value; a configuration may refer to the same name by millions of ways.
const MOST: usize = 400;

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A resource instance.
    Instance(ResourceInstance),
    /// A named value of a module instance.
    Name(ModuleInstance, NameKind, Arc<str>),
}

/// The kinds of named values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// `output.x`
    Output,
    /// `local.x`
    Local,
    /// `var.x`
    Variable,
}

impl NameKind {
    /// What stands before its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Local => "local",
            Self::Variable => "var",
        }
    }
}

/// What is known of it.
#[derive(Debug)]
pub struct Explanation {
    /// Its block, if there is one.
    pub span: Option<Span>,
    /// Its change, by its place in [`Plan::changes`]; of an instance that is in the plan.
    pub change: Option<usize>,
    /// What differs, with the lines that say so.
    pub differences: Vec<Difference>,
    /// Lines that forced a replacement whatever differs: what `replace_triggered_by` names.
    pub triggers: Vec<Span>,
    /// What it is made from, directly.
    pub depends_on: Vec<Related>,
    /// What is made from it, directly.
    pub dependents: Vec<Related>,
    /// Steps that must be done before its own, those that it waits for directly, in their order.
    pub before: Vec<Before>,
    /// How many more steps come before those.
    pub before_those: usize,
    /// Where its values come from: one for each argument, or the one of a named value.
    pub values: Vec<Origin>,
}

/// One attribute that changes.
#[derive(Debug)]
pub struct Difference {
    /// Which.
    pub path: AttributePath,
    /// What it is, with its marks.
    pub before: Value,
    /// What it will be, with its marks.
    pub after: Value,
    /// Whether it cannot change in place.
    pub forces: bool,
    /// The line that sets it, if one does; else the provider decides it.
    pub span: Option<Span>,
}

/// Something that something else is made from.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Related {
    /// Its address.
    pub address: String,
    /// What happens to it; `None` for what is no object.
    pub action: Option<Action>,
    /// Its block.
    pub span: Option<Span>,
}

/// A step that comes first.
#[derive(Debug)]
pub struct Before {
    /// What it does.
    pub kind: StepKind,
    /// The change that it carries out, by its place in [`Plan::changes`].
    pub change: usize,
}

/// Where a value comes from.
#[derive(Debug)]
pub struct Origin {
    /// What holds it: an argument's path, or a reference as it is written.
    pub name: String,
    /// The value, with its marks; `None` where it cannot be told on its own.
    pub value: Option<Value>,
    /// What stands there.
    pub kind: OriginKind,
    /// Where that is written.
    pub span: Option<Span>,
    /// What it is made from.
    pub from: Vec<Origin>,
}

/// What holds a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginKind {
    /// An argument that is written out.
    Literal,
    /// An argument that refers to others.
    Expression,
    /// A variable of the root module.
    Variable,
    /// What a module call gives a variable.
    Input,
    /// The default of a variable.
    Default,
    /// A local value.
    Local,
    /// An output of a module.
    Output,
    /// An argument of another resource.
    Argument,
    /// What the provider of another resource decides.
    Decided,
    /// What a data source gives.
    Read,
    /// A whole resource.
    Resource,
    /// `each` or `count`.
    Repetition,
    /// `path`, `terraform`, `self`.
    Other,
}

/// Explains something of a plan; `None` if the plan has nothing of that name.
pub fn explain(plan: &Plan, subject: &Subject) -> Option<Explanation> {
    match subject {
        Subject::Instance(address) => explain_instance(plan, address),
        Subject::Name(module, kind, name) => explain_name(plan, module, *kind, name),
    }
}

/// Everything that can be explained, for suggestions.
pub fn subjects(plan: &Plan) -> Vec<String> {
    let mut found: Vec<String> = plan
        .changes
        .iter()
        .filter(|change| change.deposed.is_none())
        .map(|change| change.address.to_string())
        .collect();
    for (_, state) in plan.evaluation.modules() {
        let front = prefix(&state.instance);
        let module = &state.module;
        found.extend(module.outputs.keys().map(|name| format!("{front}output.{name}")));
        found.extend(module.locals.keys().map(|name| format!("{front}local.{name}")));
        found.extend(module.variables.keys().map(|name| format!("{front}var.{name}")));
        for (resource, block) in &state.resources {
            let keys = block.instances.keys();
            found.extend(keys.map(|key| format!("{front}{resource}{key}")));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn explain_instance(plan: &Plan, address: &ResourceInstance) -> Option<Explanation> {
    let evaluation = &plan.evaluation;
    let change = place_of(plan, address);
    let block = evaluation.blocks.get(&address.block().config());
    let configured = evaluation.instance(address).is_some();
    if change.is_none() && !configured {
        return None;
    }
    let module = evaluation.find(&address.module);
    let own = block.filter(|_| configured);
    let mut explanation = Explanation {
        span: block.map(|block| block.config.header),
        change,
        differences: Vec::new(),
        triggers: Vec::new(),
        depends_on: Vec::new(),
        dependents: Vec::new(),
        before: Vec::new(),
        before_those: 0,
        values: Vec::new(),
    };
    if let Some(at) = change {
        explanation.differences = changed(plan, at, own);
        (explanation.before, explanation.before_those) = steps_before(plan, at);
        explanation.depends_on = dependencies(plan, at);
    }
    explanation.dependents = dependents(plan, address);
    if let (Some(block), Some(module)) = (own, module) {
        let triggers = &block.config.lifecycle.replace_triggered_by;
        explanation.triggers = triggers.iter().map(Expression::span).collect();
        let repetition = repetition_of(evaluation.module(module), &address.resource, &address.key);
        explanation.depends_on.extend(data_behind(plan, module, block));
        let mut trace = Trace::new(evaluation);
        for (name, expression) in block.program.expressions() {
            explanation.values.push(trace.argument(name, module, &repetition, expression));
        }
    }
    explanation.depends_on.sort();
    explanation.depends_on.dedup();
    Some(explanation)
}

fn explain_name(
    plan: &Plan,
    module: &ModuleInstance,
    kind: NameKind,
    name: &Arc<str>,
) -> Option<Explanation> {
    let evaluation = &plan.evaluation;
    let id = evaluation.find(module)?;
    let state = evaluation.module(id);
    let shown = format!("{}.{name}", kind.word());
    let mut trace = Trace::new(evaluation);
    let (span, origin, references) = match kind {
        NameKind::Output => {
            let output = state.module.outputs.get(name)?;
            let origin =
                trace.named(&shown, OriginKind::Output, id, &output.value, state.outputs.get(name));
            (output.span, origin, output_references(output))
        }
        NameKind::Local => {
            let local = state.module.locals.get(name)?;
            let value = state.locals.get(name);
            let origin = trace.named(&shown, OriginKind::Local, id, &local.value, value);
            (local.name.span, origin, local.value.references().to_vec())
        }
        NameKind::Variable => {
            let variable = state.module.variables.get(name)?;
            (variable.span, trace.variable(&shown, id, name, 0), Vec::new())
        }
    };
    let mut depends_on: Vec<Related> = evaluation
        .resources_named(id, &references)
        .into_iter()
        .flat_map(|(module, resource)| block_related(plan, module, &resource))
        .collect();
    depends_on.sort();
    Some(Explanation {
        span: Some(span),
        change: None,
        differences: Vec::new(),
        triggers: Vec::new(),
        depends_on,
        dependents: Vec::new(),
        before: Vec::new(),
        before_those: 0,
        values: vec![origin],
    })
}

/// The attributes that differ, with the lines that set them.
fn changed(plan: &Plan, at: usize, block: Option<&Arc<Block>>) -> Vec<Difference> {
    let change = &plan.changes[at];
    if !matches!(change.action, Action::Update | Action::Replace(_)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    differences(&AttributePath::root(), &change.before, &change.after, &mut |path, old, new| {
        let within = |cause: &AttributePath| path.is_within(cause) || cause.is_within(path);
        let set = block.and_then(|block| block.program.set_at(path));
        found.push(Difference {
            path: path.clone(),
            before: old.clone(),
            after: new.clone(),
            forces: change.requires_replace.iter().any(within),
            span: set,
        });
    });
    // What was asked for comes before what the provider makes of it.
    found.sort_by_key(|one| (!one.forces, one.span.is_none()));
    found
}

/// The steps that a change's own steps wait for, joins looked through, and how many come before those.
fn steps_before(plan: &Plan, at: usize) -> (Vec<Before>, usize) {
    let own: BTreeSet<usize> =
        (0..plan.steps.len()).filter(|step| plan.steps[*step].change == Some(at)).collect();
    let mut direct = BTreeSet::new();
    let mut waiting: Vec<usize> =
        own.iter().flat_map(|step| plan.steps[*step].after.clone()).collect();
    let mut seen = BTreeSet::new();
    while let Some(step) = waiting.pop() {
        if own.contains(&step) || !seen.insert(step) {
            continue;
        }
        match plan.steps[step].change {
            Some(_) => {
                direct.insert(step);
            }
            None => waiting.extend(&plan.steps[step].after),
        }
    }
    let mut further = BTreeSet::new();
    let mut waiting: Vec<usize> = direct.iter().copied().collect();
    let mut looked: BTreeSet<usize> = BTreeSet::new();
    while let Some(step) = waiting.pop() {
        for before in &plan.steps[step].after {
            if looked.insert(*before) {
                waiting.push(*before);
                if plan.steps[*before].change.is_some()
                    && !direct.contains(before)
                    && !own.contains(before)
                {
                    further.insert(*before);
                }
            }
        }
    }
    let direct = direct.into_iter().filter_map(|step| {
        let change = plan.steps[step].change?;
        Some(Before { kind: plan.steps[step].kind, change })
    });
    (direct.collect(), further.len())
}

fn dependencies(plan: &Plan, at: usize) -> Vec<Related> {
    let mut found = Vec::new();
    for dependency in &*plan.changes[at].dependencies {
        match dependency {
            Dependency::Instance(instance) => found.push(related(plan, instance)),
            Dependency::Block(block) => {
                let instances = plan.changes.iter().filter(|one| one.address.block() == *block);
                found.extend(instances.map(|one| related(plan, &one.address)));
            }
        }
    }
    found
}

/// Data sources that a block refers to, through whatever names.
fn data_behind(plan: &Plan, module: ModuleId, block: &Block) -> Vec<Related> {
    let named = plan.evaluation.resources_named(module, block.program.references());
    let data = named.into_iter().filter(|(_, resource)| resource.mode == ResourceMode::Data);
    data.flat_map(|(module, resource)| block_related(plan, module, &resource)).collect()
}

fn block_related(plan: &Plan, module: ModuleId, resource: &address::Resource) -> Vec<Related> {
    let state = plan.evaluation.module(module);
    let Some(block) = state.resources.get(resource) else { return Vec::new() };
    let keys = block.instances.keys();
    let instances = keys.map(|key| ResourceInstance {
        module: state.instance.clone(),
        resource: resource.clone(),
        key: key.clone(),
    });
    instances.map(|instance| related(plan, &instance)).collect()
}

/// The place of an object's change; changes are in the order of their addresses.
fn place_of(plan: &Plan, address: &ResourceInstance) -> Option<usize> {
    let from = plan.changes.partition_point(|change| change.address < *address);
    let here = plan.changes[from..].iter().take_while(|change| change.address == *address);
    here.enumerate().find(|(_, change)| change.deposed.is_none()).map(|(at, _)| from + at)
}

fn related(plan: &Plan, address: &ResourceInstance) -> Related {
    let change = plan.changes.iter().find(|one| one.address == *address && one.deposed.is_none());
    let block = plan.evaluation.blocks.get(&address.block().config());
    Related {
        address: address.to_string(),
        action: change.map(|change| change.action),
        span: block.map(|block| block.config.header),
    }
}

/// Objects and root outputs that are made from an instance.
fn dependents(plan: &Plan, address: &ResourceInstance) -> Vec<Related> {
    let keys = [Dependency::Instance(address.clone()), Dependency::Block(address.block())];
    let uses = plan.changes.iter().filter(|change| {
        change.deposed.is_none()
            && change.address != *address
            && change.dependencies.iter().any(|one| keys.contains(one))
    });
    let mut found: Vec<Related> = uses.map(|change| related(plan, &change.address)).collect();
    let root = &plan.evaluation.module(ROOT).module;
    for (name, output) in &root.outputs {
        let behind = plan.evaluation.resources_named(ROOT, &output_references(output));
        let uses = behind.iter().any(|(module, resource)| {
            plan.evaluation.module(*module).instance == address.module
                && *resource == address.resource
        });
        if uses {
            let action = plan.outputs.get(name).map(|change| change.action);
            let span = Some(output.span);
            found.push(Related { address: format!("output.{name}"), action, span });
        }
    }
    found
}

/// Follows values to where they come from.
struct Trace<'a> {
    evaluation: &'a Evaluation,
    left: usize,
}

impl<'a> Trace<'a> {
    fn new(evaluation: &'a Evaluation) -> Self {
        Self { evaluation, left: MOST }
    }

    fn argument(
        &mut self,
        name: String,
        module: ModuleId,
        repetition: &Repetition,
        expression: &Expression,
    ) -> Origin {
        self.left = MOST;
        let value = self.evaluation.evaluate(module, repetition, expression).ok();
        let literal = expression.references().is_empty();
        Origin {
            name,
            value,
            kind: if literal { OriginKind::Literal } else { OriginKind::Expression },
            span: Some(expression.span()),
            from: self.behind(module, repetition, expression, 0),
        }
    }

    /// A local value or an output of a module instance.
    fn named(
        &mut self,
        name: &str,
        kind: OriginKind,
        module: ModuleId,
        expression: &Expression,
        value: Option<&Value>,
    ) -> Origin {
        Origin {
            name: name.to_owned(),
            value: value.cloned(),
            kind,
            span: Some(expression.span()),
            from: self.behind(module, &Repetition::single(), expression, 0),
        }
    }

    /// What an expression refers to, each once.
    fn behind(
        &mut self,
        module: ModuleId,
        repetition: &Repetition,
        expression: &Expression,
        depth: usize,
    ) -> Vec<Origin> {
        if depth >= DEEPEST {
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for traversal in expression.references() {
            if self.left == 0 || !seen.insert(traversal.to_string()) {
                continue;
            }
            self.left -= 1;
            found.extend(self.reference(module, repetition, traversal, depth + 1));
        }
        found
    }

    fn reference(
        &mut self,
        module: ModuleId,
        repetition: &Repetition,
        traversal: &Traversal,
        depth: usize,
    ) -> Option<Origin> {
        let state = self.evaluation.module(module);
        // Names of a `for` resolve to nothing, and are explained by what it walks.
        let resolved = config::resolve(&state.module, traversal).ok()?;
        let name = traversal.to_string();
        let reference = Expression::reference(traversal.clone());
        let value = self.evaluation.evaluate(module, repetition, &reference).ok();
        let mut origin = match &resolved.reference {
            Reference::Variable(variable) => self.variable(&name, module, variable, depth),
            Reference::Local(local) => {
                let local = state.module.locals.get(local)?;
                let from = self.behind(module, &Repetition::single(), &local.value, depth);
                let span = Some(local.value.span());
                Origin { name, value: None, kind: OriginKind::Local, span, from }
            }
            Reference::Resource(resource) => {
                self.resource(name, module, repetition, resource, &resolved, depth)
            }
            Reference::Call(step) => self.call(name, module, repetition, step, &resolved, depth),
            Reference::Each | Reference::CountIndex => {
                self.repetition(name, module, traversal, depth)
            }
            Reference::SelfObject | Reference::Path | Reference::Terraform => Origin {
                name,
                value: None,
                kind: OriginKind::Other,
                span: Some(traversal.span),
                from: Vec::new(),
            },
        };
        origin.value = value;
        Some(origin)
    }

    fn variable(&mut self, shown: &str, module: ModuleId, name: &Arc<str>, depth: usize) -> Origin {
        let state = self.evaluation.module(module);
        let value = state.variables.get(name).cloned();
        let variable = state.module.variables.get(name);
        let mut origin = Origin {
            name: shown.to_owned(),
            value,
            kind: OriginKind::Default,
            span: variable.map(|variable| variable.span),
            from: Vec::new(),
        };
        let (Some(parent), Some(step)) = (state.parent, &state.call) else {
            origin.kind = OriginKind::Variable;
            return origin;
        };
        let call = self.evaluation.module(parent).module.calls.get(step);
        if let Some(input) = call.and_then(|call| call.inputs.get(name)) {
            let repetition = state.repetition.clone();
            origin.kind = OriginKind::Input;
            origin.span = Some(input.span());
            origin.from = self.behind(parent, &repetition, input, depth);
        }
        origin
    }

    fn resource(
        &mut self,
        name: String,
        module: ModuleId,
        repetition: &Repetition,
        resource: &address::Resource,
        resolved: &Resolved<'_>,
        depth: usize,
    ) -> Origin {
        let state = self.evaluation.module(module);
        let path = state.module.path.clone();
        let config = address::ConfigResource { module: path, resource: resource.clone() };
        let block = self.evaluation.blocks.get(&config).cloned();
        let header = block.as_ref().map(|block| block.config.header);
        let mut origin = Origin {
            name,
            value: None,
            kind: OriginKind::Resource,
            span: header,
            from: Vec::new(),
        };
        if resource.mode == ResourceMode::Data {
            origin.kind = OriginKind::Read;
        }
        let attribute = resolved.rest.iter().find_map(|step| match step {
            TraversalStep::Attribute(name) => Some(Arc::clone(&name.text)),
            _ => None,
        });
        let (Some(block), Some(attribute)) = (block, attribute) else { return origin };
        let Some(expression) = block.program.setting(&attribute).cloned() else {
            if resource.mode != ResourceMode::Data {
                origin.kind = OriginKind::Decided;
            }
            return origin;
        };
        origin.kind = OriginKind::Argument;
        origin.span = Some(expression.span());
        let key = match constant_key(resolved.key) {
            Some(key) => key,
            None if resolved.key.is_some() => repetition.key.clone(),
            None => InstanceKey::None,
        };
        let inner = repetition_of(state, resource, &key);
        origin.from = self.behind(module, &inner, &expression, depth);
        origin
    }

    fn call(
        &mut self,
        name: String,
        module: ModuleId,
        repetition: &Repetition,
        step: &address::ModulePathStep,
        resolved: &Resolved<'_>,
        depth: usize,
    ) -> Origin {
        let state = self.evaluation.module(module);
        let header = state.module.calls.get(step).map(|call| call.header);
        let mut origin =
            Origin { name, value: None, kind: OriginKind::Output, span: header, from: Vec::new() };
        let Some(call) = state.calls.get(step) else { return origin };
        let key = match constant_key(resolved.key) {
            Some(key) => key,
            None if resolved.key.is_some() => repetition.key.clone(),
            None => InstanceKey::None,
        };
        // Where all instances are meant, the first one tells how it is for each.
        let child = call.children.get(&key).or_else(|| call.children.values().next()).copied();
        let (Some(child), Some(output)) = (child, output_name(resolved)) else { return origin };
        let Some(output) = self.evaluation.module(child).module.outputs.get(&output).cloned()
        else {
            return origin;
        };
        origin.span = Some(output.value.span());
        origin.from = self.behind(child, &Repetition::single(), &output.value, depth);
        origin
    }

    /// `each` and `count` come from the block that says how often.
    fn repetition(
        &mut self,
        name: String,
        module: ModuleId,
        traversal: &Traversal,
        depth: usize,
    ) -> Origin {
        let state = self.evaluation.module(module);
        let around =
            |span: Span| span.start <= traversal.span.start && traversal.span.end <= span.end;
        let blocks = state.module.resources.values();
        let resource = blocks
            .filter(|block| around(block.span))
            .find_map(|block| block.for_each.clone().or_else(|| block.count.clone()));
        let calls = || state.module.calls.values();
        let says = resource.or_else(|| {
            calls()
                .filter(|call| around(call.span))
                .find_map(|call| call.for_each.clone().or_else(|| call.count.clone()))
        });
        let mut origin = Origin {
            name,
            value: None,
            kind: OriginKind::Repetition,
            span: says.as_ref().map(Expression::span),
            from: Vec::new(),
        };
        if let Some(says) = says {
            origin.from = self.behind(module, &Repetition::single(), &says, depth);
        }
        origin
    }
}

/// The addresses in a plan by the block or module that people may have named instead.
pub fn within(plan: &Plan, target: &address::Target) -> Vec<String> {
    let addresses: BTreeSet<&ResourceInstance> =
        plan.changes.iter().map(|change| &change.address).collect();
    let found = addresses.into_iter().filter(|address| target.covers(address));
    found.map(ToString::to_string).collect()
}
