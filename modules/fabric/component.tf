component_type "fabric" {
  description = "The network that the nodes of a cluster talk over."

  input "node_gbps" {
    type        = number
    default     = null
    description = "Bandwidth of each node, in Gbit/s."
  }

  input "nodes" {
    type        = number
    default     = 1
    description = "How many nodes talk over it."
    validation {
      condition     = input.nodes >= 1
      error_message = "A fabric needs at least one node."
    }
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "id" { description = "Names the fabric to whatever joins it." }
  output "kind" { description = "What it is made of, such as `loopback`." }
  output "measured_gbps" { description = "What one connection carried, in Gbit/s." }

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
