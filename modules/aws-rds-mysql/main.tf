locals {
  # A version is a release series, 8.4, and a minor version where one is fixed: 8.4.5.
  series = join(".", slice(split(".", var.engine_version), 0, 2))

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

  lifecycle {
    # A server that is renamed keeps its group: RDS cannot move it to another one of the same VPC.
    ignore_changes = [name_prefix]
  }
}

resource "aws_security_group" "this" {
  description = "Managed by Groundwork"
  name_prefix = "${var.name}-"
  tags        = { Name = var.name }
  vpc_id      = local.uses_default_subnet ? data.aws_vpc.default[0].id : data.aws_subnet.given[0].vpc_id

  # As attributes, not blocks, so that an empty list means no rules: one added by hand is drift, and removed.
  ingress = length(var.allowed_cidr_blocks) + length(var.allowed_security_group_ids) == 0 ? [] : [{
    cidr_blocks      = var.allowed_cidr_blocks
    description      = "MySQL"
    from_port        = 3306 # RDS's default, which the server is left with.
    ipv6_cidr_blocks = []
    prefix_list_ids  = []
    protocol         = "tcp"
    security_groups  = var.allowed_security_group_ids
    self             = false
    to_port          = 3306
  }]

  egress = []

  lifecycle {
    ignore_changes = [name_prefix]
  }
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

# The server.

resource "aws_db_parameter_group" "this" {
  description = "Managed by Groundwork"
  family      = "mysql${local.series}"
  name_prefix = "${var.name}-"

  parameter {
    name  = "require_secure_transport"
    value = "1"
    # The server starts with it. RDS says the same of a parameter that has its default; with "immediate" that would be a
    # change in every plan where the default is 1.
    apply_method = "pending-reboot"
  }

  lifecycle {
    # A later release series has a group of its own, which the server moves to before the old one goes.
    create_before_destroy = true
    ignore_changes        = [name_prefix]
  }
}

# Gives the final snapshot's name its suffix: another one for each server that there ever was, lest a second destroy
# collide with the first one's snapshot. Hence the list of everything that replaces the server.
resource "terraform_data" "server" {
  triggers_replace = [var.database, var.kms_key_arn, var.username]
}

resource "aws_db_instance" "this" {
  identifier = var.name
  tags       = { Name = var.name }

  engine                      = "mysql"
  engine_version              = var.engine_version
  allow_major_version_upgrade = var.allow_major_version_upgrade
  # AWS would install what the next apply takes for drift.
  auto_minor_version_upgrade = var.engine_version == local.series

  instance_class    = var.instance_class
  multi_az          = var.multi_az
  allocated_storage = var.storage_gb
  storage_type      = "gp3"
  storage_encrypted = true
  kms_key_id        = var.kms_key_arn

  db_name  = var.database
  username = var.username
  password = local.password

  db_subnet_group_name   = aws_db_subnet_group.this.name
  parameter_group_name   = aws_db_parameter_group.this.name
  publicly_accessible    = false
  vpc_security_group_ids = [aws_security_group.this.id]

  backup_retention_period   = var.backup_retention_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  final_snapshot_identifier = "${var.name}-final-${substr(terraform_data.server.id, 0, 8)}"
  skip_final_snapshot       = !var.final_snapshot

  # Left to the maintenance window, a change would be planned again and again until then.
  apply_immediately = true
}
