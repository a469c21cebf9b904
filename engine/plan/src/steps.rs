//! From planned changes to the steps that apply carries out, with their order.
//!
//! What is made waits for what it is made from: edges of the walk's nodes, with nodes that change nothing
//! left out and a join where one would otherwise stand for many edges. What is destroyed waits for what was
//! made from it: the dependencies that the state records. The order is fixed by addresses, not by arrival.

use std::collections::{BTreeMap, BTreeSet};

use address::ResourceInstance;
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
            let step = match found.len() {
                0 => None,
                1 => found.first().copied(),
                _ => {
                    let join = self.push(StepKind::Join, None);
                    self.steps[join].after.extend(found);
                    Some(join)
                }
            };
            self.behind[node.0] = Some(step);
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
            // What is replaced in place may be needed by what is changed afterwards; all else goes last.
            let goes_last = action != Action::Replace(ReplaceOrder::DeleteThenCreate);
            let address: &ResourceInstance = &self.planned.changes[change].address;
            let keys = [Dependency::Instance(address.clone()), Dependency::Block(address.block())];
            for key in keys {
                let Some(users) = dependents.get(&key) else { continue };
                let users = users.clone();
                let join = match joins.get(&(key.clone(), goes_last)) {
                    Some(join) => *join,
                    None => {
                        let join = self.join_users(&users, goes_last);
                        joins.insert((key, goes_last), join);
                        join
                    }
                };
                if let Some(join) = join
                    && join != step
                {
                    self.steps[step].after.push(join);
                }
            }
        }
    }

    fn join_users(&mut self, users: &[usize], goes_last: bool) -> Option<usize> {
        let destroyed = users.iter().filter_map(|user| self.destroy[*user]);
        let made = users.iter().filter_map(|user| if goes_last { self.make[*user] } else { None });
        let steps: BTreeSet<usize> = destroyed.chain(made).collect();
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

    /// Puts every step behind those that it waits for; among those that are ready, the one that was drafted
    /// first comes first.
    fn sort(mut self) -> Result<Vec<Step>, Diagnostics> {
        let count = self.steps.len();
        let mut waiting = vec![0usize; count];
        let mut followers: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (at, step) in self.steps.iter_mut().enumerate() {
            step.after.sort_unstable();
            step.after.dedup();
            step.after.retain(|before| *before != at);
            waiting[at] = step.after.len();
            for before in &step.after {
                followers[*before].push(at);
            }
        }
        let mut ready: BTreeSet<usize> = (0..count).filter(|at| waiting[*at] == 0).collect();
        let mut place = vec![usize::MAX; count];
        let mut sorted = Vec::with_capacity(count);
        while let Some(at) = ready.pop_first() {
            place[at] = sorted.len();
            sorted.push(at);
            for follower in &followers[at] {
                waiting[*follower] -= 1;
                if waiting[*follower] == 0 {
                    ready.insert(*follower);
                }
            }
        }
        if sorted.len() < count {
            let stuck = (0..count)
                .filter(|at| place[*at] == usize::MAX)
                .filter_map(|at| self.steps[at].change);
            let objects: BTreeSet<String> =
                stuck.map(|change| self.planned.changes[change].address.to_string()).collect();
            return Err(PlanError::Cycle {
                objects: objects.into_iter().collect(),
                spans: Vec::new(),
            }
            .into());
        }
        let steps = sorted.into_iter().map(|at| {
            let step = &self.steps[at];
            let mut after: Vec<usize> = step.after.iter().map(|before| place[*before]).collect();
            after.sort_unstable();
            Step { kind: step.kind, change: step.change, after }
        });
        Ok(steps.collect())
    }
}
