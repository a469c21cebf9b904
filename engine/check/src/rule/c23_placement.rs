//! C-23: placement groups where they help, and none where they hurt.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, block, blocks, field, text};

pub(super) const RULE: Rule = Rule {
    id: "C-23",
    title: "placement group",
    grade: Grade::Error,
    formula: "capacity block ⇒ no placement group; EFA without a placement group or a capacity block is a warning",
    source: "EC2 documentation of Capacity Blocks; three schedulers that found out on their own",
    types: &["aws_launch_template"],
    example: "`market_type = \"capacity-block\"` with `placement { group_name = … }`: the machines never start, since a block has a place already.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let planned = subject.planned;
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
    }
}
