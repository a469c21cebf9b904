//! Resources: as a block, as a block in one module instance, as one instance.

use std::fmt;
use std::sync::Arc;

use crate::key::InstanceKey;
use crate::module::{ModuleInstance, ModulePath};

/// What is done with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceMode {
    /// Read only: `data`. Comes first where addresses are in order, as in Terraform.
    Data,
    /// Created, updated and deleted by us: `resource`.
    Managed,
    /// Opened for the time of a run and stored nowhere: `ephemeral`.
    Ephemeral,
}

impl ResourceMode {
    /// The prefix of addresses of this mode, with its dot.
    fn prefix(self) -> &'static str {
        match self {
            Self::Managed => "",
            Self::Data => "data.",
            Self::Ephemeral => "ephemeral.",
        }
    }
}

/// A resource block, named within its module: `aws_vpc.main`, `data.aws_ami.base`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// Managed, data or ephemeral.
    pub mode: ResourceMode,
    /// The first label: `aws_vpc`.
    pub type_name: Arc<str>,
    /// The second label: `main`.
    pub name: Arc<str>,
}

impl Resource {
    /// A managed resource.
    pub fn managed(type_name: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { mode: ResourceMode::Managed, type_name: type_name.into(), name: name.into() }
    }

    /// A data source.
    pub fn data(type_name: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { mode: ResourceMode::Data, type_name: type_name.into(), name: name.into() }
    }

    /// The block in one module instance.
    pub fn within(self, module: ModuleInstance) -> AbsResource {
        AbsResource { module, resource: self }
    }

    /// The local name of the provider that the type implies: all before the first underscore.
    pub fn implied_provider(&self) -> &str {
        self.type_name.split('_').next().unwrap_or(&self.type_name)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}.{}", self.mode.prefix(), self.type_name, self.name)
    }
}

/// A resource block of the configuration, whatever instances its module has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigResource {
    /// The module that holds the block.
    pub module: ModulePath,
    /// The block.
    pub resource: Resource,
}

impl fmt::Display for ConfigResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}", self.resource)
    }
}

/// A resource block in one module instance, with all its instances.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AbsResource {
    /// The module instance.
    pub module: ModuleInstance,
    /// The block.
    pub resource: Resource,
}

impl AbsResource {
    /// One instance of the block.
    pub fn instance(&self, key: InstanceKey) -> ResourceInstance {
        ResourceInstance { module: self.module.clone(), resource: self.resource.clone(), key }
    }

    /// The block, whatever instances its module has.
    pub fn config(&self) -> ConfigResource {
        ConfigResource { module: self.module.module(), resource: self.resource.clone() }
    }
}

impl fmt::Display for AbsResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_in_module(f, &self.module, &self.resource)
    }
}

/// One instance of a resource: the unit of planning and applying.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceInstance {
    /// The module instance.
    pub module: ModuleInstance,
    /// The block.
    pub resource: Resource,
    /// Which instance of the block.
    pub key: InstanceKey,
}

impl ResourceInstance {
    /// The block that this is an instance of.
    pub fn block(&self) -> AbsResource {
        AbsResource { module: self.module.clone(), resource: self.resource.clone() }
    }
}

impl fmt::Display for ResourceInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_in_module(f, &self.module, &self.resource)?;
        write!(f, "{}", self.key)
    }
}

fn write_in_module(
    f: &mut fmt::Formatter<'_>,
    module: &ModuleInstance,
    resource: &Resource,
) -> fmt::Result {
    if !module.is_root() {
        write!(f, "{module}.")?;
    }
    write!(f, "{resource}")
}
