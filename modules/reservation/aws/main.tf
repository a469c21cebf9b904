# Machines of EC2 that are held: on demand, paid by the hour until it ends, or a block that is paid at once.
#
# A cluster uses it with `options = { aws = { capacity_reservation_id = reservation.NAME.id } }`.
#
# `options = { aws = { … } }` takes:
#   zone          where the machines stand; one that the catalog knows to have them otherwise
#   offering_id   which block is bought, from `aws ec2 describe-capacity-block-offerings`
#   open          true lets any machine of this type in this zone use it, named or not

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "kind" { type = string }
variable "machines" { type = number }
variable "ends_at" { type = string }
variable "options" { type = any }

locals {
  given    = try(var.options.aws, {})
  defaults = { zone = null, offering_id = null, open = false }
  options  = merge(local.defaults, local.given)

  offer    = var.component.offer
  name     = "${var.component.name}-reservation"
  tags     = { Name = local.name, "stratiform:component" = "reservation.${var.component.name}" }
  is_block = var.kind == "capacity_block"
  zone     = try(coalesce(local.options.zone, try(local.offer.zones[0], null)), null)
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == var.component.offer.region
      error_message = "reservation.${var.component.name} was placed in ${var.component.offer.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${var.component.offer.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "A reservation on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
  }
}

resource "aws_ec2_capacity_reservation" "this" {
  count                   = local.is_block ? 0 : 1
  instance_type           = local.offer.machine
  instance_platform       = "Linux/UNIX"
  instance_count          = var.machines
  availability_zone       = local.zone
  instance_match_criteria = local.options.open ? "open" : "targeted"
  end_date_type           = var.ends_at == null ? "unlimited" : "limited"
  end_date                = var.ends_at
  tags                    = local.tags

  lifecycle {
    precondition {
      condition     = local.zone != null
      error_message = "The catalog knows no zone of ${local.offer.region} with ${local.offer.machine}: set zone in options.aws."
    }
  }
}

resource "aws_ec2_capacity_block_reservation" "this" {
  count                      = local.is_block ? 1 : 0
  capacity_block_offering_id = local.options.offering_id
  instance_platform          = "Linux/UNIX"
  tags                       = local.tags

  lifecycle {
    precondition {
      condition     = local.options.offering_id != null
      error_message = "reservation.${var.component.name} buys a block, and does not say which: set offering_id in options.aws."
    }
    postcondition {
      condition     = self.instance_type == local.offer.machine && self.instance_count == var.machines
      error_message = "The block has ${self.instance_count} of ${self.instance_type}, and ${var.machines} of ${local.offer.machine} are asked for."
    }
  }
}

output "id" { value = try(aws_ec2_capacity_reservation.this[0].id, aws_ec2_capacity_block_reservation.this[0].id) }
output "machines" { value = var.machines }
output "ends_at" { value = try(aws_ec2_capacity_block_reservation.this[0].end_date, var.ends_at) }
output "machine_type" { value = local.offer.machine }
output "zone" { value = try(aws_ec2_capacity_block_reservation.this[0].availability_zone, local.zone) }
