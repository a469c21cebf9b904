# Machines of Compute Engine that work together: an instance template with all that a node is, and a managed group that
# keeps so many of them in one zone. GPUs come with their machine types; TPUs are not offered to this implementation.
#
# `options = { google = { … } }` takes:
#   zone, network, subnetwork   where nodes stand, without a fabric
#   image        source image
#   disk_gib     boot disk
#   startup      a shell script that runs when a node starts, after the file systems are there
#   reservation  name of a reservation to use
#   min_nodes    how many there are to begin with; `nodes` otherwise. 0 where all that the cluster is for are pipelines and
#                endpoints, which run on machines of Batch and Cloud Run

terraform {
  required_providers {
    google = { source = "hashicorp/google", version = ">= 6.0.0" }
  }
}

variable "component" { type = any }
variable "nodes" { type = number }
variable "accelerator" { type = any }
variable "fabric" { type = any }
variable "mounts" { type = any }
variable "options" { type = any }

locals {
  given = try(var.options.google, {})
  defaults = {
    zone        = null
    network     = null
    subnetwork  = null
    image       = "projects/ubuntu-os-accelerator-images/global/images/family/ubuntu-accelerator-2204-amd64-with-nvidia-570"
    disk_gib    = 200
    startup     = ""
    reservation = null
    min_nodes   = null
  }
  options    = merge(local.defaults, local.given)
  offer      = var.component.offer
  has_fabric = var.fabric != null
  zone       = local.has_fabric ? var.fabric.zone : local.options.zone
  network    = local.has_fabric ? var.fabric.network : local.options.network
  subnetwork = local.has_fabric ? var.fabric.subnetwork : local.options.subnetwork
  cards      = local.has_fabric ? var.fabric.cards : []
  is_rdma    = local.has_fabric && var.fabric.kind == "rdma"
  is_spot    = local.offer.purchase == "spot"
  # What a fabric has to have for the machine's own cards.
  wanted = lookup({ tcpx = "tcpx", tcpxo = "tcpxo", roce = "rdma" }, coalesce(local.offer.fabric, "-"), "gvnic")
  name   = "${replace(var.component.name, "_", "-")}-cluster"
  kinds  = distinct([for system in values(var.mounts) : system.kind])
  packages = compact([
    contains(local.kinds, "filestore") ? "nfs-common" : "",
    contains(local.kinds, "lustre") ? "lustre-client-modules-$(uname -r)" : "",
    contains(local.kinds, "bucket") ? "gcsfuse" : "",
  ])
  script = join("\n", concat(
    ["#!/bin/bash", "set -euo pipefail"],
    [for packages in [join(" ", local.packages)] : "apt-get update && apt-get install -y ${packages}" if packages != ""],
    [for path, system in var.mounts : "mkdir -p /${trimprefix(path, "/")}\n${replace(system.mount_command, "{at}", "/${trimprefix(path, "/")}")}"],
    [local.options.startup, ""],
  ))
}

resource "google_service_account" "node" {
  account_id   = substr(local.name, 0, 30)
  display_name = "Nodes of ${local.name}"
}

resource "google_compute_instance_template" "node" {
  name_prefix             = "${substr(local.name, 0, 37)}-"
  machine_type            = local.offer.machine
  region                  = local.offer.region
  metadata_startup_script = local.script
  resource_policies       = local.has_fabric && !local.is_spot ? compact([var.fabric.policy]) : []
  labels                  = { stratiform-component = "cluster-${replace(var.component.name, "_", "-")}" }

  disk {
    boot         = true
    auto_delete  = true
    source_image = local.options.image
    disk_size_gb = local.options.disk_gib
    disk_type    = startswith(local.offer.machine, "a4") ? "hyperdisk-balanced" : "pd-ssd"
  }

  network_interface {
    network    = local.network
    subnetwork = local.subnetwork
    nic_type   = "GVNIC"
  }

  # The accelerators' own cards.
  dynamic "network_interface" {
    for_each = local.cards
    content {
      subnetwork = network_interface.value
      nic_type   = local.is_rdma ? "MRDMA" : "GVNIC"
    }
  }

  # Machines with GPUs cannot be moved while they run.
  scheduling {
    on_host_maintenance         = "TERMINATE"
    automatic_restart           = !local.is_spot
    preemptible                 = local.is_spot
    provisioning_model          = local.is_spot ? "SPOT" : "STANDARD"
    instance_termination_action = local.is_spot ? "STOP" : null
  }

  dynamic "reservation_affinity" {
    for_each = local.options.reservation == null ? [] : [local.options.reservation]
    content {
      type = "SPECIFIC_RESERVATION"
      specific_reservation {
        key    = "compute.googleapis.com/reservation-name"
        values = [reservation_affinity.value]
      }
    }
  }

  service_account {
    email  = google_service_account.node.email
    scopes = ["cloud-platform"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_instance_group_manager" "node" {
  name               = local.name
  base_instance_name = local.name
  zone               = local.zone
  target_size        = coalesce(local.options.min_nodes, var.nodes)
  version {
    instance_template = google_compute_instance_template.node.id
  }
}

output "id" {
  value = google_compute_instance_group_manager.node.id

  precondition {
    condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
    error_message = "A cluster on Google knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
  }
  precondition {
    condition     = local.zone != null && local.network != null
    error_message = "Nodes on Google stand in a network: set fabric = fabric.NAME, or zone, network and subnetwork in options.google."
  }
  precondition {
    condition     = !local.has_fabric || local.wanted == "gvnic" || try(var.fabric.kind, "") == local.wanted
    error_message = "${local.offer.machine} has cards of its own for ${local.wanted}, and without networks for them its GPUs talk over the ordinary one: write options = { google = { cards = \"${local.wanted}\" } } in the fabric."
  }
}
output "nodes" {
  value = [for index in range(var.nodes) : {
    index        = index
    machine      = local.offer.machine
    vcpus        = local.offer.vcpus
    memory_mib   = local.offer.memory_mib
    accelerators = local.offer.accelerator_count
    gpus         = range(local.offer.accelerator_count)
    fabric_nics  = length(local.cards)
  }]
}
# What is paid for whether it is used or not.
output "kept_nodes" { value = coalesce(local.options.min_nodes, var.nodes) }
output "mounts" { value = { for path, system in var.mounts : path => path } }
output "fingerprints" { value = { for path, system in var.mounts : path => system.fingerprint } }
output "storage" { value = var.mounts }
output "machine" { value = local.offer.machine }
output "instance_template" { value = google_compute_instance_template.node.id }
output "service_account" { value = google_service_account.node.email }
output "fabric_kind" { value = local.has_fabric ? var.fabric.kind : null }
# Prepares a machine for the file systems that are no buckets.
output "packages" { value = [for package in local.packages : package if package != "gcsfuse"] }
output "purchase" { value = local.offer.purchase }
output "accelerator" { value = local.offer.accelerator }
output "network" { value = local.network }
output "subnetwork" { value = local.subnetwork }
output "zone" { value = local.zone }
