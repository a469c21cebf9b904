//! C-39: an Azure `NetApp` Files pool or volume of that size and speed exists.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, amount, flag, text};

pub(super) const RULE: Rule = Rule {
    id: "C-39",
    title: "Azure NetApp Files",
    grade: Grade::Error,
    formula: "pool: 1 to 2,048 TiB; volume: 50 to 102,400 GiB, a large one from 51,200; throughput of all volumes ≤ pool TiB · (16 Standard, 64 Premium, 128 Ultra) MiB/s, of one ≤ 4,500 MiB/s",
    source: "Microsoft documentation, Azure NetApp Files, resource limits and service levels, 2025-06-10",
    types: &["azurerm_netapp_pool", "azurerm_netapp_volume"],
    example: "A Premium pool of 4 TiB gives 4·64 = 256 MiB/s: a volume in it with `throughput_in_mibps = 400` is refused, and 400/64 = 6.25, so 7 TiB are needed.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.type_name == "azurerm_netapp_pool" {
        return pool(subject, found);
    }
    volume(subject, found);
}

fn pool(subject: &Subject<'_>, found: &mut Found<'_>) {
    let tib = match amount(subject.planned, "size_in_tb") {
        Field::Known(tib) => tib,
        Field::Absent => return,
        Field::Unknown => return found.wait_for("size_in_tb"),
    };
    let limit = |name: &str| found.catalog.limit("azure", "netapp_files.pool", name);
    let (Some(least), Some(most)) = (limit("min_tib"), limit("max_tib")) else { return };
    if tib < least || tib > most {
        let fix = format!("write `size_in_tb = {}`", tib.clamp(least, most));
        found.error("size_in_tb", format!("a pool has {least} to {most} TiB, not {tib}"), fix);
    }
}

fn volume(subject: &Subject<'_>, found: &mut Found<'_>) {
    let planned = subject.planned;
    let large = flag(planned, "large_volume_enabled").known() == Some(true);
    let limit =
        |of: &str, name: &str| found.catalog.limit("azure", &format!("netapp_files.{of}"), name);
    let kind = if large { "large_volume" } else { "volume" };
    let (least, most) = (limit(kind, "min_gib"), limit(kind, "max_gib"));
    let fastest = limit("volume", "max_mib_per_s");
    match amount(planned, "storage_quota_in_gb") {
        Field::Known(gib) => {
            if least.is_some_and(|least| gib < least) || most.is_some_and(|most| gib > most) {
                let least = least.unwrap_or(0.0);
                let range = most.map_or_else(
                    || format!("{least} GiB or more"),
                    |most| format!("{least} to {most} GiB"),
                );
                let message =
                    format!("a {}volume has {range}, not {gib}", if large { "large " } else { "" });
                let fix = if large {
                    "leave `large_volume_enabled` out, or make it larger".to_owned()
                } else {
                    "write a size within, or `large_volume_enabled = true` above".to_owned()
                };
                found.error("storage_quota_in_gb", message, fix);
            }
        }
        Field::Absent => {}
        Field::Unknown => found.wait_for("storage_quota_in_gb"),
    }
    let wanted = match amount(planned, "throughput_in_mibps") {
        Field::Known(wanted) => wanted,
        Field::Absent => return,
        Field::Unknown => return found.wait_for("throughput_in_mibps"),
    };
    if let Some(fastest) = fastest.filter(|fastest| !large && wanted > *fastest) {
        let message = format!("{wanted} MiB/s are more than the {fastest} of one volume");
        let fix = "spread the data over several volumes, or use a large one".to_owned();
        return found.error("throughput_in_mibps", message, fix);
    }
    let Some(level) = text(planned, "service_level").known() else { return };
    let per_tib = limit(&level.to_lowercase(), "mib_per_s_per_tib");
    let pool = subject.linked(found, "pool_name", "azurerm_netapp_pool").next();
    let tib = pool.and_then(|pool| amount(pool.planned, "size_in_tb").known());
    let (Some(per_tib), Some(tib)) = (per_tib, tib) else { return };
    let gives = per_tib * tib;
    if wanted > gives {
        let message = format!(
            "{wanted} MiB/s, but a {level} pool of {tib} TiB gives {tib}·{per_tib} = {gives} MiB/s"
        );
        let fix = format!("give the pool {} TiB", (wanted / per_tib).ceil());
        found.error("throughput_in_mibps", message, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{Stack, says, table};

    #[test]
    fn pools_and_volumes_have_the_sizes_that_exist() {
        table(
            &RULE,
            "azurerm_netapp_pool",
            &[
                ("the smallest", r#"{"size_in_tb": 1}"#, None),
                ("too large", r#"{"size_in_tb": 3000}"#, Some("1 to 2048 TiB, not 3000")),
            ],
        );
        table(
            &RULE,
            "azurerm_netapp_volume",
            &[
                ("the smallest", r#"{"storage_quota_in_gb": 50}"#, None),
                ("too small", r#"{"storage_quota_in_gb": 20}"#, Some("50 to 102400 GiB, not 20")),
                (
                    "too large for an ordinary one",
                    r#"{"storage_quota_in_gb": 200000}"#,
                    Some("not 200000"),
                ),
                ("large", r#"{"storage_quota_in_gb": 200000, "large_volume_enabled": true}"#, None),
                (
                    "too small for a large one",
                    r#"{"storage_quota_in_gb": 1000, "large_volume_enabled": true}"#,
                    Some("51200 GiB or more"),
                ),
                (
                    "too fast for one",
                    r#"{"storage_quota_in_gb": 100, "throughput_in_mibps": 5000}"#,
                    Some("more than the 4500"),
                ),
            ],
        );
        assert_eq!(says(&RULE, "azurerm_netapp_volume", r#"{"storage_quota_in_gb": "?"}"#).1, 1);
    }

    #[test]
    fn a_volume_is_no_faster_than_its_pool() {
        let said = |mib: u32| {
            let mut stack = Stack::default();
            stack.add("azurerm_netapp_pool.p", r#"{"size_in_tb": 4}"#, &[]);
            let volume = format!(
                r#"{{"service_level": "Premium", "storage_quota_in_gb": 1024, "throughput_in_mibps": {mib}}}"#
            );
            stack.add(
                "azurerm_netapp_volume.v",
                &volume,
                &[("pool_name", "azurerm_netapp_pool.p")],
            );
            stack.says(&RULE)
        };
        assert!(said(256).is_empty());
        let wrong = said(400);
        assert_eq!(
            wrong,
            ["400 MiB/s, but a Premium pool of 4 TiB gives 4·64 = 256 MiB/s".to_owned()]
        );
    }
}
