//! Which objects an object is made from, through whatever names lie between.

use std::collections::BTreeSet;
use std::sync::Arc;

use address::{ResourceInstance, ResourceMode};
use state::Dependency;

use super::{NodeId, NodeKey, Walk};

impl Walk<'_> {
    /// The resources that an instance is made from, through whatever names lie between.
    pub(crate) fn dependencies_of(&mut self, id: NodeId) -> Arc<[Dependency]> {
        let mut found: BTreeSet<Dependency> = BTreeSet::new();
        for needed in self.nodes[id.0].needs.clone() {
            found.extend(self.sources_behind(needed).iter().cloned());
        }
        found.into_iter().collect()
    }

    /// The resources behind a node; worked off from a list, since names may form long chains.
    fn sources_behind(&mut self, start: NodeId) -> Arc<[Dependency]> {
        let mut stack = vec![start];
        while let Some(id) = stack.last().copied() {
            if self.dependencies.contains_key(&id) {
                stack.pop();
                continue;
            }
            let direct = self.direct_source(id);
            let needs = if direct.is_some() { Vec::new() } else { self.nodes[id.0].needs.clone() };
            let missing: Vec<NodeId> = needs
                .iter()
                .copied()
                .filter(|needed| !self.dependencies.contains_key(needed))
                .collect();
            if !missing.is_empty() {
                stack.extend(missing);
                continue;
            }
            let found: Arc<[Dependency]> = match direct {
                Some(dependency) => Arc::from([dependency]),
                None if needs.len() == 1 => Arc::clone(&self.dependencies[&needs[0]]),
                None => {
                    let all: BTreeSet<Dependency> = needs
                        .iter()
                        .flat_map(|needed| self.dependencies[needed].iter().cloned())
                        .collect();
                    all.into_iter().collect()
                }
            };
            self.dependencies.insert(id, found);
            stack.pop();
        }
        Arc::clone(&self.dependencies[&start])
    }

    fn direct_source(&self, id: NodeId) -> Option<Dependency> {
        match &self.nodes[id.0].key {
            NodeKey::Instance(module, resource, key) if resource.mode == ResourceMode::Managed => {
                Some(Dependency::Instance(ResourceInstance {
                    module: self.evaluation.module(*module).instance.clone(),
                    resource: resource.clone(),
                    key: key.clone(),
                }))
            }
            NodeKey::Whole(module, resource) if resource.mode == ResourceMode::Managed => {
                let module = self.evaluation.module(*module).instance.clone();
                Some(Dependency::Block(resource.clone().within(module)))
            }
            _ => None,
        }
    }
}
