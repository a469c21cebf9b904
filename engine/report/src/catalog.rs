//! Tables of the catalog, for people and as JSON.

use std::fmt::Write as _;

use catalog::{Catalog, Offer, UsdPerHour};
use serde_json::{Map, Value as Json};

/// Rows under named columns. Columns that hold numbers are aligned to the right.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Vec<&'static str>,
    rows: Vec<Vec<Json>>,
}

impl Table {
    fn new(columns: &[&'static str]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The first rows alone.
    #[must_use]
    pub fn first(mut self, rows: usize) -> Self {
        self.rows.truncate(rows);
        self
    }

    /// An array of objects; what is not known is null.
    pub fn json(&self) -> Json {
        let object = |row: &Vec<Json>| {
            let entries = self.columns.iter().map(|name| (*name).to_owned()).zip(row.clone());
            Json::Object(entries.collect::<Map<String, Json>>())
        };
        Json::Array(self.rows.iter().map(object).collect())
    }

    /// Aligned columns; what is not known is a dash.
    pub fn text(&self) -> String {
        let cells: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        let width = |at: usize| {
            let widest = cells.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
            widest.max(self.columns[at].len())
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let right = |at: usize| self.rows.iter().any(|row| row[at].is_number());
        let mut out = String::new();
        let mut line = |row: &[String]| {
            let parts = row.iter().enumerate().map(|(at, text)| {
                let width = widths[at];
                if right(at) { format!("{text:>width$}") } else { format!("{text:width$}") }
            });
            let _ = writeln!(out, "{}", parts.collect::<Vec<_>>().join("  ").trim_end());
        };
        line(&self.columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        for row in &cells {
            line(row);
        }
        out
    }
}

fn cell(json: &Json) -> String {
    match json {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn maybe<T: Into<Json>>(value: Option<T>) -> Json {
    value.map_or(Json::Null, Into::into)
}

/// A price as the number that its digits are.
fn usd(price: Option<UsdPerHour>) -> Json {
    price.map_or(Json::Null, |price| {
        price.to_string().parse::<serde_json::Number>().map_or(Json::Null, Json::Number)
    })
}

/// A number without a needless fraction.
fn number(value: Option<f64>) -> Json {
    value.map_or(Json::Null, |value| {
        value.to_string().parse::<serde_json::Number>().map_or(Json::Null, Json::Number)
    })
}

fn dated(catalog: &Catalog, source: &str) -> (Json, Json) {
    let date = catalog.sources.get(source).map(|source| source.date.clone());
    (source.into(), maybe(date))
}

/// What can be bought.
pub fn offers(catalog: &Catalog, offers: &[Offer<'_>]) -> Table {
    let mut table = Table::new(&[
        "backend",
        "type",
        "region",
        "purchase",
        "accelerator",
        "count",
        "vcpus",
        "memory_mib",
        "network_gbps",
        "fabric",
        "usd_per_hour",
        "usd_per_chip_hour",
        "source",
        "date",
    ]);
    for offer in offers {
        let machine = offer.machine;
        let (source, date) =
            dated(catalog, offer.price.map_or(&machine.source, |price| &price.source));
        table.rows.push(vec![
            machine.backend.clone().into(),
            machine.name.clone().into(),
            maybe(offer.place.as_ref().map(|place| place.region.clone())),
            offer.purchase.name().into(),
            maybe(machine.chip.clone()),
            number(Some(machine.chips)),
            maybe(machine.vcpus),
            maybe(machine.memory_mib),
            number(machine.network_gbps),
            maybe(machine.fabric.clone()),
            usd(offer.price.map(|price| price.low)),
            usd(offer.usd_per_chip_hour()),
            source,
            date,
        ]);
    }
    table
}

/// Accelerators.
pub fn chips(catalog: &Catalog, keep: impl Fn(&catalog::Chip) -> bool) -> Table {
    let mut table = Table::new(&[
        "name",
        "vendor",
        "memory_mib",
        "memory_gb_per_s",
        "bf16_tflops",
        "fp8_tflops",
        "link",
        "link_gb_per_s",
        "domain_chips",
        "tdp_watts",
        "mig_profiles",
        "source",
        "date",
    ]);
    for chip in catalog.chips.values().filter(|chip| keep(chip)) {
        let profiles = catalog.mig.values().filter(|mig| mig.chip == chip.name);
        let profiles: Vec<&str> = profiles.map(|mig| &*mig.profile).collect();
        let (source, date) = dated(catalog, &chip.source);
        table.rows.push(vec![
            chip.name.clone().into(),
            chip.vendor.clone().into(),
            maybe(chip.memory_mib),
            number(chip.memory_gb_per_s),
            number(chip.bf16_tflops),
            number(chip.fp8_tflops),
            maybe(chip.link.clone()),
            number(chip.link_gb_per_s),
            maybe(chip.domain_chips),
            number(chip.tdp_watts),
            maybe(Some(profiles.join(",")).filter(|text| !text.is_empty())),
            source,
            date,
        ]);
    }
    table
}

/// Machines.
pub fn types(catalog: &Catalog, keep: impl Fn(&catalog::MachineType) -> bool) -> Table {
    let mut table = Table::new(&[
        "backend",
        "name",
        "accelerator",
        "count",
        "memory_each_mib",
        "vcpus",
        "memory_mib",
        "network_gbps",
        "fabric",
        "fabric_interfaces",
        "network_cards",
        "local_disk_gb",
        "regions",
        "source",
        "date",
    ]);
    for machine in catalog.types.values().filter(|machine| keep(machine)) {
        let places = catalog.places(&machine.backend, &machine.name);
        let (source, date) = dated(catalog, &machine.source);
        table.rows.push(vec![
            machine.backend.clone().into(),
            machine.name.clone().into(),
            maybe(machine.chip.clone()),
            number(Some(machine.chips)),
            maybe(machine.chip_memory_mib),
            maybe(machine.vcpus),
            maybe(machine.memory_mib),
            number(machine.network_gbps),
            maybe(machine.fabric.clone()),
            maybe(machine.fabric_interfaces),
            maybe(machine.network_cards),
            maybe(machine.local_disk_gb),
            maybe(places.map(|places| places.len())),
            source,
            date,
        ]);
    }
    table
}

/// Regions.
pub fn regions(catalog: &Catalog, keep: impl Fn(&catalog::Region) -> bool) -> Table {
    let mut table = Table::new(&[
        "backend",
        "name",
        "title",
        "country",
        "zones",
        "grams_per_kwh",
        "pue",
        "source",
        "date",
    ]);
    for region in catalog.regions.values().filter(|region| keep(region)) {
        let source = region.carbon_source.as_ref().unwrap_or(&region.source);
        let (source, date) = dated(catalog, source);
        table.rows.push(vec![
            region.backend.clone().into(),
            region.name.clone().into(),
            maybe(region.title.clone()),
            maybe(region.country.clone()),
            maybe(region.zones.clone()),
            number(region.grams_per_kwh),
            number(region.pue),
            source,
            date,
        ]);
    }
    table
}

/// Prices.
pub fn prices(catalog: &Catalog, keep: impl Fn(&catalog::Price) -> bool) -> Table {
    let mut table = Table::new(&[
        "backend",
        "type",
        "region",
        "purchase",
        "usd_per_hour_low",
        "usd_per_hour_high",
        "usd_per_month",
        "source",
        "date",
    ]);
    for price in catalog.prices.values().flatten().filter(|price| keep(price)) {
        let (source, date) = dated(catalog, &price.source);
        table.rows.push(vec![
            price.backend.clone().into(),
            price.machine.clone().into(),
            maybe(price.region.clone()),
            price.purchase.name().into(),
            usd(Some(price.low)),
            usd(Some(price.high)),
            usd(Some(price.low.per_month())),
            source,
            date,
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right_and_unknown_is_a_dash() {
        let mut table = Table::new(&["name", "vcpus"]);
        table.rows.push(vec!["a-long-name".into(), 8.into()]);
        table.rows.push(vec!["b".into(), Json::Null]);
        assert_eq!(table.text(), "name         vcpus\na-long-name      8\nb                -\n");
        assert_eq!(
            table.json().to_string(),
            r#"[{"name":"a-long-name","vcpus":8},{"name":"b","vcpus":null}]"#
        );
        assert_eq!(table.clone().first(1).len(), 1);
    }
}
