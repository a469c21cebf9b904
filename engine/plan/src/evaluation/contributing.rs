//! Which attributes of resources the changes of a plan are made from, through whatever names lie between.
//!
//! Worked out from the configuration alone: what an expression names counts, whether or not its value matters.
//! Source: Terraform's documentation of `relevant_attributes`; what counts was seen by running it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::{ConfigResource, InstanceKey, ModuleInstance, ModulePathStep, ModuleStep, Resource};
use config::{Reference, Resolved};
use lang::{Traversal, TraversalStep};
use syntax::Body;

use super::scope::key_of;
use super::{Evaluation, ROOT};
use crate::action::Action;
use crate::model::{OutputChange, ResourceChange};
use crate::prepare::Block;

/// An attribute that a change is made from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contribution {
    /// The instance's address, or that of the whole block.
    pub resource: String,
    /// The steps to the attribute as far as they are written out: names, numbers, keys. Empty for the whole object.
    pub attribute: Vec<InstanceKey>,
}

/// A reference with the place where it stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    module: ModuleInstance,
    /// The block whose `each` and `count` it may name.
    block: Option<Resource>,
    name: String,
}

type Waiting = Vec<(ModuleInstance, Option<Resource>, Traversal)>;

impl Evaluation {
    /// What the changes of a plan are made from. Outputs of modules count where the plan is of the `whole`
    /// configuration, as they are looked at anew each time.
    pub fn contributions<'a>(
        &self,
        whole: bool,
        changes: impl IntoIterator<Item = &'a ResourceChange>,
        outputs: &BTreeMap<&str, &OutputChange>,
    ) -> BTreeSet<Contribution> {
        let mut waiting: Waiting = Vec::new();
        for change in changes.into_iter().filter(|change| change.action != Action::NoOp) {
            if let Some(block) = self.blocks.get(&change.address.block().config()) {
                let owner = Some(change.address.resource.clone());
                let references = block.program.references().iter();
                waiting.extend(
                    references
                        .map(|one| (change.address.module.clone(), owner.clone(), one.clone())),
                );
            }
        }
        for (id, state) in self.modules() {
            for (name, output) in &state.module.outputs {
                let changes = if id == ROOT {
                    outputs.get(&**name).is_some_and(|change| change.action != Action::NoOp)
                } else {
                    whole && state.outputs.get(name).is_some_and(|value| !value.is_null())
                };
                if changes {
                    let references = output.value.references().iter();
                    waiting
                        .extend(references.map(|one| (state.instance.clone(), None, one.clone())));
                }
            }
        }
        self.behind(waiting)
    }

    fn behind(&self, mut waiting: Waiting) -> BTreeSet<Contribution> {
        let mut found = BTreeSet::new();
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        while let Some((instance, owner, traversal)) = waiting.pop() {
            let place = Place {
                module: instance.clone(),
                block: owner.clone(),
                name: traversal.to_string(),
            };
            if !seen.insert(place) {
                continue;
            }
            let Some(module) = self.config.modules.get(&instance.module()) else { continue };
            let Ok(resolved) = config::resolve(module, &traversal) else { continue };
            let Resolved { reference, key, rest, .. } = resolved;
            match reference {
                Reference::Variable(name) => {
                    let call =
                        instance.parent().zip(instance.steps().last().map(ModulePathStep::from));
                    let Some((parent, step)) = call else { continue };
                    let caller = self.config.modules.get(&parent.module());
                    let input =
                        caller.and_then(|caller| caller.calls.get(&step)?.inputs.get(&name));
                    let references = input.into_iter().flat_map(|input| input.references());
                    waiting.extend(references.map(|one| (parent.clone(), None, one.clone())));
                }
                Reference::Local(name) => {
                    let local = module.locals.get(&name).into_iter();
                    let references = local.flat_map(|local| local.value.references());
                    waiting.extend(references.map(|one| (instance.clone(), None, one.clone())));
                }
                Reference::Call(step) => {
                    let child = instance.child(ModuleStep {
                        kind: step.kind,
                        type_name: step.type_name.clone(),
                        name: step.name.clone(),
                        key: key.and_then(written_key).unwrap_or(InstanceKey::None),
                    });
                    let Some(callee) = self.config.modules.get(&child.module()) else { continue };
                    let named = match rest.first() {
                        Some(TraversalStep::Attribute(name)) => Some(&name.text),
                        _ => None,
                    };
                    let outputs = callee
                        .outputs
                        .iter()
                        .filter(|(name, _)| named.is_none_or(|one| one == *name));
                    let references = outputs.flat_map(|(_, output)| output.value.references());
                    waiting.extend(references.map(|one| (child.clone(), None, one.clone())));
                }
                Reference::Each | Reference::CountIndex => {
                    let block = owner.as_ref().and_then(|owner| module.resources.get(owner));
                    let expansion = block
                        .into_iter()
                        .flat_map(|block| block.count.iter().chain(&block.for_each));
                    let references = expansion.flat_map(|one| one.references());
                    waiting.extend(references.map(|one| (instance.clone(), None, one.clone())));
                }
                Reference::Resource(resource) => {
                    let key = key.and_then(written_key);
                    let block = resource.clone().within(instance.clone());
                    let address = match &key {
                        Some(key) => block.instance(key.clone()).to_string(),
                        None => block.to_string(),
                    };
                    let whole = key.is_none() && traversal.steps.iter().any(is_computed);
                    let attribute = if whole { Vec::new() } else { written(rest) };
                    let config =
                        ConfigResource { module: instance.module(), resource: resource.clone() };
                    if let Some(block) = self.blocks.get(&config) {
                        let references = narrowed(block, attribute.first());
                        let owner = Some(resource);
                        waiting.extend(
                            references
                                .into_iter()
                                .map(|one| (instance.clone(), owner.clone(), one)),
                        );
                    }
                    found.insert(Contribution { resource: address, attribute });
                }
                Reference::SelfObject | Reference::Path | Reference::Terraform => {}
            }
        }
        found
    }
}

/// What an attribute or nested block of a resource is made from; all of the block, if none is named.
fn narrowed(block: &Block, name: Option<&InstanceKey>) -> Vec<Traversal> {
    let Some(InstanceKey::String(name)) = name else { return block.program.references().to_vec() };
    let body = &block.config.body;
    let attributes = body.attributes.iter().filter(|one| one.name.text == *name);
    let mut found: Vec<Traversal> =
        attributes.flat_map(|one| lang::compile(&one.expr).0.references().to_vec()).collect();
    let dynamic = |one: &syntax::Block| {
        &*one.kind.text == "dynamic" && one.labels.first().is_some_and(|label| label.text == *name)
    };
    for inner in body.blocks.iter().filter(|one| one.kind.text == *name || dynamic(one)) {
        all_references(&inner.body, &mut found);
    }
    found
}

fn all_references(body: &Body, found: &mut Vec<Traversal>) {
    for attribute in &body.attributes {
        found.extend(lang::compile(&attribute.expr).0.references().iter().cloned());
    }
    body.blocks.iter().for_each(|block| all_references(&block.body, found));
}

fn is_computed(step: &TraversalStep) -> bool {
    matches!(step, TraversalStep::Dynamic(..) | TraversalStep::Splat(_))
}

fn written_key(step: &TraversalStep) -> Option<InstanceKey> {
    match step {
        TraversalStep::Index(index, _) => key_of(index),
        _ => None,
    }
}

/// Steps up to the first that must be computed.
fn written(steps: &[TraversalStep]) -> Vec<InstanceKey> {
    let step = |step: &TraversalStep| match step {
        TraversalStep::Attribute(name) => Some(InstanceKey::String(Arc::clone(&name.text))),
        step => written_key(step),
    };
    steps.iter().map_while(step).collect()
}
