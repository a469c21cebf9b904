component_type "endpoint" {
  description = "A model behind an HTTP address."

  near = { cluster = "region", model = "region" }

  input "model" {
    type        = object({ path = string, digest = string, bytes = number })
    description = "The artifact that is served."
  }

  input "command" {
    type        = list(string)
    description = "The model server; `{port}` and `{model}` are replaced."
  }

  input "code" {
    type        = string
    default     = null
    description = "A folder whose files each replica finds in its own."
  }

  input "cluster" {
    type        = any
    default     = null
    description = "The cluster whose accelerators the replicas see; none otherwise."
  }

  input "environment" {
    type        = map(string)
    default     = {}
    description = "Environment of each replica."
  }

  input "start_timeout_s" {
    type        = number
    default     = 30
    description = "How long a replica may take to become ready: loading large weights takes minutes."
  }

  input "port" {
    type        = number
    default     = null
    description = "The port; a free one otherwise."
  }

  input "scale" {
    type = object({
      min                = optional(number, 0)
      max                = optional(number, 1)
      target_concurrency = optional(number, 1)
      idle_to_zero_s     = optional(number, 60)
      max_queue          = optional(number, 64)
    })
    default     = {}
    description = "How many replicas: from `min` to `max`, one for each `target_concurrency` requests."
    validation {
      condition     = input.scale.min <= input.scale.max
      error_message = "`min` must not be above `max`."
    }
  }

  input "health_path" {
    type        = string
    default     = "/health"
    description = "What answers 200 when a replica is ready."
  }

  input "workload" {
    type = object({
      params_billion        = number
      active_params_billion = optional(number)
      layers                = optional(number)
      heads                 = optional(number)
      kv_heads              = optional(number)
      head_dim              = optional(number)
      kv_lora_rank          = optional(number)
      rope_head_dim         = optional(number)
      precision             = optional(string, "bf16")
      kv_precision          = optional(string, "bf16")
      tensor_parallel       = optional(number, 1)
      pipeline_parallel     = optional(number, 1)
      memory_utilization    = optional(number, 0.9)
      concurrent_sequences  = optional(number, 1)
      sequence_tokens       = optional(number)
      prompt_tokens         = optional(number)
      output_tokens         = optional(number)
      peak_requests_per_s   = optional(number)
      idle_hours_per_day    = optional(number)
      node_start_s          = optional(number, 0)
      image_pull_s          = optional(number, 0)
      load_mb_per_s         = optional(number)
      engine_start_s        = optional(number, 0)
      max_cold_start_s      = optional(number)
    })
    default     = null
    description = "What is served, for the [checks](../checks.md) of memory, throughput and cold start; nothing runs by it. `sequence_tokens` counts prompt and answer of one sequence, `concurrent_sequences` those of one replica at once, `load_mb_per_s` is how fast a replica reads weights."
    validation {
      condition     = input.workload == null ? true : contains(["fp32", "bf16", "fp16", "fp8", "int8", "fp4", "int4"], input.workload.precision) && contains(["fp32", "bf16", "fp16", "fp8", "int8", "fp4", "int4"], input.workload.kv_precision)
      error_message = "Precisions are fp32, bf16, fp16, fp8, int8, fp4 and int4."
    }
    validation {
      condition     = input.workload == null ? true : min(input.workload.params_billion, input.workload.tensor_parallel, input.workload.pipeline_parallel, input.workload.concurrent_sequences) > 0
      error_message = "Parameters, sequences and degrees of parallelism are more than 0."
    }
    validation {
      condition     = input.workload == null ? true : input.workload.memory_utilization > 0 && input.workload.memory_utilization <= 1
      error_message = "`memory_utilization` is a share of the memory, above 0 and at most 1."
    }
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "url" { description = "Where it answers." }

  implementation "local" {
    backend = "local"
    source  = "./local"
    offer   = offer.kind == "machine"
  }

  implementation "aws" {
    backend  = "aws"
    source   = "./aws"
    offer    = offer.kind == "region"
    machines = 0
  }

  implementation "google" {
    backend  = "google"
    source   = "./google"
    offer    = offer.kind == "region"
    machines = 0
  }
}
