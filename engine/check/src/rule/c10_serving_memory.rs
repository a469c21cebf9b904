//! C-10: a model that is served fits into the memory of its accelerators.

use crate::model::{GIB, bytes_of, kv_bytes_per_token, latent_kv_bytes_per_token};
use crate::rule::{Found, Grade, Rule};
use crate::subject::Subject;
use crate::workload::{Cluster, Workload, gb};

pub(super) const RULE: Rule = Rule {
    id: "C-10",
    title: "memory of serving",
    grade: Grade::Error,
    formula: "devices·memory·utilization − parameters·bytes − devices·2 GiB ≥ sequences·tokens·KV, where devices = tensor·pipeline, utilization = 0.9 if nothing is said, and KV = 2·layers·kv_heads·head_dim·bytes for each token, or layers·(rank + rope)·bytes with latent attention",
    source: "PagedAttention, arXiv 2309.06180 (2023), and vLLM's gpu_memory_utilization; DeepSeek-V2, arXiv 2405.04434",
    types: &["endpoint"],
    example: "70 billion parameters in bf16 on 4 H100: 4·85.9·0.9 − 140 − 4·2.1 = 160.7 GB are free. A token of Llama 3 takes 2·80·8·128·2 = 327,680 bytes, so 64 sequences of 8,192 tokens need 171.8 GB: 59 fit.",
    run,
};

/// What the runtime takes on each accelerator.
const RUNTIME_BYTES: f64 = 2.0 * GIB;

/// What one replica of an endpoint has and needs, in bytes.
pub(crate) struct Memory {
    pub(crate) devices: f64,
    pub(crate) weights: f64,
    /// What is left for keys and values.
    pub(crate) free: f64,
    /// What a token takes, where the shape of the model is known.
    pub(crate) per_token: Option<f64>,
}

pub(crate) fn memory(
    workload: &Workload<'_>,
    cluster: &Cluster<'_>,
    found: &mut Found<'_>,
) -> Option<Memory> {
    let each = cluster.memory?;
    let devices =
        workload.degree("tensor_parallel", found) * workload.degree("pipeline_parallel", found);
    let utilization = workload.number("memory_utilization", found).unwrap_or(0.9);
    let bytes = bytes_of(workload.word("precision", found).unwrap_or("bf16"))?;
    let weights = workload.parameters(found)? * bytes;
    let free = devices * (each * utilization - RUNTIME_BYTES) - weights;
    Some(Memory { devices, weights, free, per_token: per_token(workload, found) })
}

fn per_token(workload: &Workload<'_>, found: &mut Found<'_>) -> Option<f64> {
    let bytes = bytes_of(workload.word("kv_precision", found).unwrap_or("bf16"))?;
    let layers = workload.number("layers", found)?;
    if let Some(rank) = workload.number("kv_lora_rank", found) {
        let rope = workload.number("rope_head_dim", found).unwrap_or(0.0);
        return Some(latent_kv_bytes_per_token(layers, rank, rope, bytes));
    }
    let heads = workload.number("kv_heads", found).or_else(|| workload.number("heads", found))?;
    Some(kv_bytes_per_token(layers, heads, workload.number("head_dim", found)?, bytes))
}

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(workload) = Workload::served(subject, found) else { return };
    let Some(cluster) = Cluster::of(subject, found) else { return };
    let Some(memory) = memory(&workload, &cluster, found) else { return };
    let chip = cluster.chip.map_or("accelerators", |chip| &*chip.name);
    let (devices, weights) = (memory.devices, memory.weights);
    if devices > cluster.devices {
        let message = format!(
            "a replica takes {devices} accelerators, but the cluster has {}",
            cluster.devices
        );
        let fix = "write a lower `tensor_parallel`, or more accelerators".to_owned();
        return found.error("workload", message, fix);
    }
    if memory.free <= 0.0 {
        let message = format!(
            "the weights take {}, and {devices} {chip} hold {}",
            gb(weights),
            gb(weights + memory.free)
        );
        let each = (weights + memory.free) / devices;
        let fix = if each > 0.0 {
            let needed = (weights / each).ceil();
            format!("write `tensor_parallel = {}`, or a smaller precision", power_of_two(needed))
        } else {
            "ask for accelerators with more memory".to_owned()
        };
        return found.error("workload", message, fix);
    }
    let tokens = workload.number("sequence_tokens", found);
    let (Some(per_token), Some(tokens)) = (memory.per_token, tokens) else { return };
    let sequences = workload.degree("concurrent_sequences", found);
    let needed = sequences * tokens * per_token;
    if needed <= memory.free {
        return;
    }
    let fit = (memory.free / (tokens * per_token)).floor();
    let message = format!(
        "{sequences} sequences of {tokens} tokens need {} for keys and values ({per_token} bytes a token), but {} are free beside {} of weights on {devices} {chip}: {fit} fit",
        gb(needed),
        gb(memory.free),
        gb(weights)
    );
    if fit < 1.0 {
        let fix = "serve shorter sequences, or write a higher `tensor_parallel`".to_owned();
        found.error("workload", message, fix);
    } else {
        let fix = format!(
            "write `concurrent_sequences = {fit}`, more accelerators for a replica, or `kv_precision = \"fp8\"`"
        );
        found.warning("workload", message, fix);
    }
}

/// The next power of two, as degrees of parallelism are.
fn power_of_two(least: f64) -> f64 {
    2_f64.powf(least.log2().ceil())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn judged(chip: &str, count: u32, workload: &str) -> Stack {
        let mut stack = Stack::default();
        let cluster =
            format!(r#"{{"nodes": 1, "accelerator": {{"type": "{chip}", "count": {count}}}}}"#);
        stack.add("cluster.c", &cluster, &[]);
        let endpoint = format!(r#"{{"workload": {{{workload}}}}}"#);
        stack.add("endpoint.e", &endpoint, &[("cluster", "cluster.c")]);
        stack
    }

    const LLAMA: &str = r#""params_billion": 70, "layers": 80, "kv_heads": 8, "head_dim": 128"#;

    #[test]
    fn weights_and_caches_fit_or_are_told_with_their_sizes() {
        // By hand: 4·(85,899,345,920·0.9 − 2·2³⁰) − 140e9 = 160,647,710,720 bytes.
        let fits = format!(
            r#"{LLAMA}, "tensor_parallel": 4, "concurrent_sequences": 59, "sequence_tokens": 8192"#
        );
        assert!(judged("h100", 8, &fits).says(&RULE).is_empty());
        let many = fits.replace(": 59", ": 64");
        assert_eq!(
            judged("h100", 8, &many).says(&RULE),
            [
                "64 sequences of 8192 tokens need 171.8 GB for keys and values (327680 bytes a token), but 160.6 GB are free beside 140.0 GB of weights on 4 H100: 59 fit"
            ]
        );
        let half = many.replace(r#""layers""#, r#""kv_precision": "fp8", "layers""#);
        assert!(judged("h100", 8, &half).says(&RULE).is_empty(), "fp8 halves them");
        let one = format!(r#"{LLAMA}, "tensor_parallel": 1"#);
        assert_eq!(
            judged("h100", 8, &one).says(&RULE),
            ["the weights take 140.0 GB, and 1 H100 hold 75.2 GB"]
        );
        let four_bits = format!(r#"{LLAMA}, "precision": "int4""#);
        assert!(judged("h100", 1, &four_bits).says(&RULE).is_empty());
        let sixteen = format!(r#"{LLAMA}, "tensor_parallel": 16"#);
        assert_eq!(
            judged("h100", 8, &sixteen).says(&RULE),
            ["a replica takes 16 accelerators, but the cluster has 8"]
        );
        // DeepSeek-V3: 671 GB in fp8 on 8 H200; a token takes 70,272 bytes.
        let latent = r#""params_billion": 671, "precision": "fp8", "layers": 61, "kv_lora_rank": 512, "rope_head_dim": 64, "tensor_parallel": 8, "sequence_tokens": 131072, "concurrent_sequences": 43"#;
        assert!(judged("h200", 8, latent).says(&RULE).is_empty());
        assert_eq!(judged("h200", 8, &latent.replace("43", "44")).says(&RULE).len(), 1);
        assert!(judged("h100", 8, &latent.replace("43", "1")).says(&RULE)[0].contains("671.0 GB"));
    }

    #[test]
    fn what_is_not_known_is_waited_for() {
        let later = judged("h100", 8, r#""params_billion": "?""#).judge().deferred;
        assert!(later.iter().any(|one| one.rule == "C-10"), "{later:?}");
        let both = judged("a100", 8, r#""params_billion": 70"#).judge().deferred;
        assert!(
            both.iter().any(|one| one.text.contains("one of A100-40GB, A100-80GB")),
            "{both:?}"
        );
    }
}
