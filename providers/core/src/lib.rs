//! Providers that need no download: `terraform_data`, and small resources that stacks often need.
//!
//! In: calls of the engine. Out: objects that live in the state alone; nothing exists outside of it, so a create
//! that was cut short has left nothing behind.
//!
//! 1. [`data`]: `terraform_data`, as Terraform's built-in provider has it.
//! 2. `function`: the functions of `provider::terraform`.
//! 3. [`remote_state`]: `terraform_remote_state`, the outputs of another stack.
//! 4. [`random`]: `core_random_id` and `core_random_password`.
//! 5. [`time`]: `core_timestamp` and `core_wait`.
//! 6. `slug`: the function `provider::core::slug`.

mod data;
mod function;
mod random;
mod remote_state;
mod slug;
mod time;

use std::sync::Arc;

use address::ProviderAddress;
use sdk::{Factory, NativeProvider, Provider, ProviderError, Schema, async_trait};

pub use remote_state::Stores;

/// `terraform.io/builtin/terraform`, with `terraform_data` and `terraform_remote_state`.
pub struct Builtin {
    stores: Stores,
}

impl Builtin {
    /// The provider, which reads other stacks of ours by `stores`.
    pub fn new(stores: Stores) -> Self {
        Self { stores }
    }
}

/// Terraform's state files alone are read.
impl Default for Builtin {
    fn default() -> Self {
        Self::new(|_, _| Ok(None))
    }
}

#[async_trait]
impl Factory for Builtin {
    fn address(&self) -> ProviderAddress {
        ProviderAddress::builtin()
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        let remote_state = remote_state::RemoteState { stores: self.stores };
        let provider = NativeProvider::new(
            Schema::default(),
            vec![Box::new(data::Data)],
            vec![Box::new(remote_state)],
        );
        Ok(Arc::new(provider.with_functions(vec![
            Box::new(function::EncodeExpr),
            Box::new(function::EncodeTfvars),
            Box::new(function::DecodeTfvars),
        ])))
    }
}

/// `stratiform/core`, with the `core_…` resources.
pub struct Core;

#[async_trait]
impl Factory for Core {
    fn address(&self) -> ProviderAddress {
        ProviderAddress { namespace: "stratiform".into(), ..ProviderAddress::implied("core") }
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        let resources: Vec<Box<dyn sdk::Resource>> = vec![
            Box::new(random::RandomId),
            Box::new(random::RandomPassword),
            Box::new(time::Timestamp),
            Box::new(time::Wait),
        ];
        let provider = NativeProvider::new(Schema::default(), resources, Vec::new());
        Ok(Arc::new(provider.with_functions(vec![Box::new(slug::Slug)])))
    }
}
