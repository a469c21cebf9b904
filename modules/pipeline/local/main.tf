terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "cluster" { type = any }
variable "code" { type = string }
variable "step" { type = any }

resource "local_pipeline" "this" {
  name        = var.component.name
  working_dir = var.code
  mounts      = var.cluster.mounts
  steps       = var.step
  triggers    = merge({ cluster = var.cluster.id }, var.cluster.fingerprints)
}

output "artifacts" { value = local_pipeline.this.artifacts }
output "metrics" { value = local_pipeline.this.metrics }
output "state" { value = local_pipeline.this.state }
