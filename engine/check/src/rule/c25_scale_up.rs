//! C-25: tensor parallelism stays within the fast link.

use crate::rule::{Found, Grade, Rule};
use crate::subject::Subject;
use crate::workload::{Cluster, Workload};

pub(super) const RULE: Rule = Rule {
    id: "C-25",
    title: "tensor parallelism and the scale-up link",
    grade: Grade::Error,
    formula: "tensor ≤ accelerators that share the scale-up link: those of a node, or of a rack where the link leaves the node; within a node without such a link it is a warning",
    source: "Narayanan et al., arXiv 2104.04473 (2021), section 3.2: tensor parallelism within a node, pipeline parallelism between",
    types: &["pipeline", "endpoint"],
    example: "tensor_parallel = 16 on nodes of 8 H100: each layer waits twice for all-reduces over the network, at 400 GB/s for a node instead of 900 GB/s for each GPU. A rack of GB200 shares its link among 72.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let trains = subject.type_name == "pipeline";
    let attribute = if trains { "step" } else { "workload" };
    let workloads = if trains {
        Workload::steps(subject, found)
    } else {
        Workload::served(subject, found).into_iter().collect()
    };
    if workloads.is_empty() {
        return;
    }
    let Some(cluster) = Cluster::of(subject, found) else { return };
    let Some(chip) = cluster.chip else { return };
    for workload in workloads {
        let tensor = workload.degree("tensor_parallel", found);
        let (domain, node) = (cluster.domain(), cluster.per_node());
        if tensor <= domain {
            continue;
        }
        found.part.clone_from(&workload.step);
        let link = chip.link.as_deref().unwrap_or("the link");
        let name = &workload.name;
        if tensor > node.max(domain) {
            let message = format!(
                "{name} has `tensor_parallel = {tensor}`, but {link} of {} joins {}",
                chip.name,
                node.max(domain)
            );
            let fix = format!(
                "write `tensor_parallel = {}` and split the rest with `pipeline_parallel`",
                node.max(domain)
            );
            found.error(attribute, message, fix);
        } else {
            let message = format!(
                "{name} has `tensor_parallel = {tensor}` on {}, which are joined by {link} alone",
                chip.name
            );
            let fix = "choose chips with a scale-up link, or `pipeline_parallel`".to_owned();
            found.warning(attribute, message, fix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn said(chip: &str, nodes: u32, each: u32, tensor: u32) -> Vec<String> {
        let mut stack = Stack::default();
        let cluster = format!(
            r#"{{"nodes": {nodes}, "accelerator": {{"type": "{chip}", "count": {}}}}}"#,
            nodes * each
        );
        stack.add("cluster.c", &cluster, &[]);
        let step =
            format!(r#"{{"step": {{"train": {{"workload": {{"tensor_parallel": {tensor}}}}}}}}}"#);
        stack.add("pipeline.p", &step, &[("cluster", "cluster.c")]);
        stack.says(&RULE)
    }

    #[test]
    fn tensor_parallelism_stays_within_the_link() {
        assert!(said("h100", 8, 8, 8).is_empty());
        assert_eq!(
            said("h100", 8, 8, 16),
            ["step `train` has `tensor_parallel = 16`, but NVLink4 of H100 joins 8"]
        );
        assert!(said("h100", 8, 1, 8)[0].ends_with("joins 1"), "one GPU a node");
        assert!(said("gb200", 18, 4, 72).is_empty(), "the rack shares the link");
        assert!(said("l40s", 1, 8, 8)[0].ends_with("joined by PCIe alone"));
        assert!(said("l40s", 2, 8, 16)[0].ends_with("joins 8"));
    }
}
