//! What storage, networks and managed services cost: so many units of a service, at the catalog's rates.
//!
//! What is paid by use, such as what a bucket holds, is no part of a sum: its rate is told in the place of a price.

use catalog::{Catalog, HOURS_PER_MONTH, Rate, Unit, UsdPerHour};
use value::Value;

use crate::cost::{Cost, Interval};
use crate::subject::{Field, Subject, blocks, field, number, text};

/// So many units of a service.
struct Part {
    service: String,
    unit: Unit,
    amount: f64,
}

/// What an object is paid for.
#[derive(Default)]
struct Bill {
    fixed: Vec<Part>,
    by_use: Vec<(&'static str, Unit)>,
    /// Why it cannot be said.
    open: Option<String>,
}

/// How a resource type is billed.
struct Billed {
    type_name: &'static str,
    backend: &'static str,
    /// The argument that says where it is, and how many letters of a zone come after its region's.
    place: Option<(&'static str, usize)>,
    bill: fn(&Value, &mut Bill),
}

const AWS: Option<(&str, usize)> = Some(("availability_zone", 1));

const BILLED: [Billed; 15] = [
    Billed { type_name: "aws_ebs_volume", backend: "aws", place: AWS, bill: ebs },
    Billed {
        type_name: "aws_ecr_repository",
        backend: "aws",
        place: None,
        bill: |_, bill| bill.used("ecr", Unit::GbMonth),
    },
    Billed { type_name: "aws_efs_file_system", backend: "aws", place: None, bill: efs },
    Billed {
        type_name: "aws_eks_cluster",
        backend: "aws",
        place: None,
        bill: |_, bill| bill.add("eks", Unit::Hour, 1.0),
    },
    Billed { type_name: "aws_fsx_lustre_file_system", backend: "aws", place: None, bill: lustre },
    Billed {
        type_name: "aws_kms_key",
        backend: "aws",
        place: None,
        bill: |_, bill| bill.add("kms", Unit::Month, 1.0),
    },
    Billed {
        type_name: "aws_lb",
        backend: "aws",
        place: None,
        bill: |_, bill| bill.add("lb", Unit::Hour, 1.0),
    },
    Billed { type_name: "aws_nat_gateway", backend: "aws", place: None, bill: nat },
    Billed {
        type_name: "aws_s3_bucket",
        backend: "aws",
        place: None,
        bill: |_, bill| bill.used("s3.standard", Unit::GbMonth),
    },
    Billed {
        type_name: "azurerm_kubernetes_cluster",
        backend: "azure",
        place: Some(("location", 0)),
        bill: aks,
    },
    Billed {
        type_name: "azurerm_managed_disk",
        backend: "azure",
        place: Some(("location", 0)),
        bill: azure_disk,
    },
    Billed {
        type_name: "azurerm_nat_gateway",
        backend: "azure",
        place: Some(("location", 0)),
        bill: nat,
    },
    Billed {
        type_name: "google_compute_disk",
        backend: "google",
        place: Some(("zone", 2)),
        bill: google_disk,
    },
    Billed {
        type_name: "google_compute_router_nat",
        backend: "google",
        place: Some(("region", 0)),
        bill: |_, bill| bill.used("nat", Unit::Gb),
    },
    Billed {
        type_name: "google_container_cluster",
        backend: "google",
        place: None,
        bill: |_, bill| bill.add("gke", Unit::Hour, 1.0),
    },
];

/// Whether resources of this type are billed by rates.
pub fn concerns(type_name: &str) -> bool {
    BILLED.iter().any(|one| one.type_name == type_name)
}

/// What an object of a subject costs; `None` for a type that has no rates.
pub(crate) fn cost(object: &Value, subject: &Subject<'_>, catalog: &Catalog) -> Option<Cost> {
    let billed = BILLED.iter().find(|one| one.type_name == subject.type_name)?;
    if object.is_null() {
        return Some(Cost::None);
    }
    let place = billed.place.and_then(|(argument, suffix)| {
        let place = text(object, argument).known()?;
        place.get(..place.len().checked_sub(suffix)?)
    });
    let Some(region) = place.or(subject.region.as_deref()) else {
        return Some(Cost::Unknown("its region is not known".to_owned()));
    };
    let region = region.to_lowercase().replace(' ', "");
    let mut bill = Bill::default();
    (billed.bill)(object, &mut bill);
    Some(bill.summed(billed.backend, &region, catalog))
}

/// What the disks of a machine cost that its block describes; `None` if it describes none.
pub(crate) fn disks(
    machine: &Value,
    type_name: &str,
    region: &str,
    catalog: &Catalog,
) -> Option<Cost> {
    if type_name != "aws_instance" && type_name != "aws_spot_instance_request" {
        return None;
    }
    let kinds = ["root_block_device", "ebs_block_device"];
    let described = kinds.iter().flat_map(|kind| blocks(machine, kind));
    let sized = described.filter(|disk| !matches!(number(disk, "volume_size"), Field::Absent));
    let mut bill = Bill::default();
    for disk in sized {
        volume(disk, ["volume_type", "volume_size"], &mut bill);
    }
    let is_any = !bill.fixed.is_empty() || bill.open.is_some();
    is_any.then(|| bill.summed("aws", region, catalog))
}

impl Bill {
    fn add(&mut self, service: &str, unit: Unit, amount: f64) {
        if amount > 0.0 {
            self.fixed.push(Part { service: service.to_owned(), unit, amount });
        }
    }

    fn used(&mut self, service: &'static str, unit: Unit) {
        self.by_use.push((service, unit));
    }

    fn open(&mut self, argument: &str, found: &Field<impl Sized>) {
        let what = if matches!(found, Field::Absent) { "not set" } else { "not known yet" };
        self.open = Some(format!("`{argument}` is {what}"));
    }

    /// A number that has to be known.
    fn needs(&mut self, object: &Value, argument: &str) -> f64 {
        let found = number(object, argument);
        if found.known().is_none() {
            self.open(argument, &found);
        }
        found.known().unwrap_or(0.0)
    }

    fn summed(self, backend: &str, region: &str, catalog: &Catalog) -> Cost {
        if let Some(reason) = self.open {
            return Cost::Unknown(reason);
        }
        let mut usd = Interval::default();
        let mut sources: Vec<String> = Vec::new();
        for part in &self.fixed {
            let Some(rate) = catalog.rate(backend, &part.service, region, part.unit) else {
                return Cost::Unknown(format!(
                    "the catalog has no rate of `{}` by {} in `{region}`",
                    part.service,
                    part.unit.name()
                ));
            };
            usd = usd.plus(hourly(rate, part.amount));
            let date = catalog.sources.get(&rate.source).map(|source| source.date.as_str());
            let source = format!("{}, {}", rate.source, date.unwrap_or("no date"));
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        let by_use: Vec<String> = self
            .by_use
            .iter()
            .map(|(service, unit)| match catalog.rate(backend, service, region, *unit) {
                Some(rate) => format!("{} by use", shown(rate)),
                None => format!("`{service}` by use, whose rate in `{region}` is not known"),
            })
            .collect();
        if self.fixed.is_empty() {
            return Cost::Unknown(by_use.join("; "));
        }
        sources.extend(by_use);
        Cost::Known { usd, standing: usd, grams: None, source: sources.join("; ") }
    }
}

/// An amount of a rate, in an hour.
fn hourly(rate: &Rate, amount: f64) -> Interval {
    #[expect(clippy::cast_precision_loss, reason = "730")]
    let hours = match rate.unit {
        Unit::Hour | Unit::Gb => 1.0,
        Unit::Month | Unit::GbMonth | Unit::IopsMonth | Unit::MibPerSMonth => {
            HOURS_PER_MONTH as f64
        }
    };
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "amounts are positive, and the cast keeps to the bounds of the type"
    )]
    let of = |price: UsdPerHour| UsdPerHour((price.0 as f64 * amount / hours).round() as u64);
    Interval { low: of(rate.low), high: of(rate.high) }
}

/// `0.023 USD per GB and month`.
pub(crate) fn shown(rate: &Rate) -> String {
    let unit = match rate.unit {
        Unit::Hour => "hour",
        Unit::Month => "month",
        Unit::GbMonth => "GB and month",
        Unit::IopsMonth => "IOPS and month",
        Unit::MibPerSMonth => "MiB/s and month",
        Unit::Gb => "GB",
    };
    if rate.low == rate.high {
        format!("{} USD per {unit}", rate.low)
    } else {
        format!("{} to {} USD per {unit}", rate.low, rate.high)
    }
}

/// Included in the price of a gp3 volume.
/// Source: EC2 documentation, general purpose SSD volumes.
const GP3_IOPS: f64 = 3000.0;
const GP3_MIB_PER_S: f64 = 125.0;

fn ebs(object: &Value, bill: &mut Bill) {
    volume(object, ["type", "size"], bill);
}

/// A volume, whose type and size stand in these arguments.
fn volume(object: &Value, [kind_argument, size_argument]: [&str; 2], bill: &mut Bill) {
    let kind = text(object, kind_argument);
    if matches!(kind, Field::Unknown) {
        return bill.open(kind_argument, &kind);
    }
    let kind = kind.known().unwrap_or("gp2");
    let service = format!("ebs.{kind}");
    let size = bill.needs(object, size_argument);
    bill.add(&service, Unit::GbMonth, size);
    let extra = |argument: &str, included: f64| match number(object, argument) {
        Field::Known(value) => value - included,
        _ => 0.0,
    };
    match kind {
        "gp3" => {
            bill.add(&service, Unit::IopsMonth, extra("iops", GP3_IOPS));
            bill.add(&service, Unit::MibPerSMonth, extra("throughput", GP3_MIB_PER_S));
        }
        "io1" | "io2" => bill.add(&service, Unit::IopsMonth, extra("iops", 0.0)),
        _ => {}
    }
}

fn efs(object: &Value, bill: &mut Bill) {
    if let Field::Known(throughput) = number(object, "provisioned_throughput_in_mibps") {
        bill.add("efs.provisioned", Unit::MibPerSMonth, throughput);
    }
    bill.used("efs.standard", Unit::GbMonth);
}

fn lustre(object: &Value, bill: &mut Bill) {
    let deployment = text(object, "deployment_type").known().unwrap_or("SCRATCH_1");
    let storage = text(object, "storage_type").known().unwrap_or("SSD");
    let unit = match number(object, "per_unit_storage_throughput") {
        Field::Known(unit) => format!(".{unit}"),
        _ => String::new(),
    };
    let service = format!("fsx.lustre.{deployment}.{storage}{unit}").to_lowercase();
    let size = bill.needs(object, "storage_capacity");
    bill.add(&service, Unit::GbMonth, size);
}

fn nat(_: &Value, bill: &mut Bill) {
    bill.add("nat", Unit::Hour, 1.0);
    bill.used("nat", Unit::Gb);
}

fn aks(object: &Value, bill: &mut Bill) {
    match field(object, "sku_tier").known().and_then(Value::as_str) {
        Some("Standard") => bill.add("aks.standard", Unit::Hour, 1.0),
        other => {
            bill.open = Some(format!(
                "its nodes are priced by their pools, and a tier `{}` is not in the catalog",
                other.unwrap_or("Free")
            ))
        }
    }
}

fn azure_disk(object: &Value, bill: &mut Bill) {
    match text(object, "storage_account_type").known() {
        Some("UltraSSD_LRS") => {
            let size = bill.needs(object, "disk_size_gb");
            bill.add("disk.ultra", Unit::GbMonth, size);
            let iops = bill.needs(object, "disk_iops_read_write");
            bill.add("disk.ultra", Unit::IopsMonth, iops);
            let rate = bill.needs(object, "disk_mbps_read_write");
            bill.add("disk.ultra", Unit::MibPerSMonth, rate);
        }
        other => {
            bill.open =
                Some(format!("the catalog has no rate of `{}`", other.unwrap_or("its kind")))
        }
    }
}

fn google_disk(object: &Value, bill: &mut Bill) {
    let kind = text(object, "type");
    if matches!(kind, Field::Unknown) {
        return bill.open("type", &kind);
    }
    let kind = kind.known().unwrap_or("pd-standard");
    let service = format!("disk.{kind}");
    let size = bill.needs(object, "size");
    bill.add(&service, Unit::GbMonth, size);
    if let Field::Known(iops) = number(object, "provisioned_iops") {
        bill.add(&service, Unit::IopsMonth, iops);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{catalog, object, subject};

    fn priced(type_name: &str, planned: &str) -> Cost {
        let (prior, planned) = (object("null"), object(planned));
        let subject = subject(type_name, &prior, &planned, false);
        cost(&planned, &subject, catalog()).expect("a type with rates")
    }

    /// A month of it in US dollars; what is not known is a text.
    fn month(type_name: &str, planned: &str) -> Result<String, String> {
        match priced(type_name, planned) {
            Cost::Known { usd, .. } => {
                assert_eq!(usd.low, usd.high);
                #[expect(clippy::cast_precision_loss, reason = "small sums")]
                let month = usd.low.0 as f64 * 730.0 / 1e6;
                Ok(format!("{month:.2}"))
            }
            Cost::Unknown(reason) => Err(reason),
            Cost::None => Err("none".to_owned()),
        }
    }

    /// The source's own sums: 40 GB, 1000 more IOPS and 5 more MiB/s are 3.20 + 5.00 + 0.20, and so on.
    #[test]
    fn sums_are_those_of_the_source() {
        let table = [
            (
                "aws_ebs_volume",
                r#"{"availability_zone": "us-west-2a", "type": "gp3", "size": 40, "iops": 4000, "throughput": 130}"#,
                "8.40",
            ),
            (
                "aws_ebs_volume",
                r#"{"availability_zone": "us-east-1a", "type": "io1", "size": 30, "iops": 300}"#,
                "23.25",
            ),
            ("aws_ebs_volume", r#"{"availability_zone": "us-east-1a", "size": 10}"#, "1.00"),
            (
                "aws_ebs_volume",
                r#"{"availability_zone": "us-east-1a", "type": "sc1", "size": 50}"#,
                "0.75",
            ),
            ("aws_efs_file_system", r#"{"provisioned_throughput_in_mibps": 88.5}"#, "531.00"),
            ("aws_nat_gateway", "{}", "32.85"),
            ("aws_eks_cluster", "{}", "73.00"),
            ("aws_kms_key", "{}", "1.00"),
            (
                "google_compute_disk",
                r#"{"zone": "us-central1-a", "type": "pd-extreme", "size": 40, "provisioned_iops": 5000}"#,
                "330.00",
            ),
            ("google_compute_disk", r#"{"zone": "us-central1-a", "size": 500}"#, "20.00"),
            ("azurerm_nat_gateway", r#"{"location": "West Europe"}"#, "32.85"),
            (
                "azurerm_managed_disk",
                r#"{"location": "eastus", "storage_account_type": "UltraSSD_LRS", "disk_size_gb": 2048, "disk_iops_read_write": 4000, "disk_mbps_read_write": 20}"#,
                "450.74",
            ),
        ];
        for (type_name, planned, wanted) in table {
            assert_eq!(month(type_name, planned).as_deref(), Ok(wanted), "{type_name} {planned}");
        }
    }

    #[test]
    fn what_is_not_known_is_told_and_never_zero() {
        let table = [
            ("aws_s3_bucket", "{}", "0.023 USD per GB and month by use"),
            ("aws_efs_file_system", "{}", "0.30 USD per GB and month by use"),
            ("aws_ebs_volume", r#"{"type": "gp3", "size": "?"}"#, "`size` is not known yet"),
            ("aws_ebs_volume", r#"{"type": "?", "size": 1}"#, "`type` is not known yet"),
            (
                "aws_ebs_volume",
                r#"{"availability_zone": "eu-west-1a", "size": 1}"#,
                "the catalog has no rate of `ebs.gp2` by gb_month in `eu-west-1`",
            ),
            (
                "aws_fsx_lustre_file_system",
                r#"{"deployment_type": "PERSISTENT_2", "storage_type": "SSD", "per_unit_storage_throughput": 1000, "storage_capacity": 9600}"#,
                "the catalog has no rate of `fsx.lustre.persistent_2.ssd.1000` by gb_month in `us-east-1`",
            ),
        ];
        for (type_name, planned, wanted) in table {
            assert_eq!(month(type_name, planned), Err(wanted.to_owned()), "{type_name} {planned}");
        }
    }
}
