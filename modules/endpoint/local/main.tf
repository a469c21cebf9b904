terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "model" { type = any }
variable "command" { type = list(string) }
variable "code" { type = string }
variable "port" { type = number }
variable "scale" { type = any }
variable "health_path" { type = string }

resource "local_endpoint" "this" {
  name         = var.component.name
  command      = var.command
  working_dir  = var.code
  model_path   = var.model.path
  model_digest = var.model.digest
  port         = var.port
  scale        = var.scale
  health_path  = var.health_path
}

output "url" { value = local_endpoint.this.url }
output "state" { value = local_endpoint.this.state }
