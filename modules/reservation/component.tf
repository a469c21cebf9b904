component_type "reservation" {
  description = "Capacity that is held, and paid for, whether it is used or not."

  input "kind" {
    type        = string
    default     = "on_demand"
    description = "`on_demand`, for as long as it is there, or `capacity_block`, paid at once for a time and never paid back."
    validation {
      condition     = contains(["on_demand", "capacity_block"], input.kind)
      error_message = "`kind` is `on_demand` or `capacity_block`."
    }
  }

  input "accelerator" {
    type        = string
    default     = "cpu"
    description = "`cpu` for none, else a part of the model's name such as `h100`."
  }

  input "machine_type" {
    type        = string
    default     = null
    description = "The machine type, where it is not left to the placement."
  }

  input "machines" {
    type        = number
    default     = 1
    description = "How many machines."
    validation {
      condition     = input.machines >= 1 && floor(input.machines) == input.machines
      error_message = "A whole number of machines is reserved, at least one."
    }
  }

  input "vcpus_per_machine" {
    type        = number
    default     = 1
    description = "Hardware threads of each machine, at least."
  }

  input "memory_gib_per_machine" {
    type        = number
    default     = 1
    description = "Memory of each machine, in GiB, at least."
  }

  input "gpus_per_machine" {
    type        = number
    default     = 0
    description = "Accelerators of each machine, at least."
  }

  input "ends_at" {
    type        = string
    default     = null
    description = "When it ends, as `2027-01-31T11:30:00Z`; when it is destroyed otherwise."
    validation {
      condition     = input.ends_at == null ? true : can(timeadd(input.ends_at, "0s"))
      error_message = "`ends_at` is a time such as `2027-01-31T11:30:00Z`."
    }
  }

  input "auto_accept" {
    type        = bool
    default     = false
    description = "Whether apply may buy what is not paid back."
    validation {
      condition     = input.kind != "capacity_block" || input.auto_accept
      error_message = "A capacity block is paid at once and never paid back: say `auto_accept = true` to let apply buy it."
    }
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "id" { description = "Names it to the cluster that uses it." }
  output "machines" { description = "How many machines it holds." }
  output "ends_at" { description = "When it ends; null for when it is destroyed." }

  implementation "local" {
    backend = "local"
    source  = "./local"
    offer   = offer.kind == "machine"
    requires = [
      {
        condition = input.kind == "on_demand"
        message   = "${offer.name} sells no capacity blocks"
      },
      {
        condition = input.machines * input.vcpus_per_machine <= offer.vcpus
        message   = "holds ${input.machines * input.vcpus_per_machine} vCPUs, but ${offer.name} has ${offer.vcpus}: ${input.machines * input.vcpus_per_machine - offer.vcpus} too few"
      },
      {
        condition = input.machines * input.memory_gib_per_machine * 1024 <= offer.memory_mib
        message   = "holds ${input.machines * input.memory_gib_per_machine * 1024} MiB of memory, but ${offer.name} has ${offer.memory_mib} MiB"
      },
      {
        condition = input.machines * input.gpus_per_machine <= offer.gpu_count
        message   = "holds ${input.machines * input.gpus_per_machine} GPUs, but ${offer.name} has ${offer.gpu_count}: ${input.machines * input.gpus_per_machine - offer.gpu_count} too few"
      },
    ]
    demand = {
      vcpus      = input.machines * input.vcpus_per_machine
      memory_mib = input.machines * input.memory_gib_per_machine * 1024
      gpus       = input.machines * input.gpus_per_machine
    }
  }

  implementation "aws" {
    backend  = "aws"
    source   = "./aws"
    machines = input.machines
    offer    = offer.kind == "instance_type" && offer.purchase == input.kind && (input.machine_type == null ? true : offer.machine == input.machine_type) && (input.accelerator == "cpu" ? input.machine_type != null || offer.accelerator == null : strcontains(lower(coalesce(offer.accelerator, "-")), lower(input.accelerator)))
    requires = [
      {
        condition = input.gpus_per_machine <= coalesce(offer.accelerator_count, 0) && input.vcpus_per_machine <= coalesce(offer.vcpus, 0) && input.memory_gib_per_machine * 1024 <= coalesce(offer.memory_mib, 0)
        message   = "holds ${input.gpus_per_machine} accelerators, ${input.vcpus_per_machine} vCPUs and ${input.memory_gib_per_machine} GiB on each machine, but ${offer.name} has ${coalesce(offer.accelerator_count, 0)}, ${coalesce(offer.vcpus, 0)} and ${coalesce(offer.memory_mib, 0) / 1024}"
      },
      {
        condition = input.kind != "capacity_block" || input.machines <= 64
        message   = "a capacity block has at most 64 machines, and ${input.machines} are asked for"
      },
    ]
  }
}
