//! `data "offers"`: what backends sell, in the language.
//!
//! It reads the catalog that this binary carries, with the user's tables over it, and asks nobody: two plans with the
//! same tables see the same.

use std::sync::Arc;

use address::ProviderAddress;
use catalog::offer::offers;
use catalog::{Catalog, Filter, Purchase, UsdPerHour};
use lang::World;
use sdk::native::{Call, Object};
use sdk::{
    Block, DataSource, Factory, NativeProvider, Problem, Problems, Provider, ProviderError, Schema,
    async_trait,
};
use value::{Number, Type, Value};

use crate::commands::catalog::load;

/// The provider of `offers`.
pub(crate) struct Offers {
    pub(crate) world: Arc<dyn World>,
}

#[async_trait]
impl Factory for Offers {
    fn address(&self) -> ProviderAddress {
        ProviderAddress::implied("offers")
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        let data = Data { world: Arc::clone(&self.world) };
        Ok(Arc::new(NativeProvider::new(Schema::default(), Vec::new(), vec![Box::new(data)])))
    }
}

struct Data {
    world: Arc<dyn World>,
}

/// So many are enough where nobody says how many.
const LIMIT: i64 = 20;

#[async_trait]
impl DataSource for Data {
    fn name(&self) -> &'static str {
        "offers"
    }

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("What the catalog says that backends sell: the cheapest first, those of no known price last.")
            .optional("backend", Type::String, "Such as `aws`.")
            .optional("accelerator", Type::String, "Such as `H100`; `A100` means every kind of it.")
            .optional("machine", Type::String, "The machine type.")
            .optional("region", Type::String, "The region.")
            .optional("purchase", Type::String, "`on_demand`, `spot`, `commit_1y`, `commit_3y` or `capacity_block`.")
            .optional("max_price_usd_per_hour", Type::Number, "The most that one machine may cost; what has no known price is left out then.")
            .optional("limit", Type::Number, "How many at most; 20 if nothing is said.")
            .computed("offers", Type::list(offer_type()), "The offers. Prices that are not known are null.")
            .computed("count", Type::Number, "How many there are, listed or not.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Problems {
        let mut problems = Problems::new();
        if let Some(name) =
            config.text("purchase").filter(|name| Purchase::from_name(name).is_none())
        {
            let all = Purchase::ALL.map(Purchase::name).join("`, `");
            let detail = format!("`{name}` is none of `{all}`");
            problems.push(Problem::error("nobody sells so", detail).at("purchase"));
        }
        let limit = config.get_attr("limit").and_then(Value::as_number);
        if limit.is_some_and(|limit| *limit < Number::from(1_i64)) {
            problems.push(Problem::error("`limit` is too small", "it is at least 1").at("limit"));
        }
        problems
    }

    async fn read(&self, config: Value, _: Call<'_>) -> Result<Value, Problem> {
        let catalog = load(&*self.world)
            .map_err(|error| Problem::error("the catalog cannot be read", error.to_string()))?;
        let most = config.get_attr("max_price_usd_per_hour").and_then(Value::as_number);
        let filter = Filter {
            backend: config.text("backend").map(str::to_owned),
            chip: config.text("accelerator").map(str::to_owned),
            machine: config.text("machine").map(str::to_owned),
            region: config.text("region").map(str::to_owned),
            purchase: config.text("purchase").and_then(Purchase::from_name),
            max_price: most.and_then(|most| most.to_fixed(6).parse::<UsdPerHour>().ok()),
        };
        let found = offers(&catalog, &filter);
        let limit = config.integer("limit").unwrap_or(LIMIT);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let listed = found.iter().take(limit).map(|one| described(&catalog, one)).collect();
        let listed = Value::list(offer_type(), listed);
        let count = Number::from(u64::try_from(found.len()).unwrap_or(u64::MAX));
        Ok(config.with_attr("offers", listed).with_attr("count", Value::number(count)))
    }
}

const TEXTS: [&str; 7] =
    ["backend", "machine", "region", "purchase", "accelerator", "source", "date"];
const NUMBERS: [&str; 6] = [
    "accelerator_count",
    "accelerator_memory_mib",
    "vcpus",
    "memory_mib",
    "price_usd_per_hour",
    "price_usd_per_accelerator_hour",
];

fn offer_type() -> Type {
    let texts = TEXTS.iter().map(|name| (Arc::from(*name), Type::String));
    let numbers = NUMBERS.iter().map(|name| (Arc::from(*name), Type::Number));
    let zones = (Arc::from("zones"), Type::list(Type::String));
    Type::object(texts.chain(numbers).chain([zones]))
}

fn described(catalog: &Catalog, offer: &catalog::Offer<'_>) -> Value {
    let machine = offer.machine;
    let text = |text: Option<&str>| text.map_or_else(|| Value::null(Type::String), Value::from);
    let whole = |number: Option<u64>| {
        number.map_or_else(|| Value::null(Type::Number), |n| Value::number(Number::from(n)))
    };
    let money = |price: Option<UsdPerHour>| {
        let number = price.and_then(|price| Number::parse(&price.to_string()));
        number.map_or_else(|| Value::null(Type::Number), Value::number)
    };
    let source = offer.price.map_or(&machine.source, |price| &price.source);
    let date = catalog.sources.get(source).map(|source| source.date.as_str());
    let dash = if machine.backend == "google" { "-" } else { "" };
    let zones = offer.place.as_ref().map_or_else(Vec::new, |place| {
        let name = |letter: char| Value::string(format!("{}{dash}{letter}", place.region));
        place.zones.chars().map(name).collect()
    });
    Value::object([
        ("backend", Value::from(machine.backend.as_str())),
        ("machine", Value::from(machine.name.as_str())),
        ("region", text(offer.place.as_ref().map(|place| &*place.region))),
        ("zones", Value::list(Type::String, zones)),
        ("purchase", Value::from(offer.purchase.name())),
        ("accelerator", text(machine.chip.as_deref())),
        (
            "accelerator_count",
            Number::from_f64(machine.chips).map_or_else(|| whole(None), Value::number),
        ),
        ("accelerator_memory_mib", whole(machine.chip_memory_mib)),
        ("vcpus", whole(machine.vcpus)),
        ("memory_mib", whole(machine.memory_mib)),
        ("price_usd_per_hour", money(offer.price.map(|price| price.low))),
        ("price_usd_per_accelerator_hour", money(offer.usd_per_chip_hour())),
        ("source", Value::from(source.as_str())),
        ("date", text(date)),
    ])
}
