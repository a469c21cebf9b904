# What this machine has: apply looks whether it is as new as it has to be, and fails where it is not.

terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "framework" { type = string }
variable "framework_version" { type = string }
variable "gpu" { type = bool }
variable "driver_min" { type = number }

locals {
  look = <<-EOT
    import importlib.metadata, json, os, platform, subprocess, sys
    wanted = json.loads(os.environ["WANTED"])
    numbers = lambda text: [int("".join(c for c in part if c.isdigit()) or 0) for part in text.split("+")[0].split(".")[:3]]
    found, wrong = {"python": platform.python_version(), "machine": platform.machine()}, []
    package = {"pytorch": "torch"}.get(wanted["framework"], wanted["framework"])
    if package != "none":
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{package} is not installed for {sys.executable}")
        else:
            if wanted["version"] and numbers(found[package]) < numbers(wanted["version"]):
                wrong.append(f"{package} is {found[package]}, and {wanted['version']} is needed")
    if wanted["driver"] is not None:
        try:
            out = subprocess.run(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"], capture_output=True, text=True)
            found["driver"] = out.stdout.split()[0]
        except (OSError, IndexError):
            wrong.append("there is no driver of NVIDIA")
        else:
            if numbers(found["driver"])[0] < wanted["driver"]:
                wrong.append(f"the driver is {found['driver']}, and {wanted['driver']} is needed")
    if wrong:
        sys.exit("; ".join(wrong))
    with open(os.environ["OUTPUT_FOUND"], "w") as file:
        json.dump(found, file, sort_keys=True)
  EOT
}

resource "local_job" "this" {
  name    = "${var.component.name}-image"
  command = ["python3", "-c", local.look]
  environment = {
    WANTED = jsonencode({ framework = var.framework, version = var.framework_version, driver = var.gpu ? var.driver_min : null })
  }
  outputs   = { found = "found.json" }
  timeout_s = 60
}

output "id" { value = "this-machine" }
output "digest" { value = local_job.this.artifacts["found"].digest }
output "found" { value = local_job.this.artifacts["found"].path }
