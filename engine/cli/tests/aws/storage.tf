resource "aws_s3_bucket" "data" {
  bucket        = "suite-data"
  force_destroy = true
  tags          = local.tags
}

resource "aws_s3_bucket" "logs" {
  bucket = local.replaced ? "suite-logs-new" : "suite-logs"
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration {
    status = local.changed ? "Suspended" : "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "data" {
  bucket = aws_s3_bucket.data.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.data.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "data" {
  bucket                  = aws_s3_bucket.data.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = local.changed
}

resource "aws_s3_bucket_ownership_controls" "data" {
  bucket = aws_s3_bucket.data.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "data" {
  bucket = aws_s3_bucket.data.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = aws_iam_role.work.arn }
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.data.arn}/*"
    }]
  })
}

resource "aws_s3_bucket_cors_configuration" "data" {
  bucket = aws_s3_bucket.data.id
  cors_rule {
    allowed_methods = ["GET"]
    allowed_origins = ["https://notebook.example"]
  }
}

resource "aws_s3_object" "config" {
  bucket  = aws_s3_bucket.logs.id
  key     = "config.json"
  content = jsonencode({ steps = local.changed ? 200 : 100 })
}

resource "aws_ebs_volume" "scratch" {
  availability_zone = data.aws_availability_zones.all.names[local.replaced ? 1 : 0]
  size              = local.changed ? 20 : 10
  type              = "gp3"
}

resource "aws_ebs_snapshot" "scratch" {
  volume_id   = aws_ebs_volume.scratch.id
  description = "before the upgrade"
}

resource "aws_efs_file_system" "home" {
  creation_token = "home"
  encrypted      = true
  tags           = local.tags
}

resource "aws_efs_mount_target" "home" {
  file_system_id  = aws_efs_file_system.home.id
  subnet_id       = aws_subnet.part[0].id
  security_groups = [aws_security_group.bare.id]
}

resource "aws_efs_access_point" "home" {
  file_system_id = aws_efs_file_system.home.id
  root_directory {
    path = "/users"
  }
}

resource "aws_ecr_repository" "train" {
  name                 = "train"
  image_tag_mutability = local.changed ? "IMMUTABLE" : "MUTABLE"
  force_delete         = true
}

resource "aws_ecr_lifecycle_policy" "train" {
  repository = aws_ecr_repository.train.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      selection    = { tagStatus = "untagged", countType = "imageCountMoreThan", countNumber = 10 }
      action       = { type = "expire" }
    }]
  })
}

resource "aws_ecr_repository_policy" "train" {
  repository = aws_ecr_repository.train.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "pull"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::123456789012:root" }
      Action    = ["ecr:BatchGetImage"]
    }]
  })
}

resource "aws_dynamodb_table" "runs" {
  name         = "runs"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "run"

  attribute {
    name = "run"
    type = "S"
  }

  ttl {
    attribute_name = "expires"
    enabled        = local.changed
  }
}

resource "aws_dynamodb_table_item" "first" {
  table_name = aws_dynamodb_table.runs.name
  hash_key   = aws_dynamodb_table.runs.hash_key
  item       = jsonencode({ run = { S = "first" } })
}

resource "aws_glue_catalog_database" "corpus" {
  name        = "corpus"
  description = local.changed ? "tokens" : "texts"
}
