terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "capacity_gib" { type = number }
variable "source" { type = string }

resource "local_volume" "this" {
  name         = var.component.name
  capacity_gib = var.capacity_gib
  source       = var.source
}

output "path" { value = local_volume.this.path }
output "fingerprint" { value = local_volume.this.fingerprint }
output "bytes" { value = local_volume.this.bytes }
