//! What data sources have given by now.

use address::{ProviderConfig, ResourceInstance, ResourceMode};
use value::{Type, Value};

use super::Evaluation;

/// The object of a data source.
#[derive(Debug, Clone)]
pub struct LookedUp {
    /// Whose it is.
    pub address: ResourceInstance,
    /// Who gave it.
    pub provider: ProviderConfig,
    /// The object, with its marks.
    pub value: Value,
    /// Its type by the schema.
    pub ty: Type,
    /// Version of the schema that it follows.
    pub schema_version: u64,
}

impl Evaluation {
    /// The objects of all data sources that have been read, module by module.
    pub fn looked_up(&self) -> impl Iterator<Item = LookedUp> {
        self.modules().flat_map(move |(_, state)| {
            let data = state.resources.iter().filter(|(one, _)| one.mode == ResourceMode::Data);
            data.flat_map(move |(resource, block)| {
                let keys = block.instances.keys();
                keys.filter_map(move |key| {
                    let address = ResourceInstance {
                        module: state.instance.clone(),
                        resource: resource.clone(),
                        key: key.clone(),
                    };
                    let value = block.instances.get(key)?;
                    let read = value.is_wholly_known() && !value.is_null();
                    let block = self.blocks.get(&address.block().config()).filter(|_| read)?;
                    Some(LookedUp {
                        provider: block.config.provider.clone(),
                        value: value.clone(),
                        ty: block.schema.get().block.ty(),
                        schema_version: block.schema.get().version,
                        address,
                    })
                })
            })
        })
    }

    /// Says whether there is such a data source by the configuration. One whose instances are not known yet, or that
    /// a limited plan has left out, counts as there.
    pub fn has_data(&self, address: &ResourceInstance) -> bool {
        let Some(id) = self.find(&address.module) else {
            return false;
        };
        let block = self.module(id).resources.get(&address.resource);
        block.is_some_and(|block| {
            block.expansion.as_ref().is_none_or(|expansion| expansion.has(&address.key))
        })
    }
}
