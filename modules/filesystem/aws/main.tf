# Storage on AWS: FSx for Lustre, EFS, an EBS volume or an S3 bucket.
#
# What it is follows from what is asked: 1200 GiB and more that nodes of a fabric read is Lustre, all else EFS. `kind`
# overrules that. `source` is an `s3://` address or a folder; a folder is put into a bucket first. Lustre shows the
# objects of that address as files and writes nothing back to them, S3 is the bucket itself; EFS and EBS start empty.
#
# What is written to Lustre stays there. With `checkpoint_url`, an `s3://` address beside the source, what is written below
# /checkpoints is kept there too, and the source is below /source: a path has one address.
#
# `options = { aws = { … } }` takes:
#   kind            lustre, efs, ebs or s3
#   mb_per_s_per_tib   125, 250, 500 or 1000, of Lustre; the least that gives `throughput_mb_per_s` otherwise
#   efa             whether clients reach Lustre over the fabric adapter; true with a fabric where the size allows it,
#                   which is a multiple of 4800 GiB at 1000 MB/s per TiB, 9600 at 500, 19200 at 250, 38400 at 125
#   checkpoint_url  where Lustre keeps what is written below /checkpoints
#   iops, throughput_mib_s   of an EBS volume (gp3)
#   zone            of an EBS volume without a fabric
#   subnet_ids, security_group_ids   where it listens, without a fabric
#   kms_key_id      encrypts it; a key of AWS otherwise

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "capacity_gib" { type = number }
variable "source" { type = string }
variable "fabric" { type = any }
variable "options" { type = any }
variable "throughput_mb_per_s" {
  type    = number
  default = null
}

locals {
  given = try(var.options.aws, {})
  defaults = {
    kind               = null
    mb_per_s_per_tib   = null
    efa                = null
    checkpoint_url     = null
    iops               = null
    throughput_mib_s   = null
    zone               = null
    subnet_ids         = []
    security_group_ids = []
    kms_key_id         = null
  }
  options = merge(local.defaults, local.given)

  has_fabric = var.fabric != null
  kind       = coalesce(local.options.kind, local.has_fabric && var.capacity_gib >= 1200 ? "lustre" : "efs")

  # Lustre comes in 1200 GiB, 2400 GiB and multiples of that; AWS counts them as 1.2 and 2.4 TiB where throughput is a
  # number for each TiB.
  lustre_gib = var.capacity_gib <= 1200 ? 1200 : ceil(var.capacity_gib / 2400) * 2400
  wanted     = coalesce(var.throughput_mb_per_s, 1) / (local.lustre_gib / 1000)
  classes    = [for class in [125, 250, 500, 1000] : class if class >= local.wanted]
  per_tib    = coalesce(local.options.mb_per_s_per_tib, try(local.classes[0], 1000))

  efa_step = lookup({ "1000" = 4800, "500" = 9600, "250" = 19200, "125" = 38400 }, tostring(local.per_tib), 38400)
  efa_fits = local.lustre_gib % local.efa_step == 0
  efa      = local.options.efa == null ? local.has_fabric && local.efa_fits : local.options.efa

  from_s3     = var.source == null ? false : startswith(var.source, "s3://")
  from_folder = var.source == null ? false : !local.from_s3
  files       = local.from_folder ? fileset(var.source, "**") : toset([])
  has_bucket  = local.kind == "s3" || local.from_folder
  bucket      = local.has_bucket ? aws_s3_bucket.this[0].bucket : null
  linked      = local.from_s3 ? var.source : local.from_folder ? "s3://${local.bucket}" : null

  subnets = local.has_fabric ? [var.fabric.subnet_id] : local.options.subnet_ids
  groups  = local.has_fabric ? [var.fabric.security_group_id] : local.options.security_group_ids
  zone    = local.has_fabric ? var.fabric.zone : local.options.zone

  name = "${var.component.name}-filesystem"
  tags = { Name = local.name, "stratiform:component" = "filesystem.${var.component.name}" }
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == var.component.offer.region
      error_message = "filesystem.${var.component.name} was placed in ${var.component.offer.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${var.component.offer.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "A file system on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
  }
}

resource "aws_s3_bucket" "this" {
  count         = local.has_bucket ? 1 : 0
  bucket_prefix = "${substr(lower(replace(local.name, "_", "-")), 0, 36)}-"
  tags          = local.tags
}

resource "aws_s3_bucket_public_access_block" "this" {
  count                   = local.has_bucket ? 1 : 0
  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_object" "file" {
  for_each    = local.files
  bucket      = aws_s3_bucket.this[0].id
  key         = each.value
  source      = "${var.source}/${each.value}"
  source_hash = filemd5("${var.source}/${each.value}")
}

resource "aws_fsx_lustre_file_system" "this" {
  count                       = local.kind == "lustre" ? 1 : 0
  deployment_type             = "PERSISTENT_2"
  storage_type                = "SSD"
  storage_capacity            = local.lustre_gib
  per_unit_storage_throughput = local.per_tib
  data_compression_type       = "LZ4"
  efa_enabled                 = local.efa
  subnet_ids                  = slice(local.subnets, 0, 1)
  security_group_ids          = local.groups
  kms_key_id                  = local.options.kms_key_id
  tags                        = local.tags

  metadata_configuration {
    mode = "AUTOMATIC"
  }
}

resource "aws_fsx_data_repository_association" "source" {
  count                            = local.kind == "lustre" && var.source != null ? 1 : 0
  file_system_id                   = aws_fsx_lustre_file_system.this[0].id
  data_repository_path             = local.linked
  file_system_path                 = local.options.checkpoint_url == null ? "/" : "/source"
  batch_import_meta_data_on_create = true
  tags                             = local.tags

  s3 {
    auto_import_policy {
      events = ["NEW", "CHANGED", "DELETED"]
    }
  }

  depends_on = [aws_s3_object.file]
}

resource "aws_fsx_data_repository_association" "checkpoints" {
  count                            = local.kind == "lustre" && local.options.checkpoint_url != null ? 1 : 0
  file_system_id                   = aws_fsx_lustre_file_system.this[0].id
  data_repository_path             = local.options.checkpoint_url
  file_system_path                 = "/checkpoints"
  batch_import_meta_data_on_create = true
  tags                             = local.tags

  # A new file system finds the checkpoints of the last one.
  s3 {
    auto_export_policy {
      events = ["NEW", "CHANGED"]
    }
  }
}

resource "aws_efs_file_system" "this" {
  count            = local.kind == "efs" ? 1 : 0
  encrypted        = true
  kms_key_id       = local.options.kms_key_id
  performance_mode = "generalPurpose"
  throughput_mode  = "elastic"
  tags             = local.tags
}

resource "aws_efs_mount_target" "this" {
  count           = local.kind == "efs" ? length(local.subnets) : 0
  file_system_id  = aws_efs_file_system.this[0].id
  subnet_id       = local.subnets[count.index]
  security_groups = local.groups
}

resource "aws_ebs_volume" "this" {
  count             = local.kind == "ebs" ? 1 : 0
  availability_zone = local.zone
  type              = "gp3"
  size              = ceil(var.capacity_gib)
  iops              = local.options.iops
  throughput        = local.options.throughput_mib_s
  encrypted         = true
  kms_key_id        = local.options.kms_key_id
  tags              = local.tags
}

locals {
  lustre = one(aws_fsx_lustre_file_system.this)
  efs    = one(aws_efs_file_system.this)
  volume = one(aws_ebs_volume.this)
  # How a node gets at it; {at} is the folder.
  mount = {
    lustre = try("mount -t lustre -o relatime,flock ${local.lustre.dns_name}@tcp:/${local.lustre.mount_name} {at}", "")
    efs    = try("mount -t nfs4 -o nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport ${local.efs.dns_name}:/ {at}", "")
    # An empty disk gets a file system first. Its name on the machine follows from the volume's id.
    ebs = try(join("\n", [
      "token=$(curl -sX PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)",
      "self=$(curl -s -H \"X-aws-ec2-metadata-token: $token\" http://169.254.169.254/latest/meta-data/instance-id)",
      "aws ec2 attach-volume --device /dev/sdf --volume-id ${local.volume.id} --instance-id $self",
      "device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${replace(local.volume.id, "-", "")}",
      "until [ -e $device ]; do sleep 1; done",
      "blkid $device || mkfs.xfs $device",
      "mount $device {at}",
    ]), "")
    s3 = local.kind == "s3" ? "mount-s3 --allow-delete --allow-overwrite ${coalesce(local.bucket, "-")} {at}" : ""
  }
}

output "path" {
  value = {
    lustre = try("${local.lustre.dns_name}@tcp:/${local.lustre.mount_name}", "")
    efs    = try("${local.efs.dns_name}:/", "")
    ebs    = try(local.volume.id, "")
    s3     = try("s3://${aws_s3_bucket.this[0].bucket}", "")
  }[local.kind]

  precondition {
    condition     = contains(["lustre", "efs", "ebs", "s3"], local.kind)
    error_message = "kind is lustre, efs, ebs or s3, not ${local.kind}."
  }

  precondition {
    condition     = var.source == null || contains(["lustre", "s3"], local.kind)
    error_message = "A file system of kind ${local.kind} starts empty: with source, kind is lustre (from 1200 GiB, with a fabric) or s3."
  }

  precondition {
    condition     = local.kind == "s3" || length(local.subnets) > 0 || (local.kind == "ebs" && local.zone != null)
    error_message = "A file system of kind ${local.kind} stands in a network: set fabric, or subnet_ids and security_group_ids (zone for ebs) in options.aws."
  }

  precondition {
    condition     = local.kind != "lustre" || !local.efa || (local.has_fabric && local.efa_fits)
    error_message = "efa needs a fabric and, at ${local.per_tib} MB/s for each TiB, a multiple of ${local.efa_step} GiB; this is ${local.lustre_gib} GiB ${local.has_fabric ? "with" : "without"} a fabric."
  }

  precondition {
    condition     = local.options.checkpoint_url == null ? true : local.kind == "lustre" && startswith(local.options.checkpoint_url, "s3://")
    error_message = "checkpoint_url is an s3:// address, for a file system of kind lustre."
  }

  precondition {
    condition     = local.options.checkpoint_url == null || var.source == null ? true : !startswith("${trimsuffix(local.options.checkpoint_url, "/")}/", "${trimsuffix(var.source, "/")}/") && !startswith("${trimsuffix(var.source, "/")}/", "${trimsuffix(local.options.checkpoint_url, "/")}/")
    error_message = "Checkpoints would be written among the source, ${coalesce(var.source, "-")}: set checkpoint_url to an address beside it."
  }

  precondition {
    condition     = local.kind != "lustre" || local.per_tib * local.lustre_gib / 1000 >= coalesce(var.throughput_mb_per_s, 0)
    error_message = "${local.lustre_gib} GiB of Lustre give ${local.per_tib * local.lustre_gib / 1000} MB/s at ${local.per_tib} MB/s for each TiB, and ${coalesce(var.throughput_mb_per_s, 0)} are asked for: make capacity_gib larger."
  }
}
# Of the files that this has put there; of what lies in somebody else's bucket it knows nothing.
output "fingerprint" { value = local.from_folder ? sha256(join("\n", [for file in local.files : "${file} ${filesha256("${var.source}/${file}")}"])) : null }
output "kind" { value = local.kind }
output "zone" { value = contains(["lustre", "ebs"], local.kind) ? local.zone : null }
output "object_url" { value = local.kind == "s3" ? try("s3://${aws_s3_bucket.this[0].bucket}", null) : local.linked }
output "mount_command" { value = local.mount[local.kind] }
output "capacity_gib" { value = local.kind == "lustre" ? local.lustre_gib : var.capacity_gib }
output "throughput_mb_per_s" { value = local.kind == "lustre" ? local.per_tib * local.lustre_gib / 1000 : null }
output "id" { value = local.kind == "lustre" ? local.lustre.id : null }
output "mount_name" { value = local.kind == "lustre" ? local.lustre.mount_name : null }
