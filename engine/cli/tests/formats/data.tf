data "terraform_remote_state" "net" {
  backend  = "local"
  config   = { path = "net/terraform.tfstate" }
  defaults = { extra = 1 }
}
data "terraform_remote_state" "two" {
  for_each = toset(["a"])
  backend  = "local"
  config   = { path = "net/terraform.tfstate" }
}
resource "terraform_data" "x" { input = data.terraform_remote_state.net.outputs.id }
data "terraform_remote_state" "late" {
  backend    = "local"
  config     = { path = "net/terraform.tfstate" }
  depends_on = [terraform_data.x]
}
check "c" {
  data "terraform_remote_state" "inner" {
    backend = "local"
    config  = { path = "net/terraform.tfstate" }
  }
  assert {
    condition     = data.terraform_remote_state.inner.outputs.id == "vpc-2"
    error_message = "no"
  }
}
output "x" {
  value = data.terraform_remote_state.net.outputs.id
  precondition {
    condition     = length(terraform_data.x.output) > 0
    error_message = "bad"
  }
}
