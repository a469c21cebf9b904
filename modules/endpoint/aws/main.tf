# A model behind an address of SageMaker.
#
# How many replicas there may be decides what it is:
#   no cluster, min = 0      serverless: no accelerators, at most 6 GiB, billed by the request
#   a cluster, min = 0       asynchronous: requests wait in a queue, and with none waiting no machine is there
#   min ≥ 1                  real time
# Replicas run on machines of the type that their cluster was placed on; these are SageMaker's, the cluster's own nodes
# are not used. `command` starts the server: {port} is 8080, and {model} is where the artifact lies, or its archive is
# unpacked. SageMaker runs the image with the word `serve`, so the image has to carry STRATIFORM_COMMAND out, a list in
# JSON; and it asks for GET /ping and POST /invocations, whatever `health_path` says.
#
# `options = { aws = { … } }` takes:
#   image           a container image with the server; AWS's own for PyTorch otherwise
#   instance_type   of SageMaker, `ml.…`; that of the cluster's machines otherwise
#   model_url       the archive, where it is known better than from `model`
#   memory_mb       of a serverless one
#   async           true or false overrules the table above
#   beside_nodes    true if the cluster keeps nodes for something else; they are paid for beside these machines

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "model" { type = any }
variable "command" { type = list(string) }
variable "cluster" { type = any }
variable "environment" { type = map(string) }
variable "start_timeout_s" { type = number }
variable "scale" { type = any }
variable "options" { type = any }

locals {
  given = try(var.options.aws, {})
  defaults = {
    image         = null
    instance_type = null
    model_url     = null
    memory_mb     = 4096
    async         = null
    beside_nodes  = false
  }
  options = merge(local.defaults, local.given)

  region      = var.component.offer.region
  name        = "${var.component.name}-endpoint"
  tags        = { Name = local.name, "stratiform:component" = "endpoint.${var.component.name}" }
  has_cluster = var.cluster != null
  machine     = local.options.instance_type == null ? (local.has_cluster ? "ml.${var.cluster.machine}" : null) : local.options.instance_type
  to_zero     = var.scale.min == 0
  serverless  = local.machine == null
  async       = coalesce(local.options.async, local.to_zero && !local.serverless)
  software    = local.has_cluster ? var.cluster.software : local.machine == null ? "cpu" : "nvidia"
  image       = coalesce(local.options.image, "763104351884.dkr.ecr.${local.region}.amazonaws.com/pytorch-inference:2.6.0-${local.software == "cpu" ? "cpu-py312" : "gpu-py312-cu124"}-ubuntu22.04-sagemaker")
  model_url   = coalesce(local.options.model_url, var.model.path)
  is_archive  = endswith(local.model_url, ".tar.gz")
  # What is no archive is its folder, unpacked as it lies.
  model_dir   = replace(local.model_url, "/[^/]*$/", "")
  model_file  = local.is_archive || endswith(local.model_url, "/") ? "/opt/ml/model" : "/opt/ml/model/${basename(local.model_url)}"
  command     = [for word in var.command : replace(replace(word, "{port}", "8080"), "{model}", local.model_file)]
  environment = merge(var.environment, { STRATIFORM_COMMAND = jsonencode(local.command), STRATIFORM_MODEL_DIGEST = var.model.digest })
  scales      = !local.serverless && (var.scale.max > var.scale.min || local.async)
  in_network  = local.has_cluster && !local.serverless
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == local.region
      error_message = "endpoint.${var.component.name} was placed in ${local.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${local.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "An endpoint on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
  }
}

resource "aws_iam_role" "this" {
  name_prefix = "${substr(local.name, 0, 37)}-"
  tags        = local.tags
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "sagemaker.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "serve"
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Effect   = "Allow"
          Action   = ["s3:GetObject", "s3:ListBucket"]
          Resource = ["arn:aws:s3:::${split("/", trimprefix(local.model_url, "s3://"))[0]}", "arn:aws:s3:::${split("/", trimprefix(local.model_url, "s3://"))[0]}/*"]
        },
        {
          Effect = "Allow"
          Action = [
            "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams", "cloudwatch:PutMetricData",
            "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
            "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
            "ec2:DeleteNetworkInterfacePermission", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "ec2:DescribeDhcpOptions",
            "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups",
          ]
          Resource = "*"
        },
      ],
      local.async ? [{
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:GetObject"]
        Resource = ["${aws_s3_bucket.answers[0].arn}/*"]
      }] : [],
    )
  })
}

# Answers of an asynchronous endpoint.
resource "aws_s3_bucket" "answers" {
  count         = local.async ? 1 : 0
  bucket_prefix = "${substr(lower(replace(local.name, "_", "-")), 0, 36)}-"
  tags          = local.tags
}

resource "aws_s3_bucket_public_access_block" "answers" {
  count                   = local.async ? 1 : 0
  bucket                  = aws_s3_bucket.answers[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Neither a model nor a configuration can be changed: a new one takes over from the old one, which goes last.
resource "aws_sagemaker_model" "this" {
  execution_role_arn = aws_iam_role.this.arn
  tags               = local.tags

  primary_container {
    image          = local.image
    model_data_url = local.is_archive ? local.model_url : null
    environment    = local.environment

    dynamic "model_data_source" {
      for_each = local.is_archive ? [] : [local.model_dir]
      content {
        s3_data_source {
          s3_uri           = model_data_source.value
          s3_data_type     = "S3Prefix"
          compression_type = "None"
        }
      }
    }
  }

  dynamic "vpc_config" {
    for_each = local.in_network ? [var.cluster] : []
    content {
      subnets            = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  lifecycle {
    create_before_destroy = true
  }
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name_prefix = "${substr(local.name, 0, 36)}-"
  tags        = local.tags

  production_variants {
    variant_name                                      = "main"
    model_name                                        = aws_sagemaker_model.this.name
    instance_type                                     = local.machine
    initial_instance_count                            = local.serverless ? null : max(var.scale.min, 1)
    container_startup_health_check_timeout_in_seconds = local.serverless ? null : max(60, var.start_timeout_s)

    dynamic "serverless_config" {
      for_each = local.serverless ? [1] : []
      content {
        memory_size_in_mb = local.options.memory_mb
        max_concurrency   = min(200, var.scale.max * var.scale.target_concurrency)
      }
    }
  }

  dynamic "async_inference_config" {
    for_each = local.async ? [1] : []
    content {
      output_config {
        s3_output_path = "s3://${aws_s3_bucket.answers[0].bucket}/answers"
      }
      client_config {
        max_concurrent_invocations_per_instance = var.scale.target_concurrency
      }
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = local.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  tags                 = local.tags
}

resource "aws_appautoscaling_target" "this" {
  count              = local.scales ? 1 : 0
  service_namespace  = "sagemaker"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.this.name}/variant/main"
  min_capacity       = var.scale.min
  max_capacity       = var.scale.max
}

resource "aws_appautoscaling_policy" "load" {
  count              = local.scales ? 1 : 0
  name               = "${local.name}-load"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value      = var.scale.target_concurrency
    scale_in_cooldown = var.scale.idle_to_zero_s

    customized_metric_specification {
      namespace   = "AWS/SageMaker"
      metric_name = local.async ? "ApproximateBacklogSizePerInstance" : "ConcurrentRequestsPerModel"
      statistic   = local.async ? "Average" : "Maximum"
      dimensions {
        name  = "EndpointName"
        value = aws_sagemaker_endpoint.this.name
      }
      dynamic "dimensions" {
        for_each = local.async ? [] : ["main"]
        content {
          name  = "VariantName"
          value = dimensions.value
        }
      }
    }
  }
}

# With no machine there is no backlog for each machine: this wakes the first.
resource "aws_appautoscaling_policy" "wake" {
  count              = local.scales && local.async && local.to_zero ? 1 : 0
  name               = "${local.name}-wake"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Average"
    cooldown                = 300
    step_adjustment {
      metric_interval_lower_bound = "0"
      scaling_adjustment          = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "wake" {
  count               = local.scales && local.async && local.to_zero ? 1 : 0
  alarm_name          = "${local.name}-waiting"
  alarm_description   = "A request waits, and no machine is there."
  namespace           = "AWS/SageMaker"
  metric_name         = "HasBacklogWithoutCapacity"
  statistic           = "Average"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "missing"
  dimensions          = { EndpointName = aws_sagemaker_endpoint.this.name }
  alarm_actions       = [aws_appautoscaling_policy.wake[0].arn]
  tags                = local.tags
}

output "url" {
  value = "https://runtime.sagemaker.${local.region}.amazonaws.com/endpoints/${aws_sagemaker_endpoint.this.name}/${local.async ? "async-invocations" : "invocations"}"

  precondition {
    condition     = try(var.cluster.kept_nodes, 0) == 0 || local.options.beside_nodes
    error_message = "endpoint.${var.component.name} runs on machines of SageMaker, and its cluster keeps ${try(var.cluster.kept_nodes, 0)} nodes that are paid for beside them: write min_nodes = 0 in options.aws of the cluster, or beside_nodes = true in those of the endpoint if both are meant."
  }

  precondition {
    condition     = !local.serverless || local.to_zero
    error_message = "Without a cluster the endpoint is serverless, and that always goes to zero: write scale { min = 0 }, or set cluster, or instance_type in options.aws."
  }

  precondition {
    condition     = local.serverless || local.async || !local.to_zero
    error_message = "A real-time endpoint keeps a machine: write scale { min = 1 }, or leave async to be decided."
  }
}
output "mode" { value = local.serverless ? "serverless" : local.async ? "async" : "real-time" }
output "arn" { value = aws_sagemaker_endpoint.this.arn }
