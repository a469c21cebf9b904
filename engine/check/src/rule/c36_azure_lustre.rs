//! C-36: an Azure Managed Lustre file system of that kind and size exists.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, amount, items, text};

pub(super) const RULE: Rule = Rule {
    id: "C-36",
    title: "Azure Managed Lustre",
    grade: Grade::Error,
    formula: "capacity is a multiple of 48 TiB (40 MB/s/TiB), 16 (125), 8 (250) or 4 (500); more than 768 TiB (40) or 128 TiB (others) only on request, which is a warning; one zone",
    source: "Microsoft documentation, Azure Managed Lustre, throughput configurations, 2024-11-11",
    types: &["azurerm_managed_lustre_file_system"],
    example: "AMLFS-Durable-Premium-250 with 12 TiB: 12 is no multiple of 8, the nearest are 8 and 16. 16 TiB give 16·250 = 4,000 MB/s.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let planned = subject.planned;
    if let Field::Known(zones) = items(planned, "zones")
        && zones.len() > 1
    {
        let message =
            format!("{} zones, but an Azure Managed Lustre file system is in one", zones.len());
        found.error("zones", message, "name the zone of its clients alone".to_owned());
    }
    let sku = match text(planned, "sku_name") {
        Field::Known(sku) => sku,
        Field::Absent => return,
        Field::Unknown => return found.wait_for("sku_name"),
    };
    let tib = match amount(planned, "storage_capacity_in_tb") {
        Field::Known(tib) => tib,
        Field::Absent => return,
        Field::Unknown => return found.wait_for("storage_capacity_in_tb"),
    };
    let Some(unit) = sku.rsplit('-').next() else { return };
    let service = format!("managed_lustre.{unit}");
    let Some(step) = found.catalog.limit("azure", &service, "capacity_step_tib") else { return };
    if tib <= 0.0 || tib % step != 0.0 {
        let near = [(tib / step).floor() * step, ((tib / step).floor() + 1.0) * step];
        let near: Vec<String> =
            near.iter().filter(|size| **size > 0.0).map(f64::to_string).collect();
        let message = format!("`{sku}` has no size of {tib} TiB: it comes in steps of {step} TiB");
        let fix = format!("the nearest sizes are {} TiB", near.join(" and "));
        return found.error("storage_capacity_in_tb", message, fix);
    }
    let most = found.catalog.limit("azure", &service, "max_tib");
    if let Some(most) = most.filter(|most| tib > *most) {
        let message =
            format!("{tib} TiB are more than the {most} TiB of `{sku}` that need no request");
        let fix = format!("ask for more in a support request, or write {most}");
        found.warning("storage_capacity_in_tb", message, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{says, table};

    #[test]
    fn sizes_are_those_that_exist() {
        let system = |unit: &str, tib: &str, zones: &str| {
            format!(
                r#"{{"sku_name": "AMLFS-Durable-Premium-{unit}", "storage_capacity_in_tb": {tib}, "zones": {zones}}}"#
            )
        };
        let one = r#"["1"]"#;
        let name = "azurerm_managed_lustre_file_system";
        table(
            &RULE,
            name,
            &[
                ("the smallest", &system("500", "4", one), None),
                ("a multiple", &system("40", "96", one), None),
                ("no multiple", &system("250", "12", one), Some("no size of 12 TiB")),
                ("too small", &system("40", "8", one), Some("steps of 48 TiB")),
                ("the largest", &system("125", "128", one), None),
                ("on request", &system("125", "144", one), Some("more than the 128 TiB")),
                ("two zones", &system("125", "16", r#"["1", "2"]"#), Some("2 zones")),
                ("a kind that is not known", &system("2000", "3", one), None),
            ],
        );
        assert_eq!(says(&RULE, name, &system("125", "\"?\"", one)), (Vec::new(), 1));
    }
}
