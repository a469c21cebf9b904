//! What planned resources cost and emit, before and after, as intervals.
//!
//! Only what the catalog has a price for is added up. What it has none for is listed as such, never as zero.

use std::collections::BTreeMap;

use catalog::{Catalog, Price, Purchase, Source, UsdPerHour};
use component::Decision;
use value::Value;

use crate::subject::{Field, Subject, block, field, text};
use crate::{rate, served};

/// From and to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interval {
    /// At least.
    pub low: UsdPerHour,
    /// At most.
    pub high: UsdPerHour,
}

impl Interval {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { low: self.low.plus(other.low), high: self.high.plus(other.high) }
    }

    /// A month of it.
    #[must_use]
    pub fn per_month(self) -> Self {
        Self { low: self.low.per_month(), high: self.high.per_month() }
    }
}

/// What one object costs.
#[derive(Debug, Clone, PartialEq)]
pub enum Cost {
    /// There is no object.
    None,
    /// So much.
    Known {
        /// In an hour in which all of it runs.
        usd: Interval,
        /// In an hour in which nothing is asked of it; no more than `usd`.
        standing: Interval,
        /// What its accelerators emit at full power in an hour, in grams; `None` if that is not known.
        grams: Option<f64>,
        /// Where the price is from, and of which day.
        source: String,
    },
    /// That is not known, for this reason.
    Unknown(String),
}

/// What one resource costs, before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its address.
    pub address: String,
    /// As it is.
    pub before: Cost,
    /// As it will be.
    pub after: Cost,
}

/// What a component comes to, as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// The component.
    pub address: String,
    /// As it is.
    pub before: Interval,
    /// As it will be.
    pub after: Interval,
    /// What of that is paid while nothing runs.
    pub standing: Interval,
}

/// What everything costs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimate {
    /// What can be priced, in the order of addresses.
    pub lines: Vec<Line>,
    /// How many resources of each type nobody has a price for.
    pub unpriced: BTreeMap<String, usize>,
    /// The sum as it is, while everything runs.
    pub before: Interval,
    /// The sum as it will be, while everything runs.
    pub after: Interval,
    /// The sum as it will be, while nothing is asked of what goes to zero.
    pub standing: Interval,
    /// What accelerators will emit in an hour, as far as it is known, in grams.
    pub grams: f64,
    /// Whether something has a price that is not known.
    pub incomplete: bool,
    /// What each component comes to with all that it is made of, in the order of addresses.
    pub components: Vec<Share>,
    /// What runs and replicas will come to.
    pub prospects: Vec<crate::prospect::Prospect>,
}

/// Sources of prices that count and that are older than facts should be, with their dates. `today` is in days since
/// 1970.
pub fn stale<'c>(estimate: &Estimate, catalog: &'c Catalog, today: i64) -> Vec<&'c Source> {
    let counts = |source: &&Source| {
        estimate.lines.iter().any(|line| match &line.after {
            Cost::Known { source: used, .. } => {
                used.split(',').next().is_some_and(|id| id == source.id)
            }
            _ => false,
        })
    };
    catalog.stale(today, catalog::MAX_AGE_DAYS).into_iter().filter(counts).collect()
}

/// What a placed component costs: so many of its offer.
pub fn of_decision(decision: &Decision) -> Cost {
    // A place that no machine is taken of is not paid for; what stands there is.
    if decision.machines == 0 {
        return Cost::None;
    }
    let attribute = |name: &str| decision.offer_attributes.get(name);
    let price = attribute("price_usd_per_hour")
        .and_then(|price| price.to_string().parse::<UsdPerHour>().ok());
    let Some(price) = price else {
        return Cost::Unknown(format!("`{}` has no known price", decision.offer));
    };
    let all = price.times(decision.machines);
    let text = |name: &str| attribute(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "nobody has so many machines")]
    let grams = attribute("carbon_grams_per_hour")
        .and_then(serde_json::Value::as_f64)
        .map(|grams| grams * decision.machines as f64);
    let source = [text("source"), text("date")].into_iter().filter(|text| !text.is_empty());
    let standing = price.times(decision.standing_machines);
    Cost::Known {
        usd: Interval { low: all, high: all },
        standing: Interval { low: standing, high: standing },
        grams,
        source: source.collect::<Vec<_>>().join(", "),
    }
}

/// How to price a resource type: its backend, and the arguments that say what and where.
struct Pricing {
    type_name: &'static str,
    backend: &'static str,
    machine: &'static str,
    place: &'static str,
    /// How many letters of a zone's name come after the region's.
    zone_suffix: usize,
}

const PRICED: [Pricing; 5] = [
    Pricing {
        type_name: "aws_instance",
        backend: "aws",
        machine: "instance_type",
        place: "availability_zone",
        zone_suffix: 1,
    },
    Pricing {
        type_name: "aws_spot_instance_request",
        backend: "aws",
        machine: "instance_type",
        place: "availability_zone",
        zone_suffix: 1,
    },
    Pricing {
        type_name: "azurerm_linux_virtual_machine",
        backend: "azure",
        machine: "size",
        place: "location",
        zone_suffix: 0,
    },
    Pricing {
        type_name: "azurerm_windows_virtual_machine",
        backend: "azure",
        machine: "size",
        place: "location",
        zone_suffix: 0,
    },
    Pricing {
        type_name: "google_compute_instance",
        backend: "google",
        machine: "machine_type",
        place: "zone",
        zone_suffix: 2,
    },
];

/// Whether resources of this type are priced.
pub fn concerns(type_name: &str) -> bool {
    PRICED.iter().any(|pricing| pricing.type_name == type_name)
        || rate::concerns(type_name)
        || served::concerns(type_name)
}

/// Prices all subjects.
pub fn estimate(subjects: &[Subject<'_>], catalog: &Catalog) -> Estimate {
    let mut estimate = Estimate::default();
    for subject in subjects {
        if let Some(after) = rate::cost(subject.planned, subject, catalog) {
            let before = rate::cost(subject.prior, subject, catalog).unwrap_or(Cost::None);
            estimate.add(Line { address: subject.address.clone(), before, after });
            continue;
        }
        if served::concerns(subject.type_name) {
            let before = served::cost(subject, subjects, |one| one.prior, catalog);
            let after = served::cost(subject, subjects, |one| one.planned, catalog);
            estimate.add(Line { address: subject.address.clone(), before, after });
            continue;
        }
        let Some(pricing) = PRICED.iter().find(|one| one.type_name == subject.type_name) else {
            if !subject.planned.is_null() {
                *estimate.unpriced.entry(subject.type_name.to_owned()).or_default() += 1;
            }
            continue;
        };
        let before = cost_of(subject.prior, pricing, subject, catalog);
        let after = cost_of(subject.planned, pricing, subject, catalog);
        estimate.add(Line { address: subject.address.clone(), before, after });
    }
    estimate
}

impl Estimate {
    /// Adds up what the lines of a component come to.
    pub fn share(&mut self, address: &str) {
        let is_own = |line: &&Line| {
            let rest = line.address.strip_prefix(address);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let mut share = Share {
            address: address.to_owned(),
            before: Interval::default(),
            after: Interval::default(),
            standing: Interval::default(),
        };
        for line in self.lines.iter().filter(is_own) {
            if let Cost::Known { usd, .. } = &line.before {
                share.before = share.before.plus(*usd);
            }
            if let Cost::Known { usd, standing, .. } = &line.after {
                share.after = share.after.plus(*usd);
                share.standing = share.standing.plus(*standing);
            }
        }
        self.components.push(share);
    }

    /// Adds what something costs.
    pub fn add(&mut self, line: Line) {
        if let Cost::Known { usd, .. } = &line.before {
            self.before = self.before.plus(*usd);
        }
        match &line.after {
            Cost::Known { usd, standing, grams, .. } => {
                self.after = self.after.plus(*usd);
                self.standing = self.standing.plus(*standing);
                self.grams += grams.unwrap_or(0.0);
            }
            Cost::Unknown(_) => self.incomplete = true,
            Cost::None => {}
        }
        self.lines.push(line);
    }
}

fn cost_of(object: &Value, pricing: &Pricing, subject: &Subject<'_>, catalog: &Catalog) -> Cost {
    if object.is_null() {
        return Cost::None;
    }
    let name = match text(object, pricing.machine) {
        Field::Known(name) => name,
        Field::Absent => return Cost::Unknown(format!("`{}` is not set", pricing.machine)),
        Field::Unknown => return Cost::Unknown(format!("`{}` is not known yet", pricing.machine)),
    };
    let place = text(object, pricing.place).known();
    let region = place.and_then(|place| place.get(..place.len().checked_sub(pricing.zone_suffix)?));
    let Some(region) = region.or(subject.region.as_deref()) else {
        return Cost::Unknown("its region is not known".to_owned());
    };
    let region = region.to_lowercase().replace(' ', "");
    let (spot, bid) = bought(object, subject.type_name);
    let full = catalog.price(pricing.backend, name, &region, Purchase::OnDemand);
    let price =
        if spot { catalog.price(pricing.backend, name, &region, Purchase::Spot) } else { full };
    let grams = grams(pricing.backend, name, &region, catalog);
    let machine = match (price, spot, full) {
        (Some(price), _, _) => {
            known(Interval { low: price.low, high: price.high }, price, grams, catalog)
        }
        // Spot costs something, and no more than on demand or the bid.
        (None, true, Some(full)) => {
            let high = bid.map_or(full.high, |bid| bid.min(full.high));
            known(Interval { low: UsdPerHour(0), high }, full, grams, catalog)
        }
        _ => Cost::Unknown(format!("the catalog has no price of `{name}` in `{region}`")),
    };
    with_disks(machine, rate::disks(object, pricing.type_name, &region, catalog))
}

/// A machine with the disks that it is made with. What they cost, if that is not known, is told.
fn with_disks(machine: Cost, disks: Option<Cost>) -> Cost {
    match (machine, disks) {
        (
            Cost::Known { usd, standing, grams, source },
            Some(Cost::Known { usd: more, source: other, .. }),
        ) => {
            let source = format!("{source}; its disks: {other}");
            Cost::Known { usd: usd.plus(more), standing: standing.plus(more), grams, source }
        }
        (Cost::Known { usd, standing, grams, source }, Some(Cost::Unknown(reason))) => {
            let source = format!("{source}; without its disks: {reason}");
            Cost::Known { usd, standing, grams, source }
        }
        (machine, _) => machine,
    }
}

fn known(usd: Interval, price: &Price, grams: Option<f64>, catalog: &Catalog) -> Cost {
    let date = catalog.sources.get(&price.source).map(|source| source.date.as_str());
    let source = format!("{}, {}", price.source, date.unwrap_or("no date"));
    Cost::Known { usd, standing: usd, grams, source }
}

/// Whether it is spot capacity, and for how much at most.
fn bought(object: &Value, type_name: &str) -> (bool, Option<UsdPerHour>) {
    let bid = |of: &Value, name: &str| text(of, name).known().and_then(|bid| bid.parse().ok());
    if type_name == "aws_spot_instance_request" {
        return (true, bid(object, "spot_price"));
    }
    let market = block(object, "instance_market_options");
    let market = market.filter(|one| text(one, "market_type").known() == Some("spot"));
    let options = market.and_then(|market| block(market, "spot_options"));
    let azure = text(object, "priority").known() == Some("Spot");
    let google = block(object, "scheduling").is_some_and(|one| {
        text(one, "provisioning_model").known() == Some("SPOT")
            || field(one, "preemptible").known().and_then(Value::as_bool) == Some(true)
    });
    (market.is_some() || azure || google, options.and_then(|options| bid(options, "max_price")))
}

/// Accelerators at full power with the region's electricity; neither hosts nor cooling.
pub(crate) fn grams(backend: &str, name: &str, region: &str, catalog: &Catalog) -> Option<f64> {
    let machine = catalog.machine(backend, name)?;
    let chip = catalog.chips.get(machine.chip.as_ref()?)?;
    let region = catalog.regions.get(&(backend.to_owned(), region.to_owned()))?;
    Some(chip.tdp_watts? * machine.chips / 1000.0 * region.grams_per_kwh?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{catalog, object, subject};

    fn lines(type_name: &str, prior: &str, planned: &str) -> Estimate {
        let (prior, planned) = (object(prior), object(planned));
        let subject = subject(type_name, &prior, &planned, false);
        estimate(&[subject], catalog())
    }

    fn usd(low: u64, high: u64) -> Interval {
        Interval { low: UsdPerHour(low), high: UsdPerHour(high) }
    }

    #[test]
    fn before_and_after_are_added_up() {
        let small = r#"{"instance_type": "p5.4xlarge", "availability_zone": "?"}"#;
        let large = r#"{"instance_type": "p5.48xlarge", "availability_zone": "us-east-1a"}"#;
        let found = lines("aws_instance", small, large);
        assert_eq!(found.before, usd(6_880_000, 6_880_000));
        assert_eq!(found.after, usd(55_040_000, 55_040_000));
        assert_eq!(found.after.per_month().low.to_string(), "40179.20");
        // 8 chips of 700 W are 5.6 kW, at 369.473 g each.
        assert!((found.grams - 5.6 * 369.473).abs() < 1e-6, "{}", found.grams);
        let Cost::Known { source, .. } = &found.lines[0].after else { panic!("a price") };
        assert_eq!(source, "karpenter-aws, 2026-07-20");
    }

    #[test]
    fn disks_of_a_machine_are_counted_or_told() {
        let with = |disk: &str| {
            format!(
                r#"{{"instance_type": "p5.4xlarge", "availability_zone": "us-east-1a", "root_block_device": [{disk}]}}"#
            )
        };
        // 730 GB of gp2 are 73 USD a month, 0.10 an hour.
        let found = lines("aws_instance", "null", &with(r#"{"volume_size": 730}"#));
        assert_eq!(found.after, usd(6_980_000, 6_980_000));
        let found = lines("aws_instance", "null", &with(r#"{"volume_size": "?"}"#));
        assert_eq!(found.after, usd(6_880_000, 6_880_000));
        let Cost::Known { source, .. } = &found.lines[0].after else { panic!("a price") };
        assert!(source.ends_with("without its disks: `volume_size` is not known yet"), "{source}");
        let found = lines("aws_instance", "null", &with(r#"{"volume_size": null}"#));
        assert_eq!(found.after, usd(6_880_000, 6_880_000));
    }

    #[test]
    fn spot_without_a_price_is_an_interval() {
        let spot = r#"{"instance_type": "p5.48xlarge", "spot_price": "20.5"}"#;
        assert_eq!(lines("aws_spot_instance_request", "null", spot).after, usd(0, 20_500_000));
        let spot = r#"{"instance_type": "p5.48xlarge", "instance_market_options": [{"market_type": "spot"}]}"#;
        assert_eq!(lines("aws_instance", "null", spot).after, usd(0, 55_040_000));
    }

    #[test]
    fn what_has_no_price_is_not_free() {
        let found = lines("aws_instance", "null", r#"{"instance_type": "m5.large"}"#);
        assert!(found.incomplete);
        assert_eq!(
            found.lines[0].after,
            Cost::Unknown("the catalog has no price of `m5.large` in `us-east-1`".to_owned())
        );
        let found = lines("aws_instance", "null", r#"{"instance_type": "?"}"#);
        assert_eq!(
            found.lines[0].after,
            Cost::Unknown("`instance_type` is not known yet".to_owned())
        );
        assert_eq!(lines("aws_vpc", "null", "{}").unpriced["aws_vpc"], 1);
    }

    #[test]
    fn old_prices_are_told_if_they_count() {
        let google = r#"{"machine_type": "a3-highgpu-8g", "zone": "us-central1-a"}"#;
        let found = lines("google_compute_instance", "null", google);
        let today = catalog::fact::days_of("2026-09-01").expect("a date");
        let catalog = catalog();
        let old: Vec<&str> =
            stale(&found, catalog, today).iter().map(|source| &*source.id).collect();
        assert_eq!(old, ["google-costs-2025"]);
        let aws = lines("aws_instance", "null", r#"{"instance_type": "p5.48xlarge"}"#);
        assert!(stale(&aws, catalog, today).is_empty());
    }

    #[test]
    fn other_clouds_are_priced_too() {
        let azure = r#"{"size": "Standard_ND96isr_H100_v5", "location": "East US"}"#;
        assert_eq!(
            lines("azurerm_linux_virtual_machine", "null", azure).after,
            usd(98_320_000, 98_320_000)
        );
        let google = r#"{"machine_type": "a3-highgpu-8g", "zone": "us-central1-a", "scheduling": [{"provisioning_model": "SPOT"}]}"#;
        assert_eq!(
            lines("google_compute_instance", "null", google).after,
            usd(35_400_000, 35_400_000)
        );
    }

    #[test]
    fn what_is_destroyed_costs_nothing_after() {
        let found = lines("aws_instance", r#"{"instance_type": "p5.48xlarge"}"#, "null");
        assert_eq!((found.before, found.after), (usd(55_040_000, 55_040_000), usd(0, 0)));
        assert!(!found.incomplete);
    }
}
