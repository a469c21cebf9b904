component_type "workspace" {
  description = "A place to work for each of some people: a notebook, with a folder that stays."

  near = { cluster = "region" }

  input "users" {
    type        = list(string)
    description = "Who has one."
    validation {
      condition     = length(input.users) > 0 && alltrue([for user in input.users : can(regex("^[a-z][a-z0-9-]{0,30}$", user))])
      error_message = "Users have names of small letters, digits and dashes, and there is at least one."
    }
    validation {
      condition     = length(distinct(input.users)) == length(input.users)
      error_message = "Every user is named once."
    }
  }

  input "command" {
    type        = list(string)
    default     = ["python3", "-m", "jupyter", "lab", "--no-browser", "--ip=127.0.0.1", "--port={port}", "--notebook-dir={model}"]
    description = "What runs on this machine; `{port}` and `{model}`, the folder, are replaced."
  }

  input "health_path" {
    type        = string
    default     = "/api"
    description = "What answers 200 when it is ready."
  }

  input "home_gib" {
    type        = number
    default     = 10
    description = "The folder of each, in GiB."
    validation {
      condition     = input.home_gib > 0
      error_message = "A folder has more than 0 GiB."
    }
  }

  input "idle_shutdown_s" {
    type        = number
    default     = 3600
    description = "After how long without anybody it stops, in seconds. On this machine the next request starts it again."
    validation {
      condition     = input.idle_shutdown_s >= 60
      error_message = "Somebody who thinks for a minute is still there: `idle_shutdown_s` is at least 60."
    }
  }

  input "cluster" {
    type        = any
    default     = null
    description = "The cluster whose accelerators they see; none otherwise."
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "urls" { description = "Where each is found, by user." }

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
