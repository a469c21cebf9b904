# The registry of SageMaker: a group for each name. Versions come with runs; a pipeline's step registers them under
# the group's name, and people approve them there.
#
# `options = { aws = { … } }` takes:
#   accounts   which other accounts may read the groups

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "models" { type = any }
variable "approved" { type = list(string) }
variable "approval_required" { type = bool }
variable "options" { type = any }

locals {
  given    = try(var.options.aws, {})
  defaults = { accounts = [] }
  options  = merge(local.defaults, local.given)
  name     = "${var.component.name}-registry"
  tags     = { Name = local.name, "stratiform:component" = "registry.${var.component.name}" }
  names    = toset([for name in keys(var.models) : split("@", name)[0]])
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == var.component.offer.region
      error_message = "registry.${var.component.name} was placed in ${var.component.offer.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${var.component.offer.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "A registry on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
  }
}

resource "aws_sagemaker_model_package_group" "this" {
  for_each                        = local.names
  model_package_group_name        = "${replace(local.name, "_", "-")}-${each.key}"
  model_package_group_description = "Versions of ${each.key}"
  tags                            = local.tags
}

data "aws_iam_policy_document" "read" {
  for_each = length(local.options.accounts) == 0 ? [] : local.names

  statement {
    actions   = ["sagemaker:DescribeModelPackageGroup", "sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"]
    resources = [aws_sagemaker_model_package_group.this[each.key].arn]
    principals {
      type        = "AWS"
      identifiers = [for account in local.options.accounts : "arn:aws:iam::${account}:root"]
    }
  }
}

resource "aws_sagemaker_model_package_group_policy" "this" {
  for_each                 = length(local.options.accounts) == 0 ? [] : local.names
  model_package_group_name = aws_sagemaker_model_package_group.this[each.key].model_package_group_name
  resource_policy          = data.aws_iam_policy_document.read[each.key].json
}

output "models" {
  value = {
    for name, model in var.models : name => model if !var.approval_required || contains(var.approved, name)
  }
}
output "id" { value = local.name }
output "groups" { value = { for name, group in aws_sagemaker_model_package_group.this : name => group.arn } }
