# Machines of EC2 that work together: a launch template with all that a node is, and an auto scaling group or a managed
# node group of EKS that keeps so many of them.
#
# A machine with the Elastic Fabric Adapter gets one interface on each of its network cards: bandwidth that is not
# plugged in is lost without a word, and a p5.48xlarge with one of its 32 interfaces trains at a thirtieth of its speed.
#
# How it is bought is what the placement decided: on demand, spot, or a capacity block.
#
# `options = { aws = { … } }` takes:
#   orchestrator   asg or eks
#   subnet_ids, security_group_ids   where nodes stand, without a fabric
#   image_id       an AMI, or `resolve:ssm:PARAMETER`; one of AWS for these accelerators otherwise
#   key_name       SSH key; sessions of Systems Manager work without
#   root_gib       root disk
#   user_data      a shell script that runs when a node starts, after the file systems are there
#   reserve        true holds on-demand capacity for all nodes, used or not
#   capacity_reservation_id          capacity that is reserved or bought already
#   capacity_block_offering_id       buys this block when applied: paid at once, and never paid back
#   kubernetes_version               of EKS
#   public_networks                  of EKS: the networks (CIDR) from which its API answers over the internet; none
#                                    otherwise, and it answers in the cluster's own network alone
#   max_nodes, min_nodes             how far the number may be changed from outside; `nodes` otherwise. With `min_nodes`
#                                    there are so many to begin with. 0 where all that the cluster is for are pipelines and
#                                    endpoints, which run on machines of SageMaker

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "nodes" { type = number }
variable "accelerator" { type = any }
variable "fabric" { type = any }
variable "mounts" { type = any }
variable "options" { type = any }

locals {
  given = try(var.options.aws, {})
  defaults = {
    orchestrator               = "asg"
    subnet_ids                 = []
    security_group_ids         = []
    image_id                   = null
    key_name                   = null
    root_gib                   = 200
    user_data                  = ""
    reserve                    = false
    capacity_reservation_id    = null
    capacity_block_offering_id = null
    kubernetes_version         = null
    public_networks            = []
    max_nodes                  = null
    min_nodes                  = null
  }
  options = merge(local.defaults, local.given)
  offer   = var.component.offer
  is_eks  = local.options.orchestrator == "eks"
  is_spot = local.offer.purchase == "spot"
  # Bought for a time, in one piece; placement groups do not go with it.
  is_block   = local.offer.purchase == "capacity_block"
  is_reserve = local.options.reserve && local.options.capacity_reservation_id == null

  has_fabric = var.fabric != null
  zone       = local.has_fabric ? var.fabric.zone : null
  # With a fabric all nodes stand in its one zone; without one they may be anywhere.
  subnets      = local.has_fabric ? [var.fabric.subnet_id] : local.options.subnet_ids
  control      = local.has_fabric ? var.fabric.subnet_ids : local.options.subnet_ids
  groups       = local.has_fabric ? [var.fabric.security_group_id] : local.options.security_group_ids
  placement    = local.has_fabric && !local.is_block ? var.fabric.placement_group : null
  reservation  = local.options.capacity_reservation_id
  is_purchased = local.options.capacity_block_offering_id != null

  # The first interface carries ordinary traffic too. Where there is a card more than adapters, it carries only that.
  cards    = coalesce(local.offer.network_cards, 1)
  adapters = local.has_fabric && local.offer.fabric == "efa" ? coalesce(local.offer.fabric_interfaces, 0) : 0
  first    = local.adapters == 0 || local.cards > local.adapters ? "interface" : "efa"
  others   = local.adapters == 0 ? 0 : local.cards - 1
  interfaces = concat(
    [{ card = 0, device = 0, type = local.first }],
    [for card in range(1, local.others + 1) : { card = card, device = 1, type = "efa-only" }],
  )

  chip      = coalesce(local.offer.accelerator, "none")
  is_neuron = startswith(local.chip, "Trainium") || startswith(local.chip, "Inferentia")
  software  = local.chip == "none" ? "cpu" : local.is_neuron ? "neuron" : "nvidia"
  images = {
    cpu    = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    nvidia = "resolve:ssm:/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id"
    neuron = "resolve:ssm:/aws/service/neuron/dlami/base/amazon-linux-2023/latest/image_id"
  }
  eks_images = { cpu = "AL2023_x86_64_STANDARD", nvidia = "AL2023_x86_64_NVIDIA", neuron = "AL2023_x86_64_NEURON" }

  # Each file system says how it is mounted; programs for it come first.
  kinds = distinct([for system in values(var.mounts) : system.kind])
  packages = compact([
    contains(local.kinds, "lustre") ? "lustre-client" : "",
    contains(local.kinds, "efs") ? "nfs-utils" : "",
    contains(local.kinds, "s3") ? "https://s3.amazonaws.com/mountpoint-s3-release/latest/x86_64/mount-s3.rpm" : "",
  ])
  script = join("\n", concat(
    ["#!/bin/bash", "set -euo pipefail"],
    [for packages in [join(" ", local.packages)] : "dnf install -y ${packages}" if packages != ""],
    [for path, system in var.mounts : "mkdir -p /${trimprefix(path, "/")}\n${replace(system.mount_command, "{at}", "/${trimprefix(path, "/")}")}"],
    [local.options.user_data, ""],
  ))
  # Managed nodes join their cluster by a part of their own; it takes only many-part messages.
  message   = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"//\"\n\n--//\nContent-Type: text/x-shellscript; charset=\"us-ascii\"\n\n${local.script}\n--//--\n"
  user_data = base64encode(local.is_eks ? local.message : local.script)

  name = "${var.component.name}-cluster"
  tags = { Name = local.name, "stratiform:component" = "cluster.${var.component.name}" }
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == local.offer.region
      error_message = "cluster.${var.component.name} was placed in ${local.offer.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${local.offer.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "A cluster on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
  }
}

resource "aws_iam_role" "node" {
  name_prefix = "${substr(local.name, 0, 37)}-"
  tags        = local.tags
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(concat(
    ["AmazonSSMManagedInstanceCore", "AmazonEC2ContainerRegistryReadOnly"],
    local.is_eks ? ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy"] : [],
  ))
  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

# What the file systems need: objects of their buckets, and attaching their volumes.
resource "aws_iam_role_policy" "storage" {
  count = contains(local.kinds, "s3") || contains(local.kinds, "ebs") ? 1 : 0
  name  = "storage"
  role  = aws_iam_role.node.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [for system in values(var.mounts) : {
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        Resource = ["arn:aws:s3:::${trimprefix(system.path, "s3://")}", "arn:aws:s3:::${trimprefix(system.path, "s3://")}/*"]
      } if system.kind == "s3"],
      contains(local.kinds, "ebs") ? [{ Effect = "Allow", Action = ["ec2:AttachVolume"], Resource = "*" }] : [],
    )
  })
}

resource "aws_iam_instance_profile" "node" {
  count       = local.is_eks ? 0 : 1
  name_prefix = "${substr(local.name, 0, 37)}-"
  role        = aws_iam_role.node.name
  tags        = local.tags
}

resource "aws_ec2_capacity_reservation" "this" {
  count                   = local.is_reserve ? 1 : 0
  instance_type           = local.offer.machine
  instance_platform       = "Linux/UNIX"
  availability_zone       = local.zone
  instance_count          = var.nodes
  instance_match_criteria = "targeted"
  # A group that packs its machines needs capacity that is packed in the same way.
  placement_group_arn = try(var.fabric.placement_group_arn, null)
  tags                = local.tags
}

resource "aws_ec2_capacity_block_reservation" "this" {
  count                      = local.is_purchased ? 1 : 0
  capacity_block_offering_id = local.options.capacity_block_offering_id
  instance_platform          = "Linux/UNIX"
  tags                       = local.tags
}

locals {
  reservations = concat(
    local.reservation == null ? [] : [local.reservation],
    aws_ec2_capacity_reservation.this[*].id,
    aws_ec2_capacity_block_reservation.this[*].id,
  )
}

resource "aws_launch_template" "node" {
  name_prefix            = "${local.name}-"
  update_default_version = true
  instance_type          = local.offer.machine
  image_id               = local.is_eks ? local.options.image_id : coalesce(local.options.image_id, local.images[local.software])
  key_name               = local.options.key_name
  user_data              = local.user_data
  tags                   = local.tags

  dynamic "network_interfaces" {
    for_each = local.interfaces
    content {
      network_card_index    = network_interfaces.value.card
      device_index          = network_interfaces.value.device
      interface_type        = network_interfaces.value.type
      security_groups       = local.groups
      delete_on_termination = "true"
    }
  }

  dynamic "placement" {
    for_each = local.placement == null ? [] : [local.placement]
    content {
      group_name = placement.value
    }
  }

  # Managed nodes are bought by their node group, save blocks.
  dynamic "instance_market_options" {
    for_each = local.is_block ? ["capacity-block"] : local.is_spot && !local.is_eks ? ["spot"] : []
    content {
      market_type = instance_market_options.value
    }
  }

  dynamic "capacity_reservation_specification" {
    for_each = local.is_block || local.is_reserve || local.reservation != null ? [1] : []
    content {
      capacity_reservation_target {
        capacity_reservation_id = try(local.reservations[0], null)
      }
    }
  }

  dynamic "iam_instance_profile" {
    for_each = aws_iam_instance_profile.node
    content {
      arn = iam_instance_profile.value.arn
    }
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size           = local.options.root_gib
      volume_type           = "gp3"
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }

  # Secrets of the machine are not for its containers; one more hop lets those of EKS ask on behalf of theirs.
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = local.is_eks ? 2 : 1
  }

  tag_specifications {
    resource_type = "instance"
    tags          = local.tags
  }
}

resource "aws_autoscaling_group" "node" {
  count               = local.is_eks ? 0 : 1
  name_prefix         = "${local.name}-"
  min_size            = coalesce(local.options.min_nodes, var.nodes)
  max_size            = coalesce(local.options.max_nodes, var.nodes)
  desired_capacity    = local.options.min_nodes == null ? var.nodes : null
  vpc_zone_identifier = local.subnets

  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }

  tag {
    key                 = "stratiform:component"
    value               = "cluster.${var.component.name}"
    propagate_at_launch = false
  }
}

resource "aws_iam_role" "control" {
  count       = local.is_eks ? 1 : 0
  name_prefix = "${substr(local.name, 0, 30)}-eks-"
  tags        = local.tags
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "eks.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "control" {
  count      = local.is_eks ? 1 : 0
  role       = aws_iam_role.control[0].name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_eks_cluster" "this" {
  count    = local.is_eks ? 1 : 0
  name     = local.name
  version  = local.options.kubernetes_version
  role_arn = aws_iam_role.control[0].arn
  tags     = local.tags

  vpc_config {
    subnet_ids              = local.control
    security_group_ids      = local.groups
    endpoint_private_access = true
    endpoint_public_access  = length(local.options.public_networks) > 0
    public_access_cidrs     = length(local.options.public_networks) > 0 ? local.options.public_networks : null
  }

  depends_on = [aws_iam_role_policy_attachment.control]
}

resource "aws_eks_node_group" "node" {
  count           = local.is_eks ? 1 : 0
  cluster_name    = aws_eks_cluster.this[0].name
  node_group_name = local.name
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = local.subnets
  ami_type        = local.options.image_id == null ? local.eks_images[local.software] : null
  capacity_type   = local.is_block ? "CAPACITY_BLOCK" : local.is_spot ? "SPOT" : "ON_DEMAND"
  tags            = local.tags

  scaling_config {
    min_size     = coalesce(local.options.min_nodes, var.nodes)
    max_size     = coalesce(local.options.max_nodes, var.nodes)
    desired_size = coalesce(local.options.min_nodes, var.nodes)
  }

  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }

  depends_on = [aws_iam_role_policy_attachment.node]
}

output "id" {
  value = local.is_eks ? aws_eks_cluster.this[0].arn : aws_autoscaling_group.node[0].arn

  precondition {
    condition     = contains(["asg", "eks"], local.options.orchestrator)
    error_message = "orchestrator is asg or eks, not ${local.options.orchestrator}."
  }

  precondition {
    condition     = local.has_fabric || length(local.options.subnet_ids) > 0
    error_message = "Nodes on AWS stand in a network: set fabric = fabric.NAME, or subnet_ids in options.aws."
  }

  precondition {
    condition     = !local.has_fabric || length(local.offer.zones) == 0 ? true : contains(local.offer.zones, coalesce(local.zone, local.offer.zones[0]))
    error_message = "${local.offer.machine} is not sold in ${coalesce(local.zone, "-")}, where the fabric is, but in ${join(", ", local.offer.zones)}: set options = { aws = { zone = \"${try(local.offer.zones[0], "")}\" } } in the fabric."
  }

  precondition {
    condition     = !local.is_block || local.reservation != null || local.is_purchased
    error_message = "A capacity block is bought before machines start: set capacity_reservation_id of one that you have, or capacity_block_offering_id to buy one, in options.aws."
  }
}
# Machines come and go by themselves; what can be said beforehand is what each has.
output "nodes" {
  value = [for index in range(var.nodes) : {
    index        = index
    machine      = local.offer.machine
    vcpus        = local.offer.vcpus
    memory_mib   = local.offer.memory_mib
    accelerators = local.offer.accelerator_count
    gpus         = range(local.offer.accelerator_count)
    fabric_nics  = local.adapters
  }]
}
# What is paid for whether it is used or not.
output "kept_nodes" { value = local.is_reserve || local.is_purchased ? var.nodes : coalesce(local.options.min_nodes, var.nodes) }
output "mounts" { value = { for path, system in var.mounts : path => path } }
output "fingerprints" { value = { for path, system in var.mounts : path => system.fingerprint } }
output "storage" { value = var.mounts }
output "machine" { value = local.offer.machine }
output "purchase" { value = local.offer.purchase }
output "accelerator" { value = local.software == "cpu" ? null : local.chip }
output "software" { value = local.software }
output "subnet_ids" { value = local.subnets }
output "security_group_ids" { value = local.groups }
output "launch_template_id" { value = aws_launch_template.node.id }
output "kubernetes_endpoint" { value = try(aws_eks_cluster.this[0].endpoint, null) }
output "fabric" { value = try(var.fabric.id, null) }
