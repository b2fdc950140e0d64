locals {
  generates_password  = nonsensitive(var.admin_password == null)
  password            = local.generates_password ? terraform_data.password[0].triggers_replace : var.admin_password
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

resource "aws_db_subnet_group" "this" {
  description = "Managed by Groundwork"
  name_prefix = "${var.name}-"
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
    description      = "PostgreSQL"
    from_port        = 5432 # RDS's default, which the cluster is left with.
    ipv6_cidr_blocks = []
    prefix_list_ids  = []
    protocol         = "tcp"
    security_groups  = var.allowed_security_group_ids
    self             = false
    to_port          = 5432
  }]

  egress = []
}

# The owner's password.

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

# The cluster: its storage and settings.

resource "aws_rds_cluster_parameter_group" "this" {
  description = "Managed by Groundwork"
  family      = "aurora-postgresql${split(".", var.engine_version)[0]}"
  name_prefix = "${var.name}-"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
    # The cluster starts with it. RDS says the same of a parameter that has its default; with "immediate" that would be a
    # change in every plan where the default is 1.
    apply_method = "pending-reboot"
  }

  lifecycle {
    # A later major version has a group of its own, which the cluster moves to before the old one goes.
    create_before_destroy = true
  }
}

# Gives the final snapshot's name its suffix: another one for each cluster that there ever was, lest a second destroy
# collide with the first one's snapshot. Hence the list of everything that replaces the cluster.
resource "terraform_data" "cluster" {
  triggers_replace = [var.database, var.kms_key_arn, var.name, var.username]
}

resource "aws_rds_cluster" "this" {
  cluster_identifier = var.name
  tags               = { Name = var.name }

  engine                      = "aurora-postgresql"
  engine_version              = var.engine_version
  allow_major_version_upgrade = var.allow_major_version_upgrade

  storage_encrypted = true
  kms_key_id        = var.kms_key_arn

  database_name   = var.database
  master_username = var.username
  master_password = local.password

  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this.name
  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.this.id]

  backup_retention_period   = var.backup_retention_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  final_snapshot_identifier = "${var.name}-final-${substr(terraform_data.cluster.id, 0, 8)}"
  skip_final_snapshot       = !var.final_snapshot

  dynamic "serverlessv2_scaling_configuration" {
    for_each = var.serverless_capacity[*]
    iterator = capacity

    content {
      max_capacity = capacity.value.max
      min_capacity = capacity.value.min
    }
  }

  # Left to the maintenance window, a change would be planned again and again until then.
  apply_immediately = true

  lifecycle {
    # It belongs to another kind of cluster, Serverless v1. Some emulators report one all the same.
    ignore_changes = [scaling_configuration]
  }
}

# The instances, which answer: one writes, the others read.
resource "aws_rds_cluster_instance" "this" {
  count = var.instances

  cluster_identifier = aws_rds_cluster.this.id
  identifier         = "${var.name}-${count.index + 1}"
  tags               = { Name = "${var.name}-${count.index + 1}" }

  engine         = aws_rds_cluster.this.engine
  instance_class = var.instance_class
  # Their version is the cluster's. AWS would install what the next apply takes for drift.
  auto_minor_version_upgrade = !strcontains(var.engine_version, ".")

  db_subnet_group_name = aws_db_subnet_group.this.name
  publicly_accessible  = false

  apply_immediately = true
}
