# Data as a bucket of its own, filled from a folder, or what lies in S3 already, which is only named. Clusters mount it
# as they do a file system of S3.
#
# Data that tells of people gets a key of its own, is reached over TLS alone, and every version of an object is kept.
#
# `options = { aws = { … } }` takes:
#   kms_key_id      encrypts it, in the place of a key of its own
#   retain_days     how long versions that were replaced are kept

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "source" { type = string }
variable "digest" { type = string }
variable "size_gib" { type = number }
variable "format" { type = string }
variable "personal" { type = bool }
variable "options" { type = any }

locals {
  given    = try(var.options.aws, {})
  defaults = { kms_key_id = null, retain_days = 90 }
  options  = merge(local.defaults, local.given)

  name      = "${var.component.name}-dataset"
  tags      = { Name = local.name, "stratiform:component" = "dataset.${var.component.name}" }
  is_folder = !startswith(var.source, "s3://")
  files     = local.is_folder ? fileset(var.source, "**") : toset([])
  content   = sha256(join("\n", [for file in local.files : "${file} ${filesha256("${var.source}/${file}")}"]))
  others    = var.format == null ? [] : [for file in local.files : file if !endswith(file, ".${var.format}")]
  own_key   = local.is_folder && var.personal && local.options.kms_key_id == null
  key       = local.own_key ? aws_kms_key.this[0].arn : local.options.kms_key_id
  bucket    = local.is_folder ? aws_s3_bucket.this[0].bucket : split("/", trimprefix(var.source, "s3://"))[0]
  path      = local.is_folder ? "s3://${local.bucket}" : trimsuffix(var.source, "/")
  folder    = local.is_folder ? "" : trimprefix(trimprefix(local.path, "s3://${local.bucket}"), "/")
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == var.component.offer.region
      error_message = "dataset.${var.component.name} was placed in ${var.component.offer.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${var.component.offer.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "A data set on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
  }
}

resource "aws_kms_key" "this" {
  count               = local.own_key ? 1 : 0
  description         = "Data of ${local.name}"
  enable_key_rotation = true
  tags                = local.tags
}

resource "aws_s3_bucket" "this" {
  count         = local.is_folder ? 1 : 0
  bucket_prefix = "${substr(lower(replace(local.name, "_", "-")), 0, 36)}-"
  tags          = merge(local.tags, var.personal ? { "stratiform:personal" = "true" } : {})

  lifecycle {
    precondition {
      condition     = length(local.others) == 0
      error_message = "dataset.${var.component.name} is of ${coalesce(var.format, "-")} files, and ${join(", ", slice(local.others, 0, min(3, length(local.others))))} in ${var.source} end otherwise."
    }
    precondition {
      condition     = var.digest == null || var.digest == local.content
      error_message = "dataset.${var.component.name} has the digest ${local.content}, and ${coalesce(var.digest, "-")} is asked for: something else lies in ${var.source}."
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  count                   = local.is_folder ? 1 : 0
  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  count  = local.is_folder && (local.own_key || local.options.kms_key_id != null) ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = local.key
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  count  = local.is_folder && var.personal ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count  = local.is_folder && var.personal ? 1 : 0
  bucket = aws_s3_bucket.this[0].id

  rule {
    id     = "replaced"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration {
      noncurrent_days = local.options.retain_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  count  = local.is_folder && var.personal ? 1 : 0
  bucket = aws_s3_bucket.this[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this[0].arn, "${aws_s3_bucket.this[0].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_object" "file" {
  for_each    = local.files
  bucket      = aws_s3_bucket.this[0].id
  key         = each.value
  source      = "${var.source}/${each.value}"
  source_hash = filemd5("${var.source}/${each.value}")

  depends_on = [aws_s3_bucket_server_side_encryption_configuration.this, aws_s3_bucket_versioning.this]
}

output "path" {
  value      = local.path
  depends_on = [aws_s3_object.file]
}
# Of the files that this has put there; of what lies in somebody else's bucket only what it is said to be.
output "fingerprint" { value = local.is_folder ? local.content : var.digest }
# As a file system has them, so that clusters can mount it.
output "kind" { value = "s3" }
output "zone" { value = null }
output "object_url" { value = local.path }
output "mount_command" { value = "mount-s3 --read-only ${local.folder == "" ? "" : "--prefix ${local.folder}/ "}${local.bucket} {at}" }
output "capacity_gib" { value = var.size_gib }
output "throughput_mb_per_s" { value = null }
output "id" { value = null }
output "mount_name" { value = null }
