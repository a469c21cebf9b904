//! All tables together: reading, overlays, look-up.

use std::collections::BTreeMap;

use crate::error::CatalogError;
use crate::fact::{
    Chip, Ending, Limit, MachineType, MigProfile, Place, Price, Purchase, Rate, Region, Source,
    Tpu, Unit,
};
use crate::table::{self, Row, Table};

/// Backend and name.
pub type Key = (String, String);

/// Everything that is known.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Where facts come from, by id.
    pub sources: BTreeMap<String, Source>,
    /// Accelerators by name.
    pub chips: BTreeMap<String, Chip>,
    /// Ways to cut chips, by chip and profile.
    pub mig: BTreeMap<Key, MigProfile>,
    /// Machines by backend and name.
    pub types: BTreeMap<Key, MachineType>,
    /// Where machines are sold, by backend and name. What has no entry is not known to be sold anywhere.
    pub offerings: BTreeMap<Key, Offering>,
    /// Prices by backend and machine.
    pub prices: BTreeMap<Key, Vec<Price>>,
    /// Rates by backend and service.
    pub rates: BTreeMap<Key, Vec<Rate>>,
    /// Regions by backend and name.
    pub regions: BTreeMap<Key, Region>,
    /// TPU slices by chip.
    pub tpus: BTreeMap<String, Tpu>,
    /// Limits of services by backend, service and limit.
    pub limits: BTreeMap<(String, String, String), Limit>,
    /// Services that end, by backend and name.
    pub endings: BTreeMap<Key, Ending>,
}

/// Where a machine is sold, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offering {
    /// In these places.
    Places(Vec<Place>),
    /// In all regions but these.
    AllBut(Vec<String>),
}

const KINDS: [&str; 11] = [
    "sources",
    "chips",
    "mig",
    "types",
    "offerings",
    "prices",
    "rates",
    "regions",
    "tpu",
    "storage",
    "services",
];

impl Catalog {
    /// Reads tables, of which later ones replace what earlier ones say.
    pub fn read<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, CatalogError> {
        let mut catalog = Self::default();
        let mut cited = Vec::new();
        for (file, text) in files {
            catalog.add(file, text, &mut cited)?;
        }
        catalog.check_sources(cited)?;
        Ok(catalog)
    }

    /// The catalog with the tables of one more file. Its rows replace those of the same name.
    pub fn overlay(&self, file: &str, text: &str) -> Result<Self, CatalogError> {
        let mut catalog = self.clone();
        let mut cited = Vec::new();
        catalog.add(file, text, &mut cited)?;
        catalog.check_sources(cited)?;
        Ok(catalog)
    }

    fn add<'a>(
        &mut self,
        file: &'a str,
        text: &'a str,
        cited: &mut Vec<Cited>,
    ) -> Result<(), CatalogError> {
        let mut seen = BTreeMap::new();
        for table in table::read(file, text)? {
            self.add_table(&table, &mut seen, cited)?;
        }
        Ok(())
    }

    fn add_table(
        &mut self,
        table: &Table<'_>,
        seen: &mut BTreeMap<String, usize>,
        cited: &mut Vec<Cited>,
    ) -> Result<(), CatalogError> {
        if !KINDS.contains(&table.kind) {
            let near = syntax::suggest(table.kind, KINDS.into_iter());
            let message = format!("`{}` is not a kind of table", table.kind);
            let help = near.map(|near| format!("did you mean `{near}`?"));
            return Err(table
                .fault(message, help.or_else(|| Some(format!("kinds are {}", KINDS.join(", "))))));
        }
        for row in table.rows() {
            let row = row?;
            let name = self.add_row(table, &row)?;
            if let Some(first) = seen.insert(format!("{} {name}", table.kind), row.line) {
                let (file, line) = (table.file.to_owned(), row.line);
                return Err(CatalogError::Duplicate { file, line, first, name });
            }
            if table.kind != "sources" {
                let ids = [Some(row.text("source")?), row.optional("carbon_source")];
                cited.extend(ids.into_iter().flatten().map(|id| Cited {
                    file: table.file.to_owned(),
                    line: row.line,
                    id: id.to_owned(),
                }));
            }
        }
        Ok(())
    }

    /// Adds a fact; the name under which it is known.
    fn add_row(&mut self, table: &Table<'_>, row: &Row<'_, '_>) -> Result<String, CatalogError> {
        let backend = || {
            table.backend.ok_or_else(|| {
                let message = format!("a table of {} names its backend", table.kind);
                let help = format!("write `# stratiform-catalog 1 {} aws`", table.kind);
                table.fault(message, Some(help))
            })
        };
        let name = match table.kind {
            "sources" => put(&mut self.sources, Source::read(row)?, |one| one.id.clone()),
            "chips" => put(&mut self.chips, Chip::read(row)?, |one| one.name.clone()),
            "mig" => put(&mut self.mig, MigProfile::read(row)?, |one| {
                (one.chip.clone(), one.profile.clone())
            }),
            "types" => put(&mut self.types, MachineType::read(row, backend()?)?, |one| {
                (one.backend.clone(), one.name.clone())
            }),
            "offerings" => {
                let key = (backend()?.to_owned(), row.text("name")?.to_owned());
                self.offerings.insert(key.clone(), offering(row)?);
                key.shown()
            }
            "prices" => self.add_price(Price::read(row, backend()?)?),
            "rates" => self.add_rate(Rate::read(row, backend()?)?),
            "regions" => put(&mut self.regions, Region::read(row, backend()?)?, |one| {
                (one.backend.clone(), one.name.clone())
            }),
            "tpu" => put(&mut self.tpus, Tpu::read(row)?, |one| one.chip.clone()),
            "storage" => put(&mut self.limits, Limit::read(row)?, |one| {
                (one.backend.clone(), one.service.clone(), one.limit.clone())
            }),
            _ => put(&mut self.endings, Ending::read(row)?, |one| {
                (one.backend.clone(), one.name.clone())
            }),
        };
        Ok(name)
    }

    fn add_price(&mut self, price: Price) -> String {
        let region = price.region.as_deref().unwrap_or("*");
        let name = format!("{}/{}/{region}/{}", price.backend, price.machine, price.purchase);
        let prices = self.prices.entry((price.backend.clone(), price.machine.clone())).or_default();
        prices.retain(|old| old.region != price.region || old.purchase != price.purchase);
        prices.push(price);
        prices.sort_by(|a, b| (&a.region, a.purchase).cmp(&(&b.region, b.purchase)));
        name
    }

    fn add_rate(&mut self, rate: Rate) -> String {
        let region = rate.region.as_deref().unwrap_or("*");
        let name = format!("{}/{}/{region}/{}", rate.backend, rate.service, rate.unit.name());
        let rates = self.rates.entry((rate.backend.clone(), rate.service.clone())).or_default();
        rates.retain(|old| old.region != rate.region || old.unit != rate.unit);
        rates.push(rate);
        rates.sort_by(|a, b| (&a.region, a.unit).cmp(&(&b.region, b.unit)));
        name
    }

    fn check_sources(&self, cited: Vec<Cited>) -> Result<(), CatalogError> {
        match cited.into_iter().find(|one| !self.sources.contains_key(&one.id)) {
            None => Ok(()),
            Some(Cited { file, line, id }) => {
                Err(CatalogError::UnknownSource { file, line, source_id: id })
            }
        }
    }

    /// A machine type of a backend.
    pub fn machine(&self, backend: &str, name: &str) -> Option<&MachineType> {
        self.types.get(&(backend.to_owned(), name.to_owned()))
    }

    /// The machine type whose name is nearest.
    pub fn nearest_machine(&self, backend: &str, name: &str) -> Option<&str> {
        let names = self.types.keys().filter(|(of, _)| of == backend).map(|(_, name)| &**name);
        syntax::suggest(name, names)
    }

    /// Where a machine is sold; `None` if that is not known.
    pub fn places(&self, backend: &str, name: &str) -> Option<Vec<Place>> {
        match self.offerings.get(&(backend.to_owned(), name.to_owned()))? {
            Offering::Places(places) => Some(places.clone()),
            Offering::AllBut(not) => {
                let regions = self.regions.values().filter(|region| {
                    region.backend == backend
                        && region.zones.is_some()
                        && !not.contains(&region.name)
                });
                let place =
                    |region: &Region| Place { region: region.name.clone(), zones: String::new() };
                Some(regions.map(place).collect())
            }
        }
    }

    /// What a machine costs in a region; `None` if that is not known.
    pub fn price(
        &self,
        backend: &str,
        name: &str,
        region: &str,
        purchase: Purchase,
    ) -> Option<&Price> {
        let prices = self.prices.get(&(backend.to_owned(), name.to_owned()))?;
        let fits = |price: &&Price| {
            price.purchase == purchase && price.region.as_deref().is_none_or(|of| of == region)
        };
        // What is said of this region goes before what is said of all.
        prices.iter().filter(fits).max_by_key(|price| price.region.is_some())
    }

    /// What a unit of a service costs in a region; `None` if that is not known.
    pub fn rate(&self, backend: &str, service: &str, region: &str, unit: Unit) -> Option<&Rate> {
        let rates = self.rates.get(&(backend.to_owned(), service.to_owned()))?;
        let fits = |rate: &&Rate| {
            rate.unit == unit && rate.region.as_deref().is_none_or(|of| of == region)
        };
        rates.iter().filter(fits).max_by_key(|rate| rate.region.is_some())
    }

    /// A number that limits a service; `None` if it is not known.
    pub fn limit(&self, backend: &str, service: &str, limit: &str) -> Option<f64> {
        self.limit_text(backend, service, limit)?.parse().ok()
    }

    /// Numbers of which one must be chosen; none if they are not known.
    pub fn choices(&self, backend: &str, service: &str, limit: &str) -> Vec<f64> {
        let text = self.limit_text(backend, service, limit).unwrap_or_default();
        text.split(',').filter_map(|part| part.parse().ok()).collect()
    }

    fn limit_text(&self, backend: &str, service: &str, limit: &str) -> Option<&str> {
        let key = (backend.to_owned(), service.to_owned(), limit.to_owned());
        self.limits.get(&key)?.value.as_deref()
    }

    /// Sources that are older than so many days on a day that is given in days since 1970.
    pub fn stale(&self, today: i64, max_age_days: u32) -> Vec<&Source> {
        let old = |source: &&Source| source.age_days(today) > i64::from(max_age_days);
        self.sources.values().filter(old).collect()
    }
}

struct Cited {
    file: String,
    line: usize,
    id: String,
}

/// How a key is named in errors.
trait Shown {
    fn shown(&self) -> String;
}

impl Shown for String {
    fn shown(&self) -> String {
        self.clone()
    }
}

impl Shown for Key {
    fn shown(&self) -> String {
        format!("{}/{}", self.0, self.1)
    }
}

impl Shown for (String, String, String) {
    fn shown(&self) -> String {
        format!("{}/{}/{}", self.0, self.1, self.2)
    }
}

fn put<K: Ord + Shown, T>(map: &mut BTreeMap<K, T>, fact: T, key: impl Fn(&T) -> K) -> String {
    let key = key(&fact);
    let name = key.shown();
    map.insert(key, fact);
    name
}

/// `us-east-1:abc us-west-2` or `* !me-south-1`.
fn offering(row: &Row<'_, '_>) -> Result<Offering, CatalogError> {
    let text = row.text("regions")?;
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    if text == "*" || text.starts_with("* ") {
        words.next();
        let without = |word: &str| {
            word.strip_prefix('!')
                .map(str::to_owned)
                .ok_or_else(|| row.unexpected("regions", word, "`!` and a region, after `*`"))
        };
        return Ok(Offering::AllBut(words.map(without).collect::<Result<_, _>>()?));
    }
    let place = |word: &str| {
        let (region, zones) = word.split_once(':').unwrap_or((word, ""));
        Place { region: region.to_owned(), zones: zones.to_owned() }
    };
    Ok(Offering::Places(words.map(place).collect()))
}

/// What in the catalog contradicts itself, in words: a spot price above the price on demand, memory that is not its
/// chip's, a price per chip far from that of others.
pub fn sanity(catalog: &Catalog) -> Vec<String> {
    let mut found = Vec::new();
    for machine in catalog.types.values() {
        let name = format!("{}/{}", machine.backend, machine.name);
        let Some(chip) = &machine.chip else { continue };
        let Some(known) = catalog.chips.get(chip) else {
            found.push(format!("`{name}` has `{chip}`, which no table of chips describes"));
            continue;
        };
        // A share of a chip has a share of its memory.
        let whole = machine.chips >= 1.0;
        if let (true, Some(own), Some(all)) = (whole, machine.chip_memory_mib, known.memory_mib)
            && own != all
        {
            found
                .push(format!("`{name}` says {own} MiB for each `{chip}`, the chip has {all} MiB"));
        }
    }
    for prices in catalog.prices.values() {
        for spot in prices.iter().filter(|price| price.purchase == Purchase::Spot) {
            let mut same = prices.iter().filter(|price| {
                price.purchase == Purchase::OnDemand && price.region == spot.region
            });
            if let Some(full) = same.find(|full| spot.low > full.high) {
                found.push(format!(
                    "`{}/{}` costs {} as spot, but only {} on demand",
                    spot.backend, spot.machine, spot.low, full.high
                ));
            }
        }
    }
    found.extend(outliers(catalog));
    found
}

/// Prices per chip that are not within 0.3 to 3 times the median of those of the chip.
fn outliers(catalog: &Catalog) -> Vec<String> {
    #[expect(clippy::cast_precision_loss, reason = "a comparison with a wide band")]
    let per_chip = |price: &Price, chips: f64| price.low.0 as f64 / chips;
    let mut by_chip: BTreeMap<&str, Vec<(f64, String)>> = BTreeMap::new();
    for price in catalog.prices.values().flatten() {
        let Some(machine) = catalog.machine(&price.backend, &price.machine) else { continue };
        let Some(chip) = machine.chip.as_deref().filter(|_| machine.chips >= 1.0) else { continue };
        if price.purchase == Purchase::OnDemand {
            let name = format!("{}/{}", price.backend, price.machine);
            by_chip.entry(chip).or_default().push((per_chip(price, machine.chips), name));
        }
    }
    let mut found = Vec::new();
    for (chip, mut prices) in by_chip {
        prices.sort_by(|a, b| a.0.total_cmp(&b.0));
        let median = prices[(prices.len() - 1) / 2].0;
        for (price, name) in &prices {
            if *price < 0.3 * median || *price > 3.0 * median {
                found.push(format!(
                    "`{name}` costs {:.2} USD an hour for each `{chip}`, others {:.2}",
                    price / 1e6,
                    median / 1e6
                ));
            }
        }
    }
    found
}
