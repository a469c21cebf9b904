# A collection of OpenSearch Serverless for vectors. Its index is made by whoever writes to it, with these settings:
# the output `index` has them.
#
# `options = { aws = { … } }` takes:
#   principals          ARNs of who may read and write
#   vpc_endpoint_ids    from where it is reached
#   public              true lets it be reached from everywhere, by those who may
#   standby_replicas    whether a second zone holds it too

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.80.0" }
  }
}

variable "component" { type = any }
variable "dimensions" { type = number }
variable "metric" { type = string }
variable "vectors" { type = number }
variable "options" { type = any }

locals {
  given    = try(var.options.aws, {})
  defaults = { principals = [], vpc_endpoint_ids = [], public = false, standby_replicas = true }
  options  = merge(local.defaults, local.given)

  # Names of collections and policies have 3 to 32 letters, digits and dashes.
  name  = substr(lower(replace("${var.component.name}-vectors", "_", "-")), 0, 32)
  tags  = { Name = local.name, "stratiform:component" = "vector_store.${var.component.name}" }
  all   = ["collection/${local.name}"]
  space = { cosine = "cosinesimil", dot = "innerproduct", euclidean = "l2" }[var.metric]
}

data "aws_region" "current" {
  lifecycle {
    postcondition {
      condition     = self.name == var.component.offer.region
      error_message = "vector_store.${var.component.name} was placed in ${var.component.offer.region}, but provider \"aws\" is configured for ${self.name}: write region = \"${var.component.offer.region}\" there, or regions = [\"${self.name}\"] in the placement of the stack."
    }
    postcondition {
      condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
      error_message = "A vector store on AWS knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
    }
  }
}

resource "aws_opensearchserverless_security_policy" "encryption" {
  name   = local.name
  type   = "encryption"
  policy = jsonencode({ Rules = [{ ResourceType = "collection", Resource = local.all }], AWSOwnedKey = true })
}

resource "aws_opensearchserverless_security_policy" "network" {
  name = local.name
  type = "network"
  policy = jsonencode([merge(
    { Rules = [{ ResourceType = "collection", Resource = local.all }], AllowFromPublic = local.options.public },
    local.options.public ? {} : { SourceVPCEs = local.options.vpc_endpoint_ids },
  )])

  lifecycle {
    precondition {
      condition     = local.options.public || length(local.options.vpc_endpoint_ids) > 0
      error_message = "Nothing could reach vector_store.${var.component.name}: set vpc_endpoint_ids in options.aws, or public = true."
    }
  }
}

resource "aws_opensearchserverless_access_policy" "this" {
  count = length(local.options.principals) == 0 ? 0 : 1
  name  = local.name
  type  = "data"
  policy = jsonencode([{
    Principal = local.options.principals
    Rules = [
      { ResourceType = "collection", Resource = local.all, Permission = ["aoss:DescribeCollectionItems", "aoss:CreateCollectionItems"] },
      {
        ResourceType = "index"
        Resource     = ["index/${local.name}/*"]
        Permission   = ["aoss:CreateIndex", "aoss:DescribeIndex", "aoss:UpdateIndex", "aoss:ReadDocument", "aoss:WriteDocument"]
      },
    ]
  }])
}

resource "aws_opensearchserverless_collection" "this" {
  name             = local.name
  type             = "VECTORSEARCH"
  standby_replicas = local.options.standby_replicas ? "ENABLED" : "DISABLED"
  tags             = local.tags

  depends_on = [aws_opensearchserverless_security_policy.encryption, aws_opensearchserverless_security_policy.network]
}

output "url" { value = aws_opensearchserverless_collection.this.collection_endpoint }
output "memory_gib" { value = var.dimensions * var.vectors * 6 / 1073741824 }
output "arn" { value = aws_opensearchserverless_collection.this.arn }
output "index" {
  value = jsonencode({
    settings = { "index.knn" = true }
    mappings = { properties = { vector = { type = "knn_vector", dimension = var.dimensions, method = { name = "hnsw", engine = "faiss", space_type = local.space } } } }
  })
}
