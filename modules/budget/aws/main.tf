# A budget of AWS. It counts what the account is billed for, or what bears a tag, and tells people; what stops is the plan.
#
# `options = { aws = { … } }` takes:
#   tag          `KEY\$VALUE` of a cost allocation tag: only what bears it counts
#   account_id   whose budget it is; the provider's otherwise

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "amount_usd" { type = number }
variable "period" { type = string }
variable "alert_at" { type = list(number) }
variable "emails" { type = list(string) }
variable "options" { type = any }

locals {
  given    = try(var.options.aws, {})
  defaults = { tag = null, account_id = null }
  options  = merge(local.defaults, local.given)
  name     = "${var.component.name}-budget"
  tags     = { Name = local.name, "stratiform:component" = "budget.${var.component.name}" }
  unit     = { day = "DAILY", month = "MONTHLY", quarter = "QUARTERLY", year = "ANNUALLY" }[var.period]
  # What is foreseen is told only where there is time to do something.
  kinds   = var.period == "day" ? ["ACTUAL"] : ["ACTUAL", "FORECASTED"]
  notices = length(var.emails) == 0 ? [] : setproduct(local.kinds, [for share in var.alert_at : share * 100])
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == var.component.offer.region
      error_message = "budget.${var.component.name} was placed in ${var.component.offer.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${var.component.offer.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "A budget on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
  }
}

resource "aws_budgets_budget" "this" {
  account_id   = local.options.account_id
  name         = local.name
  budget_type  = "COST"
  limit_amount = format("%.2f", var.amount_usd)
  limit_unit   = "USD"
  time_unit    = local.unit
  tags         = local.tags

  dynamic "cost_filter" {
    for_each = local.options.tag == null ? [] : [local.options.tag]
    content {
      name   = "TagKeyValue"
      values = [cost_filter.value]
    }
  }

  dynamic "notification" {
    for_each = local.notices
    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = notification.value[0]
      threshold                  = notification.value[1]
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.emails
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.notices) <= 5 * length(local.kinds)
      error_message = "A budget of AWS tells at no more than 5 shares."
    }
  }
}

output "amount_usd" { value = var.amount_usd }
# AWS knows it, and its provider does not say.
output "spent_usd" { value = null }
output "arn" { value = aws_budgets_budget.this.arn }
