variable "in" {}
resource "terraform_data" "y" { input = var.in }
output "z" { value = terraform_data.y.output }
output "n" { value = null }
