//! C-24: the network carries the gradients in time.

use crate::model::{all_reduce_s, bytes_of, gather_s, training_s};
use crate::rule::{Found, Grade, Rule};
use crate::subject::Subject;
use crate::workload::{Cluster, Workload, gb, time};

pub(super) const RULE: Rule = Rule {
    id: "C-24",
    title: "all-reduce of gradients",
    grade: Grade::Error,
    formula: "time = bytes·2(n−1)/n / rate of a node, with bytes = 2·P/pipeline and n = nodes/pipeline; ZeRO-3 gathers twice and scatters once, 3(n−1)/n. step = 6·P·tokens/(devices·peak·utilization). What is exposed, max(0, time − overlap·step), is a warning above 15 % of the step and an error above all of it",
    source: "nccl-tests, PERFORMANCE.md (bus bandwidth); Transformer Math 101 (2023)",
    types: &["pipeline"],
    example: "70 billion bf16 gradients over 8 nodes of 3,200 Gbit/s: 140e9·2·7/8/400e9 = 0.61 s. A step of 4 million tokens on 64 H100 at 40 %: 6·70e9·4e6/(64·989e12·0.4) = 66.4 s, so 0.9 %. At 100 Gbit/s it would be 19.6 s, 30 %.",
    run,
};

/// The utilization that is taken if none is given.
pub(super) const UTILIZATION: f64 = 0.4;

const MUCH: f64 = 0.15;

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let workloads = Workload::steps(subject, found);
    if workloads.is_empty() {
        return;
    }
    let Some(cluster) = Cluster::of(subject, found) else { return };
    for workload in workloads {
        found.part.clone_from(&workload.step);
        judge(&workload, &cluster, found);
    }
}

fn judge(workload: &Workload<'_>, cluster: &Cluster<'_>, found: &mut Found<'_>) {
    let precision = workload.word("precision", found).unwrap_or("bf16");
    let (Some(rate), Some(peak)) = (cluster.node_rate, cluster.peak(precision)) else { return };
    let tokens = workload.number("global_batch_tokens", found);
    let parameters = workload.parameters(found).zip(workload.active(found)).zip(tokens);
    let Some(((parameters, active), tokens)) = parameters else { return };
    let pipeline = workload.degree("pipeline_parallel", found);
    let ranks = cluster.nodes / pipeline;
    if ranks < 2.0 {
        return;
    }
    // Gradients are kept in two bytes, in four where weights are.
    let each = bytes_of(precision).unwrap_or(2.0).max(2.0);
    let trained = workload.number("lora_params_billion", found).map(|billion| billion * 1e9);
    let bytes = trained.unwrap_or(parameters) * each / pipeline;
    let sharded = workload.number("zero_stage", found).is_some_and(|stage| stage >= 3.0);
    let all = parameters * each / pipeline;
    let communication = if sharded {
        2.0 * gather_s(all, ranks, rate) + gather_s(bytes, ranks, rate)
    } else {
        all_reduce_s(bytes, ranks, rate)
    };
    let utilization = workload.number("utilization", found).unwrap_or(UTILIZATION);
    let step = training_s(active, tokens, cluster.devices, peak, utilization);
    let overlap = workload.number("communication_overlap", found).unwrap_or(0.0);
    let exposed = (communication - overlap * step).max(0.0);
    let share = exposed / step;
    if share <= MUCH {
        return;
    }
    let message = format!(
        "{} moves {} of gradients between {ranks} nodes in {} at {:.0} Gbit/s a node, {:.0} % of a step of {}",
        workload.name,
        gb(bytes),
        time(communication),
        rate * 8.0 / 1e9,
        share * 100.0,
        time(step)
    );
    let wanted = communication * rate * 8.0 / 1e9 / (step * (MUCH + overlap));
    let fix = format!(
        "{wanted:.0} Gbit/s a node would make it 15 %; or a larger `global_batch_tokens`, or `communication_overlap` where the framework hides it"
    );
    if share > 1.0 {
        found.error("step", message, fix);
    } else {
        found.warning("step", message, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn said(gbps: &str, workload: &str) -> Vec<String> {
        let mut stack = Stack::default();
        stack.add("fabric.f", &format!(r#"{{"node_gbps": {gbps}}}"#), &[]);
        let cluster = r#"{"nodes": 8, "accelerator": {"type": "h100", "count": 64}}"#;
        stack.add("cluster.c", cluster, &[("fabric", "fabric.f")]);
        let step = format!(
            r#"{{"step": {{"train": {{"workload": {{"params_billion": 70, {workload}}}}}}}}}"#
        );
        stack.add("pipeline.p", &step, &[("cluster", "cluster.c")]);
        stack.says(&RULE)
    }

    #[test]
    fn gradients_arrive_in_time_or_their_share_is_told() {
        let batch = r#""global_batch_tokens": 4000000"#;
        assert!(said("3200", batch).is_empty());
        assert!(said("400", batch).is_empty(), "4.9 of 66.4 s");
        assert_eq!(
            said("100", batch),
            [
                "step `train` moves 140.0 GB of gradients between 8 nodes in 19.6 s at 100 Gbit/s a node, 30 % of a step of 66.4 s"
            ]
        );
        let hidden = r#""global_batch_tokens": 4000000, "communication_overlap": 0.5"#;
        assert!(said("100", hidden).is_empty(), "half a step hides it");
        let sharded = r#""global_batch_tokens": 4000000, "zero_stage": 3"#;
        assert!(said("100", sharded)[0].contains("in 29.4 s"), "1.5 times as much");
        let small = r#""global_batch_tokens": 400000"#;
        assert!(said("100", small)[0].contains("295 % of a step of 6.6 s"));
        assert!(said("null", batch).is_empty(), "the network is not known");
        let stages = r#""global_batch_tokens": 400000, "pipeline_parallel": 8"#;
        assert!(said("100", stages).is_empty(), "nodes are stages of one replica");
    }
}
