//! Providers as the planner sees them: only what looks.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{AttributePath, ProviderAddress, ProviderConfig, ResourceInstance};
use sdk::{ProviderError, ProviderSchema, Reader, Registry};
use value::{Marks, Value};

/// Providers that can only look. What changes the world cannot be reached through it.
#[derive(Clone)]
pub struct Readers(Registry);

impl Readers {
    /// The readers of these providers.
    pub fn new(registry: &Registry) -> Self {
        Self(registry.clone())
    }

    /// A new instance of a provider, not configured yet; `None` if there is no such provider.
    pub async fn create(
        &self,
        address: &ProviderAddress,
    ) -> Option<Result<Arc<dyn Reader>, ProviderError>> {
        let factory = self.0.get(address)?;
        Some(match factory.create().await {
            Ok(provider) => {
                let reader: Arc<dyn Reader> = provider;
                Ok(reader)
            }
            Err(error) => Err(error),
        })
    }

    /// A new instance of a provider for one of its configurations, not configured yet.
    pub(crate) async fn create_for(
        &self,
        config: &ProviderConfig,
    ) -> Option<Result<Arc<dyn Reader>, ProviderError>> {
        Some(self.0.create(config).await?.map(|provider| {
            let reader: Arc<dyn Reader> = provider;
            reader
        }))
    }

    /// Who is asked about a configuration: where it holds a secret that is known, a provider that keeps none of its
    /// answers. `config` is without marks, which are beside it.
    pub(crate) fn discreet(
        reader: Arc<dyn Reader>,
        config: &Value,
        marks: &[(AttributePath, Marks)],
    ) -> Arc<dyn Reader> {
        // No path leads to a member of a set: it counts as known.
        let is_open = |path| config.at(path).is_some_and(|value| !value.is_known());
        if marks.iter().all(|(path, _)| is_open(path)) {
            return reader;
        }
        reader.forgetful().unwrap_or(reader)
    }

    /// Who is asked about an object: its provider, or what stands in for it.
    pub(crate) fn for_object(
        &self,
        config: &ProviderConfig,
        object: &ResourceInstance,
        real: Arc<dyn Reader>,
    ) -> Arc<dyn Reader> {
        match self.0.stand_in(config, object, Arc::clone(&real)) {
            Some(stand_in) => stand_in,
            None => real,
        }
    }

    /// The short names of all providers, in order.
    pub fn names(&self) -> Vec<String> {
        self.0.addresses().map(|address| format!("`{}`", address.short_name())).collect()
    }

    /// The schemas of these providers; those that are not there are left out.
    pub async fn schemas<'a>(
        &self,
        addresses: impl IntoIterator<Item = &'a ProviderAddress>,
    ) -> Result<BTreeMap<ProviderAddress, Arc<ProviderSchema>>, (ProviderAddress, ProviderError)>
    {
        let mut schemas = BTreeMap::new();
        for address in addresses {
            match self.create(address).await {
                None => {}
                Some(Ok(reader)) => {
                    schemas.insert(address.clone(), reader.schema());
                }
                Some(Err(error)) => return Err((address.clone(), error)),
            }
        }
        Ok(schemas)
    }
}
