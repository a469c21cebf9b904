component_type "budget" {
  description = "What may be spent in a period, and who is told when."

  input "amount_usd" {
    type        = number
    description = "How much, in US dollars."
    validation {
      condition     = input.amount_usd > 0
      error_message = "A budget is more than 0 US dollars."
    }
  }

  input "period" {
    type        = string
    default     = "month"
    description = "`day`, `month`, `quarter` or `year`, of the calendar in UTC."
    validation {
      condition     = contains(["day", "month", "quarter", "year"], input.period)
      error_message = "`period` is `day`, `month`, `quarter` or `year`."
    }
  }

  input "alert_at" {
    type        = list(number)
    default     = [0.5, 0.8, 1]
    description = "Shares of the amount at which people are told."
    validation {
      condition     = alltrue([for share in input.alert_at : share > 0 && share <= 10])
      error_message = "A share to be told at is above 0, as 0.8 for four fifths."
    }
  }

  input "emails" {
    type        = list(string)
    default     = []
    description = "Who is told."
    validation {
      condition     = alltrue([for one in input.emails : can(regex("^[^@ ]+@[^@ ]+$", one))])
      error_message = "An address has a name, `@` and a host."
    }
  }

  input "enforce" {
    type        = string
    default     = "warn"
    description = "`warn`, or `block`: then no plan goes through that would come to more in a period, or once a ledger says that it is spent."
    validation {
      condition     = contains(["warn", "block"], input.enforce)
      error_message = "`enforce` is `warn` or `block`."
    }
  }

  input "counts" {
    type        = string
    default     = "running"
    description = "What a plan is judged by: `running`, what everything costs while all of it runs, or `standing`, what is paid while nothing is asked of what goes to zero."
    validation {
      condition     = contains(["running", "standing"], input.counts)
      error_message = "`counts` is `running` or `standing`."
    }
  }

  input "ledger" {
    type        = string
    default     = null
    description = "A CSV file with the columns `date`, as `2026-11-26`, and `usd`: what was spent, where no cloud says so."
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "amount_usd" { description = "How much may be spent." }
  output "spent_usd" { description = "How much was spent in this period, as far as it is known here; null otherwise." }

  implementation "local" {
    backend = "local"
    source  = "./local"
    offer   = offer.kind == "machine"
  }

  implementation "aws" {
    backend  = "aws"
    source   = "./aws"
    offer    = offer.kind == "region"
    machines = 0
  }
}
