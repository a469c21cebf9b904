# A copy of each model, which stays when the work that has made it is done anew or goes.

terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "models" { type = any }
variable "approved" { type = list(string) }
variable "approval_required" { type = bool }

locals {
  # A file as it is, a folder as an archive.
  keep = <<-EOT
    import os, shutil, sys
    source, target = os.environ["SOURCE"], os.environ["OUTPUT_MODEL"]
    if os.path.isdir(source):
        shutil.move(shutil.make_archive(target, "tar", source), target)
    else:
        shutil.copyfile(source, target)
  EOT
}

resource "local_job" "model" {
  for_each    = var.models
  name        = "${var.component.name}-${replace(each.key, "@", "-")}"
  command     = ["python3", "-c", local.keep]
  environment = { SOURCE = each.value.path }
  outputs     = { model = "model" }
  triggers    = { digest = each.value.digest }
}

output "models" {
  value = {
    for name, job in local_job.model : name => job.artifacts["model"] if !var.approval_required || contains(var.approved, name)
  }
}
output "id" { value = var.component.name }
output "waiting" { value = setsubtract(keys(var.models), var.approved) }
