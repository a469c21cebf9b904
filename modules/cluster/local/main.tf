terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "nodes" { type = number }
variable "vcpus_per_node" { type = number }
variable "memory_gib_per_node" { type = number }
variable "accelerator" { type = any }
variable "fabric" { type = any }
variable "mounts" { type = any }

resource "local_node_pool" "this" {
  name                = var.component.name
  nodes               = var.nodes
  vcpus_per_node      = var.vcpus_per_node
  memory_mib_per_node = floor(var.memory_gib_per_node * 1024)
  gpus_per_node       = var.accelerator.type == "cpu" ? 0 : ceil(var.accelerator.count / var.nodes)
}

output "id" { value = local_node_pool.this.id }
output "nodes" { value = local_node_pool.this.node }
output "mounts" { value = { for path, system in var.mounts : path => system.path } }
output "fingerprints" { value = { for path, system in var.mounts : path => system.fingerprint } }
output "fabric" { value = try(var.fabric.id, null) }
