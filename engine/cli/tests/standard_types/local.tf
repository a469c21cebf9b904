# Every component type beside cluster, fabric, file system, pipeline and endpoint, on this machine.

stack {
  placement {
    backends = ["local"]
  }
}

budget "team" {
  amount_usd = 100
  ledger     = "./ledger.csv"
  period     = "year"
  alert_at   = [0.5]
}

image "plain" {
  framework = "none"
  gpu       = false
}

reservation "spare" {
  machines = 1
}

model "base" {
  source         = "./weights"
  params_billion = 0.001
  heads          = 4
}

dataset "corpus" {
  source   = "./corpus"
  size_gib = 0.1
  format   = "txt"
}

cluster "train" {
  mounts = { data = dataset.corpus, base = model.base }
}

pipeline "tune" {
  cluster = cluster.train

  step "tune" {
    command     = ["sh", "-c", "cat $MOUNT_BASE/weights.bin $MOUNT_DATA/a.txt > $OUTPUT_MODEL"]
    environment = { IMAGE = image.plain.digest }
    outputs     = { model = "model.bin" }
  }
}

registry "models" {
  models   = { chat = pipeline.tune.artifacts["model"], "chat@next" = pipeline.tune.artifacts["model"] }
  approved = ["chat"]
}

endpoint "chat" {
  model       = registry.models.models["chat"]
  command     = ["python3", "-m", "http.server", "{port}", "--bind", "127.0.0.1"]
  health_path = "/"
  scale {
    min = 1
  }
}

vector_store "memory" {
  dimensions = 2
  vectors    = 1000
}

workspace "lab" {
  users       = ["ada", "grace"]
  command     = ["python3", "-m", "http.server", "{port}", "--bind", "127.0.0.1", "--directory", "{model}"]
  health_path = "/"
  home_gib    = 0.1
}

output "spent" { value = budget.team.spent_usd }
output "shape" { value = model.base.workload }
output "weights" { value = model.base.digest }
output "served" { value = registry.models.models }
output "search" { value = vector_store.memory.url }
output "places" { value = workspace.lab.urls }
output "found" { value = image.plain.digest }
