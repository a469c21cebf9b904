component_type "pipeline" {
  description = "Steps that make artifacts, run in the order of their needs."

  near = { cluster = "region" }

  input "cluster" {
    type        = any
    description = "The cluster that the steps run on."
  }

  input "code" {
    type        = string
    default     = null
    description = "A folder whose files each step finds in its own."
  }

  input "step" {
    type = map(object({
      command     = list(string)
      needs       = optional(list(string), [])
      environment = optional(map(string), {})
      outputs     = optional(map(string), {})
      metrics     = optional(string)
      timeout_s   = optional(number)
      workload = optional(object({
        params_billion          = number
        active_params_billion   = optional(number)
        layers                  = optional(number)
        hidden                  = optional(number)
        heads                   = optional(number)
        kv_heads                = optional(number)
        experts                 = optional(number)
        sequence_tokens         = optional(number)
        micro_batch_sequences   = optional(number, 1)
        global_batch_tokens     = optional(number)
        tokens_billion          = optional(number)
        precision               = optional(string, "bf16")
        optimizer               = optional(string, "adam")
        lora_params_billion     = optional(number)
        zero_stage              = optional(number, 0)
        tensor_parallel         = optional(number, 1)
        pipeline_parallel       = optional(number, 1)
        context_parallel        = optional(number, 1)
        expert_parallel         = optional(number, 1)
        recompute               = optional(string, "none")
        utilization             = optional(number)
        communication_overlap   = optional(number, 0)
        mean_hours_to_interrupt = optional(number)
        max_hours               = optional(number)
        max_usd                 = optional(number)
      }))
      checkpoint = optional(object({
        mount               = string
        every_s             = optional(number)
        max_stall_s         = optional(number)
        node_write_mb_per_s = optional(number)
        restart_s           = optional(number)
      }))
      reads = optional(object({
        mount    = string
        mb_per_s = number
      }))
    }))
    description = "The steps by name. `workload` says what a step trains and `checkpoint` and `reads` what it writes to and reads from a mount of the cluster: nothing runs by them, but the [checks](../checks.md) of memory, network, storage, time and cost need them. `optimizer` is `adam` or `adam8bit`, `recompute` is `none`, `selective` or `full`, `utilization` the share of peak operations that the model gets, `communication_overlap` the share of a step that hides communication."
    validation {
      condition     = alltrue([for step in values(input.step) : step.workload == null ? true : contains(["fp32", "tf32", "bf16", "fp16", "fp8", "fp4"], step.workload.precision)])
      error_message = "A step trains in fp32, tf32, bf16, fp16, fp8 or fp4."
    }
    validation {
      condition     = alltrue([for step in values(input.step) : step.workload == null ? true : contains(["adam", "adam8bit"], step.workload.optimizer) && contains(["none", "selective", "full"], step.workload.recompute)])
      error_message = "`optimizer` is `adam` or `adam8bit`, `recompute` is `none`, `selective` or `full`."
    }
    validation {
      condition     = alltrue([for step in values(input.step) : step.workload == null ? true : min(step.workload.params_billion, step.workload.micro_batch_sequences, step.workload.tensor_parallel, step.workload.pipeline_parallel, step.workload.context_parallel, step.workload.expert_parallel) > 0])
      error_message = "Parameters, batches and degrees of parallelism are more than 0."
    }
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "artifacts" { description = "Path, digest and size of each artifact, by name." }
  output "metrics" { description = "Numbers that the steps have written, by name." }

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
