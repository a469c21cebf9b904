# Steps as a pipeline of SageMaker: each is a training job, started by whoever starts the pipeline.
#
# Jobs run on machines of the type that their cluster was placed on, as many as it has nodes, in its network; but these
# are SageMaker's, and are there only while a job runs. The cluster's own nodes are not used: one that is only there for
# its pipeline has `min_nodes = 0` in its options.
#
# A step sees what it would see on this machine: it starts in a folder with its code, INPUT_NAME is the path of each
# artifact of the steps that it needs, OUTPUT_NAME and METRICS are where it writes, and MOUNT_NAME is the folder of each
# mount. What it writes there lies in a fixed place in the bucket as soon as it is written, not only when it ends.
# Of the cluster's mounts those of Lustre and S3 are there; S3 is copied before the step starts.
#
# Capacity is bought as the cluster's: where that was placed on spot, jobs are managed spot training. SageMaker starts an
# interrupted job again with what OUTPUT_NAME's folder had, so a step that keeps its checkpoints there goes on from the
# last one; one that keeps none begins anew. A capacity block of EC2 is no capacity of SageMaker, which has training plans.
#
# `options = { aws = { … } }` takes:
#   image           a container image with what the steps need; AWS's own for PyTorch otherwise
#   instance_type   of SageMaker, `ml.…`; that of the cluster's machines otherwise
#   disk_gib        of each machine
#   max_run_s       for steps without `timeout_s`
#   max_wait_s      how much longer a job on spot may wait for capacity
#   training_plan_arn   capacity of SageMaker that is paid for already
#   beside_nodes    true if the cluster keeps nodes for something else; they are paid for beside these machines
#   bucket          where code and artifacts lie; a new one otherwise

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "cluster" { type = any }
variable "code" { type = string }
variable "step" { type = any }
variable "options" { type = any }

locals {
  given = try(var.options.aws, {})
  defaults = {
    image         = null
    instance_type = null
    disk_gib      = 200
    max_run_s     = 86400
    max_wait_s    = 86400
    bucket        = null
    beside_nodes  = false

    training_plan_arn = null
  }
  options = merge(local.defaults, local.given)

  region   = var.component.offer.region
  name     = "${var.component.name}-pipeline"
  tags     = { Name = local.name, "stratiform:component" = "pipeline.${var.component.name}" }
  bucket   = local.options.bucket == null ? aws_s3_bucket.this[0].bucket : local.options.bucket
  root     = "s3://${local.bucket}/${local.name}"
  files    = var.code == null ? toset([]) : fileset(var.code, "**")
  code     = sha256(join("\n", [for file in local.files : "${file} ${filesha256("${var.code}/${file}")}"]))
  machine  = coalesce(local.options.instance_type, "ml.${var.cluster.machine}")
  kind     = var.cluster.software == "cpu" ? "cpu-py312" : "gpu-py312-cu129"
  image    = coalesce(local.options.image, "763104351884.dkr.ecr.${local.region}.amazonaws.com/pytorch-training:2.8.0-${local.kind}-ubuntu22.04-sagemaker")
  purchase = var.cluster.purchase
  is_spot  = local.purchase == "spot" && local.options.training_plan_arn == null
  run_s    = { for name, step in var.step : name => step.timeout_s == null ? local.options.max_run_s : step.timeout_s }
  networks = length(var.cluster.subnet_ids) > 0 && length(var.cluster.security_group_ids) > 0

  # Where what a step writes is found: SageMaker keeps this address and that folder the same.
  written    = { for name, step in var.step : name => "${local.root}/artifacts/${name}" }
  folder     = "/opt/ml/input/data"
  mounts     = { for path, system in var.cluster.storage : path => system if contains(["lustre", "s3"], system.kind) }
  channel_of = { for path, system in local.mounts : path => replace(trim(path, "/"), "/", "-") }
  environment = {
    for name, step in var.step : name => merge(
      { for path, channel in local.channel_of : "MOUNT_${upper(replace(channel, "-", "_"))}" => "${local.folder}/${channel}" },
      merge([for need in step.needs : { for output, file in var.step[need].outputs : "INPUT_${upper(output)}" => "${local.folder}/${need}/${file}" }]...),
      { for output, file in step.outputs : "OUTPUT_${upper(output)}" => "/opt/ml/checkpoints/${file}" },
      step.metrics == null ? {} : { METRICS = "/opt/ml/checkpoints/${step.metrics}" },
      step.environment,
    )
  }
  prefix = { for name, url in merge(
    { for name, url in local.written : name => "${url}/" },
    { code = "${local.root}/code/${local.code}/" },
  ) : name => { S3DataSource = { S3DataType = "S3Prefix", S3Uri = url, S3DataDistributionType = "FullyReplicated" } } }
  channel = {
    for name, step in var.step : name => concat(
      length(local.files) == 0 ? [] : [{ ChannelName = "code", DataSource = local.prefix["code"] }],
      [for need in step.needs : { ChannelName = need, DataSource = local.prefix[need] }],
      [for path, system in local.mounts : {
        ChannelName = local.channel_of[path]
        DataSource = { for kind, source in {
          S3DataSource = { S3DataType = "S3Prefix", S3Uri = "${system.path}/", S3DataDistributionType = "FullyReplicated" }
          FileSystemDataSource = {
            FileSystemId         = system.id
            FileSystemType       = "FSxLustre"
            DirectoryPath        = "/${coalesce(system.mount_name, "-")}"
            FileSystemAccessMode = "rw"
          }
        } : kind => source if(kind == "S3DataSource") == (system.kind == "s3") }
      }],
    )
  }
  steps = [for name, step in var.step : {
    Name      = name
    Type      = "Training"
    DependsOn = step.needs
    Arguments = merge(
      {
        AlgorithmSpecification = {
          TrainingImage       = local.image
          TrainingInputMode   = "File"
          ContainerEntrypoint = ["/bin/sh", "-c", "mkdir -p /opt/ml/checkpoints; cd ${local.folder}/code 2>/dev/null; exec \"$@\"", "step"]
          ContainerArguments  = step.command
        }
        RoleArn           = aws_iam_role.this.arn
        Environment       = local.environment[name]
        OutputDataConfig  = { S3OutputPath = "${local.root}/jobs/${name}" }
        CheckpointConfig  = { S3Uri = local.written[name], LocalPath = "/opt/ml/checkpoints" }
        StoppingCondition = merge(
          { MaxRuntimeInSeconds = local.run_s[name] },
          # For both together, running and waiting.
          local.is_spot ? { MaxWaitTimeInSeconds = local.run_s[name] + local.options.max_wait_s } : {},
        )
        ResourceConfig = merge(
          {
            InstanceType   = local.machine
            InstanceCount  = length(var.cluster.nodes)
            VolumeSizeInGB = local.options.disk_gib
          },
          local.options.training_plan_arn == null ? {} : { TrainingPlanArn = local.options.training_plan_arn },
        )
      },
      local.is_spot ? { EnableManagedSpotTraining = true } : {},
      length(local.channel[name]) == 0 ? {} : { InputDataConfig = local.channel[name] },
      local.networks ? { VpcConfig = { Subnets = var.cluster.subnet_ids, SecurityGroupIds = var.cluster.security_group_ids } } : {},
    )
  }]
  definition = jsonencode({ Version = "2020-12-01", Metadata = {}, Parameters = [], Steps = local.steps })
  outputs    = merge([for name, step in var.step : { for output, file in step.outputs : output => { step = name, file = file } }]...)
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == local.region
      error_message = "pipeline.${var.component.name} was placed in ${local.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${local.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "A pipeline on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
  }
}

resource "aws_s3_bucket" "this" {
  count         = local.options.bucket == null ? 1 : 0
  bucket_prefix = "${substr(lower(replace(local.name, "_", "-")), 0, 36)}-"
  tags          = local.tags
}

resource "aws_s3_bucket_public_access_block" "this" {
  count                   = local.options.bucket == null ? 1 : 0
  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Each state of the code has a folder of its own, so that a run that has started keeps what it started with.
resource "aws_s3_object" "code" {
  for_each    = local.files
  bucket      = local.bucket
  key         = "${local.name}/code/${local.code}/${each.value}"
  source      = "${var.code}/${each.value}"
  source_hash = filemd5("${var.code}/${each.value}")
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
  name = "steps"
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = ["arn:aws:s3:::${local.bucket}", "arn:aws:s3:::${local.bucket}/*"]
      },
      {
        Effect = "Allow"
        Action = [
          "sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob", "sagemaker:AddTags",
          "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams", "cloudwatch:PutMetricData",
          "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
          "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
          "ec2:DeleteNetworkInterfacePermission", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "ec2:DescribeDhcpOptions",
          "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups", "fsx:DescribeFileSystems",
        ]
        Resource = "*"
      },
      { Effect = "Allow", Action = "iam:PassRole", Resource = aws_iam_role.this.arn },
    ]
  })
}

resource "aws_sagemaker_pipeline" "this" {
  pipeline_name         = local.name
  pipeline_display_name = local.name
  role_arn              = aws_iam_role.this.arn
  pipeline_definition   = local.definition
  tags                  = local.tags
  depends_on            = [aws_s3_object.code, aws_iam_role_policy.this]
}

# What has been made is known after a run; what made it is known now, and stands for it.
output "artifacts" {
  value = {
    for name, output in local.outputs : name => {
      path   = "${local.written[output.step]}/${output.file}"
      # What only checks look at is not the job's.
      digest = sha256(jsonencode([{ for key, value in var.step[output.step] : key => value if !contains(["workload", "checkpoint", "reads"], key) }, local.code]))
      bytes  = null
    }
  }
}
# Runs write theirs to SageMaker.
output "metrics" { value = {} }
output "arn" {
  value = aws_sagemaker_pipeline.this.arn

  precondition {
    condition     = try(var.cluster.kept_nodes, 0) == 0 || local.options.beside_nodes
    error_message = "pipeline.${var.component.name} runs on machines of SageMaker, and its cluster keeps ${try(var.cluster.kept_nodes, 0)} nodes that are paid for beside them: write min_nodes = 0 in options.aws of the cluster, or beside_nodes = true in those of the pipeline if both are meant."
  }

  precondition {
    condition     = contains(["on_demand", "spot"], local.purchase) || local.options.training_plan_arn != null
    error_message = "pipeline.${var.component.name} runs on machines of SageMaker, which take no capacity of EC2 that was bought as ${local.purchase}: set training_plan_arn in options.aws to a training plan, or place the cluster on demand or spot."
  }

  precondition {
    condition     = var.cluster.software != "neuron" || local.options.image != null
    error_message = "Steps on Trainium and Inferentia need an image of their own: set image in options.aws."
  }
}
output "start" { value = "aws sagemaker start-pipeline-execution --region ${local.region} --pipeline-name ${local.name}" }
