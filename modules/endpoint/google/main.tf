# A model behind an address, as a service of Cloud Run: it goes to zero by itself, and comes back with the next request.
#
# Cloud Run has one L4 for each replica; a cluster that was placed on L4 says that there is to be one. The model's bucket is mounted at
# /mnt/model: {model} in `command` is the artifact there, {port} is 8080.
#
# `options = { google = { … } }` takes:
#   image        a container image with the server
#   gpu          nvidia-l4 or what else Cloud Run has; none without a cluster
#   cpu, memory  of each replica
#   beside_nodes true if the cluster keeps nodes for something else; they are paid for beside these machines

terraform {
  required_providers {
    google = { source = "hashicorp/google", version = ">= 6.0.0" }
  }
}

variable "component" { type = any }
variable "model" { type = any }
variable "command" { type = list(string) }
variable "cluster" { type = any }
variable "environment" { type = map(string) }
variable "start_timeout_s" { type = number }
variable "scale" { type = any }
variable "health_path" { type = string }
variable "options" { type = any }

locals {
  given = try(var.options.google, {})
  defaults = {
    image        = null
    gpu          = null
    cpu          = null
    memory       = null
    beside_nodes = false
  }
  options = merge(local.defaults, local.given)
  gpu     = local.options.gpu == null && var.cluster != null ? "nvidia-l4" : local.options.gpu
  has_gpu = local.gpu != null
  name    = "${replace(var.component.name, "_", "-")}-endpoint"
  parts   = split("/", trimprefix(var.model.path, "gs://"))
  bucket  = local.parts[0]
  file    = join("/", slice(local.parts, 1, length(local.parts)))
  command = [for word in var.command : replace(replace(word, "{port}", "8080"), "{model}", "/mnt/model/${local.file}")]
}

resource "google_cloud_run_v2_service" "this" {
  name     = local.name
  location = var.component.offer.region
  ingress  = "INGRESS_TRAFFIC_ALL"

  template {
    max_instance_request_concurrency = var.scale.target_concurrency
    gpu_zonal_redundancy_disabled    = local.has_gpu ? true : null

    scaling {
      min_instance_count = var.scale.min
      max_instance_count = var.scale.max
    }

    containers {
      image   = coalesce(local.options.image, "-")
      command = slice(local.command, 0, 1)
      args    = slice(local.command, 1, length(local.command))

      dynamic "env" {
        for_each = merge(var.environment, { STRATIFORM_MODEL_DIGEST = var.model.digest })
        content {
          name  = env.key
          value = env.value
        }
      }
      ports {
        container_port = 8080
      }
      resources {
        limits = merge(
          { cpu = coalesce(local.options.cpu, local.has_gpu ? "8" : "2"), memory = coalesce(local.options.memory, local.has_gpu ? "32Gi" : "4Gi") },
          local.has_gpu ? { "nvidia.com/gpu" = "1" } : {},
        )
        startup_cpu_boost = true
        cpu_idle          = !local.has_gpu
      }
      startup_probe {
        period_seconds    = 10
        failure_threshold = max(3, ceil(var.start_timeout_s / 10))
        http_get {
          path = var.health_path
        }
      }
      volume_mounts {
        name       = "model"
        mount_path = "/mnt/model"
      }
    }

    dynamic "node_selector" {
      for_each = local.has_gpu ? [local.gpu] : []
      content {
        accelerator = node_selector.value
      }
    }

    volumes {
      name = "model"
      gcs {
        bucket    = local.bucket
        read_only = true
      }
    }
  }
}

output "url" {
  value = google_cloud_run_v2_service.this.uri

  precondition {
    condition     = var.cluster == null || local.options.gpu != null ? true : var.cluster.accelerator == "L4"
    error_message = "Cloud Run gives each replica one ${coalesce(local.gpu, "GPU")}, and its cluster was placed on ${try(coalesce(var.cluster.accelerator, "no accelerator"), "nothing")}: ask for { type = \"l4\", count = 1 } there, or say gpu in options.google of the endpoint if that is what the model needs."
  }
  precondition {
    condition     = try(var.cluster.kept_nodes, 0) == 0 || local.options.beside_nodes
    error_message = "endpoint.${var.component.name} runs on machines of Cloud Run, and its cluster keeps ${try(var.cluster.kept_nodes, 0)} nodes that are paid for beside them: write min_nodes = 0 in options.google of the cluster, or beside_nodes = true in those of the endpoint if both are meant."
  }

  precondition {
    condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
    error_message = "An endpoint on Google knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
  }
  precondition {
    condition     = local.options.image != null
    error_message = "A service of Cloud Run needs a container image: write options = { google = { image = \"…\" } } in endpoint.${var.component.name}."
  }
}
