terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "node_gbps" { type = number }
variable "nodes" { type = number }

resource "local_fabric" "this" {
  name      = var.component.name
  nodes     = var.nodes
  node_gbps = var.node_gbps
}

output "id" { value = local_fabric.this.id }
output "kind" { value = local_fabric.this.kind }
output "address" { value = local_fabric.this.address }
output "ports" { value = local_fabric.this.ports }
output "measured_gbps" { value = local_fabric.this.measured_gbps }
