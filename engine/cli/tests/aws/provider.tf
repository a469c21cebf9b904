# What stacks for AI on AWS are made of. The tests run it on an emulator, with this engine and with Terraform.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" {
  type = string
}

# Each value is the configuration of one stage: as created, changed in place, replaced.
variable "stage" {
  default = "create"
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  max_retries                 = 1
  skip_credentials_validation = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true

  default_tags {
    tags = { Project = "suite" }
  }

  endpoints {
    autoscaling    = var.endpoint
    batch          = var.endpoint
    cloudwatch     = var.endpoint
    dynamodb       = var.endpoint
    ec2            = var.endpoint
    ecr            = var.endpoint
    ecs            = var.endpoint
    efs            = var.endpoint
    eks            = var.endpoint
    elbv2          = var.endpoint
    events         = var.endpoint
    glue           = var.endpoint
    iam            = var.endpoint
    kinesis        = var.endpoint
    kms            = var.endpoint
    lambda         = var.endpoint
    logs           = var.endpoint
    route53        = var.endpoint
    s3             = var.endpoint
    s3control      = var.endpoint
    sagemaker      = var.endpoint
    secretsmanager = var.endpoint
    sns            = var.endpoint
    sqs            = var.endpoint
    ssm            = var.endpoint
    sts            = var.endpoint
  }
}

locals {
  changed  = var.stage != "create"
  replaced = var.stage == "replace"
  tags     = { Stage = local.changed ? "two" : "one" }
}
