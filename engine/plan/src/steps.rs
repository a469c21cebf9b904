//! From planned changes to the steps that apply carries out, with their order.
//!
//! What is made waits for what it is made from: edges of the walk's nodes, with nodes that change nothing
//! left out and a join where one would otherwise stand for many edges. What is destroyed waits for what was
//! made from it: the dependencies that the state records. The order is fixed by addresses, not by arrival.
//!
//! What is removed, or has been replaced already, also waits until its users are changed, so that nothing is taken
//! away from under them. That wish gives way where it would close a ring: a user may wait for an object that is replaced
//! by first being destroyed, which in turn waits for the removal.

use std::collections::{BTreeMap, BTreeSet};

use address::ResourceInstance;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use state::Dependency;
use syntax::Diagnostics;

use crate::action::{Action, ReplaceOrder};
use crate::error::PlanError;
use crate::model::{ResourceChange, Step, StepKind};
use crate::walk::{Node, NodeId};

/// What the steps are made from.
pub(crate) struct Planned<'a> {
    pub(crate) changes: &'a [ResourceChange],
    /// The node of each change; `None` for orphans and deposed objects.
    pub(crate) nodes_of: &'a [Option<NodeId>],
    /// What each change's prior object was made from.
    pub(crate) prior_dependencies: &'a [Vec<Dependency>],
    pub(crate) nodes: &'a [Node],
}

/// Works out the steps. A ring, which only contradicting `create_before_destroy` settings could make, is an
/// error.
pub(crate) fn steps(planned: &Planned<'_>) -> Result<Vec<Step>, Diagnostics> {
    let mut draft = Draft {
        planned,
        steps: Vec::new(),
        make: vec![None; planned.changes.len()],
        destroy: vec![None; planned.changes.len()],
        change_of_node: BTreeMap::new(),
        behind: vec![None; planned.nodes.len()],
        wishes: BTreeMap::new(),
    };
    for (change, node) in planned.nodes_of.iter().enumerate() {
        if let Some(node) = node {
            draft.change_of_node.insert(*node, change);
        }
    }
    for change in 0..planned.changes.len() {
        draft.add_steps_of(change);
    }
    draft.order_making();
    draft.order_destroying();
    draft.sort()
}

struct Draft<'a> {
    planned: &'a Planned<'a>,
    steps: Vec<Step>,
    /// The step that makes, changes or reads a change's object.
    make: Vec<Option<usize>>,
    /// The step that ends a change's prior object.
    destroy: Vec<Option<usize>>,
    change_of_node: BTreeMap<NodeId, usize>,
    /// The step that stands for a node and all behind it, once known; `None` inside if there is none.
    behind: Vec<Option<Option<usize>>>,
    /// By destructions: the step that stands for the change of their users, after which they would rather come.
    wishes: BTreeMap<usize, BTreeSet<usize>>,
}

impl Draft<'_> {
    fn push(&mut self, kind: StepKind, change: Option<usize>) -> usize {
        self.steps.push(Step { kind, change, after: Vec::new() });
        self.steps.len() - 1
    }

    fn add_steps_of(&mut self, at: usize) {
        let change = &self.planned.changes[at];
        match change.action {
            Action::NoOp if change.importing.is_some() => {
                self.make[at] = Some(self.push(StepKind::Import, Some(at)))
            }
            Action::NoOp => {}
            Action::Create => self.make[at] = Some(self.push(StepKind::Create, Some(at))),
            Action::Read => self.make[at] = Some(self.push(StepKind::Read, Some(at))),
            Action::Update => self.make[at] = Some(self.push(StepKind::Update, Some(at))),
            Action::Delete => self.destroy[at] = Some(self.push(StepKind::Delete, Some(at))),
            Action::Forget => self.destroy[at] = Some(self.push(StepKind::Forget, Some(at))),
            Action::Replace(order) => {
                let create = self.push(StepKind::Create, Some(at));
                let delete = self.push(StepKind::Delete, Some(at));
                self.make[at] = Some(create);
                self.destroy[at] = Some(delete);
                match order {
                    ReplaceOrder::DeleteThenCreate => self.steps[create].after.push(delete),
                    ReplaceOrder::CreateThenDelete => self.steps[delete].after.push(create),
                }
            }
        }
    }

    fn order_making(&mut self) {
        for change in 0..self.planned.changes.len() {
            let (Some(step), Some(node)) = (self.make[change], self.planned.nodes_of[change])
            else {
                continue;
            };
            let found = self.behind_needs(node);
            self.steps[step].after.extend(found);
        }
    }

    /// The steps that a node's needs stand for, each once.
    fn behind_needs(&mut self, node: NodeId) -> BTreeSet<usize> {
        let needs = &self.planned.nodes[node.0].needs;
        for needed in needs {
            self.find_behind(*needed);
        }
        needs.iter().filter_map(|needed| self.behind[needed.0].flatten()).collect()
    }

    /// Finds the step that stands for a node; from a list, since chains may be long.
    fn find_behind(&mut self, start: NodeId) {
        let mut stack = vec![start];
        while let Some(node) = stack.last().copied() {
            if self.behind[node.0].is_some() {
                stack.pop();
                continue;
            }
            if let Some(step) = self.change_of_node.get(&node).and_then(|change| self.make[*change])
            {
                self.behind[node.0] = Some(Some(step));
                stack.pop();
                continue;
            }
            let needs = &self.planned.nodes[node.0].needs;
            let missing: Vec<NodeId> =
                needs.iter().copied().filter(|needed| self.behind[needed.0].is_none()).collect();
            if !missing.is_empty() {
                stack.extend(missing.into_iter().rev());
                continue;
            }
            let found: BTreeSet<usize> =
                needs.iter().filter_map(|needed| self.behind[needed.0].flatten()).collect();
            self.behind[node.0] = Some(self.join(found));
            stack.pop();
        }
    }

    fn order_destroying(&mut self) {
        let mut dependents: BTreeMap<&Dependency, Vec<usize>> = BTreeMap::new();
        for (change, dependencies) in self.planned.prior_dependencies.iter().enumerate() {
            for dependency in dependencies {
                dependents.entry(dependency).or_default().push(change);
            }
        }
        let mut joins: BTreeMap<(Dependency, bool), Option<usize>> = BTreeMap::new();
        for change in 0..self.planned.changes.len() {
            let Some(step) = self.destroy[change] else { continue };
            let action = self.planned.changes[change].action;
            let address: &ResourceInstance = &self.planned.changes[change].address;
            let keys = [Dependency::Instance(address.clone()), Dependency::Block(address.block())];
            for key in keys {
                let Some(users) = dependents.get(&key) else { continue };
                let mut join = |draft: &mut Self, made: bool| {
                    let known = joins.get(&(key.clone(), made)).copied();
                    known.unwrap_or_else(|| {
                        // Of a user that is destroyed, replaced or not, the end of its old object is enough.
                        let step = |user: &usize| match draft.destroy[*user] {
                            Some(destroyed) => (!made).then_some(destroyed),
                            None => draft.make[*user].filter(|_| made),
                        };
                        let steps = users.iter().filter_map(step).collect();
                        let join = draft.join(steps);
                        joins.insert((key.clone(), made), join);
                        join
                    })
                };
                if let Some(destroyed) = join(self, false).filter(|join| *join != step) {
                    self.steps[step].after.push(destroyed);
                }
                // What is replaced in place may be needed by what is changed afterwards; all else goes last.
                if action == Action::Replace(ReplaceOrder::DeleteThenCreate) {
                    continue;
                }
                if let Some(made) = join(self, true).filter(|join| *join != step) {
                    self.steps[step].after.push(made);
                    self.wishes.entry(step).or_default().insert(made);
                }
            }
        }
    }

    /// A step that stands for several.
    fn join(&mut self, steps: BTreeSet<usize>) -> Option<usize> {
        match steps.len() {
            0 => None,
            1 => steps.first().copied(),
            _ => {
                let join = self.push(StepKind::Join, None);
                self.steps[join].after.extend(steps);
                Some(join)
            }
        }
    }

    /// Drops the wishes that close a ring among these steps.
    fn drop_wishes(&mut self, stuck: &[usize]) {
        let mut ring_of = vec![usize::MAX; self.steps.len()];
        let mut graph: DiGraph<(), ()> = DiGraph::new();
        for _ in &self.steps {
            graph.add_node(());
        }
        let mut is_stuck = vec![false; self.steps.len()];
        for step in stuck {
            is_stuck[*step] = true;
        }
        for step in stuck {
            for before in self.steps[*step].after.iter().filter(|one| is_stuck[**one]) {
                graph.add_edge(NodeIndex::new(*before), NodeIndex::new(*step), ());
            }
        }
        // Unlike Tarjan's, this algorithm of petgraph does not recurse.
        for (at, ring) in kosaraju_scc(&graph).into_iter().enumerate() {
            for step in ring {
                ring_of[step.index()] = at;
            }
        }
        for (step, wishes) in &self.wishes {
            let closes = |wish: &usize| wishes.contains(wish) && ring_of[*wish] == ring_of[*step];
            self.steps[*step].after.retain(|before| !closes(before));
        }
    }

    /// Puts every step behind those that it waits for; among those that are ready, the one that was drafted
    /// first comes first.
    fn sort(mut self) -> Result<Vec<Step>, Diagnostics> {
        for (at, step) in self.steps.iter_mut().enumerate() {
            step.after.sort_unstable();
            step.after.dedup();
            step.after.retain(|before| *before != at);
        }
        let sorted = self.order().or_else(|stuck| {
            self.drop_wishes(&stuck);
            self.order()
        });
        let sorted = sorted.map_err(|stuck| {
            let changes = stuck.into_iter().filter_map(|at| self.steps[at].change);
            let objects: BTreeSet<String> =
                changes.map(|change| self.planned.changes[change].address.to_string()).collect();
            PlanError::Cycle { objects: objects.into_iter().collect(), spans: Vec::new() }
        })?;
        let mut place = vec![usize::MAX; sorted.len()];
        for (at, step) in sorted.iter().enumerate() {
            place[*step] = at;
        }
        let steps = sorted.into_iter().map(|at| {
            let step = &self.steps[at];
            let mut after: Vec<usize> = step.after.iter().map(|before| place[*before]).collect();
            after.sort_unstable();
            Step { kind: step.kind, change: step.change, after }
        });
        Ok(steps.collect())
    }

    /// The steps in order; those that wait for each other, and those behind them, if there is none.
    fn order(&self) -> Result<Vec<usize>, Vec<usize>> {
        let count = self.steps.len();
        let mut waiting: Vec<usize> = self.steps.iter().map(|step| step.after.len()).collect();
        let mut followers: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (at, step) in self.steps.iter().enumerate() {
            for before in &step.after {
                followers[*before].push(at);
            }
        }
        let mut ready: BTreeSet<usize> = (0..count).filter(|at| waiting[*at] == 0).collect();
        let mut sorted = Vec::with_capacity(count);
        while let Some(at) = ready.pop_first() {
            sorted.push(at);
            for follower in &followers[at] {
                waiting[*follower] -= 1;
                if waiting[*follower] == 0 {
                    ready.insert(*follower);
                }
            }
        }
        if sorted.len() == count {
            return Ok(sorted);
        }
        Err((0..count).filter(|at| waiting[*at] > 0).collect())
    }
}
