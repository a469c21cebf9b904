//! What the catalog sells, as offers that components can stand on.

use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::{Catalog, Filter, offer};
use syntax::{Diagnostics, Span};
use value::{Number, Value};

use crate::error::ComponentError;
use crate::place::Offer;

/// Whether an offer is a region and not a machine.
pub(crate) fn is_region(offer: &Offer) -> bool {
    offer.attributes.get_attr("kind").and_then(Value::as_str) == Some(REGION)
}

/// The kind of offer that those stand on which need a region and no machine.
pub(crate) const REGION: &str = "region";

/// How what is paid for already is bought.
pub(crate) const RESERVED: &str = "reserved";

/// Machines that are paid for already, as offers of their own at no price, with how many there are; what none of `offers` is like, is told.
pub(crate) fn reserved(
    reserved: &[(String, u64, Span)],
    offers: &[Offer],
    diagnostics: &mut Diagnostics,
) -> Vec<(Offer, u64)> {
    let mut found = Vec::new();
    for (name, count, span) in reserved {
        let mut parts = name.splitn(3, '/');
        let mut part = || parts.next().unwrap_or_default();
        let (backend, region, machine) = (part(), part(), part());
        let like = offers.iter().find(|offer| {
            let says = |attribute: &str, wanted: &str| {
                let own = offer.attributes.get_attr(attribute).and_then(Value::as_str);
                own == Some(wanted)
            };
            *offer.backend == *backend && says("region", region) && says("machine", machine)
        });
        let Some(like) = like else {
            diagnostics.push(ComponentError::Setting {
                message: format!("`reserved` names `{name}`, which nobody sells"),
                span: *span,
                help: Some(format!(
                    "write `BACKEND/REGION/TYPE`; `stratiform catalog offers -backend={backend}` lists what there is for components of this stack"
                )),
            });
            continue;
        };
        let kept = like.attributes.entries().into_iter().flat_map(|all| all.iter());
        let kept = kept.filter(|(name, _)| &***name != "unknown_price");
        let mut attributes =
            Value::object(kept.map(|(name, value)| (Arc::clone(name), value.clone())));
        attributes = attributes.with_attr("purchase", Value::from(RESERVED));
        attributes = attributes.with_attr("price_usd_per_hour", Value::number(Number::ZERO));
        let offer = Offer {
            backend: Arc::clone(&like.backend),
            name: Arc::from(format!("{machine}/{region}/{RESERVED}")),
            attributes,
            source: "reserved, paid for already".to_owned(),
            date: String::new(),
        };
        found.push((offer, *count));
    }
    found
}

/// The offers of some backends: all machines with accelerators, those whose price is known, and each region itself.
///
/// Attributes of machines: `kind` is `instance_type`; `machine`, `accelerator`, `accelerator_count`, `accelerator_memory_mib`,
/// `vcpus`, `memory_mib`, `network_gbps`, `fabric`, `fabric_interfaces`, `network_cards`, `region`, `zones`
/// (of the region, those in which it is sold; empty if that is not known), `country`, `purchase`,
/// `price_usd_per_hour`, `performance` (dense bf16 TFLOPS of all accelerators), `carbon_grams_per_hour` (of the
/// accelerators at full power). What is not known is null, save the last three and the price, which are absent.
/// A region's `kind` is `region`; it has `region`, `zones` and `country`, and what else a machine has is null or 0.
pub fn catalog_offers(catalog: &Catalog, backends: &BTreeSet<String>) -> Vec<Offer> {
    let mut found = Vec::new();
    for backend in backends {
        let filter = Filter { backend: Some(backend.clone()), ..Filter::default() };
        let offers = offer::offers(catalog, &filter).into_iter();
        let offers = offers.filter(|one| one.machine.chip.is_some() || one.price.is_some());
        found.extend(offers.map(|one| convert(catalog, &one)));
        let regions = catalog.regions.values().filter(|region| region.backend == *backend);
        found.extend(regions.map(|region| place(catalog, region)));
    }
    found
}

/// A region, for networks, storage and managed services.
fn place(catalog: &Catalog, region: &catalog::Region) -> Offer {
    let none = || Value::null(value::Type::String);
    let letters = region.zones.as_deref().unwrap_or_default();
    let mut attributes = vec![
        ("kind", Value::from(REGION)),
        ("region", Value::from(region.name.as_str())),
        ("zones", zones(&region.backend, &region.name, letters)),
        ("country", region.country.as_deref().map_or_else(none, Value::from)),
    ];
    for name in ["machine", "accelerator", "fabric", "purchase"] {
        attributes.push((name, none()));
    }
    for name in [
        "accelerator_count",
        "accelerator_memory_mib",
        "vcpus",
        "memory_mib",
        "network_gbps",
        "fabric_interfaces",
        "network_cards",
    ] {
        attributes.push((name, Value::number(Number::ZERO)));
    }
    Offer {
        backend: Arc::from(region.backend.as_str()),
        name: Arc::from(region.name.as_str()),
        attributes: Value::object(attributes),
        source: region.source.clone(),
        date: date(catalog, &region.source),
    }
}

/// Names of zones as their backend writes them: Google puts a dash before the letter.
fn zones(backend: &str, region: &str, letters: &str) -> Value {
    let dash = if backend == "google" { "-" } else { "" };
    let names = letters.chars().map(|letter| Value::string(format!("{region}{dash}{letter}")));
    Value::tuple(names.collect())
}

fn date(catalog: &Catalog, source: &str) -> String {
    catalog.sources.get(source).map(|source| source.date.clone()).unwrap_or_default()
}

fn convert(catalog: &Catalog, sold: &catalog::Offer<'_>) -> Offer {
    let machine = sold.machine;
    let region = sold.place.as_ref().map(|place| place.region.clone());
    let letters = sold.place.as_ref().map(|place| (&*place.region, &*place.zones));
    let about = region
        .as_ref()
        .and_then(|region| catalog.regions.get(&(machine.backend.clone(), region.clone())));
    let text =
        |text: Option<&str>| text.map_or_else(|| Value::null(value::Type::String), Value::from);
    let whole = |number: Option<u64>| {
        number.map_or_else(
            || Value::null(value::Type::Number),
            |number| Value::number(Number::from(number)),
        )
    };
    let decimal = |number: f64| Number::from_f64(number).map(Value::number);
    let mut attributes = vec![
        ("kind", Value::from("instance_type")),
        ("machine", Value::from(machine.name.as_str())),
        ("accelerator", text(machine.chip.as_deref())),
        ("accelerator_count", decimal(machine.chips).unwrap_or_else(|| whole(None))),
        ("accelerator_memory_mib", whole(machine.chip_memory_mib)),
        ("vcpus", whole(machine.vcpus)),
        ("memory_mib", whole(machine.memory_mib)),
        ("network_gbps", machine.network_gbps.and_then(decimal).unwrap_or_else(|| whole(None))),
        ("fabric", text(machine.fabric.as_deref())),
        ("fabric_interfaces", whole(machine.fabric_interfaces)),
        ("network_cards", whole(machine.network_cards)),
        ("region", text(region.as_deref())),
        (
            "zones",
            letters.map_or_else(
                || Value::tuple(Vec::new()),
                |(region, zones)| self::zones(&machine.backend, region, zones),
            ),
        ),
        ("country", text(about.and_then(|region| region.country.as_deref()))),
        ("purchase", Value::from(sold.purchase.name())),
    ];
    let source = sold.price.map_or(&machine.source, |price| &price.source);
    match sold.price {
        Some(price) => {
            let number = Number::parse(&price.low.to_string());
            attributes.extend(number.map(|number| ("price_usd_per_hour", Value::number(number))));
        }
        None => attributes.push(("unknown_price", Value::from(true))),
    }
    let chip = machine.chip.as_ref().and_then(|chip| catalog.chips.get(chip));
    let performance = chip.and_then(|chip| chip.bf16_tflops).map(|each| each * machine.chips);
    attributes.extend(performance.and_then(decimal).map(|value| ("performance", value)));
    let watts = chip.and_then(|chip| chip.tdp_watts).map(|each| each * machine.chips);
    let grams = watts.zip(about.and_then(|region| region.grams_per_kwh));
    let grams = grams.map(|(watts, grams)| watts / 1000.0 * grams);
    attributes.extend(grams.and_then(decimal).map(|value| ("carbon_grams_per_hour", value)));
    Offer {
        backend: Arc::from(machine.backend.as_str()),
        name: Arc::from(sold.name()),
        attributes: Value::object(attributes),
        source: source.clone(),
        date: date(catalog, source),
    }
}
