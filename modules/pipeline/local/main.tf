terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "cluster" { type = any }
variable "code" { type = string }
variable "step" { type = any }

locals {
  # A step sees the GPUs that its cluster has reserved, and no other; with none it sees none.
  gpus = { CUDA_VISIBLE_DEVICES = join(",", flatten([for node in var.cluster.nodes : node.gpus])) }
}

resource "local_pipeline" "this" {
  name        = var.component.name
  working_dir = var.code
  mounts      = var.cluster.mounts
  steps       = { for name, step in var.step : name => merge({
    # What only checks look at is not the job's.
    for key, value in step : key => value if !contains(["workload", "checkpoint", "reads"], key)
  }, { environment = merge(local.gpus, step.environment) }) }
  triggers    = merge({ cluster = var.cluster.id }, var.cluster.fingerprints)
}

output "artifacts" { value = local_pipeline.this.artifacts }
output "metrics" { value = local_pipeline.this.metrics }
output "state" { value = local_pipeline.this.state }
