//! Objects that are led back to what they were: each has a node of its own, whether or not a block is left.

use std::collections::BTreeSet;

use address::{AbsResource, InstanceKey, Resource, ResourceInstance, ResourceMode};
use state::Dependency;
use value::Value;

use super::node::NodeState;
use super::{NodeId, NodeKey, Planned, Walk};
use crate::action::ActionReason;
use crate::error::PlanError;
use crate::evaluation::ModuleId;
use crate::instance::{Input, Output};
use crate::model::Mode;
use crate::prepare::{Block, TypeSchema};
use crate::restore::{Earlier, Goal};

impl Walk<'_> {
    fn goal(&self) -> Option<&std::sync::Arc<Goal>> {
        self.options.goal.as_ref()
    }

    /// Makes a node for every object of the state that is led back to.
    pub(super) fn lead_back(&mut self) {
        let Some(goal) = self.goal().cloned() else { return };
        self.made_first = self.made_first(&goal);
        for (address, record) in &goal.snapshot.records {
            let managed = address.resource.mode == ResourceMode::Managed;
            if record.current.is_some() && managed && self.is_aimed_at(address) {
                self.node(NodeKey::LedBack(address.clone()));
            }
        }
    }

    /// Objects whose replacements are made first: those recorded so, and all that they were or are made from. Else
    /// an object that goes last would wait for one that comes first.
    fn made_first(&self, goal: &Goal) -> BTreeSet<ResourceInstance> {
        let wanted = goal.snapshot.records.iter().filter_map(|(address, record)| {
            record.current.as_ref().filter(|object| object.create_before_destroy)?;
            Some(address.clone())
        });
        let mut found: BTreeSet<ResourceInstance> = wanted.collect();
        let mut waiting: Vec<ResourceInstance> = found.iter().cloned().collect();
        let mut blocks = BTreeSet::new();
        while let Some(address) = waiting.pop() {
            let then = goal.object(&address).map(|(_, object)| object);
            let now = self.records.get(&address).and_then(|(record, _)| record.current.as_ref());
            let dependencies = then.into_iter().chain(now).flat_map(|object| &object.dependencies);
            for dependency in dependencies {
                let sources: Vec<ResourceInstance> = match dependency {
                    Dependency::Instance(instance) => vec![instance.clone()],
                    Dependency::Block(block) if blocks.insert(block.clone()) => {
                        let then = goal.snapshot.instances_of(block).map(|(address, _)| address);
                        let now = self.records.range(block.instance(InstanceKey::None)..);
                        let now = now
                            .map(|(address, _)| address)
                            .take_while(|address| address.block() == *block);
                        then.chain(now).cloned().collect()
                    }
                    Dependency::Block(_) => Vec::new(),
                };
                waiting.extend(sources.into_iter().filter(|one| found.insert(one.clone())));
            }
        }
        found
    }

    /// Whether instances of a block are planned by what they were, not by the block.
    pub(super) fn is_led_back(&self, resource: &Resource) -> bool {
        self.options.mode == Mode::Undo && resource.mode == ResourceMode::Managed
    }

    pub(super) fn needs_of_led_back(&mut self, address: &ResourceInstance) -> Vec<NodeId> {
        let Some(goal) = self.goal().cloned() else { return Vec::new() };
        let Some((record, object)) = goal.object(address) else { return Vec::new() };
        let mut needs = Vec::new();
        if self.prepared.providers.contains_key(&record.provider) {
            needs.push(self.node(NodeKey::Provider(record.provider.clone())));
        }
        for dependency in &object.dependencies {
            match dependency {
                Dependency::Instance(instance) if goal.object(instance).is_some() => {
                    needs.push(self.node(NodeKey::LedBack(instance.clone())));
                }
                Dependency::Instance(_) => {}
                Dependency::Block(block) => {
                    needs.push(self.node(NodeKey::AllLedBack(block.clone())));
                }
            }
        }
        needs
    }

    pub(super) fn all_led_back(&mut self, block: &AbsResource) -> Vec<NodeId> {
        let Some(goal) = self.goal().cloned() else { return Vec::new() };
        let there = goal.snapshot.instances_of(block);
        let there: Vec<ResourceInstance> = there
            .filter(|(address, record)| record.current.is_some() && self.is_aimed_at(address))
            .map(|(address, _)| address.clone())
            .collect();
        there.into_iter().map(|address| self.node(NodeKey::LedBack(address))).collect()
    }

    /// Whether an object is led back: all are, unless some are named.
    fn is_aimed_at(&self, address: &ResourceInstance) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|target| target.covers(address))
    }

    /// An instance of a block is worth to others what its object will be.
    pub(super) fn needs_in_undo(
        &mut self,
        module: ModuleId,
        resource: &Resource,
        key: &InstanceKey,
    ) -> Vec<NodeId> {
        let address = ResourceInstance {
            module: self.evaluation.module(module).instance.clone(),
            resource: resource.clone(),
            key: key.clone(),
        };
        let there = self.goal().is_some_and(|goal| goal.object(&address).is_some());
        let wanted = there && self.is_aimed_at(&address);
        if wanted { vec![self.node(NodeKey::LedBack(address))] } else { Vec::new() }
    }

    pub(super) fn instance_in_undo(
        &mut self,
        id: NodeId,
        module: ModuleId,
        address: &ResourceInstance,
        block: &Block,
    ) {
        let planned = self.results.get(address).map(|planned| planned.output.change.after.clone());
        let value = planned.unwrap_or_else(|| self.recorded_value(address, block));
        self.evaluation.set_in(module, &address.resource, &address.key, value);
        self.finish(id, NodeState::Done);
    }

    /// Plans an object as what it was.
    pub(super) fn led_back(&mut self, id: NodeId, address: &ResourceInstance) {
        let Some(goal) = self.goal().cloned() else {
            return self.finish(id, NodeState::Failed);
        };
        let Some((record, object)) = goal.object(address) else {
            return self.finish(id, NodeState::Failed);
        };
        let provider = record.provider.clone();
        let Some(reader) = self.providers.get(&provider).cloned() else {
            let error = PlanError::UnknownProvider {
                provider: provider.to_string(),
                span: None,
                help: format!(
                    "`{address}` can only be brought back with it; configure it again in this stack"
                ),
            };
            return self.settle(id, Err(error.into()));
        };
        let resource = &address.resource;
        let schema = reader.schema();
        let Some(schema) = TypeSchema::find(&schema, resource.mode, &resource.type_name) else {
            let error = PlanError::StoredObject {
                address: address.to_string(),
                message: format!(
                    "the provider `{}` has no type `{}`",
                    provider.provider, resource.type_name
                ),
            };
            return self.settle(id, Err(error.into()));
        };
        let (stored, previous_address) = match self.records.get(address) {
            Some((record, previous)) => (record.current.clone(), previous.clone()),
            None => (None, None),
        };
        let input = Input {
            address: address.clone(),
            previous_address,
            provider,
            reader,
            schema,
            block: self.prepared.blocks.get(&address.block().config()).cloned(),
            config: None,
            stored,
            mode: self.options.mode,
            refresh: self.options.refresh,
            forced: None,
            removal: ActionReason::LedBack,
            forget: false,
            import: None,
            taken_over: None,
            create_before_destroy: self.made_first.contains(address),
            dependencies: object.dependencies.clone().into(),
            earlier: Some(Earlier {
                object: object.clone(),
                links: self.links_of(&goal, object),
                alive: goal.alive.contains(address),
            }),
            remark: None,
            leads_back: true,
            settled: false,
            trusted: false,
        };
        self.start_instance(id, input);
    }

    /// What of the objects that an object was made from does not come back, and what stands there now.
    fn links_of(&self, goal: &Goal, object: &state::Object) -> Vec<(crate::restore::Link, Value)> {
        let mut links = Vec::new();
        let mut add = |address: &ResourceInstance| {
            let Some(value) = self.evaluation.restored.value(address) else { return };
            for link in self.lost.links(address) {
                if let Some(now) = value.at(&link.path) {
                    links.push((link, now));
                }
            }
        };
        for dependency in &object.dependencies {
            match dependency {
                Dependency::Instance(instance) => add(instance),
                Dependency::Block(block) => {
                    goal.snapshot.instances_of(block).for_each(|(address, _)| add(address));
                }
            }
        }
        links
    }

    pub(super) fn take_led_back(&mut self, id: NodeId, mut output: Box<Output>) {
        let address = output.change.address.clone();
        if let Some(led_back) = output.led_back.take() {
            let value = output.change.after.clone();
            self.evaluation.restored.insert(address.clone(), &led_back, value);
            if !led_back.lost.is_empty() {
                self.lost.0.insert(address.clone(), led_back.lost);
            }
        }
        self.results.insert(address, Planned { output, node: Some(id) });
        self.finish(id, NodeState::Done);
    }

    /// Recorded objects that wait for each other: a state that only an edit by hand can make.
    pub(super) fn find_stuck(&mut self) {
        if self.options.mode != Mode::Undo || self.has_errors() {
            return;
        }
        let stuck = self.nodes.iter().filter_map(|node| match (&node.key, node.state) {
            (_, NodeState::Done | NodeState::Failed) => None,
            (NodeKey::LedBack(address), _) => Some(address.to_string()),
            _ => None,
        });
        let objects: Vec<String> = stuck.collect();
        if !objects.is_empty() {
            let error = PlanError::Cycle { objects, spans: Vec::new() };
            self.report("zzz undo", error.into());
        }
    }

    /// Whether an object was there before it came into the state, so that leading back only lets it go.
    pub(super) fn was_taken_in(&self, address: &ResourceInstance) -> bool {
        self.goal().is_some_and(|goal| goal.taken_in.contains(address))
    }

    /// Why an object goes that an earlier state did not have.
    pub(super) fn removal_remark(&self, address: &ResourceInstance) -> Option<String> {
        let goal = self.goal()?;
        let operation = goal.operation;
        Some(if self.was_taken_in(address) {
            format!("taken into the state since operation {operation}, and not made by it")
        } else {
            format!("made since operation {operation} began")
        })
    }
}
