//! What the work of components will come to: time and cost of training, checkpoints, tokens a second, cold starts.
//!
//! Estimates, each with its formula and its numbers. They refuse nothing; the rules of the same names do.

use crate::judge::Circumstances;
use crate::model::bytes_of;
use crate::rule::{Found, c10, c32, c40, c52, c54};
use crate::subject::{Everything, Subject, block, text};
use crate::workload::{Cluster, Workload};

/// An estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Prospect {
    /// The component.
    pub address: String,
    /// The step of a pipeline.
    pub step: Option<String>,
    /// Of what it is, such as `training time`.
    pub what: &'static str,
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
    /// The unit of both.
    pub unit: &'static str,
    /// How it was worked out, with the numbers.
    pub formula: String,
}

/// All that can be said of the components, in their order. What an input is missing for is left out.
pub fn prospects(subjects: &[Subject<'_>], given: &Circumstances<'_>) -> Vec<Prospect> {
    let all = Everything::new(subjects);
    let mut found = Found::new(given, &all);
    let mut told = Vec::new();
    for subject in subjects {
        match subject.type_name {
            "pipeline" => steps(subject, &mut found, &mut told),
            "endpoint" => endpoint(subject, &mut found, &mut told),
            _ => {}
        }
    }
    told
}

fn steps(subject: &Subject<'_>, found: &mut Found<'_>, told: &mut Vec<Prospect>) {
    let workloads = Workload::steps(subject, found);
    if workloads.is_empty() {
        return;
    }
    let Some(cluster) = Cluster::of(subject, found) else { return };
    for workload in workloads {
        let mut tell = |what, (low, high): (f64, f64), unit, formula: &str| {
            told.push(Prospect {
                address: subject.address.clone(),
                step: workload.step.clone(),
                what,
                low,
                high,
                unit,
                formula: formula.to_owned(),
            });
        };
        let mut paid = None;
        if let Some(run) = c54(subject, &workload, &cluster, found) {
            let hours = (run.seconds.0 / 3600.0, run.seconds.1 / 3600.0);
            tell("training time", hours, "h", &run.formula);
            paid = run.usd;
            if let Some(usd) = run.usd {
                let rate = cluster.usd_per_hour().unwrap_or_default();
                tell("cost of a run", usd, "USD", &format!("training time · {rate:.2} USD/h"));
            }
            let grams = cluster.subject.offered("carbon_grams_per_hour");
            if let Some(grams) = grams.zip(cluster.machines()).map(|(grams, n)| grams * n) {
                let kg = (hours.0 * grams / 1000.0, hours.1 * grams / 1000.0);
                let formula =
                    format!("training time · {:.1} kg/h, accelerators alone", grams / 1e3);
                tell("emissions of a run", kg, "kg CO2e", &formula);
            }
        }
        let mount = block(workload.whole, "checkpoint").and_then(|one| text(one, "mount").known());
        let system = mount.and_then(|mount| cluster.mounted(mount, found));
        let checkpoint = system.and_then(|system| c32(&workload, &cluster, system, found));
        if let Some(one) = checkpoint {
            let formula = format!("{:.3e}/{:.3e} bytes/s", one.size, one.rate);
            tell("checkpoint", (one.write_s, one.write_s), "s", &formula);
            let formula = format!("√(2·{:.0}·{:.0}), Young", one.write_s, one.failures_s);
            tell("best interval of checkpoints", (one.best_s, one.best_s), "s", &formula);
            let on_spot = cluster.subject.decision.is_some_and(|decision| {
                let purchase = decision.offer_attributes.get("purchase");
                purchase.and_then(|value| value.as_str()) == Some("spot")
            });
            let hours = workload.number("mean_hours_to_interrupt", found).filter(|_| on_spot);
            if let Some(hours) = hours
                && let Some(asked) = block(workload.whole, "checkpoint")
            {
                let left = c52(&one, asked, hours);
                let share = left.share.max(0.0);
                let formula = format!(
                    "1 − {:.0}/{:.0} − ({:.0}/2 + {:.0})/{:.0}",
                    one.write_s,
                    left.every,
                    left.every,
                    left.restart,
                    hours * 3600.0
                );
                tell(
                    "useful share of the time on spot",
                    (share * 100.0, share * 100.0),
                    "%",
                    &formula,
                );
                if let Some((low, high)) = paid.filter(|_| share > 0.0) {
                    let formula = "cost of a run / useful share";
                    tell(
                        "cost of a run with interruptions",
                        (low / share, high / share),
                        "USD",
                        formula,
                    );
                }
            }
        }
    }
}

fn endpoint(subject: &Subject<'_>, found: &mut Found<'_>, told: &mut Vec<Prospect>) {
    let Some(workload) = Workload::served(subject, found) else { return };
    let mut tell = |what, value: f64, unit, formula: String| {
        let (address, step) = (subject.address.clone(), None);
        told.push(Prospect { address, step, what, low: value, high: value, unit, formula });
    };
    if let Some(cluster) = Cluster::of(subject, found)
        && let Some(memory) = c10(&workload, &cluster, found)
        && let Some(rate) = c40(&workload, &cluster, found)
    {
        let batch = workload.degree("concurrent_sequences", found);
        let formula =
            format!("memory roofline, {batch} sequences on {} accelerators", memory.devices);
        tell("tokens of a replica, at most", rate.decode, "tokens/s", formula);
        if let Some(usd) = cluster.usd_per_hour() {
            let share = memory.devices / cluster.devices;
            let each = usd * share / (rate.decode * 3600.0) * 1e6;
            let formula = format!("{:.2} USD/h / {:.0} tokens/s", usd * share, rate.decode);
            tell("cost of a million tokens, at least", each, "USD", formula);
        }
    }
    let bytes = bytes_of(workload.word("precision", found).unwrap_or("bf16"));
    let weights = workload.parameters(found).zip(bytes).map(|(count, bytes)| count * bytes);
    let load = workload.number("load_mb_per_s", found).filter(|rate| *rate > 0.0);
    if let Some((weights, load)) = weights.zip(load) {
        let of = |name| workload.number(name, found).unwrap_or(0.0);
        let parts = ["node_start_s", "image_pull_s", "engine_start_s"].map(of);
        let loading = weights / (load * 1e6);
        let all = parts.iter().sum::<f64>() + loading;
        let formula = format!(
            "node {} + image {} + weights {loading:.0} + engine {}",
            parts[0], parts[1], parts[2]
        );
        tell("cold start", all, "s", formula);
    }
}

#[cfg(test)]
mod tests {
    use super::prospects;
    use crate::testing::Stack;

    #[test]
    fn runs_and_replicas_are_estimated_with_their_formulas() {
        let mut stack = Stack::default();
        stack.add("filesystem.f", r#"{"throughput_mb_per_s": 9600}"#, &[]);
        let cluster = r#"{"nodes": 8, "accelerator": {"type": "h100", "count": 64}}"#;
        stack.add("cluster.c", cluster, &[("mounts|/data", "filesystem.f")]);
        stack.placed(r#"{"price_usd_per_hour": 55.04, "carbon_grams_per_hour": 2069, "accelerator": "H100"}"#, 8);
        let step = r#"{"step": {"train": {"workload": {"params_billion": 70, "tokens_billion": 2, "utilization": 0.4}, "checkpoint": {"mount": "/data"}}}}"#;
        stack.add("pipeline.p", step, &[("cluster", "cluster.c")]);
        let endpoint = r#"{"workload": {"params_billion": 70, "tensor_parallel": 8, "load_mb_per_s": 2000, "engine_start_s": 45}}"#;
        stack.add("endpoint.e", endpoint, &[("cluster", "cluster.c")]);
        let told = stack.with_subjects(prospects);
        let shown: Vec<String> = told
            .iter()
            .map(|one| format!("{} {}: {:.1} {}", one.address, one.what, one.low, one.unit))
            .collect();
        assert_eq!(
            shown,
            [
                "pipeline.p training time: 9.2 h",
                "pipeline.p cost of a run: 4058.0 USD",
                // 9.216 h · 8 · 2.069 kg.
                "pipeline.p emissions of a run: 152.5 kg CO2e",
                "pipeline.p checkpoint: 102.1 s",
                "pipeline.p best interval of checkpoints: 24124.5 s",
                "endpoint.e tokens of a replica, at most: 191.4 tokens/s",
                // 55.04 USD/h over 191.43·3600 tokens.
                "endpoint.e cost of a million tokens, at least: 79.9 USD",
                "endpoint.e cold start: 115.0 s",
            ]
        );
        // The same on spot with an interruption every 9 h: 1 − 102/2573 − 1286/32400 = 92.1 %.
        let mut stack = Stack::default();
        stack.add("filesystem.f", r#"{"throughput_mb_per_s": 9600}"#, &[]);
        stack.add("cluster.c", cluster, &[("mounts|/data", "filesystem.f")]);
        stack.placed(r#"{"price_usd_per_hour": 20, "purchase": "spot", "accelerator": "H100"}"#, 8);
        let spot = step.replace(
            "\"utilization\": 0.4",
            "\"utilization\": 0.4, \"mean_hours_to_interrupt\": 9",
        );
        stack.add("pipeline.p", &spot, &[("cluster", "cluster.c")]);
        let on_spot = stack.with_subjects(prospects);
        let of = |what: &str| {
            let one = on_spot.iter().find(|one| one.what == what).expect("an estimate");
            (format!("{:.1}", one.low), one.formula.clone())
        };
        let (share, formula) = of("useful share of the time on spot");
        assert_eq!((&*share, &*formula), ("92.1", "1 − 102/2572 − (2572/2 + 0)/32400"));
        // 9.216 h · 8 · 20 / 0.9206.
        assert_eq!(of("cost of a run with interruptions").0, "1601.7");
        assert_eq!(told[0].formula, "6·7.000e10·2.000e9/(64·9.890e14·0.4)");
    }
}
