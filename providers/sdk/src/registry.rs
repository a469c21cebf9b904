//! Which providers there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::ProviderAddress;

use crate::provider::{Provider, Reader};

/// Makes instances of one provider, one for each of its configurations.
pub trait Factory: Send + Sync {
    /// The provider's source address.
    fn address(&self) -> ProviderAddress;

    /// A new instance, not configured yet.
    fn create(&self) -> Arc<dyn Provider>;
}

/// The providers at hand.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<ProviderAddress, Arc<dyn Factory>>);

impl Registry {
    /// A registry of these providers.
    pub fn new(factories: impl IntoIterator<Item = Arc<dyn Factory>>) -> Self {
        Self(factories.into_iter().map(|factory| (factory.address(), factory)).collect())
    }

    /// A new instance of a provider.
    pub fn create(&self, address: &ProviderAddress) -> Option<Arc<dyn Provider>> {
        self.0.get(address).map(|factory| factory.create())
    }

    /// The addresses, in order.
    pub fn addresses(&self) -> impl Iterator<Item = &ProviderAddress> {
        self.0.keys()
    }

    /// The same providers without what changes the world.
    pub fn readers(&self) -> Readers {
        Readers(self.clone())
    }
}

/// Providers that can only look. What changes the world cannot be reached through it.
#[derive(Clone)]
pub struct Readers(Registry);

impl Readers {
    /// A new instance of a provider.
    pub fn create(&self, address: &ProviderAddress) -> Option<Arc<dyn Reader>> {
        let provider: Arc<dyn Reader> = self.0.create(address)?;
        Some(provider)
    }

    /// The addresses, in order.
    pub fn addresses(&self) -> impl Iterator<Item = &ProviderAddress> {
        self.0.addresses()
    }
}
