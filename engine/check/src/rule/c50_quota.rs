//! C-50: machines of a plan keep within the quotas that the `stack` block states.

use super::launch::machine;
use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, amount, block, number};

pub(super) const RULE: Rule = Rule {
    id: "C-50",
    title: "quotas",
    grade: Grade::Error,
    formula: "Σ of the machines of a type, groups at their largest size, ≤ `quotas` of the `placement` block; machines that a change makes before it destroys the old ones count twice",
    source: "the user's own quotas; the plan cannot ask a provider for them",
    types: &[
        "aws_instance",
        "aws_spot_instance_request",
        "aws_autoscaling_group",
        "aws_eks_node_group",
        "azurerm_linux_virtual_machine",
        "azurerm_linux_virtual_machine_scale_set",
        "azurerm_kubernetes_cluster_node_pool",
        "google_compute_instance",
        "google_container_node_pool",
    ],
    example: "`quotas = { \"aws/p5.48xlarge\" = 4 }`, an autoscaling group with `max_size = 4` and one instance beside it: 4 + 1 = 5 > 4.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let mut told = Vec::new();
    for (backend, argument, name) in machine(subject, found) {
        let key = format!("{backend}/{name}");
        let Some((_, quota)) = found.quotas.iter().find(|(of, _)| *of == key) else { continue };
        if told.contains(&key) {
            continue;
        }
        let uses = |other: &&Subject<'_>| {
            RULE.types.contains(&other.type_name)
                && machine(other, found).iter().any(|one| (one.0, one.2) == (backend, name))
        };
        // It is told once, where the first of them stands.
        let first = found.all.subjects.iter().filter(|one| one.changes).find(uses);
        told.push(key);
        if first.is_none_or(|first| first.address != subject.address) {
            continue;
        }
        let mut parts = Vec::new();
        for other in found.all.subjects.iter().filter(uses) {
            parts.extend(count(other).map(|count| (other, count)));
        }
        let total: f64 = parts.iter().map(|(_, count)| count).sum();
        #[expect(clippy::cast_precision_loss, reason = "a number of machines")]
        let over = total > *quota as f64;
        if over {
            let sum: Vec<String> =
                parts.iter().map(|(one, count)| format!("{count} of `{}`", one.address)).collect();
            let message = format!(
                "{total} machines of `{name}` are more than the quota of {quota}: {}",
                sum.join(" + ")
            );
            let fix = "ask for fewer, or have the quota raised and `quotas` with it".to_owned();
            found.error(argument, message, fix);
        }
    }
}

/// How many machines a resource comes to, at most.
fn count(subject: &Subject<'_>) -> Option<f64> {
    let planned = subject.planned;
    if planned.is_null() {
        return None;
    }
    match subject.type_name {
        "aws_autoscaling_group" => amount(planned, "max_size").known(),
        "aws_eks_node_group" => {
            block(planned, "scaling_config").and_then(|scaling| number(scaling, "max_size").known())
        }
        "azurerm_linux_virtual_machine_scale_set" => number(planned, "instances").known(),
        "azurerm_kubernetes_cluster_node_pool" => {
            let most = number(planned, "max_count").known();
            most.or_else(|| number(planned, "node_count").known())
        }
        "google_container_node_pool" => {
            let scaling = block(planned, "autoscaling");
            let most = scaling.and_then(|scaling| number(scaling, "max_node_count").known());
            most.or_else(|| number(planned, "node_count").known())
        }
        _ => Some(if subject.overlaps { 2.0 } else { 1.0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn stack(quota: u64) -> Stack {
        let mut stack = Stack::default();
        stack.quota("aws/p5.48xlarge", quota);
        stack.add("aws_launch_template.t", r#"{"instance_type": "p5.48xlarge"}"#, &[]);
        stack.add(
            "aws_autoscaling_group.g",
            r#"{"max_size": 4}"#,
            &[("launch_template", "aws_launch_template.t")],
        );
        stack.add("aws_instance.i", r#"{"instance_type": "p5.48xlarge"}"#, &[]);
        stack.add("aws_instance.j", r#"{"instance_type": "m5.large"}"#, &[]);
        stack
    }

    #[test]
    fn machines_keep_within_the_quota() {
        assert!(stack(5).says(&RULE).is_empty());
        assert_eq!(
            stack(4).says(&RULE),
            [
                "5 machines of `p5.48xlarge` are more than the quota of 4: 4 of `aws_autoscaling_group.g` + 1 of `aws_instance.i`"
            ]
        );
    }
}
