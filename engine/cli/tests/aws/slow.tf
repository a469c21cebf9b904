# The provider waits about a minute for each of these to settle.

resource "aws_lb" "serve" {
  name               = "serve"
  internal           = true
  load_balancer_type = "application"
  security_groups    = [aws_security_group.fabric.id]
  subnets            = aws_subnet.part[*].id
}

resource "aws_lb_listener" "serve" {
  load_balancer_arn = aws_lb.serve.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.serve.arn
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "data" {
  bucket = aws_s3_bucket.data.id

  rule {
    id     = "old-checkpoints"
    status = "Enabled"
    filter {
      prefix = "checkpoints/"
    }
    expiration {
      days = local.changed ? 14 : 30
    }
    noncurrent_version_expiration {
      noncurrent_days = 7
    }
  }
}
