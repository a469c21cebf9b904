# An endpoint that costs nothing while nobody asks, on Cloud Run: a model of 8 billion parameters on one L4 for each
# replica. `../scale-to-zero` is the same on AWS.

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
    backends = ["google"]
    regions  = ["us-east4"]
  }
}

endpoint "chat" {
  model           = { path = "gs://example-models/llama-3.1-8b/", digest = "llama-3.1-8b", bytes = 16060522496 }
  command         = ["vllm", "serve", "{model}", "--port", "{port}"]
  environment     = { VLLM_NO_USAGE_STATS = "1" }
  start_timeout_s = 600
  options = {
    google = {
      image = "us-docker.pkg.dev/example-project/serve/model-server:1.4.0"
      gpu   = "nvidia-l4"
    }
  }

  scale {
    min                = 0
    max                = 4
    target_concurrency = 16
  }
}

output "url" {
  value = endpoint.chat.url
}
