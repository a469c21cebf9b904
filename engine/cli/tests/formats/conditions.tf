variable "v" {
  default = 3
  validation {
    condition     = var.v > 2
    error_message = "too small"
  }
}
variable "unused" { default = 1 }
resource "terraform_data" "x" {
  count = 2
  input = count.index
  lifecycle {
    precondition {
      condition     = count.index < 5
      error_message = "a"
    }
    postcondition {
      condition     = self.output < 5
      error_message = "b"
    }
  }
}
resource "terraform_data" "none" {
  count = 0
  lifecycle {
    precondition {
      condition     = count.index < 5
      error_message = "a"
    }
  }
}
resource "terraform_data" "ok" {
  lifecycle {
    precondition {
      condition     = var.v < 5
      error_message = "a"
    }
  }
}
module "m" {
  for_each = toset(["p", "q"])
  source   = "./m"
  in       = each.key
}
check "c1" {
  assert {
    condition     = var.v == 4
    error_message = "v is ${var.v}"
  }
  assert {
    condition     = terraform_data.ok.id != "x"
    error_message = "v is ${var.v}"
  }
}
check "unk" {
  assert {
    condition     = terraform_data.ok.id == "x"
    error_message = "bad"
  }
}
check "unk2" {
  assert {
    condition     = terraform_data.x[0].output == 0
    error_message = "bad"
  }
}
output "o" {
  value = 1
  precondition {
    condition     = var.v == 3
    error_message = "no"
  }
}
