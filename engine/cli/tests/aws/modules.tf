# Published modules as they are, each from its folder beside this file.

module "vpc" {
  source = "./vpc"

  name = "train"
  cidr = "10.0.0.0/16"

  azs             = ["us-east-1a", "us-east-1b"]
  private_subnets = ["10.0.1.0/24", "10.0.2.0/24"]
  public_subnets  = ["10.0.101.0/24", "10.0.102.0/24"]
  intra_subnets   = ["10.0.201.0/24"]

  enable_nat_gateway   = true
  single_nat_gateway   = true
  enable_dns_hostnames = true

  tags = { Team = "ml" }
}

module "endpoints" {
  source = "./vpc/modules/vpc-endpoints"

  vpc_id = module.vpc.vpc_id
  endpoints = {
    s3 = {
      service         = "s3"
      service_type    = "Gateway"
      route_table_ids = flatten([module.vpc.private_route_table_ids])
      tags            = { Name = "s3" }
    }
  }
}

module "checkpoints" {
  source = "./s3-bucket"

  bucket        = "checkpoints-of-the-suite"
  force_destroy = true

  versioning = { enabled = true }

  server_side_encryption_configuration = {
    rule = { apply_server_side_encryption_by_default = { sse_algorithm = "AES256" } }
  }

  lifecycle_rule = [
    {
      id      = "old"
      enabled = true
      filter  = { prefix = "tmp/" }
      expiration = {
        days = 30
      }
    },
  ]

  attach_deny_insecure_transport_policy = true
}

module "policy" {
  source = "./iam/modules/iam-policy"

  name   = "reads-checkpoints"
  path   = "/"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${module.checkpoints.s3_bucket_arn}/*"] }] })
}

module "role" {
  source = "./iam/modules/iam-assumable-role"

  create_role           = true
  role_name             = "trainer"
  role_requires_mfa     = false
  trusted_role_services = ["ec2.amazonaws.com"]
  create_instance_profile = true

  custom_role_policy_arns = [module.policy.arn]
}

module "group" {
  source = "./iam/modules/iam-group-with-policies"

  name                                    = "researchers"
  attach_iam_self_management_policy       = true
  custom_group_policy_arns                = [module.policy.arn]
}

output "subnets" {
  value = module.vpc.private_subnets
}
output "bucket" {
  value = module.checkpoints.s3_bucket_arn
}
output "role" {
  value = module.role.iam_role_arn
}
