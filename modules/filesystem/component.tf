component_type "filesystem" {
  description = "Storage that many readers share."

  near = { fabric = "region" }

  input "capacity_gib" {
    type        = number
    description = "How much it may hold, in GiB."
    validation {
      condition     = input.capacity_gib > 0
      error_message = "The capacity must be more than 0 GiB."
    }
  }

  input "throughput_mb_per_s" {
    type        = number
    default     = null
    description = "What all its clients together get, in 10⁶ bytes a second, for the [checks](../checks.md) of checkpoints and reading."
    validation {
      condition     = input.throughput_mb_per_s == null ? true : input.throughput_mb_per_s > 0
      error_message = "The throughput must be more than 0 MB/s."
    }
  }

  input "source" {
    type        = string
    default     = null
    description = "A folder whose content it is filled with."
  }

  input "fabric" {
    type        = any
    default     = null
    description = "The fabric whose nodes read it, where the backend has networks."
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "path" { description = "Where it is found on each node." }
  output "fingerprint" { description = "SHA-256 over names and contents." }

  implementation "local" {
    backend = "local"
    source  = "./local"
    offer   = offer.kind == "machine"
    requires = [
      {
        condition = input.capacity_gib <= offer.disk_free_gib
        message   = "needs ${input.capacity_gib} GiB of disk, but ${offer.name} has ${offer.disk_free_gib} GiB free: ${input.capacity_gib - offer.disk_free_gib} GiB too few"
      },
    ]
    demand = { disk_gib = input.capacity_gib }
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
