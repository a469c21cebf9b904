//! C-01: the machine type exists, and the zone has it.

use super::launch::machine;
use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, text};

pub(super) const RULE: Rule = Rule {
    id: "C-01",
    title: "machine type",
    grade: Grade::Warning,
    formula: "the type is in the catalog, and among the offerings of the region or zone; of Azure and Google, whose catalogs hold the families with accelerators alone, only names that differ from a known one in a letter are told",
    source: "EC2 DescribeInstanceTypes and DescribeInstanceTypeOfferings; price tables of Azure and machine types of Google",
    types: &[
        "aws_instance",
        "aws_launch_template",
        "aws_spot_instance_request",
        "aws_eks_node_group",
        "azurerm_linux_virtual_machine",
        "azurerm_linux_virtual_machine_scale_set",
        "azurerm_kubernetes_cluster_node_pool",
        "google_compute_instance",
        "google_container_node_pool",
    ],
    example: "`p5.48xlargee` is not in the catalog; the nearest name is `p5.48xlarge`. `p4de.24xlarge` is, but `us-east-1a` does not have it: zones b and c do.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let direct = ["aws_instance", "aws_launch_template", "aws_spot_instance_request"];
    if direct.contains(&subject.type_name) && text(subject.planned, "instance_type").is_unknown() {
        return found.wait_for("instance_type");
    }
    for (backend, attribute, name) in machine(subject, found) {
        // The template has its own finding.
        if attribute == "launch_template" {
            continue;
        }
        if backend == "aws" {
            exists(subject, attribute, name, found);
        } else {
            misspelt(backend, attribute, name, found);
        }
    }
}

/// Names that are known but for a letter. Figures tell machines apart, so that another figure is another machine.
fn misspelt(backend: &str, attribute: &'static str, name: &str, found: &mut Found<'_>) {
    if found.catalog.machine(backend, name).is_some() {
        return;
    }
    let Some(near) = found.catalog.nearest_machine(backend, name) else { return };
    let figures = |name: &str| -> String { name.chars().filter(char::is_ascii_digit).collect() };
    if figures(near) == figures(name) && near.len().abs_diff(name.len()) <= 1 {
        let message = format!("`{name}` is not a machine type that the catalog knows");
        found.warning(attribute, message, format!("did you mean `{near}`?"));
    }
}

fn exists(subject: &Subject<'_>, attribute: &'static str, name: &str, found: &mut Found<'_>) {
    if found.catalog.machine("aws", name).is_none() {
        let near = found.catalog.nearest_machine("aws", name);
        let fix = near.map_or_else(
            || "look it up with `stratiform catalog types -backend=aws`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("`{name}` is not a machine type that the catalog knows");
        return found.warning(attribute, message, fix);
    }
    let Some(places) = found.catalog.places("aws", name) else { return };
    let zone = text(subject.planned, "availability_zone").known();
    let region = zone.and_then(|zone| zone.get(..zone.len().saturating_sub(1)));
    let Some(region) = region.or(subject.region.as_deref()) else { return };
    let Some(place) = places.iter().find(|place| place.region == region) else {
        let regions: Vec<&str> = places.iter().map(|place| &*place.region).collect();
        let message = format!("`{name}` is not offered in `{region}`");
        return found.warning(attribute, message, format!("it is in {}", regions.join(", ")));
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

    #[test]
    fn other_clouds_are_told_of_slips_alone() {
        table(
            &RULE,
            "azurerm_linux_virtual_machine",
            &[
                ("known", r#"{"size": "Standard_ND96isr_H100_v5"}"#, None),
                (
                    "a letter",
                    r#"{"size": "Standard_ND96irs_H100_v5"}"#,
                    Some("`Standard_ND96irs_H100_v5` is not a machine type"),
                ),
                ("another one", r#"{"size": "Standard_D4s_v5"}"#, None),
                ("another figure", r#"{"size": "Standard_ND96isr_H100_v6"}"#, None),
            ],
        );
        table(
            &RULE,
            "google_container_node_pool",
            &[
                (
                    "a slip",
                    r#"{"node_config": [{"machine_type": "a3-highgpu-8gg"}]}"#,
                    Some("a3-highgpu-8gg"),
                ),
                ("a smaller one", r#"{"node_config": [{"machine_type": "a3-highgpu-1g"}]}"#, None),
            ],
        );
        let group = r#"{"instance_types": ["p5.48xlarge", "p5.48xlargee"]}"#;
        assert_eq!(says(&RULE, "aws_eks_node_group", group).0.len(), 1);
    }
}
