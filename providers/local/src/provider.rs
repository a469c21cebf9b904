//! The provider `stratiform/local`, and what this machine offers.

use std::sync::Arc;

use address::ProviderAddress;
use sdk::{
    Context, Factory, NativeProvider, Offer, Problem, Provider, ProviderError, Schema, async_trait,
};
use value::{Type, Value};

use crate::discovery::Machine;
use crate::resource::{self, problem};

/// `stratiform/local`.
pub struct LocalFactory;

#[async_trait]
impl Factory for LocalFactory {
    fn address(&self) -> ProviderAddress {
        ProviderAddress { namespace: "stratiform".into(), ..ProviderAddress::implied("local") }
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        let provider = NativeProvider::new(Schema::default(), resource::all(), Vec::new());
        Ok(Arc::new(provider.with_offers(offers)))
    }
}

/// This machine, as one offer.
fn offers(context: &Context) -> Result<Vec<Offer>, Problem> {
    let machine = Machine::discover(&context.home_dir).map_err(|error| problem(&error))?;
    let gpus = machine.gpus.len();
    let names = machine.gpus.iter().map(|gpu| Value::from(gpu.model.as_str())).collect();
    let capacity = [
        ("vcpus", Value::from(machine.vcpus)),
        ("memory_mib", Value::from(machine.memory_mib)),
        ("disk_gib", Value::from(machine.disk_free_gib)),
        ("gpus", Value::from(gpus)),
    ];
    let attributes = Value::object([
        ("kind", Value::from("machine")),
        ("vcpus", Value::from(machine.vcpus)),
        ("memory_mib", Value::from(machine.memory_mib)),
        ("disk_free_gib", Value::from(machine.disk_free_gib)),
        ("gpu_count", Value::from(gpus)),
        ("gpus", Value::list(Type::String, names)),
        ("capacity", Value::map(Type::Number, capacity)),
    ]);
    Ok(vec![Offer {
        backend: "local".into(),
        name: "this-machine".into(),
        attributes,
        source: "discovered on this machine".to_owned(),
        date: String::new(),
    }])
}
