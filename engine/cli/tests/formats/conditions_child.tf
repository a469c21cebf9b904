variable "in" {
  type = string
  validation {
    condition     = length(var.in) > 0
    error_message = "e"
  }
}
resource "terraform_data" "y" {
  for_each = toset(["k"])
  lifecycle {
    precondition {
      condition     = var.in != ""
      error_message = "a"
    }
  }
}
output "z" {
  value = terraform_data.y["k"].id
  precondition {
    condition     = terraform_data.y["k"].id != ""
    error_message = "z"
  }
}
check "inm" {
  assert {
    condition     = var.in == "p"
    error_message = "in is ${var.in}"
  }
}
