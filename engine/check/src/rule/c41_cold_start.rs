//! C-41: a replica starts in the time that there is.

use crate::model::bytes_of;
use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, block, number};
use crate::workload::{Workload, gb, known, time};

pub(super) const RULE: Rule = Rule {
    id: "C-41",
    title: "cold start",
    grade: Grade::Warning,
    formula: "node + image + weights/load + engine ≤ max_cold_start_s, where replicas may go to zero; weights/load + engine ≤ start_timeout_s, else no replica ever becomes ready, which is an error",
    source: "our own rule; KServe issue 3869 for the size of it: 15 to 20 minutes for a 70B model that is not cached",
    types: &["endpoint"],
    example: "70 billion in bf16 read at 500 MB/s: 140e9/5e8 = 280 s, and 45 s for the engine: a `start_timeout_s` of 30 ends every replica before it is ready.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(workload) = Workload::served(subject, found) else { return };
    let Some(bytes) = bytes_of(workload.word("precision", found).unwrap_or("bf16")) else { return };
    let load = workload.number("load_mb_per_s", found).filter(|rate| *rate > 0.0);
    let (Some(parameters), Some(load)) = (workload.parameters(found), load) else { return };
    let weights = parameters * bytes;
    let loading = weights / (load * 1e6);
    let engine = workload.number("engine_start_s", found).unwrap_or(0.0);
    let reading = format!("{} of weights at {load} MB/s take {}", gb(weights), time(loading));
    let allowed = known(number(subject.planned, "start_timeout_s"), "start_timeout_s", found);
    if let Some(allowed) = allowed.filter(|allowed| loading + engine > *allowed) {
        let message = format!(
            "{reading}, with the engine {}, but a replica is given up after `start_timeout_s = {allowed}`",
            time(loading + engine)
        );
        let fix = format!("write `start_timeout_s = {:.0}` or more", (loading + engine).ceil());
        found.error("start_timeout_s", message, fix);
    }
    let scale = block(subject.planned, "scale");
    let least = scale.and_then(|scale| known(number(scale, "min"), "scale.min", found));
    let limit = workload.number("max_cold_start_s", found);
    let Some(limit) = limit.filter(|_| least.is_none_or(|least| least < 1.0)) else { return };
    let node = workload.number("node_start_s", found).unwrap_or(0.0);
    let image = workload.number("image_pull_s", found).unwrap_or(0.0);
    let all = node + image + loading + engine;
    if all > limit {
        let message = format!(
            "the first request after a pause waits {}: node {node} s, image {image} s, weights {loading:.0} s, engine {engine} s, more than `max_cold_start_s = {limit}`",
            time(all)
        );
        let fix = if node + image + engine >= limit {
            "keep one replica with `scale = { min = 1 }`".to_owned()
        } else {
            let wanted = weights / (limit - node - image - engine) / 1e6;
            format!(
                "read weights at {wanted:.0} MB/s, from a cache on the node, or write `min = 1`"
            )
        };
        found.warning("workload", message, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn said(min: u32, timeout: u32, workload: &str) -> Vec<String> {
        let mut stack = Stack::default();
        let endpoint = format!(
            r#"{{"start_timeout_s": {timeout}, "scale": {{"min": {min}}}, "workload": {{"params_billion": 70, {workload}}}}}"#
        );
        stack.add("endpoint.e", &endpoint, &[]);
        stack.says(&RULE)
    }

    #[test]
    fn replicas_start_in_time() {
        let slow = r#""load_mb_per_s": 500, "engine_start_s": 45"#;
        assert!(said(1, 400, slow).is_empty());
        assert_eq!(
            said(1, 30, slow),
            [
                "140.0 GB of weights at 500 MB/s take 5 min, with the engine 5 min, but a replica is given up after `start_timeout_s = 30`"
            ]
        );
        let cold = r#""load_mb_per_s": 2000, "engine_start_s": 45, "node_start_s": 180, "image_pull_s": 60, "max_cold_start_s": 300"#;
        assert_eq!(
            said(0, 400, cold),
            [
                "the first request after a pause waits 6 min: node 180 s, image 60 s, weights 70 s, engine 45 s, more than `max_cold_start_s = 300`"
            ]
        );
        assert!(said(1, 400, cold).is_empty(), "one replica is always there");
        assert!(said(0, 400, &cold.replace("2000", "10000")).is_empty());
        assert!(said(0, 30, r#""load_mb_per_s": null"#).is_empty());
    }
}
