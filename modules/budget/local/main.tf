# A budget over a ledger: nobody sends bills for this machine, so what was spent is what the file says.

variable "component" { type = any }
variable "amount_usd" { type = number }
variable "period" { type = string }
variable "alert_at" { type = list(number) }
variable "enforce" { type = string }
variable "ledger" { type = string }

locals {
  today = plantimestamp()
  month = tonumber(formatdate("M", local.today))
  # Dates of a period begin alike, but for those of a quarter.
  begins = {
    day     = [formatdate("YYYY-MM-DD", local.today)]
    month   = [formatdate("YYYY-MM", local.today)]
    quarter = [for month in range(3) : format("%s-%02d", formatdate("YYYY", local.today), floor((local.month - 1) / 3) * 3 + month + 1)]
    year    = [formatdate("YYYY", local.today)]
  }[var.period]
  rows  = var.ledger == null ? [] : csvdecode(file(var.ledger))
  spent = sum(concat([0], [for row in local.rows : tonumber(row.usd) if anytrue([for begin in local.begins : startswith(row.date, begin)])]))
  told  = [for share in var.alert_at : share if local.spent >= share * var.amount_usd]
  share = floor(local.spent / var.amount_usd * 100)
}

# One for each share that is reached: it is in the state when, and a change of it is seen in the plan.
resource "terraform_data" "this" {
  input = { amount_usd = var.amount_usd, period = var.period, reached = local.told }

  lifecycle {
    precondition {
      condition     = var.enforce != "block" || local.spent < var.amount_usd
      error_message = "budget.${var.component.name} is spent: ${local.spent} of ${var.amount_usd} US dollars this ${var.period}."
    }
  }
}

check "spent" {
  assert {
    condition     = length(local.told) == 0
    error_message = "budget.${var.component.name}: ${local.spent} of ${var.amount_usd} US dollars are spent this ${var.period}, ${local.share} %."
  }
}

output "amount_usd" { value = var.amount_usd }
output "spent_usd" { value = local.spent }
output "left_usd" { value = var.amount_usd - local.spent }
