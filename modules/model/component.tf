component_type "model" {
  description = "Weights under one name and digest, with the facts of their shape that checks need."

  input "source" {
    type        = string
    description = "Where it lies: a folder, `s3://…`, or `hf:ORGANISATION/NAME@REVISION` with a whole commit, which whoever serves it fetches."
    validation {
      condition     = startswith(input.source, "hf:") ? can(regex("^hf:[^/@]+/[^/@]+@[0-9a-f]{40}$", input.source)) : input.source != ""
      error_message = "A model of Hugging Face is pinned by a whole commit: `hf:ORGANISATION/NAME@` and 40 hexadecimal digits."
    }
  }

  input "digest" {
    type        = string
    default     = null
    description = "SHA-256 over names and contents that it has to have, as `fingerprint` of a file system; whatever is there otherwise."
  }

  input "size_gib" {
    type        = number
    default     = null
    description = "How much it takes at most, in GiB; from parameters and precision otherwise, with a tenth to spare."
    validation {
      condition     = input.size_gib == null ? true : input.size_gib > 0
      error_message = "The size must be more than 0 GiB."
    }
  }

  input "params_billion" {
    type        = number
    default     = null
    description = "Parameters, in 10⁹."
    validation {
      condition     = input.params_billion == null ? true : input.params_billion > 0
      error_message = "A model has more than 0 parameters."
    }
  }

  input "active_params_billion" {
    type        = number
    default     = null
    description = "Parameters that one token uses, in 10⁹, of a mixture of experts; all otherwise."
    validation {
      condition     = input.active_params_billion == null ? true : input.active_params_billion > 0 && input.active_params_billion <= coalesce(input.params_billion, input.active_params_billion)
      error_message = "A token uses more than 0 parameters, and at most all."
    }
  }

  input "layers" {
    type        = number
    default     = null
    description = "Layers; those of `config.json` otherwise, where the model is a folder with one. So are the next four."
  }
  input "hidden" {
    type        = number
    default     = null
    description = "Width of a layer."
  }
  input "heads" {
    type        = number
    default     = null
    description = "Heads of attention."
  }
  input "kv_heads" {
    type        = number
    default     = null
    description = "Heads of keys and values."
  }
  input "context_tokens" {
    type        = number
    default     = null
    description = "The longest sequence, in tokens."
  }

  input "precision" {
    type        = string
    default     = "bf16"
    description = "In which its weights are stored."
    validation {
      condition     = contains(["fp32", "bf16", "fp16", "fp8", "int8", "fp4", "int4"], input.precision)
      error_message = "Precisions are fp32, bf16, fp16, fp8, int8, fp4 and int4."
    }
  }

  input "licence" {
    type        = string
    default     = null
    description = "Under which it may be used, for people."
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "path" { description = "Where it is found." }
  output "digest" { description = "SHA-256 that stands for it." }
  output "bytes" { description = "How much it takes; null where that is not known." }
  output "workload" { description = "Parameters, layers, hidden, heads, kv_heads and precision, for the `workload` of an endpoint or a step." }

  implementation "local" {
    backend = "local"
    source  = "./local"
    offer   = offer.kind == "machine"
    requires = [
      {
        condition = !startswith(input.source, "s3://") && !startswith(input.source, "hf:")
        message   = "a model on ${offer.name} is copied from a folder, and `${input.source}` is none: fetch it first"
      },
    ]
  }

  implementation "aws" {
    backend  = "aws"
    source   = "./aws"
    offer    = offer.kind == "region"
    machines = 0
  }
}
