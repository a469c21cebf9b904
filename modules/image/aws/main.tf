# A container of AWS's Deep Learning Containers, the newest Deep Learning AMI, or an image of one's own.
#
# `options = { aws = { … } }` takes:
#   repository   true makes a repository for an image of one's own, whose tags never change
#   scan         whether what is pushed there is looked through for known holes

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "kind" { type = string }
variable "framework" { type = string }
variable "framework_version" { type = string }
variable "purpose" { type = string }
variable "gpu" { type = bool }
variable "reference" { type = string }
variable "options" { type = any }

locals {
  given    = try(var.options.aws, {})
  defaults = { repository = false, scan = true }
  options  = merge(local.defaults, local.given)

  name      = "${var.component.name}-image"
  tags      = { Name = local.name, "stratiform:component" = "image.${var.component.name}" }
  container = var.kind == "container"
  # The newest of each that was published when this was written.
  # Source: AWS Deep Learning Containers, available images.
  known = {
    "pytorch training"     = { version = "2.8.0", cpu = "cpu-py312", gpu = "gpu-py312-cu129" }
    "pytorch inference"    = { version = "2.6.0", cpu = "cpu-py312", gpu = "gpu-py312-cu124" }
    "tensorflow training"  = { version = "2.19.0", cpu = "cpu-py312", gpu = "gpu-py312-cu125" }
    "tensorflow inference" = { version = "2.19.0", cpu = "cpu-py312", gpu = "gpu-py312-cu122" }
  }
  ours    = try(local.known["${var.framework} ${var.purpose}"], null)
  version = try(coalesce(var.framework_version, local.ours.version), "-")
  theirs = local.ours == null ? null : join("", [
    "763104351884.dkr.ecr.${var.component.offer.region}.amazonaws.com/${var.framework}-${var.purpose}:",
    "${local.version}-${var.gpu ? local.ours.gpu : local.ours.cpu}-ubuntu22.04-sagemaker",
  ])
  # Public parameters of Systems Manager hold the newest AMI; which one that is, is decided when a machine starts.
  machine = var.gpu ? "resolve:ssm:/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id" : "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
  own     = local.options.repository ? "${aws_ecr_repository.this[0].repository_url}:${local.version == "-" ? "latest" : local.version}" : null
  id      = try(coalesce(var.reference, local.own, local.container ? local.theirs : local.machine), null)
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == var.component.offer.region
      error_message = "image.${var.component.name} was placed in ${var.component.offer.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${var.component.offer.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "An image on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
  }
}

resource "aws_ecr_repository" "this" {
  count                = local.container && local.options.repository ? 1 : 0
  name                 = lower(local.name)
  image_tag_mutability = "IMMUTABLE"
  tags                 = local.tags

  encryption_configuration {
    encryption_type = "KMS"
  }

  image_scanning_configuration {
    scan_on_push = local.options.scan
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  count      = length(aws_ecr_repository.this)
  repository = aws_ecr_repository.this[0].name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "layers that no tag names"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
      action       = { type = "expire" }
    }]
  })
}

output "id" {
  value = local.id

  precondition {
    condition     = local.id != null
    error_message = "AWS has no container for ${var.framework} ${var.purpose}: set reference, or framework to pytorch or tensorflow."
  }
  precondition {
    condition     = local.container || !local.options.repository
    error_message = "A repository holds containers, and image.${var.component.name} is for hosts."
  }
}
output "digest" { value = sha256(coalesce(local.id, "-")) }
