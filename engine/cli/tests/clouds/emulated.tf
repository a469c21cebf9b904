# What the implementations on AWS are made of, as far as the emulator has it.

variable "endpoint" { type = string }

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
    applicationautoscaling = var.endpoint
    autoscaling            = var.endpoint
    cloudwatch             = var.endpoint
    ec2                    = var.endpoint
    efs                    = var.endpoint
    eks                    = var.endpoint
    iam                    = var.endpoint
    s3                     = var.endpoint
    sagemaker              = var.endpoint
    sts                    = var.endpoint
  }
}

stack {
  placement {
    backends = ["aws"]
    regions  = ["us-east-1"]
  }
}

# The emulator has no placement groups.
fabric "lab" {
  nodes   = 2
  options = { aws = { placement = "none" } }
}

filesystem "home" {
  capacity_gib = 100
  fabric       = fabric.lab
}

filesystem "disk" {
  capacity_gib = 100
  fabric       = fabric.lab
  options      = { aws = { kind = "ebs", iops = 4000, throughput_mib_s = 500 } }
}

filesystem "corpus" {
  capacity_gib = 10
  source       = "./corpus"
  options      = { aws = { kind = "s3" } }
}

cluster "train" {
  accelerator = { type = "h100", count = 8 }
  fabric      = fabric.lab
  mounts      = { "/home" = filesystem.home, "/corpus" = filesystem.corpus, "/disk" = filesystem.disk }
  options     = { aws = { min_nodes = 0 } }
}

cluster "serve" {
  accelerator = { type = "a10g", count = 1 }
  fabric      = fabric.lab
  options     = { aws = { orchestrator = "eks" } }
}

pipeline "tune" {
  cluster = cluster.train
  code    = "./code"

  step "tokens" {
    command = ["python3", "tokens.py"]
    outputs = { tokens = "tokens.json" }
  }

  step "train" {
    needs   = ["tokens"]
    command = ["python3", "train.py"]
    outputs = { model = "model.json" }
  }
}

endpoint "small" {
  model   = pipeline.tune.artifacts["model"]
  command = ["serve", "{port}", "{model}"]
  scale {
    min = 0
    max = 2
  }
}

# The emulator's list of machines for endpoints has no newer ones.
endpoint "steady" {
  model   = pipeline.tune.artifacts["model"]
  command = ["serve", "{port}", "{model}"]
  cluster = cluster.serve
  options = { aws = { instance_type = "ml.m5.xlarge", beside_nodes = true } }
  scale {
    min = 1
    max = 1
  }
}

output "url" {
  value = endpoint.steady.url
}
