//! Which providers there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::ProviderAddress;
use async_trait::async_trait;

use crate::problem::ProviderError;
use crate::provider::Provider;

/// Makes instances of one provider, one for each of its configurations.
#[async_trait]
pub trait Factory: Send + Sync {
    /// The provider's source address.
    fn address(&self) -> ProviderAddress;

    /// A new instance, not configured yet.
    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError>;
}

/// The providers at hand.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<ProviderAddress, Arc<dyn Factory>>);

impl Registry {
    /// A registry of these providers.
    pub fn new(factories: impl IntoIterator<Item = Arc<dyn Factory>>) -> Self {
        Self(factories.into_iter().map(|factory| (factory.address(), factory)).collect())
    }

    /// The factory of a provider.
    pub fn get(&self, address: &ProviderAddress) -> Option<&Arc<dyn Factory>> {
        self.0.get(address)
    }

    /// The addresses, in order.
    pub fn addresses(&self) -> impl Iterator<Item = &ProviderAddress> {
        self.0.keys()
    }
}
