//! What the machines of an endpoint of `SageMaker` cost: from as many as its scaling keeps to as many as it may have.
//!
//! The catalog has prices of EC2; `SageMaker`'s for the same machine are above them, and the source of a price says so.

use catalog::{Catalog, Purchase};
use value::Value;

use crate::cost::{self, Cost, Interval};
use crate::subject::{Field, Subject, blocks, number, text};

const TYPE: &str = "aws_sagemaker_endpoint_configuration";
const SCALING: &str = "aws_appautoscaling_target";

/// Whether resources of this type say which machines serve.
pub(crate) fn concerns(type_name: &str) -> bool {
    type_name == TYPE
}

/// What the machines of a configuration cost. `object` takes from a subject what is or what will be.
pub(crate) fn cost<'v>(
    subject: &Subject<'v>,
    all: &[Subject<'v>],
    object: fn(&Subject<'v>) -> &'v Value,
    catalog: &Catalog,
) -> Cost {
    if object(subject).is_null() {
        return Cost::None;
    }
    let Some(region) = subject.region.as_deref() else {
        return Cost::Unknown("its region is not known".to_owned());
    };
    let mut sum = None;
    for variant in blocks(object(subject), "production_variants") {
        let machine = match text(variant, "instance_type") {
            Field::Known(name) => name.trim_start_matches("ml."),
            Field::Unknown => return Cost::Unknown("`instance_type` is not known yet".to_owned()),
            Field::Absent => continue,
        };
        let Some(price) = catalog.price("aws", machine, region, Purchase::OnDemand) else {
            return Cost::Unknown(format!("the catalog has no price of `{machine}` in `{region}`"));
        };
        let (least, most) = scale(subject, all, object, variant);
        let times = |count| Interval { low: price.low.times(count), high: price.high.times(count) };
        #[expect(clippy::cast_precision_loss, reason = "nobody has so many machines")]
        let grams = cost::grams("aws", machine, region, catalog).map(|one| one * most as f64);
        let date = catalog.sources.get(&price.source).map(|source| source.date.as_str());
        let source = format!(
            "{}, {}; {least} to {most} {machine} at the price of EC2, SageMaker's is above it",
            price.source,
            date.unwrap_or("no date")
        );
        let one = (times(most), times(least), grams, source);
        sum = Some(match sum {
            None => one,
            Some((usd, standing, so_far, sources)) => (
                one.0.plus(usd),
                one.1.plus(standing),
                one.2.zip(so_far).map(|(a, b): (f64, f64)| a + b),
                format!("{sources}; {}", one.3),
            ),
        });
    }
    match sum {
        Some((usd, standing, grams, source)) => Cost::Known { usd, standing, grams, source },
        None => Cost::Unknown("serverless, by use".to_owned()),
    }
}

/// How many machines a variant has at least and at most: as its scaling says, which is found beside it by the variant's
/// name, if one configuration alone is there; else as many as it begins with.
fn scale<'v>(
    subject: &Subject<'v>,
    all: &[Subject<'v>],
    object: fn(&Subject<'v>) -> &'v Value,
    variant: &Value,
) -> (u64, u64) {
    let begins = count(variant, "initial_instance_count").unwrap_or(1);
    let beside = |type_name: &'static str| {
        let module = module(&subject.address, TYPE);
        all.iter().filter(move |one| {
            one.type_name == type_name && self::module(&one.address, type_name) == module
        })
    };
    let name = text(variant, "variant_name").known();
    let (Some(name), 1) = (name, beside(TYPE).count()) else { return (begins, begins) };
    let own = format!("/variant/{name}");
    let scaling = beside(SCALING)
        .map(object)
        .find(|scaling| text(scaling, "resource_id").known().is_some_and(|id| id.ends_with(&own)));
    let range = scaling
        .and_then(|scaling| count(scaling, "min_capacity").zip(count(scaling, "max_capacity")));
    range.unwrap_or((begins, begins))
}

fn count(object: &Value, name: &str) -> Option<u64> {
    let number = number(object, name).known()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    (0.0..=1e9).contains(&number).then_some(number as u64)
}

/// What stands before the type in an address.
fn module<'a>(address: &'a str, type_name: &str) -> &'a str {
    address.split_once(&format!("{type_name}.")).map_or(address, |(module, _)| module)
}
