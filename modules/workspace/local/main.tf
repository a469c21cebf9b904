# A server for each user on loopback, which starts when it is asked, and a folder for each, which stays.

terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "users" { type = list(string) }
variable "command" { type = list(string) }
variable "health_path" { type = string }
variable "home_gib" { type = number }
variable "idle_shutdown_s" { type = number }
variable "cluster" { type = any }

locals {
  # Who works sees the GPUs that the cluster has reserved, and no other; without a cluster none.
  gpus = { CUDA_VISIBLE_DEVICES = join(",", try(flatten([for node in var.cluster.nodes : node.gpus]), [])) }
}

resource "local_volume" "home" {
  for_each            = toset(var.users)
  name                = "${var.component.name}-${each.key}"
  capacity_gib        = var.home_gib
  snapshot_on_destroy = true
}

resource "local_endpoint" "this" {
  for_each        = toset(var.users)
  name            = "${var.component.name}-${each.key}"
  command         = var.command
  model_path      = local_volume.home[each.key].path
  environment     = merge(local.gpus, { WORKSPACE_HOME = local_volume.home[each.key].path })
  health_path     = var.health_path
  start_timeout_s = 120
  scale           = { min = 0, max = 1, idle_to_zero_s = var.idle_shutdown_s, target_concurrency = 32 }
}

output "urls" { value = { for user, one in local_endpoint.this : user => one.url } }
output "homes" { value = { for user, one in local_volume.home : user => one.path } }
