//! The state at one moment, as plan sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{AbsResource, InstanceKey, ResourceInstance, ResourceMode};

use crate::check::CheckResult;
use crate::record::{DecisionRecord, OutputRecord, Record};

/// All that a store knew at one moment. Cloning shares the records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateSnapshot {
    /// Tells this state from every other; empty until the first write.
    pub lineage: String,
    /// Grows with every write that changes something; 0 until the first.
    pub serial: u64,
    /// One record per resource instance, in the order in which people are shown addresses.
    pub records: BTreeMap<ResourceInstance, Arc<Record>>,
    /// The outputs of the root module by name.
    pub outputs: BTreeMap<Arc<str>, OutputRecord>,
    /// The placement of each component, by the address of the module instance it expands into.
    pub decisions: BTreeMap<String, DecisionRecord>,
    /// What the conditions of the configuration came to when it was last applied, in the order of their addresses.
    pub checks: Vec<CheckResult>,
    /// The version of the engine that wrote last; empty until the first write.
    pub engine_version: String,
    /// The workspace that the state belongs to.
    pub workspace: String,
}

impl StateSnapshot {
    /// True when nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.outputs.is_empty() && self.decisions.is_empty()
    }

    /// The records of objects that are managed: all but what data sources have given.
    pub fn managed(&self) -> impl Iterator<Item = (&ResourceInstance, &Arc<Record>)> {
        self.records.iter().filter(|(address, _)| address.resource.mode == ResourceMode::Managed)
    }

    /// The record of one instance.
    pub fn record(&self, address: &ResourceInstance) -> Option<&Arc<Record>> {
        self.records.get(address)
    }

    /// The records of one block's instances by key. Costs what it yields, not what the state holds.
    pub fn instances_of<'a>(
        &'a self,
        block: &'a AbsResource,
    ) -> impl Iterator<Item = (&'a ResourceInstance, &'a Arc<Record>)> {
        self.records.range(block.instance(InstanceKey::None)..).take_while(move |(address, _)| {
            address.resource == block.resource && address.module == block.module
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Object;

    #[test]
    fn instances_of_yields_those_of_the_block_alone() {
        let addresses = [
            "a.x",
            "b.x",
            "b.x[2]",
            "b.x[10]",
            "b.x[\"k\"]",
            "b.y[0]",
            "data.b.x",
            "module.m.b.x[0]",
            "module.m[0].b.x[0]",
        ];
        let mut snapshot = StateSnapshot::default();
        for text in addresses {
            let address: ResourceInstance = text.parse().unwrap();
            let provider = "provider[\"terraform.io/builtin/terraform\"]".parse().unwrap();
            let record = Record::new(address.clone(), provider, Object::new(0, "{}"));
            snapshot.records.insert(address, Arc::new(record));
        }
        let block = |text: &str| text.parse::<AbsResource>().unwrap();
        let found = |text: &str| -> Vec<String> {
            snapshot.instances_of(&block(text)).map(|(address, _)| address.to_string()).collect()
        };
        assert_eq!(found("b.x"), ["b.x", "b.x[2]", "b.x[10]", "b.x[\"k\"]"]);
        assert_eq!(found("module.m.b.x"), ["module.m.b.x[0]"]);
        assert_eq!(found("b.z"), [""; 0]);
    }
}
