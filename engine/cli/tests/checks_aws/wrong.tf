# Each of these passes the provider, and fails at the API or costs dearly later.

module "group" {
  source = "./group"
  vpc_id = aws_vpc.this.id
  whole  = false
}

locals {
  group = module.group.id
}

resource "aws_launch_template" "node" {
  instance_type = "p5.48xlarge"

  network_interfaces {
    network_card_index = 99
    device_index       = 1
    interface_type     = "efa"
    security_groups    = [local.group]
  }

  instance_market_options {
    market_type = "capacity-block"
  }
}

resource "aws_autoscaling_group" "nodes" {
  max_size            = 80
  min_size            = 0
  vpc_zone_identifier = [for subnet in aws_subnet.this : subnet.id]

  launch_template {
    id = aws_launch_template.node.id
  }
}

resource "aws_instance" "login" {
  ami           = "ami-12345678"
  instance_type = "p5.48xlargee"
}

resource "aws_ebs_volume" "data" {
  availability_zone = "us-east-1a"
  type              = "gp3"
  size              = 10
  iops              = 16000
  throughput        = 1000
}

resource "aws_fsx_lustre_file_system" "scratch" {
  deployment_type    = "SCRATCH_2"
  storage_capacity   = 1300
  subnet_ids         = [aws_subnet.this["a"].id]
  security_group_ids = [local.group]
  efa_enabled        = true
}

resource "aws_sagemaker_model" "chat" {
  name               = "chat"
  execution_role_arn = "arn:aws:iam::123456789012:role/sagemaker"

  primary_container {
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/vllm:latest"
  }
}

resource "aws_sagemaker_endpoint_configuration" "chat" {
  production_variants {
    variant_name           = "a"
    model_name             = aws_sagemaker_model.chat.name
    instance_type          = "ml.g5.xlarge"
    initial_instance_count = 1

    managed_instance_scaling {
      min_instance_count = 0
      max_instance_count = 2
      status             = "ENABLED"
    }
  }
}

resource "aws_sagemaker_endpoint_configuration" "small" {
  production_variants {
    variant_name = "a"
    model_name   = aws_sagemaker_model.chat.name
    serverless_config {
      max_concurrency   = 5
      memory_size_in_mb = 4096
    }
  }
  production_variants {
    variant_name = "b"
    model_name   = aws_sagemaker_model.chat.name
    serverless_config {
      max_concurrency   = 5
      memory_size_in_mb = 4096
    }
  }
}

resource "aws_sagemaker_endpoint" "chat" {
  endpoint_config_name = aws_sagemaker_endpoint_configuration.small.name

  deployment_config {
    blue_green_update_policy {
      traffic_routing_configuration {
        type                     = "CANARY"
        wait_interval_in_seconds = 60
        canary_size {
          type  = "CAPACITY_PERCENT"
          value = 80
        }
      }
    }
  }
}

resource "aws_appautoscaling_target" "chat" {
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/chat/variant/a"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = 0
  max_capacity       = 2
}

resource "aws_eks_node_group" "gpu" {
  cluster_name   = "train"
  node_role_arn  = "arn:aws:iam::123456789012:role/node"
  subnet_ids     = [aws_subnet.this["a"].id]
  ami_type       = "AL2023_x86_64_NVIDIA"
  instance_types = ["trn1.32xlarge"]

  scaling_config {
    desired_size = 1
    max_size     = 3
    min_size     = 1
  }
}

stack {
  placement {
    quotas = { "aws/p5.48xlarge" = 64 }
  }
}
