//! Arithmetic of training and serving language models: memory, time, traffic. Pure.
//!
//! Sizes are in bytes, times in seconds, rates in bytes or operations a second. Counts are `f64`, since they come from
//! configurations and only meet other real numbers.
//!
//! Sources: Korthikanti et al., "Reducing Activation Recomputation in Large Transformer Models", arXiv 2205.05198 (2022);
//! Rajbhandari et al., "`ZeRO`", arXiv 1910.02054 (2019); Kwon et al., "`PagedAttention`", arXiv 2309.06180 (2023);
//! `EleutherAI`, "Transformer Math 101" (2023); nccl-tests, PERFORMANCE.md; Young (1974) and Daly (2006).

/// A gibibyte.
pub const GIB: f64 = 1_073_741_824.0;

/// Hours that one accelerator runs before something unexpected interrupts the job: 54 days of 16,384 H100 with 419
/// unexpected interruptions.
///
/// Source: Llama 3 Herd of Models, arXiv 2407.21783 (2024), section 3.3.4.
pub const HOURS_BETWEEN_FAILURES: f64 = 54.0 * 24.0 * 16_384.0 / 419.0;

/// Bytes of one number of a precision; `None` for words that name none.
pub fn bytes_of(precision: &str) -> Option<f64> {
    Some(match precision {
        "fp32" | "tf32" => 4.0,
        "bf16" | "fp16" => 2.0,
        "fp8" | "int8" => 1.0,
        "fp4" | "int4" => 0.5,
        _ => return None,
    })
}

/// How a training run is spread over accelerators.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// All accelerators.
    pub devices: f64,
    /// Within a layer.
    pub tensor: f64,
    /// Over layers.
    pub pipeline: f64,
    /// 0 to 3.
    pub zero_stage: f64,
}

/// What the optimizer keeps of each parameter, beside two bytes of weight and two of gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Optimizer {
    /// Master weight and two moments in fp32: 12 bytes.
    Adam,
    /// Master weight in fp32 and moments in 8 bits: 6 bytes.
    Adam8Bit,
}

impl Optimizer {
    fn bytes(self) -> f64 {
        match self {
            Self::Adam => 12.0,
            Self::Adam8Bit => 6.0,
        }
    }
}

/// Weights, gradients and states of the optimizer on one accelerator.
///
/// Source: `ZeRO`, section 3.1, with K = 12 for mixed-precision Adam; model parallelism divides all of it.
pub fn state_bytes(parameters: f64, optimizer: Optimizer, spread: Spread) -> f64 {
    let split = spread.tensor * spread.pipeline;
    let replicas = (spread.devices / split).max(1.0);
    let kept = optimizer.bytes();
    let each = match spread.zero_stage {
        stage if stage >= 3.0 => (4.0 + kept) / replicas,
        stage if stage >= 2.0 => 2.0 + (2.0 + kept) / replicas,
        stage if stage >= 1.0 => 4.0 + kept / replicas,
        _ => 4.0 + kept,
    };
    parameters * each / split
}

/// The same for `LoRA`: frozen weights in two bytes, and 16 bytes for each trained parameter.
pub fn lora_state_bytes(parameters: f64, trained: f64, spread: Spread) -> f64 {
    let split = spread.tensor * spread.pipeline;
    let replicas = (spread.devices / split).max(1.0);
    let shared = if spread.zero_stage >= 3.0 { replicas } else { 1.0 };
    (2.0 * parameters + 16.0 * trained) / split / shared
}

/// What is computed again in the backward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recompute {
    /// Nothing.
    Nothing,
    /// The core of attention.
    Selective,
    /// Whole layers; only their inputs are kept.
    Full,
}

/// The shape of a transformer, and how much of a batch is worked on at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Layers.
    pub layers: f64,
    /// Width.
    pub hidden: f64,
    /// Heads of attention.
    pub heads: f64,
    /// Tokens of a sequence.
    pub sequence: f64,
    /// Sequences of a micro-batch.
    pub batch: f64,
}

/// Activations that the first stage of the pipeline keeps, with tensor and sequence parallelism. It holds as many
/// micro-batches as there are stages, so that the number of stages cancels out.
///
/// Source: Korthikanti et al., equations 2, 4 and 6, and section 4.2.3.
pub fn activation_bytes(shape: Shape, tensor: f64, recompute: Recompute) -> f64 {
    let Shape { layers, hidden, heads, sequence, batch } = shape;
    let base = sequence * batch * hidden * layers;
    match recompute {
        Recompute::Nothing => base * (34.0 + 5.0 * heads * sequence / hidden) / tensor,
        Recompute::Selective => base * 34.0 / tensor,
        Recompute::Full => base * 2.0,
    }
}

/// Keys and values of one token.
///
/// Source: `PagedAttention`, section 3: two tensors, of each head and layer.
pub fn kv_bytes_per_token(layers: f64, kv_heads: f64, head_dim: f64, bytes: f64) -> f64 {
    2.0 * layers * kv_heads * head_dim * bytes
}

/// The same for latent attention, which keeps one compressed vector and one for positions.
///
/// Source: `DeepSeek`-V2, arXiv 2405.04434 (2024), section 2.1.
pub fn latent_kv_bytes_per_token(layers: f64, rank: f64, rope_dim: f64, bytes: f64) -> f64 {
    layers * (rank + rope_dim) * bytes
}

/// A checkpoint from which training goes on: bf16 weights, fp32 master weights and two fp32 moments.
pub fn checkpoint_bytes(parameters: f64) -> f64 {
    14.0 * parameters
}

/// When to write checkpoints, and what share of the time is lost then.
///
/// Source: Young (1974), first order: every √(2·write·failures); lost are the writing, and half an interval at each
/// failure.
pub fn checkpoint_interval(write_s: f64, failures_s: f64) -> (f64, f64) {
    let every = (2.0 * write_s * failures_s).sqrt();
    (every, checkpoint_loss(write_s, every, failures_s))
}

/// What share of the time checkpoints at an interval cost.
pub fn checkpoint_loss(write_s: f64, every_s: f64, failures_s: f64) -> f64 {
    write_s / every_s + every_s / (2.0 * failures_s)
}

/// The time of an all-reduce of `bytes` over `ranks` that each send `rate` bytes a second.
///
/// Source: nccl-tests, PERFORMANCE.md: bus bandwidth = bytes/time · 2(n−1)/n.
pub fn all_reduce_s(bytes: f64, ranks: f64, rate: f64) -> f64 {
    bytes * 2.0 * (ranks - 1.0) / ranks / rate
}

/// The time of a reduce-scatter or an all-gather.
pub fn gather_s(bytes: f64, ranks: f64, rate: f64) -> f64 {
    bytes * (ranks - 1.0) / ranks / rate
}

/// The time to train on `tokens`: six operations for each parameter and token.
///
/// Source: Transformer Math 101; Kaplan et al., arXiv 2001.08361 (2020).
pub fn training_s(parameters: f64, tokens: f64, devices: f64, peak: f64, utilization: f64) -> f64 {
    6.0 * parameters * tokens / (devices * peak * utilization)
}

/// Tokens a second that decoding gives at most: each step reads the weights once, and the keys and values of every
/// sequence.
///
/// Source: roofline of memory bandwidth, Transformer Math 101.
pub fn decode_tokens_per_s(weights: f64, kv_per_sequence: f64, batch: f64, rate: f64) -> f64 {
    batch * rate / (weights + batch * kv_per_sequence)
}

/// Tokens a second that reading prompts gives at most: two operations for each parameter and token.
pub fn prefill_tokens_per_s(parameters: f64, peak: f64, utilization: f64) -> f64 {
    peak * utilization / (2.0 * parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(what: &str, found: f64, expected: f64, relative: f64) {
        assert!((found / expected - 1.0).abs() <= relative, "{what}: {found}, not {expected}");
    }

    /// `PagedAttention`, section 3 and table 1: 800 KB for a token of OPT-13B; 15.7K, 9.7K and 60.1K slots in 12, 21 and
    /// 264 GB.
    #[test]
    fn keys_and_values_are_those_of_the_paged_attention_paper() {
        let opt_13b = kv_bytes_per_token(40.0, 40.0, 128.0, 2.0);
        near("OPT-13B", opt_13b, 800.0 * 1024.0, 0.0);
        near("slots of 13B", 12.0 * GIB / opt_13b, 15_700.0, 0.01);
        let opt_66b = kv_bytes_per_token(64.0, 72.0, 128.0, 2.0);
        near("slots of 66B", 21.0 * GIB / opt_66b, 9_700.0, 0.02);
        let opt_175b = kv_bytes_per_token(96.0, 96.0, 128.0, 2.0);
        near("slots of 175B", 264.0 * GIB / opt_175b, 60_100.0, 0.001);
        // Llama 3 70B shares keys among eight heads: 80 layers, 8 heads of 128: 320 KiB.
        near("Llama 3 70B", kv_bytes_per_token(80.0, 8.0, 128.0, 2.0), 327_680.0, 0.0);
        // DeepSeek-V3: 61 layers, rank 512, 64 for positions, in bf16: 70,272 bytes.
        near("DeepSeek-V3", latent_kv_bytes_per_token(61.0, 512.0, 64.0, 2.0), 70_272.0, 0.0);
    }

    /// Korthikanti et al., section 5: the core of attention is 70 % of the activations of GPT-3 and 65 % of MT-NLG's.
    #[test]
    fn activations_are_those_of_the_recomputation_paper() {
        let saved = |hidden: f64, heads: f64, layers: f64| {
            let shape = Shape { layers, hidden, heads, sequence: 2048.0, batch: 1.0 };
            let all = activation_bytes(shape, 8.0, Recompute::Nothing);
            1.0 - activation_bytes(shape, 8.0, Recompute::Selective) / all
        };
        near("GPT-3 175B", saved(12_288.0, 96.0, 96.0), 0.70, 0.005);
        near("MT-NLG 530B", saved(20_480.0, 128.0, 105.0), 0.65, 0.006);
        // By hand: 2048·1·12288·96·34/8 bytes.
        let shape =
            Shape { layers: 96.0, hidden: 12_288.0, heads: 96.0, sequence: 2048.0, batch: 1.0 };
        near("bytes", activation_bytes(shape, 8.0, Recompute::Selective), 10_267_656_192.0, 1e-9);
        near("full", activation_bytes(shape, 8.0, Recompute::Full), 4_831_838_208.0, 1e-9);
    }

    /// `ZeRO`, figure 1: 7.5 billion parameters on 64 accelerators: 120, 31.4, 16.6 and 1.9 GB.
    #[test]
    fn training_states_are_those_of_the_zero_paper() {
        for (stage, gb) in [(0.0, 120.0), (1.0, 31.4), (2.0, 16.6), (3.0, 1.9)] {
            let spread = Spread { devices: 64.0, tensor: 1.0, pipeline: 1.0, zero_stage: stage };
            let found = state_bytes(7.5e9, Optimizer::Adam, spread) / 1e9;
            near(&format!("stage {stage}"), found, gb, 0.015);
        }
        let spread = Spread { devices: 64.0, tensor: 8.0, pipeline: 2.0, zero_stage: 0.0 };
        near("split", state_bytes(70e9, Optimizer::Adam, spread), 70e9, 1e-9);
        near("8 bits", state_bytes(70e9, Optimizer::Adam8Bit, spread), 43.75e9, 1e-9);
        let alone = Spread { devices: 1.0, tensor: 1.0, pipeline: 1.0, zero_stage: 0.0 };
        near("LoRA", lora_state_bytes(8e9, 20e6, alone), 16.32e9, 1e-9);
    }

    #[test]
    fn all_reduce_has_the_bus_bandwidth_of_nccl_tests() {
        // 70 billion bf16 gradients over 8 nodes of 400 GB/s.
        near("all-reduce", all_reduce_s(140e9, 8.0, 400e9), 0.6125, 1e-9);
        // algbw = S/t, busbw = algbw·2(n−1)/n must give the rate back.
        let (bytes, ranks, rate) = (1e9, 32.0, 77.9e9);
        let algorithm = bytes / all_reduce_s(bytes, ranks, rate);
        near("busbw", algorithm * 2.0 * (ranks - 1.0) / ranks, rate, 1e-12);
        near(
            "two gathers",
            2.0 * gather_s(bytes, ranks, rate),
            all_reduce_s(bytes, ranks, rate),
            1e-12,
        );
    }

    /// The Llama 3 paper: 419 unexpected interruptions in 54 days on 16,384 accelerators are one in three hours.
    #[test]
    fn failures_and_checkpoints_follow_young() {
        near("hours", HOURS_BETWEEN_FAILURES, 50_677.0, 1e-4);
        near("Llama 3", HOURS_BETWEEN_FAILURES / 16_384.0, 54.0 * 24.0 / 419.0, 1e-12);
        // 103 s to write, 409 h between failures: √(2·103·1,472,400) = 17,416 s, 4.8 h.
        let (every, lost) = checkpoint_interval(103.0, 409.0 * 3600.0);
        near("interval", every, 17_416.0, 1e-4);
        near("loss", lost, 103.0 / 17_416.0 + 17_416.0 / 2_944_800.0, 1e-4);
        // At Young's interval both parts of the loss are equal, and any other interval loses more.
        near("halves", lost, 2.0 * 103.0 / every, 1e-9);
        assert!(checkpoint_loss(103.0, every * 1.2, 409.0 * 3600.0) > lost);
        assert!(checkpoint_loss(103.0, every / 1.2, 409.0 * 3600.0) > lost);
        near("checkpoint", checkpoint_bytes(70.6e9), 988e9, 0.001);
    }

    /// GPT-3 175B: 300 billion tokens on 1,024 A100 at 140 TFLOPS each take 34 days by 8·T·P/(n·X), with everything
    /// computed twice (Narayanan et al., arXiv 2104.04473, section 5.1); without, six eighths of that.
    #[test]
    fn training_takes_six_operations_a_parameter_and_token() {
        let days = training_s(175e9, 300e9, 1024.0, 312e12, 140.0 / 312.0) / 86_400.0;
        near("GPT-3", days * 8.0 / 6.0, 34.0, 0.01);
    }

    #[test]
    fn decoding_is_bound_by_memory() {
        // 70 billion in bf16 on 8 H100: one sequence reads 140 GB at 26.8 TB/s: 191 tokens a second.
        near("one", decode_tokens_per_s(140e9, 0.0, 1.0, 26.8e12), 191.43, 1e-4);
        // 64 sequences of 2,048 tokens of 327,680 bytes: 64·26.8e12/(140e9 + 64·671,088,640).
        let kv = 2048.0 * 327_680.0;
        near("64", decode_tokens_per_s(140e9, kv, 64.0, 26.8e12), 9_375.3, 1e-4);
        near("prefill", prefill_tokens_per_s(70e9, 8.0 * 989e12, 0.4), 22_605.7, 1e-4);
    }
}
