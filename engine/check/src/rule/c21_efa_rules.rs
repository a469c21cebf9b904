//! C-21: a security group lets EFA through.

use value::Value;

use super::launch::has_efa;
use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, blocks, flag, text};

pub(super) const RULE: Rule = Rule {
    id: "C-21",
    title: "security group of EFA",
    grade: Grade::Error,
    formula: "a security group of interfaces of EFA, or of a file system with `efa_enabled`, allows all traffic from itself and to itself; an address range does not count",
    source: "EC2 documentation of EFA, step 1, \"prepare an EFA-enabled security group\"; ParallelCluster's EfaSecurityGroupValidator",
    types: &["aws_launch_template", "aws_fsx_lustre_file_system"],
    example: "`egress` to 0.0.0.0/0 alone: EFA's traffic is no IP traffic, so that no range matches it; NCCL falls back to TCP, at a hundredth of the speed. It takes `self = true` with `protocol = \"-1\"` in both directions.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let (argument, direct) = if subject.type_name == "aws_launch_template" {
        if !has_efa(subject) {
            return;
        }
        ("network_interfaces", "vpc_security_group_ids")
    } else {
        if flag(subject.planned, "efa_enabled").known() != Some(true) {
            return;
        }
        ("security_group_ids", "security_group_ids")
    };
    let mut groups: Vec<&Subject<'_>> = subject
        .linked(found, argument, "aws_security_group")
        .chain(subject.linked(found, direct, "aws_security_group"))
        .filter(|group| !group.planned.is_null())
        .collect();
    groups.dedup_by_key(|group| &group.address);
    // Groups from elsewhere have rules that nobody here knows.
    if groups.is_empty() {
        return;
    }
    for (direction, word) in [(Direction::In, "from"), (Direction::Out, "to")] {
        if groups.iter().any(|group| allows_itself(group, direction, found)) {
            continue;
        }
        let names: Vec<String> = groups.iter().map(|one| format!("`{}`", one.address)).collect();
        let message = format!(
            "EFA needs all traffic {word} the security group itself, and {} has no such rule",
            names.join(", ")
        );
        let kind = if direction == Direction::In { "ingress" } else { "egress" };
        let fix = format!(
            "add `aws_vpc_security_group_{kind}_rule` with `ip_protocol = \"-1\"` and the group as `referenced_security_group_id`"
        );
        found.error(argument, message, fix);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

/// Whether a group has a rule for all traffic with itself: one of its own, or a resource that points at it.
fn allows_itself(group: &Subject<'_>, direction: Direction, found: &Found<'_>) -> bool {
    let (own, kind, rule) = match direction {
        Direction::In => ("ingress", "ingress", "aws_vpc_security_group_ingress_rule"),
        Direction::Out => ("egress", "egress", "aws_vpc_security_group_egress_rule"),
    };
    let all = |rule: &Value, name: &str| matches!(text(rule, name).known(), Some("-1" | "all"));
    let inline = blocks(group.planned, own)
        .iter()
        .any(|rule| all(rule, "protocol") && flag(rule, "self").known() == Some(true));
    let points = |other: &Subject<'_>, argument: &str| {
        other.links.iter().any(|link| link.is_within(&[argument]) && link.target == group.home)
    };
    inline
        || found.all.pointing_at(&group.home, rule).any(|other| {
            all(other.planned, "ip_protocol")
                && points(other, "security_group_id")
                && points(other, "referenced_security_group_id")
        })
        || found.all.pointing_at(&group.home, "aws_security_group_rule").any(|other| {
            text(other.planned, "type").known() == Some(kind)
                && all(other.planned, "protocol")
                && points(other, "security_group_id")
                && (flag(other.planned, "self").known() == Some(true)
                    || points(other, "source_security_group_id"))
        })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn template(group: &str) -> Stack {
        let mut stack = Stack::default();
        stack.add("aws_security_group.g", group, &[]);
        stack.add(
            "aws_launch_template.t",
            r#"{"network_interfaces": [{"interface_type": "efa"}]}"#,
            &[("network_interfaces|security_groups", "aws_security_group.g")],
        );
        stack
    }

    #[test]
    fn groups_allow_all_traffic_with_themselves() {
        let both = r#"{"ingress": [{"protocol": "-1", "self": true}], "egress": [{"protocol": "-1", "self": true}]}"#;
        assert!(template(both).says(&RULE).is_empty());
        let range = r#"{"ingress": [{"protocol": "-1", "self": true}], "egress": [{"protocol": "-1", "cidr_blocks": ["0.0.0.0/0"], "self": false}]}"#;
        assert_eq!(
            template(range).says(&RULE),
            [
                "EFA needs all traffic to the security group itself, and `aws_security_group.g` has no such rule"
            ]
        );
        let tcp = r#"{"ingress": [{"protocol": "tcp", "self": true}], "egress": "?"}"#;
        assert_eq!(template(tcp).says(&RULE).len(), 2);
    }

    #[test]
    fn rules_may_be_resources_of_their_own() {
        let group = "aws_security_group.g";
        let mut stack = template(r#"{"ingress": "?", "egress": "?"}"#);
        stack.add(
            "aws_vpc_security_group_ingress_rule.i",
            r#"{"ip_protocol": "-1"}"#,
            &[("security_group_id", group), ("referenced_security_group_id", group)],
        );
        assert_eq!(stack.says(&RULE).len(), 1, "egress is missing");
        stack.add(
            "aws_security_group_rule.e",
            r#"{"type": "egress", "protocol": "-1", "self": true}"#,
            &[("security_group_id", group)],
        );
        assert!(stack.says(&RULE).is_empty());
    }

    #[test]
    fn file_systems_and_groups_from_elsewhere() {
        let mut stack = Stack::default();
        stack.add("aws_security_group.g", r#"{"ingress": [], "egress": []}"#, &[]);
        let system = "aws_fsx_lustre_file_system.f";
        stack.add(
            system,
            r#"{"efa_enabled": true}"#,
            &[("security_group_ids", "aws_security_group.g")],
        );
        assert_eq!(stack.says(&RULE).len(), 2);
        let mut other = Stack::default();
        other.add(system, r#"{"efa_enabled": true, "security_group_ids": ["sg-1"]}"#, &[]);
        assert!(other.says(&RULE).is_empty(), "nobody here knows its rules");
    }
}
