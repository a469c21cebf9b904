# Threads, memory and GPUs of this machine that no other stack is promised.

terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "machines" { type = number }
variable "vcpus_per_machine" { type = number }
variable "memory_gib_per_machine" { type = number }
variable "gpus_per_machine" { type = number }
variable "ends_at" { type = string }

resource "local_node_pool" "this" {
  name                = var.component.name
  nodes               = var.machines
  vcpus_per_node      = var.vcpus_per_machine
  memory_mib_per_node = floor(var.memory_gib_per_machine * 1024)
  gpus_per_node       = var.gpus_per_machine
}

# What holds capacity for good is let go by whoever reads the plan.
check "in_force" {
  assert {
    condition     = var.ends_at == null ? true : timecmp(plantimestamp(), coalesce(var.ends_at, plantimestamp())) < 0
    error_message = "reservation.${var.component.name} has ended at ${coalesce(var.ends_at, "-")}, and still holds capacity: take it out."
  }
}

output "id" { value = local_node_pool.this.id }
output "machines" { value = length(local_node_pool.this.node) }
output "ends_at" { value = var.ends_at }
output "nodes" { value = local_node_pool.this.node }
