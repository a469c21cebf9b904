# What the emulator does not have: tags of budgets and of what starts notebooks, conditions of bucket policies,
# reservations, collections of vectors as their provider asks for them.

budget "team" {
  amount_usd = 250000
  period     = "quarter"
  options    = { aws = { tag = "user:team$research", account_id = "123456789012" } }
}

budget "told" {
  amount_usd = 1000
  period     = "day"
  alert_at   = [0.8, 1]
  emails     = ["team@example.com"]
}

dataset "people" {
  source    = "./corpus"
  size_gib  = 1
  personal  = true
  countries = ["USA"]
}

workspace "lab" {
  users           = ["ada", "grace"]
  idle_shutdown_s = 900
  options         = { aws = { internet = true } }
}

reservation "h100" {
  accelerator = "h100"
  machines    = 2
  ends_at     = "2027-01-31T11:30:00Z"
}

reservation "block" {
  kind         = "capacity_block"
  machine_type = "p5.48xlarge"
  machines     = 4
  auto_accept  = true
  options      = { aws = { offering_id = "cbr-0123456789abcdef0" } }
}

vector_store "memory" {
  dimensions = 1024
  metric     = "dot"
  vectors    = 10000000
  options    = { aws = { public = true, principals = ["arn:aws:iam::123456789012:role/app"] } }
}

output "index" { value = vector_store.memory.index }
output "memory_gib" { value = vector_store.memory.memory_gib }
