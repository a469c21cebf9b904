terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "model" { type = any }
variable "command" { type = list(string) }
variable "code" { type = string }
variable "cluster" { type = any }
variable "environment" { type = map(string) }
variable "start_timeout_s" { type = number }
variable "port" { type = number }
variable "scale" { type = any }
variable "health_path" { type = string }

locals {
  # A replica sees the GPUs that its cluster has reserved, and no other; without a cluster it sees none.
  gpus = { CUDA_VISIBLE_DEVICES = join(",", try(flatten([for node in var.cluster.nodes : node.gpus]), [])) }
}

resource "local_endpoint" "this" {
  name            = var.component.name
  command         = var.command
  working_dir     = var.code
  model_path      = var.model.path
  model_digest    = var.model.digest
  environment     = merge(local.gpus, var.environment)
  port            = var.port
  scale           = var.scale
  health_path     = var.health_path
  start_timeout_s = var.start_timeout_s
}

output "url" { value = local_endpoint.this.url }
output "state" { value = local_endpoint.this.state }
