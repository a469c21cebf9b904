//! C-30: an `FSx` for Lustre file system of that kind and size exists.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, blocks, flag, number, text};

pub(super) const RULE: Rule = Rule {
    id: "C-30",
    title: "FSx for Lustre",
    grade: Grade::Error,
    formula: "SSD: capacity is 1200, 2400 or a multiple of 2400 GiB; HDD: a multiple of 6000 (12 MB/s/TiB) or 1800 (40); throughput per TiB is one of PERSISTENT_1 50, 100, 200 and PERSISTENT_2 125, 250, 500, 1000; `efa_enabled` needs PERSISTENT_2 and `metadata_configuration`; Intelligent-Tiering has a throughput in steps of 4,000 MB/s",
    source: "FSx API reference, CreateFileSystem",
    types: &["aws_fsx_lustre_file_system"],
    example: "1300 GiB is no size: 1200 and 2400 are the nearest. 2400 GiB at 1000 MB/s/TiB give 2400/1024·1000 = 2344 MB/s.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let planned = subject.planned;
    let Some(deployment) = text(planned, "deployment_type").or("SCRATCH_1") else {
        return found.wait_for("deployment_type");
    };
    let Some(storage) = text(planned, "storage_type").or("SSD") else {
        return found.wait_for("storage_type");
    };
    let unit = number(planned, "per_unit_storage_throughput");
    if storage == "INTELLIGENT_TIERING" {
        return tiering(subject, found);
    }
    capacity(subject, deployment, storage, unit, found);
    throughput(deployment, storage, unit, found);
    if flag(planned, "efa_enabled").known() == Some(true) {
        let fix = "write `deployment_type = \"PERSISTENT_2\"` and a `metadata_configuration` block"
            .to_owned();
        if deployment != "PERSISTENT_2" {
            found.error(
                "efa_enabled",
                format!("`{deployment}` file systems cannot be reached over EFA"),
                fix,
            );
        } else if blocks(planned, "metadata_configuration").is_empty() {
            found.error("efa_enabled", "EFA needs a `metadata_configuration`".to_owned(), fix);
        }
    }
}

fn tiering(subject: &Subject<'_>, found: &mut Found<'_>) {
    let wanted = match number(subject.planned, "throughput_capacity") {
        Field::Known(wanted) => wanted,
        Field::Absent => return,
        Field::Unknown => return found.wait_for("throughput_capacity"),
    };
    let service = "fsx.lustre.intelligent_tiering";
    let Some(step) = found.catalog.limit("aws", service, "throughput_step_mb_per_s") else {
        return;
    };
    if wanted <= 0.0 || wanted % step != 0.0 {
        let near = ((wanted / step).round() * step).max(step);
        let message = format!("{wanted} MB/s, but Intelligent-Tiering comes in steps of {step}");
        found.error(
            "throughput_capacity",
            message,
            format!("write `throughput_capacity = {near}`"),
        );
    }
}

fn capacity(
    subject: &Subject<'_>,
    deployment: &str,
    storage: &str,
    unit: Field<f64>,
    found: &mut Found<'_>,
) {
    let gib = match number(subject.planned, "storage_capacity") {
        Field::Known(gib) => gib,
        // A backup brings its own size.
        Field::Absent => return,
        Field::Unknown => return found.wait_for("storage_capacity"),
    };
    let limit = |service: &str| found.catalog.limit("aws", service, "capacity_step_gib");
    let (step, first) = if storage == "HDD" {
        let Some(unit) = unit.known() else { return };
        (limit(&format!("fsx.lustre.persistent_1.hdd.{unit}")), Vec::new())
    } else if deployment == "SCRATCH_1" {
        (
            limit("fsx.lustre.scratch_1"),
            found.catalog.choices("aws", "fsx.lustre.ssd", "first_capacities_gib"),
        )
    } else {
        (
            limit("fsx.lustre.ssd"),
            found.catalog.choices("aws", "fsx.lustre.ssd", "first_capacities_gib"),
        )
    };
    let Some(step) = step else { return };
    if gib > 0.0 && (first.contains(&gib) || gib % step == 0.0) {
        return;
    }
    let mut near: Vec<f64> = first
        .iter()
        .copied()
        .chain([(gib / step).floor() * step, (gib / step).ceil() * step])
        .collect();
    near.retain(|size| *size > 0.0);
    near.sort_by(|a, b| (a - gib).abs().total_cmp(&(b - gib).abs()));
    near.dedup();
    let near: Vec<String> = near.iter().take(2).map(f64::to_string).collect();
    let message = format!("a `{deployment}` file system on {storage} has no size of {gib} GiB");
    found.error(
        "storage_capacity",
        message,
        format!("the nearest sizes are {} GiB", near.join(" and ")),
    );
}

fn throughput(deployment: &str, storage: &str, unit: Field<f64>, found: &mut Found<'_>) {
    if storage != "SSD" || !deployment.starts_with("PERSISTENT") {
        return;
    }
    let unit = match unit {
        Field::Known(unit) => unit,
        Field::Absent => return,
        Field::Unknown => return found.wait_for("per_unit_storage_throughput"),
    };
    let service = format!("fsx.lustre.{}.ssd", deployment.to_lowercase());
    let choices = found.catalog.choices("aws", &service, "units_mb_per_s_per_tib");
    if !choices.is_empty() && !choices.contains(&unit) {
        let choices: Vec<String> = choices.iter().map(f64::to_string).collect();
        let message = format!("{unit} MB/s/TiB does not exist for `{deployment}` on SSD");
        found.error(
            "per_unit_storage_throughput",
            message,
            format!("choose {}", choices.join(", ")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{says, table};

    #[test]
    fn sizes_and_speeds_are_those_that_exist() {
        let system = |kind: &str, gib: &str, unit: &str, more: &str| {
            format!(
                r#"{{"deployment_type": "{kind}", "storage_type": "SSD", "storage_capacity": {gib}, "per_unit_storage_throughput": {unit}{more}}}"#
            )
        };
        table(
            &RULE,
            "aws_fsx_lustre_file_system",
            &[
                ("the smallest", &system("PERSISTENT_2", "1200", "125", ""), None),
                ("a multiple", &system("PERSISTENT_2", "9600", "1000", ""), None),
                (
                    "no size",
                    &system("PERSISTENT_2", "1300", "125", ""),
                    Some("no size of 1300 GiB"),
                ),
                (
                    "no multiple",
                    &system("PERSISTENT_2", "3600", "125", ""),
                    Some("no size of 3600 GiB"),
                ),
                ("none", &system("PERSISTENT_2", "0", "125", ""), Some("no size of 0 GiB")),
                (
                    "too slow a unit",
                    &system("PERSISTENT_2", "1200", "40", ""),
                    Some("40 MB/s/TiB does not exist"),
                ),
                ("a unit of the older kind", &system("PERSISTENT_1", "1200", "50", ""), None),
                ("scratch", &system("SCRATCH_2", "2400", "null", ""), None),
                ("the oldest scratch", &system("SCRATCH_1", "3600", "null", ""), None),
                (
                    "EFA",
                    &system(
                        "PERSISTENT_2",
                        "1200",
                        "125",
                        r#", "efa_enabled": true, "metadata_configuration": [{"mode": "AUTOMATIC"}]"#,
                    ),
                    None,
                ),
                (
                    "EFA on scratch",
                    &system("SCRATCH_2", "1200", "null", r#", "efa_enabled": true"#),
                    Some("cannot be reached over EFA"),
                ),
                (
                    "EFA without metadata",
                    &system(
                        "PERSISTENT_2",
                        "1200",
                        "125",
                        r#", "efa_enabled": true, "metadata_configuration": []"#,
                    ),
                    Some("needs a `metadata_configuration`"),
                ),
                (
                    "disks",
                    r#"{"deployment_type": "PERSISTENT_1", "storage_type": "HDD", "storage_capacity": 6000, "per_unit_storage_throughput": 12}"#,
                    None,
                ),
                (
                    "tiers",
                    r#"{"deployment_type": "PERSISTENT_2", "storage_type": "INTELLIGENT_TIERING", "throughput_capacity": 8000}"#,
                    None,
                ),
                (
                    "tiers of no speed",
                    r#"{"deployment_type": "PERSISTENT_2", "storage_type": "INTELLIGENT_TIERING", "throughput_capacity": 6000}"#,
                    Some("steps of 4000"),
                ),
                (
                    "disks of no size",
                    r#"{"deployment_type": "PERSISTENT_1", "storage_type": "HDD", "storage_capacity": 2000, "per_unit_storage_throughput": 40}"#,
                    Some("no size of 2000 GiB"),
                ),
            ],
        );
        let later = system("PERSISTENT_2", "\"?\"", "\"?\"", "");
        assert_eq!(says(&RULE, "aws_fsx_lustre_file_system", &later), (Vec::new(), 2));
    }
}
