# The same types on AWS, as far as an emulator has them.

variable "endpoint" {
  type    = string
  default = "http://127.0.0.1:1"
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

  endpoints {
    budgets              = var.endpoint
    ec2                  = var.endpoint
    ecr                  = var.endpoint
    iam                  = var.endpoint
    kms                  = var.endpoint
    opensearchserverless = var.endpoint
    s3                   = var.endpoint
    sagemaker            = var.endpoint
    sts                  = var.endpoint
  }
}

stack {
  placement {
    backends = ["aws"]
    regions  = ["us-east-1"]
  }
}

image "own" {
  options = { aws = { repository = true } }
}

image "theirs" {
  purpose = "inference"
}

image "host" {
  kind = "host"
}

model "base" {
  source         = "./weights"
  params_billion = 0.001
}

model "open" {
  source = "hf:org/name@0123456789abcdef0123456789abcdef01234567"
}

dataset "corpus" {
  source   = "./corpus"
  size_gib = 1
  format   = "txt"
}

dataset "theirs" {
  source   = "s3://somebody/corpus/2026"
  size_gib = 500
  digest   = "as-told"
}

registry "models" {
  models            = { chat = { path = "s3://b/m", digest = "d", bytes = null } }
  approval_required = false
}

output "images" { value = [image.theirs.id, image.host.id] }
output "mount" { value = dataset.theirs.mount_command }
output "base" { value = model.base.path }
output "open" { value = model.open.path }
