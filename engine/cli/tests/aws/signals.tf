resource "aws_cloudwatch_log_group" "train" {
  name              = "/train"
  retention_in_days = local.changed ? 14 : 7
}

resource "aws_cloudwatch_log_stream" "train" {
  name           = "rank-0"
  log_group_name = aws_cloudwatch_log_group.train.name
}

resource "aws_cloudwatch_log_metric_filter" "loss" {
  name           = "nan-loss"
  log_group_name = aws_cloudwatch_log_group.train.name
  pattern        = "loss nan"

  metric_transformation {
    name      = "NanLoss"
    namespace = "Train"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "idle" {
  alarm_name          = "idle"
  comparison_operator = "LessThanThreshold"
  evaluation_periods  = 3
  metric_name         = "GPUUtilization"
  namespace           = "Train"
  period              = 60
  statistic           = "Average"
  threshold           = local.changed ? 20.5 : 10
  alarm_actions       = [aws_sns_topic.ops.arn]
}

resource "aws_cloudwatch_dashboard" "train" {
  dashboard_name = "train"
  dashboard_body = jsonencode({ widgets = [] })
}

resource "aws_cloudwatch_event_rule" "spot" {
  name          = "spot"
  event_pattern = jsonencode({ source = ["aws.ec2"] })
  state         = local.changed ? "DISABLED" : "ENABLED"
}

resource "aws_cloudwatch_event_target" "spot" {
  rule      = aws_cloudwatch_event_rule.spot.name
  target_id = "queue"
  arn       = aws_sqs_queue.jobs.arn
}

resource "aws_sns_topic" "ops" {
  name = local.replaced ? "ops-new" : "ops"
}

resource "aws_sns_topic_subscription" "ops" {
  topic_arn = aws_sns_topic.ops.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.jobs.arn
}

resource "aws_sqs_queue" "jobs" {
  name                       = "jobs"
  visibility_timeout_seconds = local.changed ? 120 : 60
}

resource "aws_sqs_queue_policy" "jobs" {
  queue_url = aws_sqs_queue.jobs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.jobs.arn
    }]
  })
}

resource "aws_kinesis_stream" "tokens" {
  name             = "tokens"
  shard_count      = 1
  retention_period = local.changed ? 48 : 24
}

resource "aws_lambda_function" "hook" {
  function_name = "hook"
  role          = aws_iam_role.work.arn
  runtime       = "python3.12"
  handler       = "hook.main"
  filename      = "${path.module}/hook.zip"
  timeout       = local.changed ? 30 : 10

  environment {
    variables = { QUEUE = aws_sqs_queue.jobs.id }
  }
}

resource "aws_lambda_permission" "hook" {
  statement_id  = "events"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.hook.function_name
  principal     = "events.amazonaws.com"
}

resource "aws_lambda_alias" "hook" {
  name             = "live"
  function_name    = aws_lambda_function.hook.function_name
  function_version = "$LATEST"
}
