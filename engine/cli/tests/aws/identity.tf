data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type = "Service"
      identifiers = [
        "batch.amazonaws.com", "ec2.amazonaws.com", "ecs-tasks.amazonaws.com", "eks.amazonaws.com",
        "lambda.amazonaws.com", "sagemaker.amazonaws.com", "states.amazonaws.com",
      ]
    }
  }
}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = local.changed ? ["s3:GetObject", "s3:ListBucket"] : ["s3:GetObject"]
    resources = [aws_s3_bucket.data.arn, "${aws_s3_bucket.data.arn}/*"]
  }
}

resource "aws_iam_role" "work" {
  name                 = "work"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = local.changed ? 7200 : 3600
}

resource "aws_iam_policy" "read" {
  name   = local.replaced ? "read-all" : "read"
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_role_policy_attachment" "read" {
  role       = aws_iam_role.work.name
  policy_arn = aws_iam_policy.read.arn
}

resource "aws_iam_role_policy" "own" {
  name = "own"
  role = aws_iam_role.work.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["logs:*"], Resource = "*" }]
  })
}

resource "aws_iam_instance_profile" "node" {
  name = "node"
  role = aws_iam_role.work.name
}

resource "aws_iam_user" "ci" {
  name = "ci"
  tags = local.tags
}

resource "aws_iam_user_policy_attachment" "ci" {
  user       = aws_iam_user.ci.name
  policy_arn = aws_iam_policy.read.arn
}

resource "aws_iam_access_key" "ci" {
  user   = aws_iam_user.ci.name
  status = local.changed ? "Inactive" : "Active"
}

resource "aws_iam_group" "people" {
  name = "people"
}

resource "aws_iam_group_membership" "people" {
  name  = "people"
  group = aws_iam_group.people.name
  users = [aws_iam_user.ci.name]
}

resource "aws_iam_openid_connect_provider" "ci" {
  url             = "https://token.example.com"
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
}

resource "aws_kms_key" "data" {
  description             = local.changed ? "for all data" : "for data"
  deletion_window_in_days = 7
}

resource "aws_kms_alias" "data" {
  name          = "alias/data"
  target_key_id = aws_kms_key.data.key_id
}

resource "aws_secretsmanager_secret" "token" {
  name                    = "hub-token"
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "token" {
  secret_id     = aws_secretsmanager_secret.token.id
  secret_string = local.changed ? "hf_second" : "hf_first"
}

resource "aws_ssm_parameter" "ami" {
  name  = "/train/ami"
  type  = "String"
  value = local.changed ? "ami-2" : "ami-1"
}

resource "aws_ssm_parameter" "secret" {
  name  = "/train/key"
  type  = "SecureString"
  value = "hidden"
}

resource "aws_key_pair" "ops" {
  key_name   = "ops"
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINnNPp4t3nVoCtoRSFYBQ9CuRzWRmGqcUM9iYJMbeSBd ops"
}
