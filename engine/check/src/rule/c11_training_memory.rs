//! C-11: what training keeps fits into the memory of its accelerators.

use crate::model::{
    Optimizer, Recompute, Shape, Spread, activation_bytes, lora_state_bytes, state_bytes,
};
use crate::rule::{Found, Grade, Rule};
use crate::subject::Subject;
use crate::workload::{Cluster, Workload, gb};

pub(super) const RULE: Rule = Rule {
    id: "C-11",
    title: "memory of training",
    grade: Grade::Error,
    formula: "states + activations ≤ 0.9·memory of an accelerator. States of P parameters, divided by tensor·pipeline, with d = devices/(tensor·pipeline): ZeRO-0 16·P, ZeRO-1 4·P + 12·P/d, ZeRO-2 2·P + 14·P/d, ZeRO-3 16·P/d; 8-bit Adam has 6 for 12; LoRA 2·P + 16·trained. Activations of L layers: s·b·h·L·(34 + 5·a·s/h)/t, selective recomputation 34/t, full 2",
    source: "ZeRO, arXiv 1910.02054 (2019), section 3; Korthikanti et al., arXiv 2205.05198 (2022), equations 2 to 6",
    types: &["pipeline"],
    example: "70 billion parameters on 64 H100 with ZeRO-3: 16·70e9/64 = 17.5 GB of states; with s = 4096, b = 1, h = 8192, L = 80 and selective recomputation 4096·8192·80·34 = 91.3 GB of activations without tensor parallelism, 11.4 GB with t = 8. 0.9·85.9 = 77.3 GB hold the second, not the first.",
    run,
};

/// What is left for fragments, buffers of communication and the runtime.
const USABLE: f64 = 0.9;

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
    let (Some(memory), Some(parameters)) = (cluster.memory, workload.parameters(found)) else {
        return;
    };
    let spread = Spread {
        devices: cluster.devices,
        tensor: workload.degree("tensor_parallel", found),
        pipeline: workload.degree("pipeline_parallel", found),
        zero_stage: workload.number("zero_stage", found).unwrap_or(0.0),
    };
    let optimizer = match workload.word("optimizer", found) {
        Some("adam8bit") => Optimizer::Adam8Bit,
        _ => Optimizer::Adam,
    };
    let trained = workload.number("lora_params_billion", found).map(|billion| billion * 1e9);
    let states = match trained {
        Some(trained) => lora_state_bytes(parameters, trained, spread),
        None => state_bytes(parameters, optimizer, spread),
    };
    let activations = activations(workload, spread, found);
    let (needed, usable) = (states + activations.unwrap_or(0.0), memory * USABLE);
    if needed <= usable {
        return;
    }
    let chip = cluster.chip.map_or("accelerator", |chip| &*chip.name);
    let with = activations.map_or_else(
        || "without activations, whose shape is not given".to_owned(),
        |bytes| format!("and {} of activations", gb(bytes)),
    );
    let message = format!(
        "{} needs {} of states {with} on each {chip}, of whose {} training gets {}",
        workload.name,
        gb(states),
        gb(memory),
        gb(usable)
    );
    let fix = if states > usable && spread.zero_stage < 3.0 && trained.is_none() {
        let less = state_bytes(parameters, optimizer, Spread { zero_stage: 3.0, ..spread });
        format!("`zero_stage = 3` makes it {} of states; or split the model further", gb(less))
    } else if states > usable {
        "ask for more accelerators, or a higher `tensor_parallel` or `pipeline_parallel`".to_owned()
    } else {
        "write `recompute = \"selective\"` or `\"full\"`, a smaller `micro_batch_sequences`, or a higher `tensor_parallel`".to_owned()
    };
    found.error("step", message, fix);
}

fn activations(workload: &Workload<'_>, spread: Spread, found: &mut Found<'_>) -> Option<f64> {
    let recompute = match workload.word("recompute", found) {
        Some("selective") => Recompute::Selective,
        Some("full") => Recompute::Full,
        _ => Recompute::Nothing,
    };
    let heads = workload.number("heads", found);
    let shape = Shape {
        layers: workload.number("layers", found)?,
        hidden: workload.number("hidden", found)?,
        heads: heads.or_else(|| (recompute != Recompute::Nothing).then_some(0.0))?,
        sequence: workload.number("sequence_tokens", found)?,
        batch: workload.degree("micro_batch_sequences", found),
    };
    let context = workload.degree("context_parallel", found);
    Some(activation_bytes(shape, spread.tensor, recompute) / context)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn said(chip: &str, nodes: u32, workload: &str) -> Vec<String> {
        let mut stack = Stack::default();
        let count = nodes * 8;
        let cluster = format!(
            r#"{{"nodes": {nodes}, "accelerator": {{"type": "{chip}", "count": {count}}}}}"#
        );
        stack.add("cluster.c", &cluster, &[]);
        let step = format!(r#"{{"step": {{"train": {{"workload": {{{workload}}}}}}}}}"#);
        stack.add("pipeline.p", &step, &[("cluster", "cluster.c")]);
        stack.says(&RULE)
    }

    const LLAMA: &str = r#""params_billion": 70, "layers": 80, "hidden": 8192, "heads": 64, "sequence_tokens": 4096"#;

    #[test]
    fn states_and_activations_fit_or_are_told_with_their_sizes() {
        let split =
            format!(r#"{LLAMA}, "zero_stage": 3, "recompute": "selective", "tensor_parallel": 8"#);
        assert!(said("h100", 8, &split).is_empty());
        let whole = format!(r#"{LLAMA}, "zero_stage": 3, "recompute": "selective""#);
        assert_eq!(
            said("h100", 8, &whole),
            [
                "step `train` needs 17.5 GB of states and 91.3 GB of activations on each H100, of whose 85.9 GB training gets 77.3 GB"
            ]
        );
        let full = format!(r#"{LLAMA}, "zero_stage": 3, "recompute": "full""#);
        assert!(said("h100", 8, &full).is_empty(), "2·4096·8192·80 = 5.4 GB");
        let plain = r#""params_billion": 70, "zero_stage": 1"#;
        assert_eq!(
            said("h100", 8, plain),
            [
                "step `train` needs 293.1 GB of states without activations, whose shape is not given on each H100, of whose 85.9 GB training gets 77.3 GB"
            ]
        );
        assert!(
            said("h100", 1, r#""params_billion": 70, "lora_params_billion": 0.2, "zero_stage": 3"#)
                .is_empty()
        );
        assert_eq!(said("h100", 1, r#""params_billion": 70, "lora_params_billion": 0.2"#).len(), 1);
        assert_eq!(said("h100", 1, r#""params_billion": 8"#).len(), 1, "16·8e9 = 128 GB");
        assert_eq!(said("h100", 1, r#""params_billion": 8, "optimizer": "adam8bit""#).len(), 1);
        assert!(said("b200", 1, r#""params_billion": 8"#).is_empty());
    }
}
