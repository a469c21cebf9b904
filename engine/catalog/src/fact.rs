//! Facts, a struct each, made from one row. `None` is what is not known.

use std::fmt;

use crate::error::CatalogError;
use crate::money::UsdPerHour;
use crate::table::Row;

/// Where facts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What facts call it.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Where it is found.
    pub url: String,
    /// Under which licence the facts may be passed on.
    pub licence: String,
    /// As of when, as `YYYY-MM-DD`.
    pub date: String,
}

/// An accelerator.
#[derive(Debug, Clone, PartialEq)]
pub struct Chip {
    /// Its name in this catalog.
    pub name: String,
    /// Who makes it.
    pub vendor: String,
    /// Its memory.
    pub memory_mib: Option<u64>,
    /// What its memory gives, in 10⁹ bytes a second.
    pub memory_gb_per_s: Option<f64>,
    /// Dense peak in bf16.
    pub bf16_tflops: Option<f64>,
    /// Dense peak in fp8.
    pub fp8_tflops: Option<f64>,
    /// What it computes in; empty if that is not known.
    pub precisions: Vec<String>,
    /// The scale-up link.
    pub link: Option<String>,
    /// What that gives, in 10⁹ bytes a second.
    pub link_gb_per_s: Option<f64>,
    /// How many chips share the link at most.
    pub domain_chips: Option<u64>,
    /// What it draws at most.
    pub tdp_watts: Option<f64>,
    /// Into how many slices it can be cut; 0 if it cannot.
    pub mig_slices: Option<u64>,
    /// Where this is from.
    pub source: String,
    /// What else is to be said.
    pub note: Option<String>,
}

/// A way to cut a chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigProfile {
    /// The chip.
    pub chip: String,
    /// Such as `3g.40gb`.
    pub profile: String,
    /// Of 7.
    pub compute_slices: u64,
    /// Of 8.
    pub memory_slices: u64,
    /// How many fit on an empty chip.
    pub max: u64,
    /// Where this is from.
    pub source: String,
}

/// A machine that a backend sells.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineType {
    /// The backend.
    pub backend: String,
    /// What it is called there.
    pub name: String,
    /// Its accelerators; `None` if it has none.
    pub chip: Option<String>,
    /// How many; below 1 for a share of one.
    pub chips: f64,
    /// Memory of each, or of the share.
    pub chip_memory_mib: Option<u64>,
    /// Hardware threads.
    pub vcpus: Option<u64>,
    /// Memory.
    pub memory_mib: Option<u64>,
    /// `x86_64`, `arm64`.
    pub arch: Vec<String>,
    /// What its network sustains, in 10⁹ bits a second.
    pub network_gbps: Option<f64>,
    /// What joins such machines: `efa`, `infiniband`, `tcpx`, `ethernet`, …
    pub fabric: Option<String>,
    /// How many network cards it has.
    pub network_cards: Option<u64>,
    /// How many interfaces of the fabric it can have.
    pub fabric_interfaces: Option<u64>,
    /// What its disks get at most, in 10⁶ bits a second.
    pub disk_mbps: Option<u64>,
    /// How many operations a second.
    pub disk_iops: Option<u64>,
    /// Local disks, in 10⁹ bytes.
    pub local_disk_gb: Option<u64>,
    /// How it can be bought; empty if that is not known.
    pub purchase: Vec<Purchase>,
    /// Where this is from.
    pub source: String,
}

/// A way to buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purchase {
    /// By the hour.
    OnDemand,
    /// By the hour, until somebody else wants it.
    Spot,
    /// For a year.
    Commit1Year,
    /// For three years.
    Commit3Years,
    /// For a number of days that is agreed before.
    CapacityBlock,
}

impl Purchase {
    /// All of them, the most usual first.
    pub const ALL: [Self; 5] =
        [Self::OnDemand, Self::Spot, Self::Commit1Year, Self::Commit3Years, Self::CapacityBlock];

    /// How it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "on_demand",
            Self::Spot => "spot",
            Self::Commit1Year => "commit_1y",
            Self::Commit3Years => "commit_3y",
            Self::CapacityBlock => "capacity_block",
        }
    }

    /// Reads what [`name`](Self::name) writes.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

impl fmt::Display for Purchase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where a machine type is sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The region.
    pub region: String,
    /// Its zones, as letters; empty if they are not known.
    pub zones: String,
}

/// What something costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The backend.
    pub backend: String,
    /// The machine type.
    pub machine: String,
    /// The region; `None` if it is the same in all.
    pub region: Option<String>,
    /// How it is bought.
    pub purchase: Purchase,
    /// At least.
    pub low: UsdPerHour,
    /// At most.
    pub high: UsdPerHour,
    /// Where this is from.
    pub source: String,
}

/// What one unit of a service costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// The backend.
    pub backend: String,
    /// The service, such as `ebs.gp3`.
    pub service: String,
    /// The region; `None` if it is the same in all.
    pub region: Option<String>,
    /// Of what.
    pub unit: Unit,
    /// US dollars for one unit, at least.
    pub low: UsdPerHour,
    /// At most.
    pub high: UsdPerHour,
    /// Where this is from.
    pub source: String,
}

/// Of what a rate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// An hour.
    Hour,
    /// A month.
    Month,
    /// A gigabyte for a month.
    GbMonth,
    /// An operation a second for a month.
    IopsMonth,
    /// A MiB a second for a month.
    MibPerSMonth,
    /// A gigabyte that is moved.
    Gb,
}

impl Unit {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Hour, Self::Month, Self::GbMonth, Self::IopsMonth, Self::MibPerSMonth, Self::Gb];

    /// How it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Month => "month",
            Self::GbMonth => "gb_month",
            Self::IopsMonth => "iops_month",
            Self::MibPerSMonth => "mib_per_s_month",
            Self::Gb => "gb",
        }
    }
}

/// A region.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// The backend.
    pub backend: String,
    /// What it is called there.
    pub name: String,
    /// What people call it.
    pub title: Option<String>,
    /// The country, by the three letters of ISO 3166.
    pub country: Option<String>,
    /// Its zones, as letters.
    pub zones: Option<String>,
    /// What a kilowatt-hour emits.
    pub grams_per_kwh: Option<f64>,
    /// Energy of the whole over energy of the machines.
    pub pue: Option<f64>,
    /// Where this is from.
    pub source: String,
    /// Where the carbon is from.
    pub carbon_source: Option<String>,
}

/// Which slices of a TPU there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tpu {
    /// The chip.
    pub chip: String,
    /// 2 or 3.
    pub dimensions: u64,
    /// The largest job.
    pub max_chips: u64,
    /// Topologies below one cube (3D), or all (2D).
    pub small_topologies: Vec<String>,
    /// Of what each edge is a multiple above one cube.
    pub step: Option<u64>,
    /// Where this is from.
    pub source: String,
}

/// A limit of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The backend.
    pub backend: String,
    /// The service, such as `ebs.gp3`.
    pub service: String,
    /// What is limited.
    pub limit: String,
    /// A number or a list of numbers; `None` if it is not known.
    pub value: Option<String>,
    /// Of what.
    pub unit: Option<String>,
    /// Where this is from.
    pub source: String,
}

/// A service that has ended, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The backend.
    pub backend: String,
    /// The service.
    pub name: String,
    /// When, as `YYYY-MM-DD`; `None` if only that it has is known.
    pub retires_at: Option<String>,
    /// What to use instead.
    pub successor: Option<String>,
    /// Where this is from.
    pub source: String,
}

type Read<T> = Result<T, CatalogError>;

fn owned(cell: Option<&str>) -> Option<String> {
    cell.map(str::to_owned)
}

fn purchase(row: &Row<'_, '_>, column: &str, cell: &str) -> Read<Purchase> {
    Purchase::from_name(cell).ok_or_else(|| {
        row.unexpected(column, cell, "on_demand, spot, commit_1y, commit_3y or capacity_block")
    })
}

impl Source {
    pub(crate) fn read(row: &Row<'_, '_>) -> Read<Self> {
        let date = row.text("date")?;
        if days_of(date).is_none() {
            return Err(row.unexpected("date", date, "a date such as 2026-08-22"));
        }
        Ok(Self {
            id: row.text("id")?.to_owned(),
            title: row.text("title")?.to_owned(),
            url: row.text("url")?.to_owned(),
            licence: row.text("licence")?.to_owned(),
            date: date.to_owned(),
        })
    }

    /// How many days old the facts are on a day that is given in days since 1970.
    pub fn age_days(&self, today: i64) -> i64 {
        // The reader has checked the date.
        today - days_of(&self.date).unwrap_or(today)
    }
}

/// Days since 1970 of a date such as `2026-08-22`; `None` if it is none.
pub fn days_of(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || month.len() != 2 || day.len() != 2 || parts.next().is_some() {
        return None;
    }
    let (year, month, day): (i64, i64, i64) =
        (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March put the leap day last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

impl Chip {
    pub(crate) fn read(row: &Row<'_, '_>) -> Read<Self> {
        Ok(Self {
            name: row.text("name")?.to_owned(),
            vendor: row.text("vendor")?.to_owned(),
            memory_mib: row.whole("memory_mib")?,
            memory_gb_per_s: row.number("memory_gb_per_s")?,
            bf16_tflops: row.number("bf16_tflops")?,
            fp8_tflops: row.number("fp8_tflops")?,
            precisions: row.list("precisions"),
            link: owned(row.optional("link")),
            link_gb_per_s: row.number("link_gb_per_s")?,
            domain_chips: row.whole("domain_chips")?,
            tdp_watts: row.number("tdp_watts")?,
            mig_slices: row.whole("mig_slices")?,
            source: row.text("source")?.to_owned(),
            note: owned(row.optional("note")),
        })
    }
}

impl MigProfile {
    pub(crate) fn read(row: &Row<'_, '_>) -> Read<Self> {
        let whole = |column: &str| {
            row.whole(column)?.ok_or_else(|| row.unexpected(column, "-", "a whole number"))
        };
        Ok(Self {
            chip: row.text("chip")?.to_owned(),
            profile: row.text("profile")?.to_owned(),
            compute_slices: whole("compute_slices")?,
            memory_slices: whole("memory_slices")?,
            max: whole("max")?,
            source: row.text("source")?.to_owned(),
        })
    }
}

impl MachineType {
    pub(crate) fn read(row: &Row<'_, '_>, backend: &str) -> Read<Self> {
        let ways = row.list("purchase");
        Ok(Self {
            backend: backend.to_owned(),
            name: row.text("name")?.to_owned(),
            chip: owned(row.optional("chip")),
            chips: row.number("chips")?.unwrap_or(0.0),
            chip_memory_mib: row.whole("chip_memory_mib")?,
            vcpus: row.whole("vcpus")?,
            memory_mib: row.whole("memory_mib")?,
            arch: row.list("arch"),
            network_gbps: row.number("network_gbps")?,
            fabric: owned(row.optional("fabric")),
            network_cards: row.whole("network_cards")?,
            fabric_interfaces: row.whole("fabric_interfaces")?,
            disk_mbps: row.whole("disk_mbps")?,
            disk_iops: row.whole("disk_iops")?,
            local_disk_gb: row.whole("local_disk_gb")?,
            purchase: ways
                .iter()
                .map(|way| purchase(row, "purchase", way))
                .collect::<Result<_, _>>()?,
            source: row.text("source")?.to_owned(),
        })
    }
}

impl Price {
    pub(crate) fn read(row: &Row<'_, '_>, backend: &str) -> Read<Self> {
        let money = |column: &str| {
            let cell = row.text(column)?;
            cell.parse().map_err(|()| row.unexpected(column, cell, "US dollars such as 55.04"))
        };
        let (low, high): (UsdPerHour, UsdPerHour) =
            (money("usd_per_hour_low")?, money("usd_per_hour_high")?);
        if low > high {
            let cell = row.text("usd_per_hour_high")?;
            return Err(row.unexpected("usd_per_hour_high", cell, "no less than the low price"));
        }
        let way = row.text("purchase")?;
        Ok(Self {
            backend: backend.to_owned(),
            machine: row.text("type")?.to_owned(),
            region: Some(row.text("region")?).filter(|name| *name != "*").map(str::to_owned),
            purchase: purchase(row, "purchase", way)?,
            low,
            high,
            source: row.text("source")?.to_owned(),
        })
    }
}

impl Region {
    pub(crate) fn read(row: &Row<'_, '_>, backend: &str) -> Read<Self> {
        Ok(Self {
            backend: backend.to_owned(),
            name: row.text("name")?.to_owned(),
            title: owned(row.optional("title")),
            country: owned(row.optional("country")),
            zones: owned(row.optional("zones")),
            grams_per_kwh: row.number("grams_per_kwh")?,
            pue: row.number("pue")?,
            source: row.text("source")?.to_owned(),
            carbon_source: owned(row.optional("carbon_source")),
        })
    }
}

impl Tpu {
    pub(crate) fn read(row: &Row<'_, '_>) -> Read<Self> {
        let whole = |column: &str| {
            row.whole(column)?.ok_or_else(|| row.unexpected(column, "-", "a whole number"))
        };
        Ok(Self {
            chip: row.text("chip")?.to_owned(),
            dimensions: whole("dimensions")?,
            max_chips: whole("max_chips")?,
            small_topologies: row.list("small_topologies"),
            step: row.whole("step")?,
            source: row.text("source")?.to_owned(),
        })
    }
}

impl Rate {
    pub(crate) fn read(row: &Row<'_, '_>, backend: &str) -> Read<Self> {
        let money = |column: &str| {
            let cell = row.text(column)?;
            cell.parse().map_err(|()| row.unexpected(column, cell, "US dollars such as 0.08"))
        };
        let (low, high): (UsdPerHour, UsdPerHour) = (money("usd_low")?, money("usd_high")?);
        if low > high {
            let cell = row.text("usd_high")?;
            return Err(row.unexpected("usd_high", cell, "no less than the low price"));
        }
        let unit = row.text("unit")?;
        Ok(Self {
            backend: backend.to_owned(),
            service: row.text("service")?.to_owned(),
            region: Some(row.text("region")?).filter(|name| *name != "*").map(str::to_owned),
            unit: Unit::ALL.into_iter().find(|one| one.name() == unit).ok_or_else(|| {
                row.unexpected(
                    "unit",
                    unit,
                    "hour, month, gb_month, iops_month, mib_per_s_month or gb",
                )
            })?,
            low,
            high,
            source: row.text("source")?.to_owned(),
        })
    }
}

impl Limit {
    pub(crate) fn read(row: &Row<'_, '_>) -> Read<Self> {
        Ok(Self {
            backend: row.text("backend")?.to_owned(),
            service: row.text("service")?.to_owned(),
            limit: row.text("limit")?.to_owned(),
            value: owned(row.optional("value")),
            unit: owned(row.optional("unit")),
            source: row.text("source")?.to_owned(),
        })
    }
}

impl Ending {
    pub(crate) fn read(row: &Row<'_, '_>) -> Read<Self> {
        let retires_at = owned(row.optional("retires_at"));
        if let Some(date) = retires_at.as_deref().filter(|date| days_of(date).is_none()) {
            return Err(row.unexpected("retires_at", date, "a date such as 2026-08-22"));
        }
        Ok(Self {
            backend: row.text("backend")?.to_owned(),
            name: row.text("name")?.to_owned(),
            retires_at,
            successor: owned(row.optional("successor")),
            source: row.text("source")?.to_owned(),
        })
    }
}
