//! The graph of blocks: finds rings before anything is evaluated, and what lies behind a block.
//!
//! One node per named thing of the configuration, whatever its instances; an edge says "needs". The walk
//! orders instances by itself, but a ring of instances is always a ring of blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::{ConfigResource, ModulePath, ModulePathStep, ProviderConfig, ResourceMode};
use config::Configuration;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use syntax::{Diagnostics, Span};

use crate::error::PlanError;
use crate::prepare::{Need, Needs, Prepared};

/// A named thing of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    Variable(ModulePath, Arc<str>),
    Local(ModulePath, Arc<str>),
    Output(ModulePath, Arc<str>),
    Resource(ConfigResource),
    /// A call's `count` or `for_each`, on which everything within it waits.
    Call(ModulePath, ModulePathStep),
    /// What a call's `depends_on` names.
    CallAfter(ModulePath, ModulePathStep),
    /// All that lies in a call.
    CallWhole(ModulePath, ModulePathStep),
    Provider(ProviderConfig),
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let within =
            |path: &ModulePath| if path.is_root() { String::new() } else { format!("{path}.") };
        match self {
            Self::Variable(path, name) => write!(f, "{}var.{name}", within(path)),
            Self::Local(path, name) => write!(f, "{}local.{name}", within(path)),
            Self::Output(path, name) => write!(f, "{}output.{name}", within(path)),
            Self::Resource(resource) => write!(f, "{resource}"),
            Self::Call(path, step) | Self::CallAfter(path, step) | Self::CallWhole(path, step) => {
                write!(f, "{}{step}", within(path))
            }
            Self::Provider(provider) => write!(f, "{provider}"),
        }
    }
}

/// The graph of blocks.
pub(crate) struct BlockGraph {
    graph: DiGraph<Object, Span>,
    nodes: BTreeMap<Object, NodeIndex>,
}

impl BlockGraph {
    /// Builds the graph.
    pub(crate) fn build(configuration: &Configuration, prepared: &Prepared) -> Self {
        let mut build = Self { graph: DiGraph::new(), nodes: BTreeMap::new() };
        for (path, module) in &configuration.modules {
            let Some(references) = prepared.modules.get(path) else { continue };
            for (name, needs) in &references.locals {
                build.add(Object::Local(path.clone(), Arc::clone(name)), path, needs);
            }
            for (name, needs) in &references.outputs {
                build.add(Object::Output(path.clone(), Arc::clone(name)), path, needs);
            }
            for (step, call) in &references.calls {
                build.add(Object::Call(path.clone(), step.clone()), path, &call.expansion);
                build.add(Object::CallAfter(path.clone(), step.clone()), path, &call.depends_on);
                let child = path.child(step.clone());
                for (name, needs) in &call.inputs {
                    build.add(Object::Variable(child.clone(), Arc::clone(name)), path, needs);
                }
            }
            for name in module.variables.keys() {
                build.node(Object::Variable(path.clone(), Arc::clone(name)));
            }
            build.tie_to_call(path, module);
        }
        for block in prepared.blocks.values() {
            let path = &block.address.module;
            let object = Object::Resource(block.address.clone());
            build.add(object.clone(), path, &block.all_needs());
            build.edge(
                &object,
                Object::Provider(block.config.provider.clone()),
                block.config.header,
            );
        }
        let root = configuration.root();
        for import in &root.imports {
            // Without such a block the plan says so.
            let block =
                crate::import::block_of(import).filter(|one| prepared.blocks.contains_key(one));
            if let Some(block) = block {
                let needs = Needs::of(root, crate::import::references(import));
                build.add(Object::Resource(block), &root.path, &needs);
            }
        }
        for (address, provider) in &prepared.providers {
            build.add(Object::Provider(address.clone()), &address.module, &provider.needs);
        }
        build
    }

    /// Ties what lies in a module to the call that makes it: it waits for the call's expansion and its
    /// `depends_on`, and who depends on the whole module waits for it.
    fn tie_to_call(&mut self, path: &ModulePath, module: &config::Module) {
        let Some((step, parent)) = path.steps().last().cloned().zip(path.parent()) else { return };
        let outer = Object::Call(parent.clone(), step.clone());
        let after = Object::CallAfter(parent.clone(), step.clone());
        let whole = Object::CallWhole(parent.clone(), step.clone());
        let none = Span::default();
        for resource in module.resources.keys() {
            let inner = Object::Resource(ConfigResource {
                module: path.clone(),
                resource: resource.clone(),
            });
            self.edge(&inner, outer.clone(), none);
            self.edge(&inner, after.clone(), none);
            self.edge(&whole, inner, none);
        }
        for name in module.outputs.keys() {
            let inner = Object::Output(path.clone(), Arc::clone(name));
            self.edge(&inner, outer.clone(), none);
            self.edge(&whole, inner, none);
        }
        for inner_step in module.calls.keys() {
            self.edge(&Object::Call(path.clone(), inner_step.clone()), outer.clone(), none);
            self.edge(&Object::CallAfter(path.clone(), inner_step.clone()), after.clone(), none);
            self.edge(&whole, Object::CallWhole(path.clone(), inner_step.clone()), none);
        }
    }

    /// All objects, in order.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Object> {
        self.nodes.keys()
    }

    /// What needs what.
    pub(crate) fn edges(&self) -> impl Iterator<Item = (&Object, &Object)> {
        self.graph
            .edge_references()
            .map(|edge| (&self.graph[edge.source()], &self.graph[edge.target()]))
    }

    fn node(&mut self, object: Object) -> NodeIndex {
        if let Some(found) = self.nodes.get(&object) {
            return *found;
        }
        let index = self.graph.add_node(object.clone());
        self.nodes.insert(object, index);
        index
    }

    fn edge(&mut self, from: &Object, to: Object, span: Span) {
        let from = self.node(from.clone());
        let to = self.node(to);
        self.graph.add_edge(from, to, span);
    }

    fn add(&mut self, object: Object, path: &ModulePath, needs: &Needs) {
        self.node(object.clone());
        for (need, span) in &needs.all {
            let target = match need {
                Need::Variable(name) => Object::Variable(path.clone(), Arc::clone(name)),
                Need::Local(name) => Object::Local(path.clone(), Arc::clone(name)),
                Need::Resource(resource, _) => Object::Resource(ConfigResource {
                    module: path.clone(),
                    resource: resource.clone(),
                }),
                Need::Output(step, _, name) => {
                    Object::Output(path.child(step.clone()), Arc::clone(name))
                }
                Need::Call(step, _) | Need::Everything(step) => {
                    Object::CallWhole(path.clone(), step.clone())
                }
            };
            self.edge(&object, target, *span);
        }
    }

    /// Reports rings. Nothing recurses, so that a chain may be as long as memory allows.
    pub(crate) fn cycles(&self) -> Diagnostics {
        let mut left = self.unsorted();
        let mut diagnostics = Diagnostics::new();
        while let Some(start) = left.first().copied() {
            let ring = self.ring_from(start, &left);
            let spans: Vec<Span> = (0..ring.len())
                .filter_map(|at| {
                    let next = ring[(at + 1) % ring.len()];
                    self.graph.find_edge(ring[at], next).map(|edge| self.graph[edge])
                })
                .filter(|span| *span != Span::default())
                .collect();
            let objects: Vec<String> =
                ring.iter().map(|node| self.graph[*node].to_string()).collect();
            // A ring that hangs on one already reported has no objects of its own.
            for node in self.reaching(&ring, &left) {
                left.remove(&node);
            }
            diagnostics.push(PlanError::Cycle { objects, spans });
        }
        diagnostics
    }

    /// Nodes that no topological order reaches: rings, and what needs them.
    fn unsorted(&self) -> BTreeSet<NodeIndex> {
        let mut waiting: BTreeMap<NodeIndex, usize> =
            self.graph.node_indices().map(|node| (node, self.graph.edges(node).count())).collect();
        let mut ready: Vec<NodeIndex> =
            waiting.iter().filter(|(_, count)| **count == 0).map(|(node, _)| *node).collect();
        while let Some(node) = ready.pop() {
            waiting.remove(&node);
            for edge in self.graph.edges_directed(node, petgraph::Direction::Incoming) {
                if let Some(count) = waiting.get_mut(&edge.source()) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(edge.source());
                    }
                }
            }
        }
        waiting.into_keys().collect()
    }

    fn ring_from(&self, start: NodeIndex, left: &BTreeSet<NodeIndex>) -> Vec<NodeIndex> {
        // Every node that is left needs another one that is left, so a path must come back to itself.
        let mut path = vec![start];
        let mut place: BTreeMap<NodeIndex, usize> = BTreeMap::from([(start, 0)]);
        let mut node = start;
        while let Some(next) = self.graph.neighbors(node).filter(|next| left.contains(next)).min() {
            if let Some(at) = place.get(&next) {
                return path.split_off(*at);
            }
            place.insert(next, path.len());
            path.push(next);
            node = next;
        }
        path
    }

    fn reaching(&self, ring: &[NodeIndex], left: &BTreeSet<NodeIndex>) -> BTreeSet<NodeIndex> {
        let mut found: BTreeSet<NodeIndex> = BTreeSet::new();
        let mut stack = ring.to_vec();
        while let Some(node) = stack.pop() {
            if !left.contains(&node) || !found.insert(node) {
                continue;
            }
            stack.extend(self.graph.neighbors_directed(node, petgraph::Direction::Incoming));
        }
        found
    }

    /// All that these objects need, themselves included.
    pub(crate) fn needed_by(&self, start: impl IntoIterator<Item = Object>) -> BTreeSet<&Object> {
        let mut found = BTreeSet::new();
        let mut stack: Vec<NodeIndex> =
            start.into_iter().filter_map(|object| self.nodes.get(&object).copied()).collect();
        while let Some(node) = stack.pop() {
            if found.insert(node) {
                stack.extend(self.graph.neighbors(node));
            }
        }
        found.into_iter().map(|node| &self.graph[node]).collect()
    }

    /// The blocks that use what a block gives, through whatever names; `None` if the settings of a provider do,
    /// which are in use until the end.
    pub(crate) fn users_of(&self, block: &ConfigResource) -> Option<BTreeSet<ConfigResource>> {
        let mut users = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let start = self.nodes.get(&Object::Resource(block.clone())).copied();
        let mut stack: Vec<NodeIndex> = start.into_iter().collect();
        while let Some(node) = stack.pop() {
            for user in self.graph.neighbors_directed(node, petgraph::Direction::Incoming) {
                if !seen.insert(user) {
                    continue;
                }
                match &self.graph[user] {
                    Object::Provider(_) => return None,
                    Object::Resource(block) => {
                        users.insert(block.clone());
                        // What is ephemeral itself may hold on to what it was made from.
                        if block.resource.mode == ResourceMode::Ephemeral {
                            stack.push(user);
                        }
                    }
                    _ => stack.push(user),
                }
            }
        }
        Some(users)
    }

    /// All blocks that are made from these objects, through whatever lies between.
    pub(crate) fn users(
        &self,
        start: impl IntoIterator<Item = Object>,
    ) -> BTreeSet<ConfigResource> {
        let mut stack: Vec<NodeIndex> =
            start.into_iter().filter_map(|object| self.nodes.get(&object).copied()).collect();
        let mut seen = BTreeSet::new();
        let mut users = BTreeSet::new();
        while let Some(node) = stack.pop() {
            for user in self.graph.neighbors_directed(node, petgraph::Direction::Incoming) {
                if seen.insert(user) {
                    if let Object::Resource(block) = &self.graph[user] {
                        users.insert(block.clone());
                    }
                    stack.push(user);
                }
            }
        }
        users
    }

    /// Blocks that must make replacements first because something that is made from them does.
    pub(crate) fn create_before_destroy(&self, prepared: &Prepared) -> BTreeSet<ConfigResource> {
        let start = prepared
            .blocks
            .values()
            .filter(|block| block.create_before_destroy)
            .map(|block| Object::Resource(block.address.clone()));
        self.needed_by(start)
            .into_iter()
            .filter_map(|object| match object {
                Object::Resource(resource) => Some(resource.clone()),
                _ => None,
            })
            .collect()
    }
}
