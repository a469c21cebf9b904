mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = {
      names = ["eu-central-1a", "eu-central-1b"]
    }
  }
  mock_resource "aws_instance" {
    defaults = {
      private_ip = "10.0.0.7"
      root_block_device = {
        volume_id = "vol-1"
      }
      ebs_block_device = {
        volume_id = "vol-2"
      }
    }
  }
  mock_resource "aws_vpc" {
    defaults = { id = "vpc-1" }
  }
  override_resource {
    target = aws_s3_bucket.b
    values = { arn = "arn:aws:s3:::some-bucket" }
  }
}
run "made" {
  assert {
    condition     = output.all == null
    error_message = jsonencode(output.all)
  }
}
run "changed" {
  variables {
    size = 30
  }
  assert {
    condition     = output.all == null
    error_message = jsonencode(output.all)
  }
}
run "kept" {
  variables {
    size = 30
  }
  assert {
    condition     = aws_instance.i.id == run.made.all.i.id && aws_instance.i.private_ip == "10.0.0.7"
    error_message = aws_instance.i.id
  }
}
