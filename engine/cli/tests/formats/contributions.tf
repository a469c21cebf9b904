variable "v" { default = 3 }
locals { l = terraform_data.a.output }
resource "terraform_data" "a" { input = var.v }
resource "terraform_data" "b" { input = local.l }
resource "terraform_data" "c" {
  count = 2
  input = terraform_data.b.output
}
resource "terraform_data" "d" {
  input      = [terraform_data.c[*].id, terraform_data.c[0].output, terraform_data.a]
  depends_on = [terraform_data.e]
}
resource "terraform_data" "e" {
  for_each         = toset(["k"])
  input            = terraform_data.c[1].output
  triggers_replace = [terraform_data.a.input]
  lifecycle {
    replace_triggered_by = [terraform_data.f]
    precondition {
      condition     = terraform_data.g.id != ""
      error_message = "x"
    }
  }
}
resource "terraform_data" "f" { input = terraform_data.e2["k"].output[0].x["y"] }
resource "terraform_data" "e2" {
  for_each = toset(["k"])
  input    = [{ x = { y = 1 } }]
}
resource "terraform_data" "g" {}
module "m" {
  source = "./m"
  in     = terraform_data.a.input
}
output "o" { value = module.m.z }
output "p" { value = terraform_data.f.id }
