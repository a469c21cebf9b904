//! C-38: a Filestore instance of that tier and size exists.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, amount, blocks, text};

pub(super) const RULE: Rule = Rule {
    id: "C-38",
    title: "Filestore",
    grade: Grade::Error,
    formula: "BASIC_HDD 1,024 to 65,433 GiB; BASIC_SSD 2,560 to 65,433; ZONAL 1,024 to 9,984 in steps of 256, or 10,240 to 102,400 in steps of 2,560; REGIONAL 100 to 102,400",
    source: "Google Cloud documentation, Filestore service tiers, read on 2026-11-26",
    types: &["google_filestore_instance"],
    example: "ZONAL with 10,000 GiB: above 9,984 = 39·256 the next size is 10,240 = 4·2,560. BASIC_SSD with 1,024 GiB is below its least size of 2,560.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let tier = match text(subject.planned, "tier") {
        Field::Known(tier) => tier,
        Field::Absent => return,
        Field::Unknown => return found.wait_for("tier"),
    };
    // The older names of the same tiers.
    let name = match tier {
        "STANDARD" => "BASIC_HDD",
        "PREMIUM" => "BASIC_SSD",
        other => other,
    };
    let service = format!("filestore.{}", name.to_lowercase());
    let limit = |of: &str| found.catalog.limit("google", &service, of);
    let (Some(least), Some(most)) = (limit("min_gib"), limit("max_gib")) else { return };
    let (small_most, large_least) = (limit("small_max_gib"), limit("large_min_gib"));
    let (small_step, large_step) = (limit("small_step_gib"), limit("large_step_gib"));
    for share in blocks(subject.planned, "file_shares") {
        let gib = match amount(share, "capacity_gb") {
            Field::Known(gib) => gib,
            Field::Absent => continue,
            Field::Unknown => {
                found.wait_for("capacity_gb");
                continue;
            }
        };
        if gib < least || gib > most {
            let message = format!("`{tier}` has {least} to {most} GiB, not {gib}");
            let fix = format!("write `capacity_gb = {}`", gib.clamp(least, most));
            found.error("file_shares", message, fix);
            continue;
        }
        let (Some(small_most), Some(large_least)) = (small_most, large_least) else { continue };
        let (Some(small_step), Some(large_step)) = (small_step, large_step) else { continue };
        let step = if gib > small_most { large_step } else { small_step };
        if gib % step == 0.0 {
            continue;
        }
        let below = if gib > small_most {
            ((gib / step).floor() * step).max(small_most)
        } else {
            (gib / step).floor() * step
        };
        let above = (gib / step).ceil() * step;
        let above = if above > small_most { above.max(large_least) } else { above };
        let message = format!("`{tier}` has no size of {gib} GiB: steps are {step} GiB here");
        found.error("file_shares", message, format!("the nearest sizes are {below} and {above}"));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{says, table};

    #[test]
    fn sizes_are_those_of_the_tier() {
        let share = |tier: &str, gib: &str| {
            format!(r#"{{"tier": "{tier}", "file_shares": [{{"capacity_gb": {gib}}}]}}"#)
        };
        table(
            &RULE,
            "google_filestore_instance",
            &[
                ("disks", &share("BASIC_HDD", "1024"), None),
                ("the older name", &share("PREMIUM", "1024"), Some("2560 to 65433 GiB, not 1024")),
                ("too small", &share("BASIC_SSD", "2559"), Some("not 2559")),
                ("too large", &share("BASIC_HDD", "65434"), Some("not 65434")),
                ("zonal, lower range", &share("ZONAL", "9984"), None),
                ("between the ranges", &share("ZONAL", "10000"), Some("no size of 10000 GiB")),
                ("zonal, upper range", &share("ZONAL", "12800"), None),
                ("no step of the upper range", &share("ZONAL", "10496"), Some("steps are 2560")),
                ("regional, any size", &share("REGIONAL", "101"), None),
                ("a tier that is not known", &share("ENTERPRISE", "1"), None),
            ],
        );
        let later = share("ZONAL", "\"?\"");
        assert_eq!(says(&RULE, "google_filestore_instance", &later), (Vec::new(), 1));
    }
}
