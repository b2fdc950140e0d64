locals {
  port               = 443
  generates_password = nonsensitive(var.admin_password == null)
  # OpenSearch wants a capital letter, a small one, a digit and something else. The ending has them, whatever the rest is.
  password = local.generates_password ? "${terraform_data.password[0].triggers_replace}-Aa1" : var.admin_password

  # One subnet for each zone, no more: OpenSearch takes no others. Sorted, because AWS lists them in any order.
  default_subnet_ids  = local.uses_default_subnet ? sort(data.aws_subnets.default[0].ids) : []
  subnet_ids          = local.uses_default_subnet ? slice(local.default_subnet_ids, 0, min(var.zones, length(local.default_subnet_ids))) : var.subnet_ids
  uses_default_subnet = length(var.subnet_ids) == 0
}

# Where it runs.

data "aws_vpc" "default" {
  count = local.uses_default_subnet ? 1 : 0

  default = true
}

data "aws_subnets" "default" {
  count = local.uses_default_subnet ? 1 : 0

  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default[0].id]
  }

  filter {
    name   = "default-for-az"
    values = ["true"]
  }
}

data "aws_subnet" "given" {
  count = local.uses_default_subnet ? 0 : 1

  id = var.subnet_ids[0]
}

resource "aws_security_group" "this" {
  description = "Managed by Groundwork"
  name_prefix = "${var.name}-"
  tags        = { Name = var.name }
  vpc_id      = local.uses_default_subnet ? data.aws_vpc.default[0].id : data.aws_subnet.given[0].vpc_id

  # As attributes, not blocks, so that an empty list means no rules: one added by hand is drift, and removed.
  ingress = length(var.allowed_cidr_blocks) + length(var.allowed_security_group_ids) == 0 ? [] : [{
    cidr_blocks      = var.allowed_cidr_blocks
    description      = "HTTPS"
    from_port        = local.port
    ipv6_cidr_blocks = []
    prefix_list_ids  = []
    protocol         = "tcp"
    security_groups  = var.allowed_security_group_ids
    self             = false
    to_port          = local.port
  }]

  egress = []
}

# The user's password.

# Made up at the first apply, 128 random bits, and kept: later plans ignore that uuid() says something else each time. The
# data source for random passwords would not do, as its id, which Terraform logs, is the password. Nor would `input`, whose
# copy, `output`, is shown in the plan of a destroy; triggers_replace has no copy, and Terraform knows it to be sensitive.
resource "terraform_data" "password" {
  count = local.generates_password ? 1 : 0

  triggers_replace = sensitive(replace(uuid(), "-", ""))

  lifecycle {
    ignore_changes = [triggers_replace]
  }
}

# The domain.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

resource "aws_opensearch_domain" "this" {
  domain_name    = var.name
  engine_version = "OpenSearch_${var.engine_version}"
  tags           = { Name = var.name }

  cluster_config {
    instance_count         = var.zones * var.instances_per_zone
    instance_type          = var.instance_type
    zone_awareness_enabled = var.zones > 1

    dynamic "zone_awareness_config" {
      for_each = var.zones > 1 ? [var.zones] : []
      iterator = zones

      content {
        availability_zone_count = zones.value
      }
    }
  }

  ebs_options {
    ebs_enabled = true
    volume_size = var.storage_gb
    volume_type = "gp3"
  }

  encrypt_at_rest {
    enabled    = true
    kms_key_id = var.kms_key_arn
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }

  vpc_options {
    security_group_ids = [aws_security_group.this.id]
    subnet_ids         = local.subnet_ids
  }

  advanced_security_options {
    enabled                        = true
    anonymous_auth_enabled         = false
    internal_user_database_enabled = true

    master_user_options {
      master_user_name     = var.username
      master_user_password = local.password
    }
  }

  # Who gets through the security group may ask; OpenSearch then wants a user and a password. IAM cannot check both.
  access_policies = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "*" }
      Action    = "es:ESHttp*"
      Resource = format(
        "arn:%s:es:%s:%s:domain/%s/*",
        data.aws_partition.this.partition,
        data.aws_region.this.name,
        data.aws_caller_identity.this.account_id,
        var.name,
      )
    }]
  })

  software_update_options {
    auto_software_update_enabled = true
  }
}
