# One GPU of this machine, reserved: a transformer is trained on it with PyTorch, and served from it.
#
# Steps and replicas see the GPUs that their cluster has reserved, and no other. Where there is no GPU, the plan
# says what is missing.

variable "accelerator" {
  type        = string
  default     = "gpu"
  description = "`gpu` for any, or a part of the model's name, such as `h100`."
}

variable "python" {
  type        = string
  default     = "python3"
  description = "A Python that has PyTorch."
}

stack {
  placement {
    backends = ["local"]
  }
}

filesystem "corpus" {
  capacity_gib = 1
  source       = "./corpus"
}

cluster "gpu" {
  nodes               = 1
  vcpus_per_node      = 2
  memory_gib_per_node = 4
  accelerator         = { type = var.accelerator, count = 1 }
  mounts              = { data = filesystem.corpus }
}

pipeline "train" {
  cluster = cluster.gpu
  code    = "./code"

  step "train" {
    command     = [var.python, "train.py"]
    environment = { SEED = "7", STEPS = "400" }
    outputs     = { model = "model.pt" }
    metrics     = "metrics.json"
  }
}

endpoint "chat" {
  cluster         = cluster.gpu
  model           = pipeline.train.artifacts["model"]
  command         = [var.python, "serve.py", "{port}", "{model}"]
  code            = "./code"
  start_timeout_s = 120

  scale {
    min = 1
    max = 1
  }
}

output "url" {
  description = "POST /v1/completions here."
  value       = endpoint.chat.url
}

output "gpus_seen" {
  description = "How many GPUs the training step saw."
  value       = pipeline.train.metrics["gpus_seen"]
}

output "loss" {
  value = pipeline.train.metrics["last_loss"]
}
