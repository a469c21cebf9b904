component_type "vector_store" {
  description = "Finds the vectors that are nearest to one."

  input "dimensions" {
    type        = number
    description = "Numbers of each vector."
    validation {
      condition     = input.dimensions >= 1 && input.dimensions <= 16000 && floor(input.dimensions) == input.dimensions
      error_message = "A vector has 1 to 16000 numbers."
    }
  }

  input "metric" {
    type        = string
    default     = "cosine"
    description = "How near is measured: `cosine`, `dot` or `euclidean`."
    validation {
      condition     = contains(["cosine", "dot", "euclidean"], input.metric)
      error_message = "`metric` is `cosine`, `dot` or `euclidean`."
    }
  }

  input "vectors" {
    type        = number
    default     = 100000
    description = "How many there will be, for its size: four bytes for each number, and half as much again for the index."
    validation {
      condition     = input.vectors >= 1
      error_message = "A store is for at least one vector."
    }
  }

  input "port" {
    type        = number
    default     = null
    description = "The port on this machine; a free one otherwise."
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "url" { description = "Where it answers." }
  output "memory_gib" { description = "How much memory all vectors with their index take, in GiB." }

  implementation "local" {
    backend = "local"
    source  = "./local"
    offer   = offer.kind == "machine"
    requires = [
      {
        condition = input.dimensions * input.vectors * 6 <= offer.memory_mib * 1048576
        message   = "${input.vectors} vectors of ${input.dimensions} numbers take ${ceil(input.dimensions * input.vectors * 6 / 1048576)} MiB, but ${offer.name} has ${offer.memory_mib} MiB of memory"
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
