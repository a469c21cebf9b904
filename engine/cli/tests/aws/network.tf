data "aws_region" "here" {}

data "aws_caller_identity" "me" {}

data "aws_availability_zones" "all" {
  state = "available"
}

resource "aws_vpc" "net" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = local.changed
  tags                 = local.tags
}

resource "aws_subnet" "part" {
  count                   = 2
  vpc_id                  = aws_vpc.net.id
  cidr_block              = cidrsubnet(aws_vpc.net.cidr_block, 8, count.index)
  availability_zone       = data.aws_availability_zones.all.names[count.index]
  map_public_ip_on_launch = local.changed
}

resource "aws_internet_gateway" "out" {
  vpc_id = aws_vpc.net.id
}

resource "aws_eip" "nat" {
  domain = "vpc"
  tags   = local.tags
}

resource "aws_nat_gateway" "out" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.part[0].id
  depends_on    = [aws_internet_gateway.out]
}

resource "aws_route_table" "main" {
  vpc_id = aws_vpc.net.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.out.id
  }
}

resource "aws_route_table" "bare" {
  vpc_id = aws_vpc.net.id
}

resource "aws_route" "out" {
  route_table_id         = aws_route_table.bare.id
  destination_cidr_block = local.replaced ? "10.9.0.0/16" : "10.8.0.0/16"
  nat_gateway_id         = aws_nat_gateway.out.id
}

resource "aws_route_table_association" "part" {
  count          = 2
  subnet_id      = aws_subnet.part[count.index].id
  route_table_id = aws_route_table.main.id
}

# Nodes of a fabric talk to each other alone.
resource "aws_security_group" "fabric" {
  name        = local.replaced ? "fabric-new" : "fabric"
  description = "all traffic among members"
  vpc_id      = aws_vpc.net.id

  ingress {
    from_port = 0
    to_port   = 0
    protocol  = "-1"
    self      = true
  }

  ingress {
    description = "ssh"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = local.changed ? ["10.0.0.0/16", "10.1.0.0/16"] : ["10.0.0.0/16"]
  }

  egress {
    from_port = 0
    to_port   = 0
    protocol  = "-1"
    self      = true
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "bare" {
  name_prefix = "bare-"
  vpc_id      = aws_vpc.net.id
}

resource "aws_security_group_rule" "https" {
  type              = "ingress"
  from_port         = 443
  to_port           = 443
  protocol          = "tcp"
  cidr_blocks       = ["10.0.0.0/8"]
  security_group_id = aws_security_group.bare.id
}

resource "aws_vpc_security_group_ingress_rule" "nfs" {
  security_group_id = aws_security_group.bare.id
  cidr_ipv4         = local.changed ? "10.3.0.0/16" : "10.2.0.0/16"
  from_port         = 2049
  to_port           = 2049
  ip_protocol       = "tcp"
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.bare.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_network_acl" "part" {
  vpc_id = aws_vpc.net.id

  ingress {
    protocol   = "tcp"
    rule_no    = 100
    action     = "allow"
    cidr_block = "10.0.0.0/8"
    from_port  = 80
    to_port    = local.changed ? 81 : 80
  }
}

resource "aws_vpc_dhcp_options" "names" {
  domain_name         = "cluster.local"
  domain_name_servers = ["AmazonProvidedDNS"]
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.net.id
  service_name    = "com.amazonaws.${data.aws_region.here.name}.s3"
  route_table_ids = [aws_route_table.main.id]
}

resource "aws_network_interface" "spare" {
  subnet_id       = aws_subnet.part[0].id
  security_groups = [aws_security_group.fabric.id]
  description     = local.changed ? "in reserve" : "spare"
}

resource "aws_lb_target_group" "serve" {
  name     = "serve"
  port     = 8000
  protocol = "HTTP"
  vpc_id   = aws_vpc.net.id

  health_check {
    path = local.changed ? "/ready" : "/health"
  }
}

resource "aws_route53_zone" "own" {
  name = "cluster.example"
}

resource "aws_route53_record" "serve" {
  zone_id = aws_route53_zone.own.zone_id
  name    = "serve"
  type    = "CNAME"
  ttl     = local.changed ? 30 : 60
  records = ["lb.cluster.example"]
}
