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
    }))
    description = "The steps by name."
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
