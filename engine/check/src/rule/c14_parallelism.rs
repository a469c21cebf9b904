//! C-14: degrees of parallelism divide what they split.

use crate::rule::{Found, Grade, Rule};
use crate::subject::Subject;
use crate::workload::{Cluster, Workload};

pub(super) const RULE: Rule = Rule {
    id: "C-14",
    title: "degrees of parallelism",
    grade: Grade::Error,
    formula: "tensor divides heads; tensor divides kv_heads, or is a multiple of them; pipeline divides layers; expert divides experts; tensor·pipeline·context divides the accelerators",
    source: "Megatron-LM and vLLM, checks of their arguments",
    types: &["pipeline", "endpoint"],
    example: "64 heads over tensor_parallel = 6: 64/6 is no whole number; 8 kv_heads over 16: each is kept twice, which is legal. 80 layers over 3 stages: 80/3 is none.",
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
    let devices = Cluster::of(subject, found).map(|cluster| cluster.devices);
    for workload in workloads {
        found.part.clone_from(&workload.step);
        judge(&workload, attribute, devices.filter(|_| trains), found);
    }
}

fn judge(
    workload: &Workload<'_>,
    attribute: &'static str,
    devices: Option<f64>,
    found: &mut Found<'_>,
) {
    let tensor = workload.degree("tensor_parallel", found);
    let pipeline = workload.degree("pipeline_parallel", found);
    let context = workload.degree("context_parallel", found);
    let expert = workload.degree("expert_parallel", found);
    let heads = workload.number("heads", found);
    let kv_heads = workload.number("kv_heads", found);
    let name = &workload.name;
    let refuse = |found: &mut Found<'_>, what: &str, count: f64, degree: &str, by: f64| {
        let message = format!(
            "{name} splits {count} {what} over `{degree} = {by}`: {count}/{by} is no whole number"
        );
        found.error(attribute, message, format!("choose a divisor of {count}"));
    };
    if let Some(heads) = heads.filter(|heads| heads % tensor != 0.0) {
        refuse(found, "heads", heads, "tensor_parallel", tensor);
    }
    if let Some(heads) =
        kv_heads.filter(|heads| heads % tensor != 0.0 && (*heads <= 0.0 || tensor % heads != 0.0))
    {
        refuse(found, "kv_heads", heads, "tensor_parallel", tensor);
    }
    let layers = workload.number("layers", found);
    if let Some(layers) = layers.filter(|layers| layers % pipeline != 0.0) {
        refuse(found, "layers", layers, "pipeline_parallel", pipeline);
    }
    let experts = workload.number("experts", found);
    if let Some(experts) = experts.filter(|experts| experts % expert != 0.0) {
        refuse(found, "experts", experts, "expert_parallel", expert);
    }
    let group = tensor * pipeline * context;
    if let Some(devices) = devices.filter(|devices| devices % group != 0.0) {
        let message = format!(
            "{name} takes tensor·pipeline·context = {tensor}·{pipeline}·{context} = {group} accelerators for a replica, which do not divide the {devices} of the cluster"
        );
        let fix = format!("ask for a multiple of {group}, or write other degrees");
        found.error(attribute, message, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn said(component: &str, workload: &str) -> Vec<String> {
        let mut stack = Stack::default();
        stack.add(
            "cluster.c",
            r#"{"nodes": 8, "accelerator": {"type": "h100", "count": 64}}"#,
            &[],
        );
        let inputs = if component.starts_with("pipeline") {
            format!(r#"{{"step": {{"train": {{"workload": {{{workload}}}}}}}}}"#)
        } else {
            format!(r#"{{"workload": {{{workload}}}}}"#)
        };
        stack.add(component, &inputs, &[("cluster", "cluster.c")]);
        stack.says(&RULE)
    }

    #[test]
    fn degrees_divide_what_they_split() {
        let legal = r#""heads": 64, "kv_heads": 8, "layers": 80, "tensor_parallel": 8, "pipeline_parallel": 4"#;
        assert!(said("pipeline.p", legal).is_empty());
        let twice = r#""heads": 64, "kv_heads": 8, "tensor_parallel": 16"#;
        assert!(said("endpoint.e", twice).is_empty(), "each kv head is kept twice");
        let six = said("endpoint.e", r#""heads": 64, "tensor_parallel": 6"#);
        assert_eq!(
            six,
            ["the endpoint splits 64 heads over `tensor_parallel = 6`: 64/6 is no whole number"]
        );
        assert_eq!(said("pipeline.p", r#""layers": 80, "pipeline_parallel": 32"#).len(), 1);
        assert_eq!(said("pipeline.p", r#""experts": 8, "expert_parallel": 3"#).len(), 1);
        assert_eq!(
            said("pipeline.p", r#""tensor_parallel": 8, "pipeline_parallel": 3"#),
            [
                "step `train` takes tensor·pipeline·context = 8·3·1 = 24 accelerators for a replica, which do not divide the 64 of the cluster"
            ]
        );
    }
}
