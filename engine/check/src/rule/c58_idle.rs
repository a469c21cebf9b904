//! C-58: what stands idle is told.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, block, number};
use crate::workload::{Workload, known};

pub(super) const RULE: Rule = Rule {
    id: "C-58",
    title: "idle capacity",
    grade: Grade::Warning,
    formula: "idle hours of a day / 24 ≤ 20 %, where `scale.min` keeps replicas; money = that share of the price of the cluster",
    source: "our own rule",
    types: &["endpoint"],
    example: "An endpoint that sleeps 12 h a day on one p5.48xlarge: 12·55.04 = 660 USD a day for nothing, 50 %.",
    run,
};

const MUCH: f64 = 0.2;

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(workload) = Workload::served(subject, found) else { return };
    let Some(idle) = workload.number("idle_hours_per_day", found) else { return };
    let scale = block(subject.planned, "scale");
    let least = scale.and_then(|scale| known(number(scale, "min"), "scale.min", found));
    let Some(least) = least.filter(|least| *least >= 1.0 && idle / 24.0 > MUCH) else { return };
    let cluster = crate::workload::Cluster::of(subject, found);
    let usd = cluster
        .and_then(|cluster| cluster.usd_per_hour())
        .map_or_else(String::new, |usd| format!(": {:.0} USD a day for nothing", usd * idle));
    let message = format!(
        "`scale.min = {least}` keeps replicas through {idle} idle hours a day, {:.0} % of the time{usd}",
        idle / 24.0 * 100.0
    );
    found.warning("scale", message, "write `min = 0` if a cold start can be borne".to_owned());
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    #[test]
    fn idle_replicas_are_told_with_their_price() {
        let said = |min: u32, idle: u32| {
            let mut stack = Stack::default();
            let cluster = r#"{"nodes": 1, "accelerator": {"type": "h100", "count": 8}}"#;
            stack.add("cluster.c", cluster, &[]).placed(r#"{"price_usd_per_hour": 55.04}"#, 1);
            let endpoint = format!(
                r#"{{"scale": {{"min": {min}}}, "workload": {{"params_billion": 8, "idle_hours_per_day": {idle}}}}}"#
            );
            stack.add("endpoint.e", &endpoint, &[("cluster", "cluster.c")]);
            stack.says(&RULE)
        };
        assert!(said(0, 12).is_empty());
        assert!(said(1, 4).is_empty());
        assert_eq!(
            said(1, 12),
            [
                "`scale.min = 1` keeps replicas through 12 idle hours a day, 50 % of the time: 660 USD a day for nothing"
            ]
        );
    }
}
