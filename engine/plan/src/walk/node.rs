//! Nodes: what they wait for, and who waits for them.

use std::sync::Arc;

use address::{
    AbsResource, InstanceKey, ModulePathStep, ProviderConfig, Resource, ResourceInstance,
};

use super::Walk;
use crate::evaluation::{Expansion, ModuleId, ROOT, Repetition};
use crate::prepare::{Need, Needs, Which};

/// Names a node by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(pub(crate) usize);

/// What a node stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NodeKey {
    Variable(ModuleId, Arc<str>),
    Local(ModuleId, Arc<str>),
    Output(ModuleId, Arc<str>),
    /// `count` or `for_each` of a block.
    Expand(ModuleId, Resource),
    Instance(ModuleId, Resource, InstanceKey),
    /// All instances of a block.
    Whole(ModuleId, Resource),
    /// `count` or `for_each` of a call.
    ExpandCall(ModuleId, ModulePathStep),
    /// All outputs of a call.
    CallOutputs(ModuleId, ModulePathStep),
    /// All resources of a call.
    CallDone(ModuleId, ModulePathStep),
    /// What a call's `depends_on` names.
    CallAfter(ModuleId, ModulePathStep),
    Provider(ProviderConfig),
    /// The end of a block's ephemeral objects in one module instance, when their last user is done.
    Close(ModuleId, Resource),
    /// An object without a block; by its place among those.
    Orphan(usize),
    /// An object that is led back to what it was.
    LedBack(ResourceInstance),
    /// All objects of a block that are led back.
    AllLedBack(AbsResource),
}

/// A node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) key: NodeKey,
    pub(crate) state: NodeState,
    /// What it needs, in the order of its references.
    pub(crate) needs: Vec<NodeId>,
    waiting: usize,
    poisoned: bool,
    dependents: Vec<NodeId>,
}

/// How far a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeState {
    /// Waits until the blocks that it refers to are expanded.
    New,
    /// Waits for what it needs.
    Expanded,
    /// Runs, or a call of it does.
    Running,
    Done,
    /// It failed, or something that it needs did.
    Failed,
}

impl Walk<'_> {
    /// The node of a key, made if there is none.
    pub(crate) fn node(&mut self, key: NodeKey) -> NodeId {
        if let Some(id) = self.index.get(&key) {
            return *id;
        }
        let id = NodeId(self.nodes.len());
        self.index.insert(key.clone(), id);
        self.nodes.push(Node {
            key,
            state: NodeState::New,
            needs: Vec::new(),
            waiting: 0,
            poisoned: false,
            dependents: Vec::new(),
        });
        self.turn.push_back(id);
        id
    }

    fn wait(&mut self, id: NodeId, needed: NodeId) {
        if id == needed {
            return;
        }
        match self.nodes[needed.0].state {
            NodeState::Done => {}
            NodeState::Failed => self.nodes[id.0].poisoned = true,
            _ => {
                self.nodes[needed.0].dependents.push(id);
                self.nodes[id.0].waiting += 1;
            }
        }
    }

    /// Takes a node as far as it can go now.
    pub(crate) fn advance(&mut self, id: NodeId) {
        loop {
            if self.nodes[id.0].waiting > 0 {
                return;
            }
            match self.nodes[id.0].state {
                NodeState::New => {
                    self.nodes[id.0].state = NodeState::Expanded;
                    for needed in self.expansions_before(id) {
                        self.wait(id, needed);
                    }
                    if self.nodes[id.0].waiting > 0 {
                        return;
                    }
                    if self.nodes[id.0].poisoned {
                        return self.finish(id, NodeState::Failed);
                    }
                    self.set_needs(id);
                }
                NodeState::Expanded if self.nodes[id.0].poisoned => {
                    return self.finish(id, NodeState::Failed);
                }
                NodeState::Expanded => {
                    if self.nodes[id.0].needs.is_empty() {
                        self.set_needs(id);
                        if self.nodes[id.0].waiting > 0 {
                            return;
                        }
                        if self.nodes[id.0].poisoned {
                            return self.finish(id, NodeState::Failed);
                        }
                    }
                    self.nodes[id.0].state = NodeState::Running;
                    return self.run(id);
                }
                NodeState::Running | NodeState::Done | NodeState::Failed => return,
            }
        }
    }

    fn set_needs(&mut self, id: NodeId) {
        let needs = self.needs_of(id);
        for needed in &needs {
            self.wait(id, *needed);
        }
        self.nodes[id.0].needs = needs;
    }

    /// Ends a node and wakes who waits for it.
    pub(crate) fn finish(&mut self, id: NodeId, state: NodeState) {
        self.nodes[id.0].state = state;
        if self.waits_for_deferred(id) {
            self.put_off.insert(id);
        }
        for dependent in std::mem::take(&mut self.nodes[id.0].dependents) {
            let node = &mut self.nodes[dependent.0];
            node.waiting -= 1;
            node.poisoned |= state == NodeState::Failed;
            if node.waiting == 0 {
                self.turn.push_back(dependent);
            }
        }
    }

    /// Expansions that must be known before the needs of a node can be named.
    fn expansions_before(&mut self, id: NodeId) -> Vec<NodeId> {
        match self.nodes[id.0].key.clone() {
            NodeKey::Expand(module, resource) => {
                let needs = self
                    .block(module, &resource)
                    .map(|block| block.all_needs())
                    .unwrap_or_default();
                self.expansions_of(module, &needs)
            }
            NodeKey::Whole(module, resource) => vec![self.node(NodeKey::Expand(module, resource))],
            NodeKey::CallOutputs(module, step) | NodeKey::CallDone(module, step) => {
                vec![self.node(NodeKey::ExpandCall(module, step))]
            }
            NodeKey::Instance(module, resource, key) => {
                match self.import_needs(module, &resource, &key) {
                    Some(needs) => self.expansions_of(ROOT, &needs),
                    None => Vec::new(),
                }
            }
            NodeKey::Close(..)
            | NodeKey::Orphan(_)
            | NodeKey::LedBack(_)
            | NodeKey::AllLedBack(_) => Vec::new(),
            key => match self.own_needs(&key) {
                Some((module, needs, _)) => self.expansions_of(module, &needs),
                None => Vec::new(),
            },
        }
    }

    fn expansions_of(&mut self, module: ModuleId, needs: &Needs) -> Vec<NodeId> {
        let keys = needs.all.iter().filter_map(|(need, _)| match need {
            Need::Resource(resource, _) => Some(NodeKey::Expand(module, resource.clone())),
            Need::Output(step, ..) | Need::Call(step, _) | Need::Everything(step) => {
                Some(NodeKey::ExpandCall(module, step.clone()))
            }
            Need::Variable(_) | Need::Local(_) => None,
        });
        let keys: Vec<NodeKey> = keys.collect();
        keys.into_iter().map(|key| self.node(key)).collect()
    }

    /// The references of a named thing, the module in which they are read, and who reads them.
    fn own_needs(&self, key: &NodeKey) -> Option<(ModuleId, Needs, Repetition)> {
        let references =
            |id: ModuleId| self.prepared.modules.get(&self.evaluation.module(id).module.path);
        let single = Repetition::single();
        match key {
            NodeKey::Local(id, name) => {
                Some((*id, references(*id)?.locals.get(name)?.clone(), single))
            }
            NodeKey::Output(id, name) => {
                Some((*id, references(*id)?.outputs.get(name)?.clone(), single))
            }
            NodeKey::Variable(id, name) => {
                let state = self.evaluation.module(*id);
                let (parent, step) = (state.parent?, state.call.as_ref()?);
                let needs = references(parent)?.calls.get(step)?.inputs.get(name)?.clone();
                Some((parent, needs, state.repetition.clone()))
            }
            NodeKey::Expand(id, resource) => {
                Some((*id, self.block(*id, resource)?.expansion_needs.clone(), single))
            }
            NodeKey::ExpandCall(id, step) => {
                Some((*id, references(*id)?.calls.get(step)?.expansion.clone(), single))
            }
            NodeKey::CallAfter(id, step) => {
                Some((*id, references(*id)?.calls.get(step)?.depends_on.clone(), single))
            }
            NodeKey::Provider(provider) => {
                let block = self.prepared.providers.get(provider)?;
                let module = self.provider_module(provider);
                Some((module, block.needs.clone(), single))
            }
            NodeKey::Instance(id, resource, key) => {
                let repetition = Repetition { key: key.clone(), value: None };
                Some((*id, self.block(*id, resource)?.instance_needs.clone(), repetition))
            }
            _ => None,
        }
    }

    fn needs_of(&mut self, id: NodeId) -> Vec<NodeId> {
        let key = self.nodes[id.0].key.clone();
        let mut needed = match &key {
            NodeKey::Whole(module, resource) => self.instances_of(*module, resource),
            NodeKey::CallOutputs(module, step) => self.outputs_of(*module, step),
            NodeKey::CallDone(module, step) => self.contents_of(*module, step),
            NodeKey::Close(module, resource) => self.users_of(*module, resource),
            NodeKey::LedBack(address) => return self.needs_of_led_back(address),
            NodeKey::AllLedBack(block) => return self.all_led_back(block),
            NodeKey::Instance(module, resource, instance) if self.is_led_back(resource) => {
                return self.needs_in_undo(*module, resource, instance);
            }
            _ => match self.own_needs(&key) {
                Some((module, needs, reader)) => self.resolve_needs(module, &needs, &reader),
                None => Vec::new(),
            },
        };
        match &key {
            NodeKey::Instance(module, resource, key) => {
                if let Some(needs) = self.import_needs(*module, resource, key) {
                    needed.extend(self.resolve_needs(ROOT, &needs, &Repetition::single()));
                }
                if let Some(block) = self.block(*module, resource) {
                    let provider = NodeKey::Provider(block.config.provider.clone());
                    needed.push(self.node(provider));
                }
                needed.extend(self.gates(*module));
            }
            NodeKey::CallAfter(module, _) => needed.extend(self.gates(*module)),
            _ => {}
        }
        needed
    }

    /// What the id of an object to be imported is made from, where that is not known at once.
    fn import_needs(
        &self,
        module: ModuleId,
        resource: &Resource,
        key: &InstanceKey,
    ) -> Option<Needs> {
        if self.imports.is_empty() {
            return None;
        }
        let module = self.evaluation.module(module).instance.clone();
        let address = ResourceInstance { module, resource: resource.clone(), key: key.clone() };
        self.imports.get(&address)?.needs(&self.evaluation.module(ROOT).module)
    }

    /// What must be done before anything in a module instance is, by `depends_on` of calls around it.
    fn gates(&mut self, module: ModuleId) -> Vec<NodeId> {
        let mut gates = Vec::new();
        let mut at = module;
        while let (Some(parent), Some(step)) =
            (self.evaluation.module(at).parent, self.evaluation.module(at).call.clone())
        {
            let declared = self
                .evaluation
                .module(parent)
                .module
                .calls
                .get(&step)
                .is_some_and(|call| !call.depends_on.is_empty());
            if declared {
                gates.push(self.node(NodeKey::CallAfter(parent, step)));
            }
            at = parent;
        }
        gates
    }

    fn resolve_needs(
        &mut self,
        module: ModuleId,
        needs: &Needs,
        reader: &Repetition,
    ) -> Vec<NodeId> {
        let mut found = Vec::with_capacity(needs.all.len());
        for (need, _) in &needs.all {
            match need {
                Need::Variable(name) => {
                    found.push(self.node(NodeKey::Variable(module, Arc::clone(name))))
                }
                Need::Local(name) => {
                    found.push(self.node(NodeKey::Local(module, Arc::clone(name))))
                }
                Need::Resource(resource, which) => {
                    found.extend(self.resource_need(module, resource, which, reader))
                }
                Need::Output(step, which, name) => {
                    match self.children_of(module, step, which, reader) {
                        Some(children) => {
                            for child in children {
                                if self.evaluation.module(child).module.outputs.contains_key(name) {
                                    found.push(self.node(NodeKey::Output(child, Arc::clone(name))));
                                }
                            }
                        }
                        None => found.push(self.node(NodeKey::CallOutputs(module, step.clone()))),
                    }
                }
                Need::Call(step, which) => match self.children_of(module, step, which, reader) {
                    Some(children) => {
                        for child in children {
                            found.extend(self.all_outputs(child));
                        }
                    }
                    None => found.push(self.node(NodeKey::CallOutputs(module, step.clone()))),
                },
                Need::Everything(step) => {
                    found.push(self.node(NodeKey::CallDone(module, step.clone())))
                }
            }
        }
        found
    }

    fn resource_need(
        &mut self,
        module: ModuleId,
        resource: &Resource,
        which: &Which,
        reader: &Repetition,
    ) -> Option<NodeId> {
        let state = self.evaluation.module(module).resources.get(resource)?;
        let expansion = state.expansion.as_ref()?;
        let key = match (expansion, which) {
            (Expansion::Single, _) => Some(InstanceKey::None),
            (_, Which::One(key)) => Some(key.clone()),
            (_, Which::Same) => Some(reader.key.clone()),
            (_, Which::All) => None,
        };
        match key {
            Some(key) if expansion.has(&key) => {
                Some(self.node(NodeKey::Instance(module, resource.clone(), key)))
            }
            // The evaluation will say that there is no such instance.
            Some(_) => None,
            None => Some(self.node(NodeKey::Whole(module, resource.clone()))),
        }
    }

    /// The module instances that a reference to a call means; `None` if it means all of several.
    fn children_of(
        &self,
        module: ModuleId,
        step: &ModulePathStep,
        which: &Which,
        reader: &Repetition,
    ) -> Option<Vec<ModuleId>> {
        let call = self.evaluation.module(module).calls.get(step)?;
        let key = match (call.expansion.as_ref()?, which) {
            (Expansion::Single, _) => InstanceKey::None,
            (_, Which::One(key)) => key.clone(),
            (_, Which::Same) => reader.key.clone(),
            (_, Which::All) => return None,
        };
        Some(call.children.get(&key).copied().into_iter().collect())
    }

    fn all_outputs(&mut self, module: ModuleId) -> Vec<NodeId> {
        let names: Vec<Arc<str>> =
            self.evaluation.module(module).module.outputs.keys().cloned().collect();
        names.into_iter().map(|name| self.node(NodeKey::Output(module, name))).collect()
    }

    fn instances_of(&mut self, module: ModuleId, resource: &Resource) -> Vec<NodeId> {
        let state = self.evaluation.module(module).resources.get(resource);
        let repetitions =
            state.and_then(|state| state.expansion.as_ref()).map(Expansion::repetitions);
        let keys = repetitions.unwrap_or_default().into_iter().map(|repetition| repetition.key);
        keys.map(|key| self.node(NodeKey::Instance(module, resource.clone(), key))).collect()
    }

    fn children(&self, module: ModuleId, step: &ModulePathStep) -> Vec<ModuleId> {
        let call = self.evaluation.module(module).calls.get(step);
        call.map(|call| call.children.values().copied().collect()).unwrap_or_default()
    }

    fn outputs_of(&mut self, module: ModuleId, step: &ModulePathStep) -> Vec<NodeId> {
        let children = self.children(module, step);
        children.into_iter().flat_map(|child| self.all_outputs(child)).collect()
    }

    fn contents_of(&mut self, module: ModuleId, step: &ModulePathStep) -> Vec<NodeId> {
        let mut found = Vec::new();
        for child in self.children(module, step) {
            let inner = Arc::clone(&self.evaluation.module(child).module);
            for resource in inner.resources.keys() {
                found.push(self.node(NodeKey::Whole(child, resource.clone())));
            }
            for step in inner.calls.keys() {
                found.push(self.node(NodeKey::CallDone(child, step.clone())));
            }
            found.extend(self.all_outputs(child));
        }
        found
    }
}
