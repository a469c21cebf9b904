//! Which providers there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{ProviderAddress, ProviderConfig, ResourceInstance};
use async_trait::async_trait;

use crate::mock::{Mocks, Unconfigured};
use crate::problem::ProviderError;
use crate::provider::{Provider, Reader};

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
pub struct Registry {
    factories: BTreeMap<ProviderAddress, Arc<dyn Factory>>,
    mocks: Option<Arc<Mocks>>,
}

impl Registry {
    /// A registry of these providers.
    pub fn new(factories: impl IntoIterator<Item = Arc<dyn Factory>>) -> Self {
        let factories = factories.into_iter().map(|factory| (factory.address(), factory));
        Self { factories: factories.collect(), mocks: None }
    }

    /// The same providers, with these in the place of those of the same addresses.
    #[must_use]
    pub fn with(&self, others: impl IntoIterator<Item = Arc<dyn Factory>>) -> Self {
        let mut all = self.clone();
        all.factories.extend(others.into_iter().map(|factory| (factory.address(), factory)));
        all
    }

    /// The same providers, with objects that are made up instead.
    #[must_use]
    pub fn with_mocks(&self, mocks: Mocks) -> Self {
        Self { factories: self.factories.clone(), mocks: Some(Arc::new(mocks)) }
    }

    /// The factory of a provider.
    pub fn get(&self, address: &ProviderAddress) -> Option<&Arc<dyn Factory>> {
        self.factories.get(address)
    }

    /// The addresses, in order.
    pub fn addresses(&self) -> impl Iterator<Item = &ProviderAddress> {
        self.factories.keys()
    }

    /// A new instance of a provider for a configuration; `None` if there is no such provider.
    pub async fn create(
        &self,
        config: &ProviderConfig,
    ) -> Option<Result<Arc<dyn Provider>, ProviderError>> {
        let created = self.get(&config.provider)?.create().await;
        let mocked = self.mocks.as_ref().is_some_and(|mocks| mocks.has(config));
        Some(match created {
            Ok(real) if mocked => Ok(Arc::new(Unconfigured(real))),
            other => other,
        })
    }

    /// What stands in for the provider of an object, if it is made up. `real` is the object's provider.
    pub fn stand_in(
        &self,
        config: &ProviderConfig,
        object: &ResourceInstance,
        real: Arc<dyn Reader>,
    ) -> Option<Arc<dyn Provider>> {
        self.mocks.as_ref()?.stand_in(config, object, real)
    }
}
