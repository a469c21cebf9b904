data "aws_ami" "base" {
  most_recent = true
  owners      = ["amazon"]
  filter {
    name   = "name"
    values = ["amzn2-ami-hvm-2.0.20180810-x86_64-gp2"]
  }
}

# One interface per network card, as nodes with 32 of them need.
resource "aws_launch_template" "node" {
  name          = "node"
  image_id      = data.aws_ami.base.id
  instance_type = "p5.48xlarge"
  key_name      = aws_key_pair.ops.key_name
  user_data     = base64encode(local.changed ? "#!/bin/sh\nnvidia-smi\n" : "#!/bin/sh\n")

  dynamic "network_interfaces" {
    for_each = range(32)
    content {
      device_index       = network_interfaces.value == 0 ? 0 : 1
      network_card_index = network_interfaces.value
      interface_type     = network_interfaces.value % 4 == 0 ? "efa" : "efa-only"
      security_groups    = [aws_security_group.fabric.id]
    }
  }

  block_device_mappings {
    device_name = "/dev/sda1"
    ebs {
      volume_size = 500
      volume_type = "gp3"
    }
  }

  iam_instance_profile {
    name = aws_iam_instance_profile.node.name
  }

  tag_specifications {
    resource_type = "instance"
    tags          = local.tags
  }
}

resource "aws_launch_template" "small" {
  name_prefix   = "small-"
  image_id      = data.aws_ami.base.id
  instance_type = "t3.micro"
}

resource "aws_autoscaling_group" "nodes" {
  name                = "nodes"
  min_size            = 0
  max_size            = local.changed ? 4 : 2
  desired_capacity    = 0
  vpc_zone_identifier = aws_subnet.part[*].id

  launch_template {
    id      = aws_launch_template.small.id
    version = "$Latest"
  }

  tag {
    key                 = "Role"
    value               = "node"
    propagate_at_launch = true
  }
}

resource "aws_autoscaling_policy" "grow" {
  name                   = "grow"
  autoscaling_group_name = aws_autoscaling_group.nodes.name
  adjustment_type        = "ChangeInCapacity"
  scaling_adjustment     = local.changed ? 2 : 1
  cooldown               = 60
}

resource "aws_instance" "login" {
  ami                  = data.aws_ami.base.id
  instance_type        = "t3.micro"
  subnet_id            = aws_subnet.part[0].id
  iam_instance_profile = aws_iam_instance_profile.node.name
  tags                 = local.tags
}

resource "aws_eks_cluster" "serve" {
  name     = "serve"
  role_arn = aws_iam_role.work.arn

  vpc_config {
    subnet_ids = aws_subnet.part[*].id
  }
}

resource "aws_eks_node_group" "gpu" {
  cluster_name    = aws_eks_cluster.serve.name
  node_group_name = "gpu"
  node_role_arn   = aws_iam_role.work.arn
  subnet_ids      = aws_subnet.part[*].id
  instance_types  = ["p5.48xlarge"]

  scaling_config {
    desired_size = 0
    min_size     = 0
    max_size     = local.changed ? 4 : 2
  }

  taint {
    key    = "nvidia.com/gpu"
    effect = "NO_SCHEDULE"
  }
}

resource "aws_ecs_cluster" "tools" {
  name = "tools"
}

resource "aws_ecs_task_definition" "tool" {
  family = "tool"
  container_definitions = jsonencode([{
    name = "tool", image = local.changed ? "tool:2" : "tool:1", memory = 512, essential = true
  }])
}

resource "aws_batch_compute_environment" "gpu" {
  compute_environment_name = "gpu"
  type                     = "MANAGED"
  service_role             = aws_iam_role.work.arn

  compute_resources {
    type               = "EC2"
    instance_role      = aws_iam_instance_profile.node.arn
    instance_type      = ["g5.xlarge"]
    min_vcpus          = 0
    max_vcpus          = 16
    security_group_ids = [aws_security_group.fabric.id]
    subnets            = aws_subnet.part[*].id
  }

  depends_on = [aws_iam_role_policy.own]
}

resource "aws_batch_job_queue" "train" {
  name     = "train"
  state    = "ENABLED"
  priority = local.changed ? 2 : 1

  compute_environment_order {
    order               = 1
    compute_environment = aws_batch_compute_environment.gpu.arn
  }
}

resource "aws_batch_job_definition" "train" {
  name = "train"
  type = "container"
  container_properties = jsonencode({
    image                = "train:1"
    command              = ["python", "train.py"]
    resourceRequirements = [{ type = "VCPU", value = "4" }, { type = "MEMORY", value = "2048" }]
  })
}

resource "aws_sagemaker_model" "chat" {
  name               = local.replaced ? "chat-2" : "chat"
  execution_role_arn = aws_iam_role.work.arn

  primary_container {
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/train:1"
  }
}

resource "aws_sagemaker_endpoint_configuration" "chat" {
  name_prefix = "chat-"

  production_variants {
    variant_name           = "all"
    model_name             = aws_sagemaker_model.chat.name
    initial_instance_count = 1
    instance_type          = "ml.m5.large"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "chat" {
  name                 = "chat"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.fixed.name
}

resource "aws_sagemaker_endpoint_configuration" "fixed" {
  name = "fixed"

  production_variants {
    variant_name           = "all"
    model_name             = aws_sagemaker_model.fixed.name
    initial_instance_count = 1
    instance_type          = "ml.m5.large"
  }
}

resource "aws_sagemaker_model" "fixed" {
  name               = "fixed"
  execution_role_arn = aws_iam_role.work.arn

  primary_container {
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/train:1"
  }
}
