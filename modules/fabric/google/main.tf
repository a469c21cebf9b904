# A network for machines that talk to each other much: one zone, one network for ordinary traffic, and beside it those
# that the accelerators' own cards need.
#
# `options = { google = { … } }` takes:
#   zone       the zone, as `us-central1-a`; it has to be said
#   cidr       addresses of the ordinary network
#   cards      what the machines of the cluster have beside their ordinary card: none, tcpx (A3 High: 4 more networks),
#              tcpxo (A3 Mega: 8 more networks) or rdma (A3 Ultra, A4: one more network with 8 subnetworks)
#   compact    whether machines stand close to each other

terraform {
  required_providers {
    google = { source = "hashicorp/google", version = ">= 6.0.0" }
  }
}

variable "component" { type = any }
variable "node_gbps" { type = number }
variable "nodes" { type = number }
variable "options" { type = any }

locals {
  given = try(var.options.google, {})
  defaults = {
    zone    = null
    cidr    = "10.64.0.0/16"
    cards   = "none"
    compact = true
  }
  options = merge(local.defaults, local.given)
  region  = var.component.offer.region
  name    = "${replace(var.component.name, "_", "-")}-fabric"
  extra   = lookup({ tcpx = 4, tcpxo = 8 }, local.options.cards, 0)
  is_rdma = local.options.cards == "rdma"
}

resource "google_compute_network" "this" {
  name                    = local.name
  auto_create_subnetworks = false
  mtu                     = local.is_rdma ? 8896 : 8244
}

resource "google_compute_subnetwork" "this" {
  name                     = local.name
  network                  = google_compute_network.this.id
  region                   = local.region
  ip_cidr_range            = local.options.cidr
  private_ip_google_access = true
}

resource "google_compute_firewall" "inside" {
  name          = "${local.name}-inside"
  network       = google_compute_network.this.id
  description   = "Everything among the nodes"
  direction     = "INGRESS"
  source_ranges = [local.options.cidr]
  allow {
    protocol = "all"
  }
}

resource "google_compute_router" "this" {
  name    = local.name
  network = google_compute_network.this.id
  region  = local.region
}

# Nodes have no addresses of their own on the internet.
resource "google_compute_router_nat" "this" {
  name                               = local.name
  router                             = google_compute_router.this.name
  region                             = local.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
}

# Managed Lustre lies in a network of Google's, which is joined to this one.
resource "google_compute_global_address" "services" {
  name          = "${local.name}-services"
  network       = google_compute_network.this.id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
}

resource "google_service_networking_connection" "services" {
  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services.name]
}

# Each card of GPUDirect over TCP has a network of its own.
resource "google_compute_network" "card" {
  count                   = local.extra
  name                    = "${local.name}-card-${count.index + 1}"
  auto_create_subnetworks = false
  mtu                     = 8244
}

resource "google_compute_subnetwork" "card" {
  count         = local.extra
  name          = "${local.name}-card-${count.index + 1}"
  network       = google_compute_network.card[count.index].id
  region        = local.region
  ip_cidr_range = "10.${128 + count.index}.0.0/16"
}

resource "google_compute_firewall" "card" {
  count         = local.extra
  name          = "${local.name}-card-${count.index + 1}"
  network       = google_compute_network.card[count.index].id
  direction     = "INGRESS"
  source_ranges = ["10.${128 + count.index}.0.0/16"]
  allow {
    protocol = "all"
  }
}

# All cards of RDMA over Ethernet share a network of the zone's profile.
resource "google_compute_network" "rdma" {
  count                   = local.is_rdma ? 1 : 0
  name                    = "${local.name}-rdma"
  auto_create_subnetworks = false
  mtu                     = 8896
  network_profile         = "${local.options.zone}-vpc-roce"
}

resource "google_compute_subnetwork" "rdma" {
  count         = local.is_rdma ? 8 : 0
  name          = "${local.name}-rdma-${count.index}"
  network       = google_compute_network.rdma[0].id
  region        = local.region
  ip_cidr_range = "10.${128 + count.index}.0.0/16"
}

resource "google_compute_resource_policy" "compact" {
  count  = local.options.compact ? 1 : 0
  name   = local.name
  region = local.region
  group_placement_policy {
    collocation = "COLLOCATED"
    vm_count    = var.nodes
  }
}

output "id" {
  value = google_compute_network.this.id

  precondition {
    condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
    error_message = "A fabric on Google knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
  }
  precondition {
    condition     = contains(["none", "tcpx", "tcpxo", "rdma"], local.options.cards)
    error_message = "cards is none, tcpx, tcpxo or rdma, not ${local.options.cards}."
  }
  precondition {
    condition     = startswith(coalesce(local.options.zone, "-"), "${local.region}-")
    error_message = "The catalog does not know the zones of ${local.region}: write options = { google = { zone = \"${local.region}-a\" } } in fabric.${var.component.name}, with a zone that has the machines."
  }
}
output "kind" { value = local.options.cards == "none" ? "gvnic" : local.options.cards }
# Nothing is measured while resources are made.
output "measured_gbps" { value = null }
output "region" { value = local.region }
output "zone" { value = local.options.zone }
# Storage waits for the connection.
output "storage_network" { value = google_service_networking_connection.services.network }
output "network" { value = google_compute_network.this.id }
output "subnetwork" { value = google_compute_subnetwork.this.id }
output "cards" { value = local.is_rdma ? google_compute_subnetwork.rdma[*].id : google_compute_subnetwork.card[*].id }
output "policy" { value = try(google_compute_resource_policy.compact[0].id, null) }
