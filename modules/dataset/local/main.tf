# Data as a folder of this machine, copied from its source and pinned by its digest.

terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "source" { type = string }
variable "digest" { type = string }
variable "size_gib" { type = number }
variable "format" { type = string }
variable "personal" { type = bool }

locals {
  others = var.format == null ? [] : [for file in fileset(var.source, "**") : file if !endswith(file, ".${var.format}")]
}

resource "local_volume" "this" {
  name                = var.component.name
  capacity_gib        = var.size_gib
  source              = var.source
  snapshot_on_destroy = var.personal

  lifecycle {
    precondition {
      condition     = length(local.others) == 0
      error_message = "dataset.${var.component.name} is of ${coalesce(var.format, "-")} files, and ${join(", ", slice(local.others, 0, min(3, length(local.others))))} in ${var.source} end otherwise."
    }
    postcondition {
      condition     = var.digest == null || self.fingerprint == var.digest
      error_message = "dataset.${var.component.name} has the digest ${self.fingerprint}, and ${coalesce(var.digest, "-")} is asked for: something else lies in ${var.source}."
    }
  }
}

output "path" { value = local_volume.this.path }
output "fingerprint" { value = local_volume.this.fingerprint }
output "bytes" { value = local_volume.this.bytes }
output "files" { value = local_volume.this.files }
