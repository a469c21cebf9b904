# One file for a laptop and for a cloud. It trains here first, on what this machine has:
#
#   stratiform apply
#
# and then there, with the same steps on machines of AWS:
#
#   stratiform plan -var=backend=aws
#
# Give each its own workspace (`stratiform workspace new cloud`), or the second apply moves what the first has made.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.80" }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "backend" {
  type        = string
  default     = "local"
  description = "Where it goes: local or aws."
}

stack {
  placement {
    backends       = [var.backend]
    max_hourly_usd = 10
  }
}

fabric "lan" {
  nodes = 1
}

filesystem "corpus" {
  capacity_gib = 1
  source       = "../quickstart/corpus"
  options      = { aws = { kind = "s3" } }
}

cluster "train" {
  vcpus_per_node      = 1
  memory_gib_per_node = 1
  accelerator         = var.backend == "local" ? { type = "cpu", count = 0 } : { type = "a10g", count = 1 }
  fabric              = fabric.lan
  mounts              = { data = filesystem.corpus }
  # Steps run on machines of SageMaker, so that none has to wait for them.
  options = { aws = { min_nodes = 0 } }
}

pipeline "train" {
  cluster = cluster.train
  code    = "../quickstart/code"

  step "tokenize" {
    command = ["python3", "tokenize_corpus.py"]
    outputs = { tokens = "tokens.json" }
  }

  step "train" {
    needs       = ["tokenize"]
    command     = ["python3", "train.py"]
    environment = { SEED = "7", EPOCHS = "6" }
    outputs     = { model = "model.json" }
    metrics     = "train_metrics.json"
  }
}

output "model" {
  value = pipeline.train.artifacts["model"].path
}
