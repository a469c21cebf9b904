//! C-01: the machine type exists, and the zone has it.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, text};

pub(super) const RULE: Rule = Rule {
    id: "C-01",
    title: "machine type",
    grade: Grade::Warning,
    formula: "`instance_type` is in the catalog, and among the offerings of the region or zone",
    source: "EC2 DescribeInstanceTypes and DescribeInstanceTypeOfferings",
    types: &["aws_instance", "aws_launch_template", "aws_spot_instance_request"],
    example: "`p5.48xlargee` is not in the catalog; the nearest name is `p5.48xlarge`. `p4de.24xlarge` is, but `us-east-1a` does not have it: zones b and c do.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let name = match text(subject.planned, "instance_type") {
        Field::Known(name) => name,
        Field::Absent => return,
        Field::Unknown => return found.wait_for("instance_type"),
    };
    if found.catalog.machine("aws", name).is_none() {
        let near = found.catalog.nearest_machine("aws", name);
        let fix = near.map_or_else(
            || "look it up with `stratiform catalog types -backend=aws`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("`{name}` is not a machine type that the catalog knows");
        return found.warning("instance_type", message, fix);
    }
    let Some(places) = found.catalog.places("aws", name) else { return };
    let zone = text(subject.planned, "availability_zone").known();
    let region = zone.and_then(|zone| zone.get(..zone.len().saturating_sub(1)));
    let Some(region) = region.or(subject.region.as_deref()) else { return };
    let Some(place) = places.iter().find(|place| place.region == region) else {
        let regions: Vec<&str> = places.iter().map(|place| &*place.region).collect();
        let message = format!("`{name}` is not offered in `{region}`");
        return found.warning("instance_type", message, format!("it is in {}", regions.join(", ")));
    };
    let letter = zone.and_then(|zone| zone.chars().last());
    if let Some(letter) =
        letter.filter(|letter| !place.zones.is_empty() && !place.zones.contains(*letter))
    {
        let message = format!("`{name}` is not offered in zone `{region}{letter}`");
        let zones: Vec<String> =
            place.zones.chars().map(|zone| format!("{region}{zone}")).collect();
        found.warning("availability_zone", message, format!("it is in {}", zones.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{says, table};

    #[test]
    fn types_that_do_not_exist_or_are_elsewhere_are_told() {
        table(
            &RULE,
            "aws_instance",
            &[
                ("as it should be", r#"{"instance_type": "p5.48xlarge"}"#, None),
                (
                    "misspelt",
                    r#"{"instance_type": "p5.48xlargee"}"#,
                    Some("`p5.48xlargee` is not a machine type"),
                ),
                (
                    "another region",
                    r#"{"instance_type": "p5e.48xlarge"}"#,
                    Some("not offered in `us-east-1`"),
                ),
                (
                    "its own zone",
                    r#"{"instance_type": "p4de.24xlarge", "availability_zone": "us-east-1b"}"#,
                    None,
                ),
                (
                    "another zone",
                    r#"{"instance_type": "p4de.24xlarge", "availability_zone": "us-east-1a"}"#,
                    Some("zone `us-east-1a`"),
                ),
                (
                    "ordinary machines",
                    r#"{"instance_type": "m5.large", "availability_zone": "us-east-1a"}"#,
                    None,
                ),
                ("not set", r#"{"instance_type": null}"#, None),
            ],
        );
        assert_eq!(says(&RULE, "aws_instance", r#"{"instance_type": "?"}"#).1, 1, "it has to wait");
    }
}
