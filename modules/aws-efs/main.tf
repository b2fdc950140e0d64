locals {
  subnet_ids          = local.uses_default_subnet ? data.aws_subnets.default[0].ids : var.subnet_ids
  uses_default_subnet = length(var.subnet_ids) == 0
}

# Where it is reached.

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
    description      = "NFS"
    from_port        = 2049
    ipv6_cidr_blocks = []
    prefix_list_ids  = []
    protocol         = "tcp"
    security_groups  = var.allowed_security_group_ids
    self             = false
    to_port          = 2049
  }]

  egress = []
}

resource "aws_efs_mount_target" "this" {
  for_each = toset(local.subnet_ids)

  file_system_id  = aws_efs_file_system.this.id
  security_groups = [aws_security_group.this.id]
  subnet_id       = each.value
}

# The files.

resource "aws_efs_file_system" "this" {
  creation_token = var.name
  tags           = { Name = var.name }

  encrypted  = true
  kms_key_id = var.kms_key_arn

  # Throughput follows what is read and written, and is paid for by that.
  throughput_mode = "elastic"
}

resource "aws_efs_backup_policy" "this" {
  count = var.backups ? 1 : 0

  file_system_id = aws_efs_file_system.this.id

  backup_policy {
    status = "ENABLED"
  }
}

# Whoever mounts it, as whatever user, is this user in this directory.
resource "aws_efs_access_point" "this" {
  file_system_id = aws_efs_file_system.this.id
  tags           = { Name = var.name }

  posix_user {
    gid = var.gid
    uid = var.uid
  }

  root_directory {
    path = var.path

    # Made at the first mount.
    creation_info {
      owner_gid   = var.gid
      owner_uid   = var.uid
      permissions = "0750"
    }
  }
}

resource "aws_efs_file_system_policy" "this" {
  file_system_id = aws_efs_file_system.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "*"
        Resource  = aws_efs_file_system.this.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      # Anybody whom the security group lets through, with no need of rights in IAM, and not as root.
      {
        Sid       = "AllowAccessPoint"
        Effect    = "Allow"
        Principal = { AWS = "*" }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        Resource  = aws_efs_file_system.this.arn
        Condition = {
          Bool         = { "elasticfilesystem:AccessedViaMountTarget" = "true" }
          StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.this.arn }
        }
      },
    ]
  })
}
