# A whole AI stack on this machine: data, hardware, training, and an endpoint that serves what was trained.

stack {
  placement {
    backends = ["local"]
  }
}

fabric "lan" {
  nodes = 1
}

filesystem "corpus" {
  capacity_gib = 1
  source       = "./corpus"
}

cluster "train" {
  nodes               = 1
  vcpus_per_node      = 1
  memory_gib_per_node = 1
  fabric              = fabric.lan
  mounts              = { data = filesystem.corpus }
}

pipeline "train" {
  cluster = cluster.train
  code    = "./code"

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

  step "evaluate" {
    needs       = ["tokenize", "train"]
    command     = ["python3", "evaluate.py"]
    environment = { MAX_LOSS = "2.6" }
    outputs     = { report = "report.json" }
    metrics     = "metrics.json"
  }
}

endpoint "chat" {
  model   = pipeline.train.artifacts["model"]
  command = ["python3", "serve.py", "{port}", "{model}"]
  code    = "./code"

  scale {
    min = 0
    max = 2
  }
}

output "url" {
  description = "POST /v1/completions here."
  value       = endpoint.chat.url
}

output "model_digest" {
  value = pipeline.train.artifacts["model"].digest
}

output "evaluation_loss" {
  value = pipeline.train.metrics["evaluation_loss"]
}
