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
