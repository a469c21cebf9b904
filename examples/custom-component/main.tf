# A component type of one's own: declared, implemented and used in one folder.

component_type "queue" {
  description = "Room for jobs that wait."

  input "size" {
    type        = number
    description = "How many jobs may wait."
    validation {
      condition     = input.size > 0
      error_message = "A queue needs room for at least one job."
    }
  }

  output "id" { description = "Names the queue." }

  implementation "local" {
    backend = "local"
    source  = "./queue"
    offer   = offer.kind == "machine"
  }
}

queue "jobs" {
  size = 3
}

output "queue" {
  value = queue.jobs.id
}
