component_type "registry" {
  description = "Models under names and versions, of which those that are approved may be served."

  input "models" {
    type        = map(object({ path = string, digest = string, bytes = number }))
    default     = {}
    description = "Artifacts by `NAME` or `NAME@VERSION`, such as `pipeline.tune.artifacts[\"model\"]`. What is taken out is deleted."
    validation {
      condition     = alltrue([for name in keys(input.models) : can(regex("^[A-Za-z0-9][A-Za-z0-9-]*(@[A-Za-z0-9.-]+)?$", name))])
      error_message = "Models have names of letters, digits and dashes, such as `chat` or `chat@7`."
    }
  }

  input "approved" {
    type        = list(string)
    default     = []
    description = "Which of them may be served."
    validation {
      condition     = length(setsubtract(input.approved, keys(input.models))) == 0
      error_message = "What is approved is one of `models`."
    }
  }

  input "approval_required" {
    type        = bool
    default     = true
    description = "Whether the output `models` holds only what is approved."
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "models" { description = "Path, digest and size by name, of what may be served: an endpoint that asks for another does not plan." }
  output "id" { description = "Names the registry." }

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
