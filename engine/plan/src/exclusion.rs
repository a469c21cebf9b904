//! What `-exclude` leaves as it is: what is named, and what cannot be changed without it.

use std::collections::{BTreeMap, BTreeSet};

use address::{ConfigResource, ResourceInstance, Target};
use state::Dependency;

use crate::graph::{BlockGraph, Object};
use crate::model::Mode;
use crate::moved::Records;
use crate::prepare::Prepared;

/// What a run leaves alone.
#[derive(Debug, Default)]
pub(crate) struct Exclusion {
    named: Vec<Target>,
    /// Blocks that are made from something that is named.
    users: BTreeSet<ConfigResource>,
    /// Recorded instances that something that is named was made from.
    sources: BTreeSet<ResourceInstance>,
}

impl Exclusion {
    pub(crate) fn new(
        named: Vec<Target>,
        graph: &BlockGraph,
        prepared: &Prepared,
        records: &Records,
    ) -> Self {
        if named.is_empty() {
            return Self::default();
        }
        let mut users = BTreeSet::new();
        for target in &named {
            let blocks = prepared.blocks.keys().filter(|block| is_of(target, block));
            let start = blocks.cloned().map(Object::Resource);
            // What lies in the same module is named itself, or belongs to another instance of the module.
            let outside = graph.users(start).into_iter().filter(|user| !is_of(target, user));
            users.extend(outside);
        }
        let sources = sources(&named, records);
        Self { named, users, sources }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Says whether an instance with a block is left alone.
    pub(crate) fn leaves(&self, address: &ResourceInstance, mode: Mode) -> bool {
        let named = self.named.iter().any(|target| target.covers(address));
        named
            || match mode {
                Mode::Normal => self.users.contains(&address.block().config()),
                Mode::Destroy => self.sources.contains(address),
                // An undo takes no exclusions.
                Mode::RefreshOnly | Mode::Undo => false,
            }
    }

    /// Says whether an object that no block wants is kept.
    pub(crate) fn keeps(&self, address: &ResourceInstance) -> bool {
        self.sources.contains(address) || self.named.iter().any(|target| target.covers(address))
    }
}

fn is_of(target: &Target, block: &ConfigResource) -> bool {
    match target {
        Target::Module(module) => block.module.steps().starts_with(module.module().steps()),
        Target::Resource(resource) => resource.config() == *block,
        Target::Instance(instance) => instance.block().config() == *block,
    }
}

/// What recorded objects were made from, and that in turn.
fn sources(named: &[Target], records: &Records) -> BTreeSet<ResourceInstance> {
    let mut by_block: BTreeMap<_, Vec<&ResourceInstance>> = BTreeMap::new();
    for address in records.keys() {
        by_block.entry(address.block()).or_default().push(address);
    }
    let mut found = BTreeSet::new();
    let is_named = |address: &&ResourceInstance| named.iter().any(|one| one.covers(address));
    let mut waiting: Vec<&ResourceInstance> = records.keys().filter(is_named).collect();
    while let Some(address) = waiting.pop() {
        let objects = records.get(address).and_then(|(record, _)| record.current.as_ref());
        for dependency in objects.into_iter().flat_map(|object| &object.dependencies) {
            let all = match dependency {
                Dependency::Instance(instance) => {
                    records.get_key_value(instance).map(|(one, _)| vec![one])
                }
                Dependency::Block(block) => by_block.get(block).cloned(),
            };
            let new =
                all.unwrap_or_default().into_iter().filter(|one| found.insert((*one).clone()));
            waiting.extend(new);
        }
    }
    found
}
