component_type "cluster" {
  description = "Machines that work together."

  near = { fabric = "region", mounts = "region" }

  input "nodes" {
    type        = number
    default     = 1
    description = "How many nodes."
    validation {
      condition     = input.nodes >= 1
      error_message = "A cluster needs at least one node."
    }
  }

  input "vcpus_per_node" {
    type        = number
    default     = 1
    description = "Hardware threads of each node."
  }

  input "memory_gib_per_node" {
    type        = number
    default     = 1
    description = "Memory of each node, in GiB."
  }

  input "accelerator" {
    type = object({
      type  = string
      count = number
    })
    default     = { type = "cpu", count = 0 }
    description = "Accelerators of the whole cluster; `cpu` for none, `gpu` for any GPU, else a part of the model's name such as `h100`."
  }

  input "fabric" {
    type        = any
    default     = null
    description = "The fabric that its nodes talk over."
  }

  input "reserved_until" {
    type        = string
    default     = null
    description = "When its capacity ends, as `2027-01-31T11:30:00Z`, where it was bought for a while: steps that take longer are told."
    validation {
      condition     = input.reserved_until == null ? true : can(timeadd(input.reserved_until, "0s"))
      error_message = "`reserved_until` is a time such as `2027-01-31T11:30:00Z`."
    }
  }

  input "mounts" {
    type        = any
    default     = {}
    description = "File systems by the path at which each node finds them."
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "id" { description = "Names the cluster to whatever runs on it." }
  output "nodes" { description = "Its nodes, with what each has." }
  output "mounts" { description = "Folders by the name under which work finds them." }

  implementation "local" {
    backend = "local"
    source  = "./local"
    offer   = offer.kind == "machine"
    requires = [
      {
        condition = input.accelerator.type == "cpu" || input.accelerator.count <= offer.gpu_count
        message   = "needs ${input.accelerator.count} accelerators, but ${offer.name} has ${offer.gpu_count}: ${input.accelerator.count - offer.gpu_count} too few"
      },
      {
        condition = contains(["cpu", "gpu"], input.accelerator.type) || input.accelerator.count > offer.gpu_count || input.accelerator.count <= length([for model in offer.gpus : model if strcontains(lower(model), lower(input.accelerator.type))])
        message   = "needs ${input.accelerator.count} accelerators of type ${input.accelerator.type}, but ${offer.name} has ${join(", ", offer.gpus)}"
      },
      {
        condition = input.nodes * input.vcpus_per_node <= offer.vcpus
        message   = "needs ${input.nodes * input.vcpus_per_node} vCPUs, but ${offer.name} has ${offer.vcpus}: ${input.nodes * input.vcpus_per_node - offer.vcpus} too few"
      },
      {
        condition = input.nodes * input.memory_gib_per_node * 1024 <= offer.memory_mib
        message   = "needs ${input.nodes * input.memory_gib_per_node * 1024} MiB of memory, but ${offer.name} has ${offer.memory_mib} MiB: ${input.nodes * input.memory_gib_per_node * 1024 - offer.memory_mib} MiB too few"
      },
    ]
    demand = {
      vcpus      = input.nodes * input.vcpus_per_node
      memory_mib = input.nodes * input.memory_gib_per_node * 1024
      gpus       = input.accelerator.type == "cpu" ? 0 : input.accelerator.count
    }
  }

  implementation "aws" {
    backend  = "aws"
    source   = "./aws"
    machines = input.nodes
    standing = try(input.options.aws.reserve, false) || try(input.options.aws.capacity_block_offering_id, null) != null || offer.purchase == "capacity_block" ? input.nodes : coalesce(try(input.options.aws.min_nodes, null), input.nodes)
    offer    = offer.kind == "instance_type" && (input.accelerator.type == "cpu" ? offer.accelerator == null : offer.accelerator != null && (input.accelerator.type == "gpu" ? !startswith(coalesce(offer.accelerator, "-"), "Inferentia") && !startswith(coalesce(offer.accelerator, "-"), "Trainium") : strcontains(lower(coalesce(offer.accelerator, "-")), lower(input.accelerator.type))))
    requires = [
      {
        condition = input.nodes * coalesce(offer.accelerator_count, 0) >= input.accelerator.count
        message   = "needs ${input.accelerator.count} accelerators, but ${input.nodes} × ${offer.name} has ${input.nodes * coalesce(offer.accelerator_count, 0)}"
      },
      {
        condition = input.vcpus_per_node <= coalesce(offer.vcpus, 0) && input.memory_gib_per_node * 1024 <= coalesce(offer.memory_mib, 0)
        message   = "needs ${input.vcpus_per_node} vCPUs and ${input.memory_gib_per_node} GiB on each node, but ${offer.name} has ${coalesce(offer.vcpus, 0)} and ${coalesce(offer.memory_mib, 0) / 1024}"
      },
    ]
  }

  implementation "google" {
    backend  = "google"
    source   = "./google"
    machines = input.nodes
    standing = coalesce(try(input.options.google.min_nodes, null), input.nodes)
    offer    = offer.kind == "instance_type" && offer.fabric != "ici" && (input.accelerator.type == "cpu" ? offer.accelerator == null : offer.accelerator != null && (input.accelerator.type == "gpu" ? !startswith(coalesce(offer.accelerator, "-"), "Inferentia") && !startswith(coalesce(offer.accelerator, "-"), "Trainium") : strcontains(lower(coalesce(offer.accelerator, "-")), lower(input.accelerator.type))))
    requires = [
      {
        condition = input.nodes * coalesce(offer.accelerator_count, 0) >= input.accelerator.count
        message   = "needs ${input.accelerator.count} accelerators, but ${input.nodes} × ${offer.name} has ${input.nodes * coalesce(offer.accelerator_count, 0)}"
      },
      {
        condition = input.vcpus_per_node <= coalesce(offer.vcpus, 0) && input.memory_gib_per_node * 1024 <= coalesce(offer.memory_mib, 0)
        message   = "needs ${input.vcpus_per_node} vCPUs and ${input.memory_gib_per_node} GiB on each node, but ${offer.name} has ${coalesce(offer.vcpus, 0)} and ${coalesce(offer.memory_mib, 0) / 1024}"
      },
    ]
  }
}
