# Pre-training of a large language model on eight p5.48xlarge: 64 H100, all 32 fabric adapters of each machine, and a
# parallel file system for data and checkpoints. Placed, checked and priced before anything is made:
#
#   stratiform init && stratiform plan

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.80" }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "corpus" {
  type        = string
  default     = "s3://example-corpus/tokens"
  description = "Where the tokens lie."
}

variable "checkpoints" {
  type        = string
  default     = "s3://example-checkpoints/pretrain"
  description = "Where checkpoints are kept; not among the tokens, which every run reads."
}

stack {
  placement {
    backends       = ["aws"]
    regions        = ["us-east-1"]
    purchase       = ["on_demand"]
    objective      = "cost"
    max_hourly_usd = 500
  }
}

fabric "train" {
  nodes     = 8
  node_gbps = 3200
}

# 9.6 TiB with 1000 MB/s for each: a checkpoint of 70 billion parameters, 14 bytes each, takes less than two minutes.
filesystem "scratch" {
  capacity_gib = 9600
  source       = var.corpus
  fabric       = fabric.train
  options      = { aws = { mb_per_s_per_tib = 1000, checkpoint_url = var.checkpoints } }
}

cluster "train" {
  nodes               = 8
  accelerator         = { type = "h100", count = 64 }
  vcpus_per_node      = 96
  memory_gib_per_node = 1024
  fabric              = fabric.train
  mounts              = { "/scratch" = filesystem.scratch }
  # Steps run on machines of SageMaker; nodes of the group's own would be paid for beside them.
  options = { aws = { min_nodes = 0 } }
}

pipeline "pretrain" {
  cluster = cluster.train
  code    = "./code"

  step "train" {
    command     = ["torchrun", "--nnodes=8", "--nproc-per-node=8", "--rdzv-backend=c10d", "--rdzv-endpoint=algo-1:29500", "train.py", "--tokens=/opt/ml/input/data/scratch/source", "--checkpoints=/opt/ml/input/data/scratch/checkpoints"]
    environment = { FI_PROVIDER = "efa", NCCL_DEBUG = "WARN" }
    outputs     = { model = "model/" }
    timeout_s   = 432000
  }
}

output "start" {
  description = "Starts a run."
  value       = pipeline.pretrain.start
}
