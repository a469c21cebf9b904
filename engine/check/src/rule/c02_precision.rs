//! C-02: the accelerators compute in the precision that is asked for.

use crate::rule::{Found, Grade, Rule};
use crate::subject::Subject;
use crate::workload::{Cluster, Workload};

pub(super) const RULE: Rule = Rule {
    id: "C-02",
    title: "precision",
    grade: Grade::Error,
    formula: "the precision of a training step is among those of the chip; serving in a precision that is not is a warning, since weights are widened before each use",
    source: "data sheets of NVIDIA, AMD, Google and AWS, in the catalog's table of chips",
    types: &["pipeline", "endpoint"],
    example: "FP8 training on A100: the chip has fp32, tf32, fp16, bf16 and int8. H100, H200, L4, L40S and Blackwell have fp8, Blackwell alone fp4.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let trains = subject.type_name == "pipeline";
    let workloads = if trains {
        Workload::steps(subject, found)
    } else {
        Workload::served(subject, found).into_iter().collect()
    };
    if workloads.is_empty() {
        return;
    }
    let Some(chip) = Cluster::of(subject, found).and_then(|cluster| cluster.chip) else { return };
    for workload in workloads {
        let Some(precision) = workload.word("precision", found) else { continue };
        // What is kept in four bits of an integer is computed in something else everywhere.
        let known = chip.precisions.is_empty() || precision == "int4";
        if known || chip.precisions.iter().any(|one| one == precision) {
            continue;
        }
        found.part.clone_from(&workload.step);
        let has = chip.precisions.join(", ");
        let message =
            format!("{} is in {precision}, but {} computes in {has}", workload.name, chip.name);
        if trains {
            let fix = format!("write `precision = \"bf16\"`, or ask for a chip with {precision}");
            found.error("step", message, fix);
        } else {
            let fix = format!("{precision} saves memory here, but no time; that may be meant");
            found.warning("workload", message, fix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn said(component: &str, inputs: &str, chip: &str) -> Vec<String> {
        let mut stack = Stack::default();
        let cluster = format!(r#"{{"nodes": 1, "accelerator": {{"type": "{chip}", "count": 8}}}}"#);
        stack.add("cluster.c", &cluster, &[]);
        stack.add(component, inputs, &[("cluster", "cluster.c")]);
        stack.says(&RULE)
    }

    #[test]
    fn chips_compute_in_what_they_have() {
        let step = |of: &str| {
            format!(r#"{{"step": {{"train": {{"workload": {{"precision": "{of}"}}}}}}}}"#)
        };
        assert!(said("pipeline.p", &step("fp8"), "h100").is_empty());
        assert_eq!(
            said("pipeline.p", &step("fp8"), "A100-80GB"),
            ["step `train` is in fp8, but A100-80GB computes in fp32, tf32, fp16, bf16, int8"]
        );
        assert_eq!(said("pipeline.p", &step("fp4"), "h200").len(), 1);
        assert!(said("pipeline.p", &step("fp4"), "b200").is_empty());
        assert!(said("pipeline.p", r#"{"step": {"a": {"workload": null}}}"#, "h200").is_empty());
        let endpoint = |of: &str| format!(r#"{{"workload": {{"precision": "{of}"}}}}"#);
        assert_eq!(said("endpoint.e", &endpoint("fp8"), "A100-40GB").len(), 1);
        assert!(said("endpoint.e", &endpoint("int4"), "A100-40GB").is_empty());
    }
}
