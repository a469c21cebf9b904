//! C-52: spot capacity is cheaper than capacity on demand, interruptions counted.

use catalog::Purchase;

use super::c32_checkpoint::{Checkpoint, checkpoint};
use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, block, number, text};
use crate::workload::{Cluster, Workload, time};

pub(super) const RULE: Rule = Rule {
    id: "C-52",
    title: "spot capacity and interruptions",
    grade: Grade::Warning,
    formula: "useful = 1 − write/interval − (interval/2 + restart)/interruptions, with the interval of C-32; spot/useful < price on demand. Interruptions are those of `mean_hours_to_interrupt`",
    source: "Young, CACM 17 (1974); the user's own rate of interruptions, since the catalog has none",
    types: &["pipeline"],
    example: "A write of 102 s, an interruption every 2 h and 10 minutes to start again: interval √(2·102·7200) = 1,212 s; 1 − 102/1212 − (606 + 600)/7200 = 74.8 %. Spot at 45 USD an hour is 60.1 for a useful hour, on demand 55.04.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let workloads = Workload::steps(subject, found);
    if workloads.is_empty() {
        return;
    }
    let Some(cluster) = Cluster::of(subject, found) else { return };
    let Some(decision) = cluster.subject.decision else { return };
    let told = |name: &str| decision.offer_attributes.get(name).and_then(|value| value.as_str());
    if told("purchase") != Some("spot") {
        return;
    }
    let (Some(machine), Some(region)) = (told("machine"), told("region")) else { return };
    let demand = found.catalog.price(&decision.backend, machine, region, Purchase::OnDemand);
    let (Some(spot), Some(demand)) = (cluster.subject.offered("price_usd_per_hour"), demand) else {
        return;
    };
    #[expect(clippy::cast_precision_loss, reason = "compared with a price")]
    let demand = demand.low.0 as f64 / 1e6;
    for workload in workloads {
        let Some(hours) = workload.number("mean_hours_to_interrupt", found) else { continue };
        let Some(asked) = block(workload.whole, "checkpoint") else { continue };
        let system = text(asked, "mount").known().and_then(|mount| cluster.mounted(mount, found));
        let Some(system) = system else { continue };
        let Some(one) = checkpoint(&workload, &cluster, system, found) else { continue };
        let Useful { every, restart, share: useful } = useful(&one, asked, hours);
        found.part.clone_from(&workload.step);
        let name = &workload.name;
        let shown = format!(
            "{name} on spot at {spot:.2} USD an hour: with an interruption every {}, a checkpoint every {} and {} to start again, {:.1} % of the time is useful",
            time(hours * 3600.0),
            time(every),
            time(restart),
            useful.max(0.0) * 100.0
        );
        if useful <= 0.0 {
            let message = format!("{shown}: it never ends");
            found.error("step", message, "choose capacity on demand, or faster storage".to_owned());
        } else if spot / useful >= demand {
            let message = format!(
                "{shown}, so that a useful hour costs {:.2}, and {demand:.2} on demand",
                spot / useful
            );
            let fix = "choose capacity on demand, or write checkpoints faster".to_owned();
            found.warning("step", message, fix);
        }
    }
}

/// What is left of the time.
pub(crate) struct Useful {
    /// Seconds between checkpoints.
    pub(crate) every: f64,
    /// Seconds to start again.
    pub(crate) restart: f64,
    /// The share that is not lost; below nothing if no run comes to its end.
    pub(crate) share: f64,
}

/// What is left of the time when work is interrupted every so many hours.
pub(crate) fn useful(one: &Checkpoint, asked: &value::Value, hours: f64) -> Useful {
    let every = number(asked, "every_s").known().unwrap_or(one.best_s);
    let restart = number(asked, "restart_s").known().unwrap_or(0.0);
    let share = 1.0 - one.write_s / every - (every / 2.0 + restart) / (hours * 3600.0);
    Useful { every, restart, share }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn said(spot: f64, hours: f64, checkpoint: &str) -> Vec<String> {
        let mut stack = Stack::default();
        stack.add("filesystem.f", r#"{"throughput_mb_per_s": 9600}"#, &[]);
        let cluster = r#"{"nodes": 8, "accelerator": {"type": "h100", "count": 64}}"#;
        stack.add("cluster.c", cluster, &[("mounts|/data", "filesystem.f")]);
        let offer = format!(
            r#"{{"price_usd_per_hour": {spot}, "purchase": "spot", "machine": "p5.48xlarge", "region": "us-east-1", "accelerator": "H100"}}"#
        );
        stack.placed(&offer, 8);
        let step = format!(
            r#"{{"step": {{"train": {{"workload": {{"params_billion": 70, "mean_hours_to_interrupt": {hours}}}, "checkpoint": {{"mount": "/data"{checkpoint}}}}}}}}}"#
        );
        stack.add("pipeline.p", &step, &[("cluster", "cluster.c")]);
        stack.says(&RULE)
    }

    #[test]
    fn a_useful_hour_on_spot_is_cheaper_or_told() {
        assert!(said(20.0, 2.0, r#", "restart_s": 600"#).is_empty());
        assert_eq!(
            said(45.0, 2.0, r#", "restart_s": 600"#),
            [
                "step `train` on spot at 45.00 USD an hour: with an interruption every 2.0 h, a checkpoint every 20 min and 10 min to start again, 74.8 % of the time is useful, so that a useful hour costs 60.14, and 55.04 on demand"
            ]
        );
        assert!(said(45.0, 200.0, r#", "restart_s": 600"#).is_empty());
        let never = said(5.0, 0.2, r#", "restart_s": 900"#);
        assert!(never[0].ends_with("0.0 % of the time is useful: it never ends"), "{never:?}");
    }
}
