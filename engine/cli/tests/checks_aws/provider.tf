terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

# Nobody is asked: whatever is found here is found without a cloud.
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
}

resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "this" {
  for_each          = { a = 0, b = 1 }
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.0.${each.value}.0/24"
  availability_zone = "us-east-1${each.key}"
}
