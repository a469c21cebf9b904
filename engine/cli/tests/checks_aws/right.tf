# The same as it should be.

module "group" {
  source = "./group"
  vpc_id = aws_vpc.this.id
  whole  = true
}

locals {
  group = module.group.id
}

resource "aws_launch_template" "node" {
  instance_type = "p5.48xlarge"

  dynamic "network_interfaces" {
    for_each = range(32)
    content {
      network_card_index = network_interfaces.value
      device_index       = network_interfaces.value == 0 ? 0 : 1
      interface_type     = "efa"
      security_groups    = [local.group]
    }
  }

  instance_market_options {
    market_type = "capacity-block"
  }

  capacity_reservation_specification {
    capacity_reservation_target {
      capacity_reservation_id = "cr-0123456789abcdef0"
    }
  }
}

resource "aws_autoscaling_group" "nodes" {
  max_size            = 64
  min_size            = 0
  vpc_zone_identifier = [aws_subnet.this["a"].id]

  launch_template {
    id = aws_launch_template.node.id
  }
}

resource "aws_instance" "login" {
  ami           = "ami-12345678"
  instance_type = "m5.large"
}

resource "aws_ebs_volume" "data" {
  availability_zone = "us-east-1a"
  type              = "gp3"
  size              = 100
  iops              = 16000
  throughput        = 1000
  encrypted         = true
}

resource "aws_fsx_lustre_file_system" "scratch" {
  deployment_type             = "PERSISTENT_2"
  storage_capacity            = 1200
  per_unit_storage_throughput = 1000
  subnet_ids                  = [aws_subnet.this["a"].id]
  security_group_ids          = [local.group]
  efa_enabled                 = true

  metadata_configuration {
    mode = "AUTOMATIC"
  }
}

resource "aws_sagemaker_model" "chat" {
  name               = "chat"
  execution_role_arn = "arn:aws:iam::123456789012:role/sagemaker"

  primary_container {
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/vllm:v0.8.5"
  }
}

resource "aws_sagemaker_endpoint_configuration" "chat" {
  production_variants {
    variant_name           = "a"
    model_name             = aws_sagemaker_model.chat.name
    instance_type          = "ml.g5.xlarge"
    initial_instance_count = 1

    managed_instance_scaling {
      min_instance_count = 1
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
}

resource "aws_sagemaker_endpoint" "chat" {
  endpoint_config_name = aws_sagemaker_endpoint_configuration.chat.name

  deployment_config {
    blue_green_update_policy {
      traffic_routing_configuration {
        type                     = "CANARY"
        wait_interval_in_seconds = 60
        canary_size {
          type  = "CAPACITY_PERCENT"
          value = 10
        }
      }
    }
    auto_rollback_configuration {
      alarms {
        alarm_name = "errors"
      }
    }
  }
}

resource "aws_appautoscaling_target" "chat" {
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/chat/variant/a"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = 1
  max_capacity       = 2
}

resource "aws_eks_node_group" "gpu" {
  cluster_name   = "train"
  node_role_arn  = "arn:aws:iam::123456789012:role/node"
  subnet_ids     = [aws_subnet.this["a"].id]
  ami_type       = "AL2023_x86_64_NEURON"
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
