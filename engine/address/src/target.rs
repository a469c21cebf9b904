//! What `-target`, `-replace` and the state commands may name.

use std::fmt;

use crate::key::InstanceKey;
use crate::module::{ModuleInstance, ModuleStep};
use crate::resource::{AbsResource, ResourceInstance};

/// A part of the configuration or state that a person picked.
///
/// `cluster.train` reads as a managed resource of type `cluster`; who knows the configuration
/// tells whether it is a component.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A module instance and all inside it.
    Module(ModuleInstance),
    /// All instances of a block.
    Resource(AbsResource),
    /// One instance.
    Instance(ResourceInstance),
}

impl Target {
    /// The module that the target means if what reads as a resource is a component.
    pub fn as_component(&self) -> Option<ModuleInstance> {
        let (block, key) = match self {
            Self::Module(_) => return None,
            Self::Resource(block) => (block.clone(), InstanceKey::None),
            Self::Instance(instance) => (instance.block(), instance.key.clone()),
        };
        let resource = block.resource;
        Some(block.module.child(ModuleStep::component(resource.type_name, resource.name, key)))
    }

    /// True when the instance is what the target names or lies inside it.
    pub fn covers(&self, instance: &ResourceInstance) -> bool {
        match self {
            Self::Module(module) => instance.module.is_within_any(module),
            Self::Resource(block) => {
                instance.module == block.module && instance.resource == block.resource
            }
            Self::Instance(address) => instance == address,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(module) => module.fmt(f),
            Self::Resource(block) => block.fmt(f),
            Self::Instance(instance) => instance.fmt(f),
        }
    }
}
