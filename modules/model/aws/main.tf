# A model as a folder of a bucket. One that lies in S3 stays there, and one of Hugging Face is fetched by whoever serves
# it: both are only named. A folder is put into a bucket, each state of it under its digest, so that what serves an
# earlier one still finds it.
#
# `options = { aws = { … } }` takes:
#   bucket       where a folder is put; a new one otherwise
#   kms_key_id   encrypts it; a key of AWS otherwise

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "source" { type = string }
variable "digest" { type = string }
variable "params_billion" { type = number }
variable "active_params_billion" { type = number }
variable "layers" { type = number }
variable "hidden" { type = number }
variable "heads" { type = number }
variable "kv_heads" { type = number }
variable "context_tokens" { type = number }
variable "precision" { type = string }
variable "options" { type = any }

locals {
  given    = try(var.options.aws, {})
  defaults = { bucket = null, kms_key_id = null }
  options  = merge(local.defaults, local.given)

  name      = "${var.component.name}-model"
  tags      = { Name = local.name, "stratiform:component" = "model.${var.component.name}" }
  is_folder = !startswith(var.source, "s3://") && !startswith(var.source, "hf:")
  files     = local.is_folder ? fileset(var.source, "**") : toset([])
  # As a folder of this machine has it: SHA-256 over names and contents.
  content = sha256(join("\n", [for file in local.files : "${file} ${filesha256("${var.source}/${file}")}"]))
  digest  = local.is_folder ? local.content : coalesce(var.digest, sha256(var.source))
  own     = local.is_folder && local.options.bucket == null
  bucket  = local.own ? aws_s3_bucket.this[0].bucket : local.options.bucket
  prefix  = "models/${var.component.name}/${local.digest}"

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

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == var.component.offer.region
      error_message = "model.${var.component.name} was placed in ${var.component.offer.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${var.component.offer.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "A model on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
    postcondition {
      condition     = length(local.differ) == 0
      error_message = "model.${var.component.name} says otherwise than its config.json: ${join(", ", local.differ)}."
    }
    postcondition {
      condition     = !local.is_folder || var.digest == null || var.digest == local.content
      error_message = "model.${var.component.name} has the digest ${local.content}, and ${coalesce(var.digest, "-")} is asked for: something else lies in ${var.source}."
    }
  }
}

resource "aws_s3_bucket" "this" {
  count         = local.own ? 1 : 0
  bucket_prefix = "${substr(lower(replace(local.name, "_", "-")), 0, 36)}-"
  tags          = local.tags
}

resource "aws_s3_bucket_public_access_block" "this" {
  count                   = local.own ? 1 : 0
  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  count  = local.own && local.options.kms_key_id != null ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = local.options.kms_key_id
    }
  }
}

resource "aws_s3_object" "file" {
  for_each    = local.files
  bucket      = local.bucket
  key         = "${local.prefix}/${each.value}"
  source      = "${var.source}/${each.value}"
  source_hash = filemd5("${var.source}/${each.value}")
  tags        = { "stratiform:component" = "model.${var.component.name}" }
}

output "path" {
  value      = local.is_folder ? "s3://${local.bucket}/${local.prefix}/" : var.source
  depends_on = [aws_s3_object.file]
}
output "digest" { value = local.digest }
# Nothing counts the bytes of files here without reading them whole.
output "bytes" { value = null }
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
output "fingerprint" { value = local.digest }
