# Pre-training on Google: eight A3 Mega machines with 64 H100, a network for each of their cards, Managed Lustre for
# scratch data and a bucket of tokens. `../pretrain-p5` is the same on AWS.

terraform {
  required_providers {
    google = { source = "hashicorp/google", version = ">= 6.0.0" }
  }
}

provider "google" {
  project = "example-project"
  region  = "us-east4"
}

stack {
  placement {
    backends       = ["google"]
    regions        = ["us-east4"]
    purchase       = ["on_demand"]
    max_hourly_usd = 800
  }
}

fabric "train" {
  nodes   = 8
  options = { google = { zone = "us-east4-a", cards = "tcpxo" } }
}

filesystem "scratch" {
  capacity_gib = 9000
  fabric       = fabric.train
}

filesystem "corpus" {
  capacity_gib = 4000
  source       = "gs://example-corpus"
  options      = { google = { kind = "bucket" } }
}

cluster "train" {
  nodes               = 8
  accelerator         = { type = "h100", count = 64 }
  vcpus_per_node      = 96
  memory_gib_per_node = 1024
  fabric              = fabric.train
  mounts              = { "/scratch" = filesystem.scratch, "/corpus" = filesystem.corpus }
  # Steps run on machines of Batch; nodes of the group's own would be paid for beside them.
  options = { google = { min_nodes = 0 } }
  # The cheapest with cards of their own for the GPUs.
  try = [{ machine = "a3-megagpu-8g" }]
}

pipeline "pretrain" {
  cluster = cluster.train
  code    = "../pretrain-p5/code"

  step "train" {
    # Each machine finds the others at RENDEZVOUS.
    command   = ["sh", "-c", "exec torchrun --nnodes=8 --nproc-per-node=8 --rdzv-backend=c10d --rdzv-endpoint=$RENDEZVOUS train.py --tokens=$MOUNT_CORPUS --checkpoints=$MOUNT_SCRATCH/checkpoints"]
    outputs   = { model = "model/" }
    timeout_s = 432000
  }
  # With NCCL's plugin for the machine's own cards, and their receiver.
  options = { google = { image = "us-docker.pkg.dev/example-project/train/a3-mega:1.4.0" } }
}

output "start" {
  description = "Starts a run."
  value       = pipeline.pretrain.start
}
