//! C-37: a Google Managed Lustre instance of that tier and size exists.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, amount};

pub(super) const RULE: Rule = Rule {
    id: "C-37",
    title: "Google Managed Lustre",
    grade: Grade::Error,
    formula: "capacity is a multiple of 72,000 GiB (125 MB/s/TiB), 36,000 (250), 18,000 (500) or 9,000 (1000); eight times that step above 6,120,000 (250), 3,060,000 (500) and 1,530,000 GiB (1000)",
    source: "Google Cloud documentation, Managed Lustre, increase capacity, read on 2026-11-26",
    types: &["google_lustre_instance"],
    example: "18,000 GiB at 1000 MB/s/TiB: 18,000/9,000 = 2 steps, and 18,000/1,024·1,000 = 17,578 MB/s. 18,000 GiB at 250 MB/s/TiB is half a step of 36,000.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let planned = subject.planned;
    let unit = match amount(planned, "per_unit_storage_throughput") {
        Field::Known(unit) => unit,
        // The dynamic tier has none.
        Field::Absent => return,
        Field::Unknown => return found.wait_for("per_unit_storage_throughput"),
    };
    let choices = found.catalog.choices("google", "managed_lustre", "units_mb_per_s_per_tib");
    if !choices.is_empty() && !choices.contains(&unit) {
        let choices: Vec<String> = choices.iter().map(f64::to_string).collect();
        return found.error(
            "per_unit_storage_throughput",
            format!("there is no tier of {unit} MB/s/TiB"),
            format!("choose {}", choices.join(", ")),
        );
    }
    let gib = match amount(planned, "capacity_gib") {
        Field::Known(gib) => gib,
        Field::Absent => return,
        Field::Unknown => return found.wait_for("capacity_gib"),
    };
    let limit = |name: &str| found.catalog.limit("google", &format!("managed_lustre.{unit}"), name);
    let Some(small) = limit("capacity_step_gib") else { return };
    let large = limit("large_above_gib").filter(|above| gib > *above);
    let step = large.and_then(|_| limit("large_step_gib")).unwrap_or(small);
    let most = limit("max_gib");
    if gib <= 0.0 || gib % step != 0.0 {
        let near = [(gib / step).floor() * step, ((gib / step).floor() + 1.0) * step];
        let near: Vec<String> =
            near.iter().filter(|size| **size > 0.0).map(f64::to_string).collect();
        let message = format!("at {unit} MB/s/TiB there is no size of {gib} GiB: steps are {step}");
        let fix = format!("the nearest sizes are {} GiB", near.join(" and "));
        found.error("capacity_gib", message, fix);
    } else if let Some(most) = most.filter(|most| gib > *most) {
        let message = format!("{gib} GiB are more than the {most} GiB of {unit} MB/s/TiB");
        found.error("capacity_gib", message, format!("write `capacity_gib = {most}` or less"));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{says, table};

    #[test]
    fn sizes_are_those_of_the_tier() {
        let instance = |unit: &str, gib: &str| {
            format!(r#"{{"per_unit_storage_throughput": {unit}, "capacity_gib": {gib}}}"#)
        };
        table(
            &RULE,
            "google_lustre_instance",
            &[
                ("the provider's strings", &instance("\"1000\"", "\"18000\""), None),
                ("half a step", &instance("\"250\"", "\"18000\""), Some("steps are 36000")),
                ("the smallest", &instance("125", "72000"), None),
                ("too small", &instance("500", "9000"), Some("no size of 9000 GiB")),
                ("small steps up to here", &instance("1000", "1530000"), None),
                ("large steps above", &instance("1000", "1539000"), Some("steps are 72000")),
                ("a large step", &instance("1000", "1584000"), None),
                ("too large", &instance("1000", "10080000"), Some("more than the 10008000")),
                ("no such tier", &instance("300", "36000"), Some("no tier of 300")),
                ("the dynamic tier", &instance("null", "9001"), None),
            ],
        );
        assert_eq!(
            says(&RULE, "google_lustre_instance", &instance("500", "\"?\"")),
            (Vec::new(), 1)
        );
    }
}
