//! C-51: a capacity block is asked for as EC2 sells it.

use super::launch::{is_block, templates};
use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, amount, block, field, number, text};

pub(super) const RULE: Rule = Rule {
    id: "C-51",
    title: "capacity blocks",
    grade: Grade::Error,
    formula: "at most 64 instances in a block and 256 a day; a launch template of a block names its reservation; its machine type is sold in blocks",
    source: "EC2 documentation of Capacity Blocks for ML, read on 2026-11-26; EC2 DescribeInstanceTypes",
    types: &[
        "aws_launch_template",
        "aws_autoscaling_group",
        "aws_eks_node_group",
        "data.aws_ec2_capacity_block_offering",
    ],
    example: "An autoscaling group of 80 machines on one block: 80 > 64, so that 16 never start. g5.48xlarge is not sold in blocks at all.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let planned = subject.planned;
    match subject.type_name {
        "aws_launch_template" => template(subject, found),
        "data.aws_ec2_capacity_block_offering" => {
            sold("instance_type", text(planned, "instance_type"), found);
            size("instance_count", amount(planned, "instance_count"), found);
        }
        "aws_eks_node_group" => {
            let direct = text(planned, "capacity_type").known() == Some("CAPACITY_BLOCK");
            if direct || templates(subject, found).any(is_block) {
                let scaling = block(planned, "scaling_config");
                let most = scaling.map_or(Field::Absent, |scaling| number(scaling, "max_size"));
                size("scaling_config", most, found);
            }
        }
        _ => {
            if templates(subject, found).any(is_block) {
                size("max_size", amount(planned, "max_size"), found);
            }
        }
    }
}

fn size(attribute: &'static str, count: Field<f64>, found: &mut Found<'_>) {
    if count.is_unknown() {
        return found.wait_for(attribute);
    }
    let Some(most) = found.catalog.limit("aws", "capacity_block", "max_instances") else { return };
    if let Some(count) = count.known().filter(|count| *count > most) {
        let message = format!("{count} instances, but a capacity block has at most {most}");
        let fix = format!("write {most} or less, and take another block for the rest");
        found.error(attribute, message, fix);
    }
}

fn template(subject: &Subject<'_>, found: &mut Found<'_>) {
    if !is_block(subject) {
        return;
    }
    let planned = subject.planned;
    sold("instance_type", text(planned, "instance_type"), found);
    let target = block(planned, "capacity_reservation_specification")
        .and_then(|one| block(one, "capacity_reservation_target"));
    let names = ["capacity_reservation_id", "capacity_reservation_resource_group_arn"];
    let named = target.is_some_and(|target| {
        names.iter().any(|name| !matches!(field(target, name), Field::Absent))
    });
    if !named {
        let message = "machines of a capacity block start in its reservation, which is not named";
        let fix = "add `capacity_reservation_specification { capacity_reservation_target { capacity_reservation_id = … } }`";
        found.error("instance_market_options", message.to_owned(), fix.to_owned());
    }
}

fn sold(attribute: &'static str, name: Field<&str>, found: &mut Found<'_>) {
    let Some(name) = name.known() else { return };
    let Some(machine) = found.catalog.machine("aws", name) else { return };
    let block = catalog::Purchase::CapacityBlock;
    if !machine.purchase.is_empty() && !machine.purchase.contains(&block) {
        let ways: Vec<&str> = machine.purchase.iter().map(|way| way.name()).collect();
        let message = format!("`{name}` is not sold in capacity blocks, but {}", ways.join(", "));
        found.error(attribute, message, "choose another type or another way to buy".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{Stack, table};

    #[test]
    fn blocks_are_as_they_are_sold() {
        let template = |machine: &str, target: &str| {
            format!(
                r#"{{"instance_type": "{machine}", "instance_market_options": [{{"market_type": "capacity-block"}}], "capacity_reservation_specification": [{target}]}}"#
            )
        };
        let named = r#"{"capacity_reservation_target": [{"capacity_reservation_id": "?"}]}"#;
        table(
            &RULE,
            "aws_launch_template",
            &[
                ("named", &template("p5.48xlarge", named), None),
                ("not named", &template("p5.48xlarge", ""), Some("which is not named")),
                (
                    "not sold so",
                    &template("g5.48xlarge", named),
                    Some("`g5.48xlarge` is not sold in capacity blocks, but on_demand, spot"),
                ),
                ("no block", r#"{"instance_type": "g5.48xlarge"}"#, None),
            ],
        );
        let offering = "data.aws_ec2_capacity_block_offering";
        table(
            &RULE,
            offering,
            &[
                ("all of it", r#"{"instance_type": "p5.48xlarge", "instance_count": 64}"#, None),
                ("too many", r#"{"instance_count": 65}"#, Some("at most 64")),
            ],
        );
    }

    #[test]
    fn groups_are_no_larger_than_a_block() {
        let mut stack = Stack::default();
        let block = r#"{"instance_market_options": [{"market_type": "capacity-block"}], "capacity_reservation_specification": [{"capacity_reservation_target": [{"capacity_reservation_id": "cr-1"}]}]}"#;
        stack.add("aws_launch_template.t", block, &[]);
        let link = [("launch_template", "aws_launch_template.t")];
        stack.add("aws_autoscaling_group.g", r#"{"max_size": 80}"#, &link);
        stack.add("aws_eks_node_group.n", r#"{"scaling_config": [{"max_size": 64}]}"#, &link);
        assert_eq!(stack.says(&RULE), ["80 instances, but a capacity block has at most 64"]);
    }
}
