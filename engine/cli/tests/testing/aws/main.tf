terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "size" {
  default = 20
}
provider "aws" {
  region = "eu-central-1"
}
data "aws_ami" "a" {
  most_recent = true
  owners      = ["amazon"]
}
data "aws_availability_zones" "z" {}
resource "aws_vpc" "v" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_subnet" "s" {
  count             = 2
  vpc_id            = aws_vpc.v.id
  availability_zone = data.aws_availability_zones.z.names[count.index]
  cidr_block        = cidrsubnet(aws_vpc.v.cidr_block, 8, count.index)
}
resource "aws_security_group" "g" {
  vpc_id = aws_vpc.v.id
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
resource "aws_instance" "i" {
  ami                    = data.aws_ami.a.id
  instance_type          = "t3.micro"
  tags                   = { size = tostring(var.size) }
  subnet_id              = aws_subnet.s[0].id
  vpc_security_group_ids = [aws_security_group.g.id]
  root_block_device {
    volume_size = var.size
  }
  ebs_block_device {
    device_name = "/dev/sdb"
    volume_size = var.size
  }
}
resource "aws_s3_bucket" "b" {
  bucket = "some-bucket"
}
resource "aws_s3_bucket_versioning" "b" {
  bucket = aws_s3_bucket.b.id
  versioning_configuration {
    status = "Enabled"
  }
}
output "all" {
  value = {
    i = aws_instance.i
    g = aws_security_group.g
    b = aws_s3_bucket.b
    s = aws_subnet.s
    a = data.aws_ami.a
    z = data.aws_availability_zones.z
    v = aws_vpc.v
    w = aws_s3_bucket_versioning.b
  }
}
