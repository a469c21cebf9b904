//! C-40: an endpoint's replicas answer as many requests as come at the peak.

use super::c10_serving_memory::memory;
use super::c24_all_reduce::UTILIZATION;
use crate::model::{decode_tokens_per_s, prefill_tokens_per_s};
use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, block, number};
use crate::workload::{Cluster, Workload, known};

pub(super) const RULE: Rule = Rule {
    id: "C-40",
    title: "tokens a second",
    grade: Grade::Warning,
    formula: "a replica decodes at most batch·bandwidth/(active·bytes + batch·tokens·KV) tokens a second and reads prompts at peak·0.4/(2·active); a request takes output/decode + prompt/prefill of its time; replicas = ⌈peak·that⌉ ≤ scale.max",
    source: "roofline of memory and of arithmetic, Transformer Math 101 (2023); an upper bound, never reached",
    types: &["endpoint"],
    example: "70 billion in bf16 on 8 H100, 64 sequences of 2,048 tokens: 64·26.8e12/(140e9 + 64·0.67e9) = 9,375 tokens/s; prompts 8·989e12·0.4/140e9 = 22,606. A request of 1,500 + 300 tokens takes 0.066 + 0.032 s of a replica: 50 requests/s need 4.92, so 5.",
    run,
};

/// What a replica of an endpoint does in a second, and how many are needed.
pub(crate) struct Rate {
    pub(crate) decode: f64,
    pub(crate) replicas: Option<f64>,
    prefill: f64,
    busy_s: Option<f64>,
}

pub(crate) fn rate(
    workload: &Workload<'_>,
    cluster: &Cluster<'_>,
    found: &mut Found<'_>,
) -> Option<Rate> {
    let memory = memory(workload, cluster, found)?;
    let bandwidth = cluster.chip?.memory_gb_per_s? * 1e9 * memory.devices;
    let precision = workload.word("precision", found).unwrap_or("bf16");
    let peak = cluster.peak(precision)? * memory.devices;
    let active = workload.active(found)?;
    let share = active / workload.parameters(found)?;
    let batch = workload.degree("concurrent_sequences", found);
    let tokens = workload.number("sequence_tokens", found).unwrap_or(0.0);
    let per_sequence = memory.per_token.unwrap_or(0.0) * tokens;
    let decode = decode_tokens_per_s(memory.weights * share, per_sequence, batch, bandwidth);
    let prefill = prefill_tokens_per_s(active, peak, UTILIZATION);
    let output = workload.number("output_tokens", found);
    let prompt = workload.number("prompt_tokens", found).unwrap_or(0.0);
    let busy_s = output.map(|output| output / decode + prompt / prefill);
    let requests = workload.number("peak_requests_per_s", found);
    let replicas = busy_s.zip(requests).map(|(busy, requests)| (busy * requests).ceil());
    Some(Rate { decode, replicas, prefill, busy_s })
}

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(workload) = Workload::served(subject, found) else { return };
    if workload.number("peak_requests_per_s", found).is_none() {
        return;
    }
    let Some(cluster) = Cluster::of(subject, found) else { return };
    let Some(rate) = rate(&workload, &cluster, found) else { return };
    let (Some(needed), Some(busy)) = (rate.replicas, rate.busy_s) else { return };
    let scale = block(subject.planned, "scale");
    let most = scale.and_then(|scale| known(number(scale, "max"), "scale.max", found));
    let Some(most) = most.filter(|most| needed > *most) else { return };
    let requests = workload.number("peak_requests_per_s", found).unwrap_or(0.0);
    let message = format!(
        "{requests} requests a second need {needed} replicas, but `scale.max` is {most}: a replica decodes at most {:.0} tokens a second and reads {:.0} of prompts, so that a request takes {:.0} ms of it",
        rate.decode,
        rate.prefill,
        busy * 1e3
    );
    let fix = format!("write `max = {needed}` or more: these rates are upper bounds");
    found.warning("scale", message, fix);
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    #[test]
    fn replicas_are_as_many_as_the_peak_needs() {
        let said = |most: u32| {
            let mut stack = Stack::default();
            let cluster = r#"{"nodes": 1, "accelerator": {"type": "h100", "count": 8}}"#;
            stack.add("cluster.c", cluster, &[]);
            let endpoint = format!(
                r#"{{"scale": {{"max": {most}}}, "workload": {{"params_billion": 70, "layers": 80, "kv_heads": 8, "head_dim": 128, "tensor_parallel": 8, "concurrent_sequences": 64, "sequence_tokens": 2048, "prompt_tokens": 1500, "output_tokens": 300, "peak_requests_per_s": 50}}}}"#
            );
            stack.add("endpoint.e", &endpoint, &[("cluster", "cluster.c")]);
            stack.says(&RULE)
        };
        assert!(said(5).is_empty());
        assert_eq!(
            said(4),
            [
                "50 requests a second need 5 replicas, but `scale.max` is 4: a replica decodes at most 9375 tokens a second and reads 22606 of prompts, so that a request takes 98 ms of it"
            ]
        );
    }
}
