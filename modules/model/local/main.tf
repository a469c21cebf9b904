# A model as a folder of this machine, copied from its source and pinned by its digest.

terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "source" { type = string }
variable "digest" { type = string }
variable "size_gib" { type = number }
variable "params_billion" { type = number }
variable "active_params_billion" { type = number }
variable "layers" { type = number }
variable "hidden" { type = number }
variable "heads" { type = number }
variable "kv_heads" { type = number }
variable "context_tokens" { type = number }
variable "precision" { type = string }

locals {
  bytes_of = { fp32 = 4, bf16 = 2, fp16 = 2, fp8 = 1, int8 = 1, fp4 = 0.5, int4 = 0.5 }
  weights  = try(var.params_billion * 1e9 * local.bytes_of[var.precision], null)
  size_gib = coalesce(var.size_gib, try(local.weights * 1.1 / 1073741824, null), 1)

  # What the folder itself says of its shape. A name that is set and said has to be the same.
  said = try(jsondecode(file("${var.source}/config.json")), {})
  names = {
    layers         = { set = var.layers, said = try(local.said.num_hidden_layers, null) }
    hidden         = { set = var.hidden, said = try(local.said.hidden_size, null) }
    heads          = { set = var.heads, said = try(local.said.num_attention_heads, null) }
    kv_heads       = { set = var.kv_heads, said = try(local.said.num_key_value_heads, null) }
    context_tokens = { set = var.context_tokens, said = try(local.said.max_position_embeddings, null) }
  }
  shape  = { for name, one in local.names : name => one.set == null ? one.said : one.set }
  differ = [for name, one in local.names : "${name} is ${one.set} here and ${one.said} there" if one.set != null && one.said != null && one.set != one.said]
}

resource "local_volume" "this" {
  name         = var.component.name
  capacity_gib = local.size_gib
  source       = var.source

  lifecycle {
    precondition {
      condition     = length(local.differ) == 0
      error_message = "model.${var.component.name} says otherwise than its config.json: ${join(", ", local.differ)}."
    }
    postcondition {
      condition     = var.digest == null || self.fingerprint == var.digest
      error_message = "model.${var.component.name} has the digest ${self.fingerprint}, and ${coalesce(var.digest, "-")} is asked for: something else lies in ${var.source}."
    }
  }
}

output "path" { value = local_volume.this.path }
output "digest" { value = local_volume.this.fingerprint }
output "bytes" { value = local_volume.this.bytes }
output "workload" {
  value = {
    params_billion        = var.params_billion
    active_params_billion = var.active_params_billion
    layers                = local.shape.layers
    hidden                = local.shape.hidden
    heads                 = local.shape.heads
    kv_heads              = local.shape.kv_heads
    context_tokens        = local.shape.context_tokens
    precision             = var.precision
  }
}
output "fingerprint" { value = local_volume.this.fingerprint }
