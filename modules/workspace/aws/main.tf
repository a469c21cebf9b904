# A notebook instance of SageMaker for each user, which stops when nobody has used it for a while.
#
# `options = { aws = { … } }` takes:
#   instance_type       of SageMaker, `ml.…`; that of the cluster's machines otherwise, or ml.t3.medium
#   subnet_id, security_group_ids   where they stand; those of the cluster otherwise
#   internet            whether they reach the internet past the network
#   kms_key_id          encrypts the disks
#   policies            ARNs of policies that say what who works may do

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "users" { type = list(string) }
variable "home_gib" { type = number }
variable "idle_shutdown_s" { type = number }
variable "cluster" { type = any }
variable "options" { type = any }

locals {
  given = try(var.options.aws, {})
  defaults = {
    instance_type      = null
    subnet_id          = null
    security_group_ids = null
    internet           = false
    kms_key_id         = null
    policies           = []
  }
  options = merge(local.defaults, local.given)

  name    = "${replace(var.component.name, "_", "-")}-workspace"
  tags    = { Name = local.name, "stratiform:component" = "workspace.${var.component.name}" }
  machine = coalesce(local.options.instance_type, try("ml.${var.cluster.machine}", null), "ml.t3.medium")
  subnet  = try(coalesce(local.options.subnet_id, try(var.cluster.subnet_ids[0], null)), null)
  groups  = try(coalesce(local.options.security_group_ids, try(var.cluster.security_group_ids, null)), [])
  # Looks every five minutes at what Jupyter says of itself: no kernel that works, and nobody there for so long.
  idle = <<-EOT
    #!/bin/sh
    cat > /usr/local/bin/stop-when-idle.py <<'PY'
    import datetime, json, ssl, subprocess, urllib.request
    def ask(path):
        context = ssl._create_unverified_context()
        with urllib.request.urlopen("https://localhost:8443" + path, context=context) as answer:
            return json.load(answer)
    now = datetime.datetime.now(datetime.timezone.utc)
    seen = [ask("/api/status")["last_activity"]]
    kernels = ask("/api/kernels")
    seen += [one["last_activity"] for one in kernels]
    last = max(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) for text in seen)
    busy = any(one["execution_state"] == "busy" for one in kernels)
    if not busy and (now - last).total_seconds() > ${var.idle_shutdown_s}:
        subprocess.run(["shutdown", "-h", "now"], check=True)
    PY
    (crontab -l 2>/dev/null; echo "*/5 * * * * /usr/bin/python3 /usr/local/bin/stop-when-idle.py") | crontab -
  EOT
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == var.component.offer.region
      error_message = "workspace.${var.component.name} was placed in ${var.component.offer.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${var.component.offer.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "A workspace on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
  }
}

resource "aws_iam_role" "this" {
  name_prefix = "${substr(local.name, 0, 37)}-"
  tags        = local.tags
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "sagemaker.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each   = toset(local.options.policies)
  role       = aws_iam_role.this.name
  policy_arn = each.value
}

resource "aws_iam_role_policy" "logs" {
  name = "logs"
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], Resource = "*" }]
  })
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "this" {
  name     = local.name
  on_start = base64encode(local.idle)
}

resource "aws_sagemaker_notebook_instance" "this" {
  for_each               = toset(var.users)
  name                   = "${local.name}-${each.key}"
  role_arn               = aws_iam_role.this.arn
  instance_type          = local.machine
  volume_size            = max(5, ceil(var.home_gib))
  subnet_id              = local.subnet
  security_groups        = length(local.groups) == 0 ? null : local.groups
  direct_internet_access = local.options.internet ? "Enabled" : "Disabled"
  root_access            = "Disabled"
  kms_key_id             = local.options.kms_key_id
  lifecycle_config_name  = aws_sagemaker_notebook_instance_lifecycle_configuration.this.name
  tags                   = merge(local.tags, { "stratiform:user" = each.key })

  instance_metadata_service_configuration {
    minimum_instance_metadata_service_version = "2"
  }

  lifecycle {
    precondition {
      condition     = local.options.internet || local.subnet != null
      error_message = "The notebooks of workspace.${var.component.name} reach nothing: set a cluster, subnet_id in options.aws, or internet = true."
    }
  }
}

output "urls" { value = { for user, one in aws_sagemaker_notebook_instance.this : user => "https://${one.url}" } }
