# Storage on Google: Managed Lustre, Filestore or a bucket.
#
# What it is follows from what is asked: 9000 GiB and more that nodes of a fabric read is Lustre, less is Filestore.
# `kind` overrules that. `source` is a `gs://` address or a folder, for a bucket alone.
#
# `options = { google = { … } }` takes:
#   kind              lustre, filestore or bucket
#   mb_per_s_per_tib  125, 250, 500 or 1000, of Lustre; the more, the smaller it may be
#   tier              of Filestore
#   zone              without a fabric
#   network           without a fabric

terraform {
  required_providers {
    google = { source = "hashicorp/google", version = ">= 6.0.0" }
  }
}

variable "component" { type = any }
variable "capacity_gib" { type = number }
variable "source" { type = string }
variable "fabric" { type = any }
variable "options" { type = any }

locals {
  given = try(var.options.google, {})
  defaults = {
    kind             = null
    mb_per_s_per_tib = 1000
    tier             = "ZONAL"
    zone             = null
    network          = null
  }
  options    = merge(local.defaults, local.given)
  has_fabric = var.fabric != null
  kind       = coalesce(local.options.kind, local.has_fabric && var.capacity_gib >= 9000 ? "lustre" : "filestore")
  zone       = local.has_fabric ? var.fabric.zone : local.options.zone
  network    = local.has_fabric ? var.fabric.storage_network : local.options.network
  name       = "${replace(var.component.name, "_", "-")}-filesystem"
  # Lustre comes in steps, which are the smaller the more each TiB gives; small file systems of Filestore in 256 GiB.
  step = lookup({ "1000" = 9000, "500" = 18000, "250" = 36000, "125" = 72000 }, tostring(local.options.mb_per_s_per_tib), 9000)
  gib  = local.kind == "lustre" ? ceil(var.capacity_gib / local.step) * local.step : max(1024, ceil(var.capacity_gib / 256) * 256)

  from_gs     = var.source == null ? false : startswith(var.source, "gs://")
  from_folder = var.source == null ? false : !local.from_gs
  files       = local.from_folder ? fileset(var.source, "**") : toset([])
  has_bucket  = local.kind == "bucket" && !local.from_gs
}

resource "google_lustre_instance" "this" {
  count                       = local.kind == "lustre" ? 1 : 0
  instance_id                 = local.name
  location                    = local.zone
  filesystem                  = substr(replace(local.name, "-", ""), 0, 8)
  capacity_gib                = tostring(local.gib)
  per_unit_storage_throughput = tostring(local.options.mb_per_s_per_tib)
  network                     = local.network
}

resource "google_filestore_instance" "this" {
  count    = local.kind == "filestore" ? 1 : 0
  name     = local.name
  location = local.zone
  tier     = local.options.tier
  file_shares {
    name        = "share"
    capacity_gb = local.gib
  }
  networks {
    network = local.network
    modes   = ["MODE_IPV4"]
  }
}

resource "google_storage_bucket" "this" {
  count                       = local.has_bucket ? 1 : 0
  name                        = local.name
  location                    = upper(var.component.offer.region)
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
}

resource "google_storage_bucket_object" "file" {
  for_each       = local.has_bucket ? local.files : toset([])
  bucket         = google_storage_bucket.this[0].name
  name           = each.value
  source         = "${var.source}/${each.value}"
  source_md5hash = filemd5("${var.source}/${each.value}")
}

locals {
  lustre = one(google_lustre_instance.this)
  share  = one(google_filestore_instance.this)
  bucket = local.from_gs ? trimprefix(coalesce(var.source, "-"), "gs://") : local.name
}

output "path" {
  value = {
    lustre    = try(local.lustre.mount_point, "")
    filestore = try("${local.share.networks[0].ip_addresses[0]}:/share", "")
    bucket    = "gs://${local.bucket}"
  }[local.kind]

  precondition {
    condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
    error_message = "A file system on Google knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
  }
  precondition {
    condition     = contains(["lustre", "filestore", "bucket"], local.kind)
    error_message = "kind is lustre, filestore or bucket, not ${local.kind}."
  }
  precondition {
    condition     = var.source == null || local.kind == "bucket"
    error_message = "A file system of kind ${local.kind} starts empty: with source, write options = { google = { kind = \"bucket\" } }."
  }
  precondition {
    condition     = local.kind == "bucket" || (local.network != null && local.zone != null)
    error_message = "A file system of kind ${local.kind} stands in a network: set fabric, or network and zone in options.google."
  }
}
output "fingerprint" { value = local.from_folder ? sha256(join("\n", [for file in local.files : "${file} ${filesha256("${var.source}/${file}")}"])) : null }
output "kind" { value = local.kind }
output "bucket" { value = local.kind == "bucket" ? local.bucket : null }
output "capacity_gib" { value = local.kind == "bucket" ? var.capacity_gib : local.gib }
output "mount_command" {
  value = {
    lustre    = try("mount -t lustre ${local.lustre.mount_point} {at}", "")
    filestore = try("mount -t nfs -o hard,nconnect=16 ${local.share.networks[0].ip_addresses[0]}:/share {at}", "")
    bucket    = "gcsfuse --implicit-dirs ${split("/", local.bucket)[0]} {at}"
  }[local.kind]
}
