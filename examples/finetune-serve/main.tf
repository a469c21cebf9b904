# Kubernetes with fabric adapters and a parallel file system, as teams run it that fine-tune a model of 70 billion
# parameters and serve it: eight machines of EKS with H100 or better, spot first; FSx for Lustre with the corpus behind
# it; a pipeline with checkpoints; an endpoint that goes to zero; and a budget that the plan has to keep.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.80" }
  }
}

provider "aws" {
  region = "us-east-1"
}

stack {
  placement {
    backends  = ["aws"]
    regions   = ["us-east-1"]
    objective = "cost"
  }
  # 250,000 USD in a quarter.
  budget {
    max_monthly_usd = 83333
  }
}

fabric "hs" {
  nodes     = 8
  node_gbps = 3200
}

# 14 bytes for each parameter are 980 GB; 9.6 TiB at 1000 MB/s each take them in 102 seconds.
filesystem "fsx" {
  capacity_gib = 9600
  source       = "s3://corpus/llama"
  fabric       = fabric.hs
  options      = { aws = { mb_per_s_per_tib = 1000, checkpoint_url = "s3://checkpoints/llama" } }
}

cluster "train" {
  nodes               = 8
  accelerator         = { type = "h100", count = 64 }
  vcpus_per_node      = 96
  memory_gib_per_node = 1024
  fabric              = fabric.hs
  mounts              = { "/fsx" = filesystem.fsx }
  # Steps and replicas run on machines of SageMaker; nodes of EKS come when somebody scales the group up.
  options = { aws = { orchestrator = "eks", min_nodes = 0 } }

  # Capacity blocks are bought by a person, so they are not among what is tried.
  try = [
    { purchase = "spot" },
    { purchase = "on_demand" },
  ]
}

pipeline "ft" {
  cluster = cluster.train

  step "train" {
    command     = ["torchrun", "--nnodes=8", "--nproc-per-node=8", "--rdzv-backend=c10d", "--rdzv-endpoint=algo-1:29500", "-m", "train", "--checkpoints=/opt/ml/input/data/fsx/checkpoints"]
    environment = { FI_PROVIDER = "efa" }
    outputs     = { model = "model/" }
  }
  options = { aws = { image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/finetune:2.1.0" } }
}

endpoint "chat" {
  model           = pipeline.ft.artifacts["model"]
  command         = ["vllm", "serve", "{model}", "--port", "{port}", "--tensor-parallel-size", "8"]
  cluster         = cluster.train
  start_timeout_s = 1800

  scale {
    min            = 0
    max            = 2
    idle_to_zero_s = 900
  }
  options = { aws = { image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model-server:1.4.0" } }
}

output "url" {
  value = endpoint.chat.url
}
