//! Providers that need no download: `terraform_data`, and small resources that stacks often need.
//!
//! In: calls of the engine. Out: objects that live in the state alone; nothing exists outside of it, so a create
//! that was cut short has left nothing behind.
//!
//! 1. [`data`]: `terraform_data`, as Terraform's built-in provider has it.
//! 2. `function`: the functions of `provider::terraform`.
//! 3. [`random`]: `core_random_id` and `core_random_password`.
//! 4. [`time`]: `core_timestamp` and `core_wait`.

mod data;
mod function;
mod random;
mod time;

use std::sync::Arc;

use address::ProviderAddress;
use sdk::{Factory, NativeProvider, Provider, ProviderError, Schema, async_trait};

/// `terraform.io/builtin/terraform`, with `terraform_data`.
pub struct Builtin;

#[async_trait]
impl Factory for Builtin {
    fn address(&self) -> ProviderAddress {
        ProviderAddress::builtin()
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        let provider =
            NativeProvider::new(Schema::default(), vec![Box::new(data::Data)], Vec::new());
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
        Ok(Arc::new(NativeProvider::new(Schema::default(), resources, Vec::new())))
    }
}
