# A network for machines that talk to each other much: one zone, one security group whose members may say anything to
# one another, as the Elastic Fabric Adapter needs it, and a placement group.
#
# Everything lies in one zone, since the adapter does not reach further. Nodes have no addresses of their own on the
# internet; they reach it through a NAT gateway, and S3 through an endpoint that costs nothing.
#
# `options = { aws = { … } }` takes:
#   zone       the zone; the first of the region otherwise
#   cidr       addresses of the network, at least a /20
#   vpc_id, subnet_ids   a network that is there already; the first subnet is for the nodes, all lie in `vpc_id`
#   placement  cluster, spread, partition or none

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "node_gbps" { type = number }
variable "nodes" { type = number }
variable "options" { type = any }

locals {
  given = try(var.options.aws, {})
  defaults = {
    zone       = null
    cidr       = "10.64.0.0/16"
    vpc_id     = null
    subnet_ids = []
    placement  = "cluster"
  }
  options = merge(local.defaults, local.given)

  region = var.component.offer.region
  # What has to be somewhere else: the control planes of managed clusters want two zones.
  zones  = concat([for zone in [local.options.zone] : zone if zone != null], var.component.offer.zones)
  zone   = local.zones[0]
  spare  = [for zone in var.component.offer.zones : zone if zone != local.zone][0]
  is_new = local.options.vpc_id == null

  name = "${var.component.name}-fabric"
  tags = { Name = local.name, "stratiform:component" = "fabric.${var.component.name}" }
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == local.region
      error_message = "fabric.${var.component.name} was placed in ${local.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${local.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "A fabric on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
    postcondition {
      condition     = local.is_new || length(local.options.subnet_ids) > 0
      error_message = "vpc_id needs subnet_ids beside it: where in the network are the nodes?"
    }
  }
}

resource "aws_vpc" "this" {
  count                = local.is_new ? 1 : 0
  cidr_block           = local.options.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = local.tags
}

# A node with 32 network cards takes 32 addresses, so the nodes get half of the network.
resource "aws_subnet" "nodes" {
  count             = local.is_new ? 1 : 0
  vpc_id            = aws_vpc.this[0].id
  cidr_block        = cidrsubnet(local.options.cidr, 1, 0)
  availability_zone = local.zone
  tags              = merge(local.tags, { Name = "${local.name}-nodes" })
}

resource "aws_subnet" "spare" {
  count             = local.is_new ? 1 : 0
  vpc_id            = aws_vpc.this[0].id
  cidr_block        = cidrsubnet(local.options.cidr, 4, 8)
  availability_zone = local.spare
  tags              = merge(local.tags, { Name = "${local.name}-spare" })
}

resource "aws_subnet" "public" {
  count             = local.is_new ? 1 : 0
  vpc_id            = aws_vpc.this[0].id
  cidr_block        = cidrsubnet(local.options.cidr, 4, 9)
  availability_zone = local.zone
  tags              = merge(local.tags, { Name = "${local.name}-public" })
}

resource "aws_internet_gateway" "this" {
  count  = local.is_new ? 1 : 0
  vpc_id = aws_vpc.this[0].id
  tags   = local.tags
}

resource "aws_eip" "nat" {
  count  = local.is_new ? 1 : 0
  domain = "vpc"
  tags   = local.tags
}

resource "aws_nat_gateway" "this" {
  count         = local.is_new ? 1 : 0
  allocation_id = aws_eip.nat[0].id
  subnet_id     = aws_subnet.public[0].id
  tags          = local.tags
  depends_on    = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  count  = local.is_new ? 1 : 0
  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = "${local.name}-public" })
}

resource "aws_route" "public" {
  count                  = local.is_new ? 1 : 0
  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public" {
  count          = local.is_new ? 1 : 0
  subnet_id      = aws_subnet.public[0].id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_route_table" "private" {
  count  = local.is_new ? 1 : 0
  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = "${local.name}-private" })
}

resource "aws_route" "private" {
  count                  = local.is_new ? 1 : 0
  route_table_id         = aws_route_table.private[0].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[0].id
}

resource "aws_route_table_association" "nodes" {
  count          = local.is_new ? 1 : 0
  subnet_id      = aws_subnet.nodes[0].id
  route_table_id = aws_route_table.private[0].id
}

resource "aws_route_table_association" "spare" {
  count          = local.is_new ? 1 : 0
  subnet_id      = aws_subnet.spare[0].id
  route_table_id = aws_route_table.private[0].id
}

resource "aws_vpc_endpoint" "s3" {
  count           = local.is_new ? 1 : 0
  vpc_id          = aws_vpc.this[0].id
  service_name    = "com.amazonaws.${local.region}.s3"
  route_table_ids = [aws_route_table.private[0].id]
  tags            = local.tags
}

# The adapter needs a rule of the group to itself in both directions; one to all addresses does not count for it.
resource "aws_security_group" "this" {
  name        = local.name
  description = "Nodes that talk over ${local.name}"
  vpc_id      = local.is_new ? aws_vpc.this[0].id : local.options.vpc_id
  tags        = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "self" {
  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "-1"
  description                  = "Everything among the nodes"
}

resource "aws_vpc_security_group_egress_rule" "self" {
  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "-1"
  description                  = "Everything among the nodes"
}

resource "aws_vpc_security_group_egress_rule" "out" {
  security_group_id = aws_security_group.this.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
  description       = "Packages, images, object storage"
}

resource "aws_placement_group" "this" {
  count    = local.options.placement == "none" ? 0 : 1
  name     = local.name
  strategy = local.options.placement
  tags     = local.tags
}

output "id" { value = aws_security_group.this.id }
output "kind" { value = "efa" }
# Nothing is measured while resources are made.
output "measured_gbps" { value = null }
output "node_gbps" { value = var.node_gbps }
output "region" { value = local.region }
output "zone" { value = local.is_new ? local.zone : local.options.zone }
output "vpc_id" { value = aws_security_group.this.vpc_id }
output "subnet_id" { value = local.is_new ? aws_subnet.nodes[0].id : local.options.subnet_ids[0] }
output "subnet_ids" { value = local.is_new ? [aws_subnet.nodes[0].id, aws_subnet.spare[0].id] : local.options.subnet_ids }
output "security_group_id" { value = aws_security_group.this.id }
output "placement_group" { value = try(aws_placement_group.this[0].name, null) }
output "placement_group_arn" { value = try(aws_placement_group.this[0].arn, null) }
