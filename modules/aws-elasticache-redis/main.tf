locals {
  port                = 6379
  generates_password  = nonsensitive(var.password == null)
  password            = local.generates_password ? terraform_data.password[0].triggers_replace : var.password
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

resource "aws_elasticache_subnet_group" "this" {
  description = "Managed by Groundwork"
  name        = var.name
  subnet_ids  = local.uses_default_subnet ? data.aws_subnets.default[0].ids : var.subnet_ids
}

resource "aws_security_group" "this" {
  description = "Managed by Groundwork"
  name_prefix = "${var.name}-"
  tags        = { Name = var.name }
  vpc_id      = local.uses_default_subnet ? data.aws_vpc.default[0].id : data.aws_subnet.given[0].vpc_id

  # As attributes, not blocks, so that an empty list means no rules: one added by hand is drift, and removed.
  ingress = length(var.allowed_cidr_blocks) + length(var.allowed_security_group_ids) == 0 ? [] : [{
    cidr_blocks      = var.allowed_cidr_blocks
    description      = "Redis"
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

# The password.

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

# The nodes.

resource "aws_elasticache_replication_group" "this" {
  description          = "Managed by Groundwork"
  replication_group_id = var.name
  tags                 = { Name = var.name }

  engine         = "redis"
  engine_version = "7.1" # The last one of Redis that ElastiCache has.
  node_type      = var.node_type

  # One shard: a primary, and replicas that take over.
  automatic_failover_enabled = var.replicas > 0
  multi_az_enabled           = var.replicas > 0
  num_cache_clusters         = var.replicas + 1

  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn

  auth_token                 = local.password
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"

  port               = local.port
  security_group_ids = [aws_security_group.this.id]
  subnet_group_name  = aws_elasticache_subnet_group.this.name

  snapshot_retention_limit = var.backup_retention_days

  # Left to the maintenance window, a change would be planned again and again until then.
  apply_immediately = true
}
