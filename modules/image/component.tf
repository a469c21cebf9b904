component_type "image" {
  description = "Software that work runs in: a container, or what a machine starts with."

  input "kind" {
    type        = string
    default     = "container"
    description = "`container` or `host`. On this machine both are what is installed here."
    validation {
      condition     = contains(["container", "host"], input.kind)
      error_message = "`kind` is `container` or `host`."
    }
  }

  input "framework" {
    type        = string
    default     = "pytorch"
    description = "`pytorch`, `tensorflow` or `jax`; `none` for none."
    validation {
      condition     = contains(["pytorch", "tensorflow", "jax", "none"], input.framework)
      error_message = "`framework` is `pytorch`, `tensorflow`, `jax` or `none`."
    }
  }

  input "framework_version" {
    type        = string
    default     = null
    description = "Such as `2.8.0`; on this machine at least this one."
    validation {
      condition     = input.framework_version == null ? true : can(regex("^[0-9]+(\\.[0-9]+){0,2}$", input.framework_version))
      error_message = "A version is up to three numbers with dots, such as `2.8.0`."
    }
  }

  input "purpose" {
    type        = string
    default     = "training"
    description = "`training` or `inference`."
    validation {
      condition     = contains(["training", "inference"], input.purpose)
      error_message = "`purpose` is `training` or `inference`."
    }
  }

  input "gpu" {
    type        = bool
    default     = true
    description = "Whether it has the libraries of GPUs."
  }

  input "driver_min" {
    type        = number
    default     = null
    description = "The oldest driver of NVIDIA that it runs with, as its first number, such as 550."
  }

  input "reference" {
    type        = string
    default     = null
    description = "An image of one's own, `REGISTRY/NAME@sha256:…` or an AMI, in the place of one that is looked for."
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "id" { description = "Names it to whatever runs in it." }
  output "digest" { description = "Changes when it changes." }

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
}
