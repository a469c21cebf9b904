# An endpoint that costs nothing while nobody asks: requests wait in a queue, the first of them starts a machine with
# eight A10G, and after ten quiet minutes the machine goes. The first answer after a pause takes as long as the machine
# needs to start and to load the model.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.80" }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "model" {
  type        = string
  default     = "s3://example-models/llama-3.1-8b/model.tar.gz"
  description = "The weights, as one archive."
}

variable "image" {
  type        = string
  default     = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model-server:1.4.0"
  description = "Runs STRATIFORM_COMMAND, a list in JSON, on `serve`; answers GET /ping and POST /invocations on port 8080."
}

stack {
  placement {
    backends = ["aws"]
    regions  = ["us-east-1"]
    purchase = ["on_demand"]
  }
}

endpoint "chat" {
  model           = { path = var.model, digest = "llama-3.1-8b", bytes = 16060522496 }
  command         = ["vllm", "serve", "{model}", "--port", "{port}", "--tensor-parallel-size", "8"]
  environment     = { VLLM_NO_USAGE_STATS = "1" }
  start_timeout_s = 900

  scale {
    min                = 0
    max                = 4
    target_concurrency = 16
    idle_to_zero_s     = 600
  }

  options = {
    aws = {
      image         = var.image
      instance_type = "ml.g5.48xlarge"
    }
  }
}

output "url" {
  description = "POST here with the address of the request's body in S3."
  value       = endpoint.chat.url
}
