variable "size" { type = number }

resource "terraform_data" "queue" {
  input = { size = var.size }
}

output "id" { value = terraform_data.queue.id }
