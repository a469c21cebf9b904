//! C-54: a training run keeps to its time and money.

use super::c24_all_reduce::UTILIZATION;
use crate::model::training_s;
use crate::rule::{Found, Grade, Rule};
use crate::subject::Subject;
use crate::workload::{Cluster, Workload, time};

pub(super) const RULE: Rule = Rule {
    id: "C-54",
    title: "time and cost of a run",
    grade: Grade::Error,
    formula: "time = 6·active·tokens/(devices·peak·utilization); cost = time·machines·price; utilization 0.3 to 0.5 if nothing is said. An error if the best of it is over `max_hours` or `max_usd`, a warning if the worst of it is",
    source: "Kaplan et al., arXiv 2001.08361 (2020); Transformer Math 101 (2023)",
    types: &["pipeline"],
    example: "70 billion parameters, 2 billion tokens, 64 H100 at 40 %: 6·70e9·2e9/(64·989e12·0.4) = 33,178 s = 9.2 h; on 8 p5.48xlarge at 55.04 USD an hour 4,058 USD.",
    run,
};

/// What a run takes, at best and at worst.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEstimate {
    /// The pipeline.
    pub address: String,
    /// The step.
    pub step: String,
    /// Seconds, the fewest and the most.
    pub seconds: (f64, f64),
    /// US dollars, where the price of the machines is known.
    pub usd: Option<(f64, f64)>,
    /// The formula with its numbers.
    pub formula: String,
}

/// How much less and more a model gets of the peak than is taken.
const BAND: f64 = 0.1;

pub(crate) fn estimate(
    subject: &Subject<'_>,
    workload: &Workload<'_>,
    cluster: &Cluster<'_>,
    found: &mut Found<'_>,
) -> Option<RunEstimate> {
    let precision = workload.word("precision", found).unwrap_or("bf16");
    let peak = cluster.peak(precision)?;
    let tokens = workload.number("tokens_billion", found)? * 1e9;
    let active = workload.active(found)?;
    let (least, most) = match workload.number("utilization", found).filter(|one| *one > 0.0) {
        Some(known) => (known, known),
        None => (UTILIZATION - BAND, UTILIZATION + BAND),
    };
    let at = |utilization: f64| training_s(active, tokens, cluster.devices, peak, utilization);
    let seconds = (at(most), at(least));
    let usd = cluster.usd_per_hour();
    let usd = usd.map(|usd| (seconds.0 / 3600.0 * usd, seconds.1 / 3600.0 * usd));
    let used = if (most - least).abs() < f64::EPSILON {
        format!("{most}")
    } else {
        format!("{least:.1}…{most:.1}")
    };
    let formula =
        format!("6·{:.3e}·{:.3e}/({}·{:.3e}·{used})", active, tokens, cluster.devices, peak);
    let (address, step) = (subject.address.clone(), workload.step.clone().unwrap_or_default());
    Some(RunEstimate { address, step, seconds, usd, formula })
}

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let workloads = Workload::steps(subject, found);
    if workloads.is_empty() {
        return;
    }
    let Some(cluster) = Cluster::of(subject, found) else { return };
    for workload in workloads {
        found.part.clone_from(&workload.step);
        let Some(run) = estimate(subject, &workload, &cluster, found) else { continue };
        let name = &workload.name;
        if let Some(hours) = workload.number("max_hours", found) {
            let (low, high) = (run.seconds.0 / 3600.0, run.seconds.1 / 3600.0);
            let message = format!(
                "{name} takes {} to {} ({}), more than `max_hours = {hours}`",
                time(run.seconds.0),
                time(run.seconds.1),
                run.formula
            );
            let more = (cluster.devices * low / hours).ceil();
            let fix = format!("{more} accelerators would do it at best, or fewer tokens");
            tell(low > hours, high > hours, message, fix, found);
        }
        let limit = workload.number("max_usd", found);
        if let Some((limit, (low, high))) = limit.zip(run.usd) {
            let message = format!(
                "{name} costs {low:.0} to {high:.0} USD ({}, {:.2} USD an hour), more than `max_usd = {limit}`",
                run.formula,
                cluster.usd_per_hour().unwrap_or_default()
            );
            let fix =
                "raise the limit, train on fewer tokens, or choose cheaper capacity".to_owned();
            tell(low > limit, high > limit, message, fix, found);
        }
    }
}

fn tell(surely: bool, perhaps: bool, message: String, fix: String, found: &mut Found<'_>) {
    if surely {
        found.error("step", message, fix);
    } else if perhaps {
        found.warning("step", message.replacen(", more than", ", perhaps more than", 1), fix);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rule::Grade;
    use crate::testing::Stack;

    fn said(workload: &str) -> Vec<(Grade, String)> {
        let mut stack = Stack::default();
        let cluster = r#"{"nodes": 8, "accelerator": {"type": "h100", "count": 64}}"#;
        stack.add("cluster.c", cluster, &[]);
        stack.placed(r#"{"price_usd_per_hour": 55.04, "accelerator": "H100"}"#, 8);
        let step = format!(
            r#"{{"step": {{"train": {{"workload": {{"params_billion": 70, "tokens_billion": 2, {workload}}}}}}}}}"#
        );
        stack.add("pipeline.p", &step, &[("cluster", "cluster.c")]);
        let findings = stack.judge().findings.into_iter();
        let own = findings.filter(|finding| finding.rule.id == RULE.id);
        own.map(|finding| (finding.problem.grade, finding.problem.message)).collect()
    }

    #[test]
    fn runs_keep_to_their_limits() {
        assert!(said(r#""utilization": 0.4, "max_hours": 9.3, "max_usd": 4060"#).is_empty());
        let long = said(r#""utilization": 0.4, "max_hours": 9, "max_usd": 4000"#);
        assert_eq!(
            long[0].1,
            "step `train` takes 9.2 h to 9.2 h (6·7.000e10·2.000e9/(64·9.890e14·0.4)), more than `max_hours = 9`"
        );
        assert!(long[1].1.contains("costs 4058 to 4058 USD"), "{}", long[1].1);
        assert!(long.iter().all(|(grade, _)| *grade == Grade::Error));
        // 7.4 h at half the peak, 12.3 h at three tenths.
        let perhaps = said(r#""max_hours": 10"#);
        assert_eq!(perhaps[0].0, Grade::Warning);
        assert!(perhaps[0].1.contains("takes 7.4 h to 12.3 h"), "{}", perhaps[0].1);
        assert!(perhaps[0].1.contains("perhaps more than"), "{}", perhaps[0].1);
    }
}
