//! C-22: machines that share a fabric stand in one zone.

use std::collections::BTreeSet;

use super::launch::{has_efa, is_block, templates};
use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, block, field, items, text};

pub(super) const RULE: Rule = Rule {
    id: "C-22",
    title: "one zone",
    grade: Grade::Error,
    formula: "the subnets and zones of a group whose launch template has EFA, a placement group or a capacity block are of one zone; a warning where the zones are not known",
    source: "EC2 documentation: EFA and cluster placement groups do not span zones, a capacity block is in one; ParallelCluster's EfaMultiAz and MultiAzPlacementGroup",
    types: &["aws_autoscaling_group", "aws_eks_node_group"],
    example: "`subnet_ids` in us-east-1a and us-east-1b: half of the machines cannot reach the others over EFA.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let together = templates(subject, found).find_map(|template| {
        let names = ["group_name", "group_id"];
        let grouped = block(template.planned, "placement").is_some_and(|placement| {
            names.iter().any(|name| !matches!(field(placement, name), Field::Absent))
        });
        match (has_efa(template), is_block(template), grouped) {
            (true, _, _) => Some("EFA"),
            (_, true, _) => Some("a capacity block"),
            (_, _, true) => Some("a placement group"),
            _ => None,
        }
    });
    let Some(together) = together else { return };
    let argument = if subject.type_name == "aws_eks_node_group" {
        "subnet_ids"
    } else {
        "vpc_zone_identifier"
    };
    let named = items(subject.planned, "availability_zones").known().unwrap_or_default();
    let mut zones: BTreeSet<String> =
        named.iter().filter_map(|zone| zone.as_str().map(str::to_owned)).collect();
    let mut unknown = false;
    for subnet in subject.linked(found, argument, "aws_subnet") {
        match text(subnet.planned, "availability_zone") {
            Field::Known(zone) => drop(zones.insert(zone.to_owned())),
            _ => unknown = true,
        }
    }
    if zones.len() > 1 {
        let all: Vec<&str> = zones.iter().map(|zone| &**zone).collect();
        let message =
            format!("its launch template has {together}, but it spans {}", all.join(" and "));
        let fix = "keep the subnets of one zone".to_owned();
        return found.error(argument, message, fix);
    }
    let several = items(subject.planned, argument).known().is_some_and(|all| all.len() > 1);
    if several && (unknown || zones.is_empty()) {
        let count = items(subject.planned, argument).known().map_or(0, <[_]>::len);
        let message = format!(
            "its launch template has {together}, and its {count} subnets may be of several zones"
        );
        let fix = "keep one subnet, or subnets of one zone".to_owned();
        found.warning(argument, message, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn said(template: &str, zones: &[&str]) -> Vec<String> {
        let mut stack = Stack::default();
        let names: Vec<String> = (0..zones.len()).map(|at| format!("aws_subnet.s{at}")).collect();
        let mut links = vec![("launch_template", "aws_launch_template.t")];
        for (name, zone) in names.iter().zip(zones) {
            stack.add(name, &format!(r#"{{"availability_zone": "{zone}"}}"#), &[]);
            links.push(("subnet_ids", name));
        }
        stack.add("aws_launch_template.t", template, &[]);
        let ids: Vec<&str> = zones.iter().map(|_| "\"?\"").collect();
        stack.add(
            "aws_eks_node_group.g",
            &format!(r#"{{"subnet_ids": [{}]}}"#, ids.join(",")),
            &links,
        );
        stack.says(&RULE)
    }

    #[test]
    fn what_shares_a_fabric_is_in_one_zone() {
        let efa = r#"{"network_interfaces": [{"interface_type": "efa"}]}"#;
        assert!(said(efa, &["us-east-1a", "us-east-1a"]).is_empty());
        assert_eq!(
            said(efa, &["us-east-1a", "us-east-1b"]),
            ["its launch template has EFA, but it spans us-east-1a and us-east-1b"]
        );
        assert_eq!(
            said(efa, &["?", "?"]),
            ["its launch template has EFA, and its 2 subnets may be of several zones"]
        );
        assert!(said(efa, &["?"]).is_empty());
        let plain = r#"{"network_interfaces": []}"#;
        assert!(said(plain, &["us-east-1a", "us-east-1b"]).is_empty());
        let group = r#"{"placement": [{"group_name": "?"}]}"#;
        assert!(said(group, &["us-east-1a", "us-east-1b"])[0].contains("a placement group"));
        let block = r#"{"instance_market_options": [{"market_type": "capacity-block"}]}"#;
        assert!(said(block, &["us-east-1a", "us-east-1b"])[0].contains("a capacity block"));
    }

    #[test]
    fn one_instance_of_several_subnets_may_be_meant() {
        let mut stack = Stack::default();
        stack.add("aws_subnet.s[\"a\"]", r#"{"availability_zone": "us-east-1a"}"#, &[]);
        stack.add("aws_subnet.s[\"b\"]", r#"{"availability_zone": "us-east-1b"}"#, &[]);
        stack.add(
            "aws_launch_template.t",
            r#"{"network_interfaces": [{"interface_type": "efa"}]}"#,
            &[],
        );
        let template = ("launch_template", "aws_launch_template.t");
        stack.add(
            "aws_eks_node_group.one",
            r#"{"subnet_ids": ["?"]}"#,
            &[template, ("subnet_ids", "aws_subnet.s[\"a\"]")],
        );
        assert!(stack.says(&RULE).is_empty());
        stack.add(
            "aws_eks_node_group.all",
            r#"{"subnet_ids": "?"}"#,
            &[template, ("subnet_ids", "aws_subnet.s")],
        );
        assert_eq!(stack.says(&RULE).len(), 1);
    }

    #[test]
    fn zones_may_be_named_without_subnets() {
        let mut stack = Stack::default();
        stack.add(
            "aws_launch_template.t",
            r#"{"network_interfaces": [{"interface_type": "efa"}]}"#,
            &[],
        );
        stack.add(
            "aws_autoscaling_group.g",
            r#"{"availability_zones": ["us-east-1a", "us-east-1b"]}"#,
            &[("mixed_instances_policy|launch_template", "aws_launch_template.t")],
        );
        assert_eq!(stack.says(&RULE).len(), 1);
    }
}
