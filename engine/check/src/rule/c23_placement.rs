//! C-23: placement groups where they help, and none where they hurt.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, block, blocks, field, flag, number, text};

pub(super) const RULE: Rule = Rule {
    id: "C-23",
    title: "placement group",
    grade: Grade::Error,
    formula: "capacity block ⇒ no placement group; EFA without a placement group or a capacity block is a warning; a scale set with a single placement group has at most 100 machines",
    source: "EC2 documentation of Capacity Blocks; three schedulers that found out on their own; Microsoft documentation of scale sets and placement groups, read on 2026-11-26",
    types: &["aws_launch_template", "azurerm_linux_virtual_machine_scale_set"],
    example: "`market_type = \"capacity-block\"` with `placement { group_name = … }`: the machines never start, since a block has a place already.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let planned = subject.planned;
    if subject.type_name == "azurerm_linux_virtual_machine_scale_set" {
        return scale_set(planned, found);
    }
    let market = block(planned, "instance_market_options")
        .and_then(|options| text(options, "market_type").known());
    let placement = block(planned, "placement");
    let names = ["group_name", "group_id"];
    let grouped = placement.is_some_and(|one| {
        // A group that is made in the same plan has no id yet, but there will be one.
        names.iter().any(|name| field(one, name).is_unknown() || text(one, name).known().is_some())
    });
    if market == Some("capacity-block") {
        if grouped {
            let message = "a capacity block has its place already; with a placement group its machines do not start";
            found.error("placement", message.to_owned(), "leave `placement` out".to_owned());
        }
        return;
    }
    let efa = blocks(planned, "network_interfaces")
        .iter()
        .any(|one| matches!(text(one, "interface_type").known(), Some("efa" | "efa-only")));
    let reserved = block(planned, "capacity_reservation_specification").is_some();
    if efa && !grouped && !reserved {
        let message =
            "EFA interfaces without a placement group: machines may stand far from each other";
        let fix = "add `placement { group_name = … }` with an `aws_placement_group` of strategy `cluster`";
        found.warning("network_interfaces", message.to_owned(), fix.to_owned());
    }
}

/// A placement group of Azure holds so many machines.
const GROUP_MACHINES: f64 = 100.0;

fn scale_set(planned: &value::Value, found: &mut Found<'_>) {
    let single = flag(planned, "single_placement_group").or(true);
    let machines = number(planned, "instances").known().filter(|count| *count > GROUP_MACHINES);
    if let (Some(true), Some(machines)) = (single, machines) {
        let message = format!(
            "{machines} machines, but a single placement group has at most {GROUP_MACHINES}"
        );
        let fix = "write `single_placement_group = false`, or several scale sets";
        found.error("instances", message, fix.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::table;

    #[test]
    fn blocks_and_groups_do_not_mix() {
        table(
            &RULE,
            "aws_launch_template",
            &[
                (
                    "block",
                    r#"{"instance_market_options": [{"market_type": "capacity-block"}], "network_interfaces": [{"interface_type": "efa"}]}"#,
                    None,
                ),
                (
                    "block and group",
                    r#"{"instance_market_options": [{"market_type": "capacity-block"}], "placement": [{"group_name": "g"}]}"#,
                    Some("do not start"),
                ),
                (
                    "block and a group that is new",
                    r#"{"instance_market_options": [{"market_type": "capacity-block"}], "placement": [{"group_name": "?"}]}"#,
                    Some("do not start"),
                ),
                (
                    "block and another placement",
                    r#"{"instance_market_options": [{"market_type": "capacity-block"}], "placement": [{"group_name": null, "tenancy": "default"}]}"#,
                    None,
                ),
                (
                    "EFA alone",
                    r#"{"network_interfaces": [{"interface_type": "efa"}]}"#,
                    Some("without a placement group"),
                ),
                (
                    "EFA in a group",
                    r#"{"network_interfaces": [{"interface_type": "efa"}], "placement": [{"group_name": "g"}]}"#,
                    None,
                ),
                ("no EFA", r#"{"network_interfaces": [{"interface_type": "interface"}]}"#, None),
            ],
        );
        table(
            &RULE,
            "azurerm_linux_virtual_machine_scale_set",
            &[
                ("one group", r#"{"instances": 100}"#, None),
                ("too many for one", r#"{"instances": 128}"#, Some("at most 100")),
                ("several groups", r#"{"instances": 128, "single_placement_group": false}"#, None),
            ],
        );
    }
}
