output "key" {
  value     = aws_iam_access_key.ci.secret
  sensitive = true
}

output "subnets" {
  value = aws_subnet.part[*].id
}
