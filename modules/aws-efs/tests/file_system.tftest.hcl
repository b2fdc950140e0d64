mock_provider "aws" {
  mock_data "aws_subnet" {
    defaults = {
      vpc_id = "vpc-0123456789abcdef0"
    }
  }

  mock_data "aws_subnets" {
    defaults = {
      ids = ["subnet-0d0d0d0d0d0d0d0d1", "subnet-0d0d0d0d0d0d0d0d2"]
    }
  }

  mock_data "aws_vpc" {
    defaults = {
      id = "vpc-0d0d0d0d0d0d0d0d0"
    }
  }

  mock_resource "aws_efs_access_point" {
    defaults = {
      arn = "arn:aws:elasticfilesystem:eu-central-1:111122223333:access-point/fsap-0123456789abcdef0"
      id  = "fsap-0123456789abcdef0"
    }
  }

  mock_resource "aws_efs_file_system" {
    defaults = {
      arn = "arn:aws:elasticfilesystem:eu-central-1:111122223333:file-system/fs-0123456789abcdef0"
      id  = "fs-0123456789abcdef0"
    }
  }
}

variables {
  name = "shop-media"
}

run "is_private_encrypted_and_backed_up_by_default" {
  # Applied to the mock, because the policy holds ARNs.
  command = apply

  assert {
    condition     = aws_efs_file_system.this.encrypted && aws_efs_file_system.this.creation_token == "shop-media"
    error_message = "The file system must be encrypted, and be the one of this name."
  }

  assert {
    condition = jsondecode(aws_efs_file_system_policy.this.policy).Statement == [
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "*"
        Resource  = "arn:aws:elasticfilesystem:eu-central-1:111122223333:file-system/fs-0123456789abcdef0"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "AllowAccessPoint"
        Effect    = "Allow"
        Principal = { AWS = "*" }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        Resource  = "arn:aws:elasticfilesystem:eu-central-1:111122223333:file-system/fs-0123456789abcdef0"
        Condition = {
          Bool         = { "elasticfilesystem:AccessedViaMountTarget" = "true" }
          StringEquals = { "elasticfilesystem:AccessPointArn" = "arn:aws:elasticfilesystem:eu-central-1:111122223333:access-point/fsap-0123456789abcdef0" }
        }
      },
    ]
    error_message = "Mounts without TLS must be denied, and those through the access point be all that is allowed."
  }

  assert {
    condition = (
      one(aws_efs_access_point.this.posix_user).uid == 1000 &&
      one(aws_efs_access_point.this.posix_user).gid == 1000 &&
      one(aws_efs_access_point.this.root_directory).path == "/data" &&
      one(one(aws_efs_access_point.this.root_directory).creation_info).owner_uid == 1000 &&
      one(one(aws_efs_access_point.this.root_directory).creation_info).owner_gid == 1000 &&
      one(one(aws_efs_access_point.this.root_directory).creation_info).permissions == "0750"
    )
    error_message = "The access point must lead to a directory of a user that is not root."
  }

  assert {
    condition     = length(aws_security_group.this.ingress) + length(aws_security_group.this.egress) == 0
    error_message = "Without allowed networks and groups nobody may mount it."
  }

  assert {
    condition = (
      data.aws_vpc.default[0].default &&
      aws_security_group.this.vpc_id == "vpc-0d0d0d0d0d0d0d0d0" &&
      toset(keys(aws_efs_mount_target.this)) == toset(["subnet-0d0d0d0d0d0d0d0d1", "subnet-0d0d0d0d0d0d0d0d2"]) &&
      alltrue([for target in aws_efs_mount_target.this : target.security_groups == toset([aws_security_group.this.id])])
    )
    error_message = "There must be a mount target in each of the default VPC's subnets, in the file system's own security group alone."
  }

  assert {
    condition     = one(aws_efs_backup_policy.this[0].backup_policy).status == "ENABLED"
    error_message = "The files must be backed up."
  }

  assert {
    condition     = output.volume_handle == "fs-0123456789abcdef0::fsap-0123456789abcdef0"
    error_message = "The volume handle must name the file system and the access point."
  }
}

run "follows_the_variables" {
  command = plan

  variables {
    allowed_cidr_blocks        = ["10.0.0.0/16"]
    allowed_security_group_ids = ["sg-0123456789abcdef0"]
    backups                    = false
    gid                        = 3000
    kms_key_arn                = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    path                       = "/shop/media"
    subnet_ids                 = ["subnet-0123456789abcdef1"]
    uid                        = 2000
  }

  assert {
    condition = (
      one(aws_security_group.this.ingress).from_port == 2049 &&
      one(aws_security_group.this.ingress).to_port == 2049 &&
      one(aws_security_group.this.ingress).protocol == "tcp" &&
      one(aws_security_group.this.ingress).cidr_blocks == tolist(["10.0.0.0/16"]) &&
      one(aws_security_group.this.ingress).security_groups == toset(["sg-0123456789abcdef0"])
    )
    error_message = "The allowed networks and groups may connect, to NFS alone."
  }

  assert {
    condition = (
      aws_security_group.this.vpc_id == "vpc-0123456789abcdef0" &&
      aws_efs_mount_target.this["subnet-0123456789abcdef1"].subnet_id == "subnet-0123456789abcdef1" &&
      length(aws_efs_mount_target.this) == 1 &&
      length(data.aws_vpc.default) == 0
    )
    error_message = "The mount targets must be in the subnets given, and in their VPC."
  }

  assert {
    condition = (
      one(aws_efs_access_point.this.posix_user).uid == 2000 &&
      one(aws_efs_access_point.this.posix_user).gid == 3000 &&
      one(aws_efs_access_point.this.root_directory).path == "/shop/media" &&
      one(one(aws_efs_access_point.this.root_directory).creation_info).owner_uid == 2000 &&
      one(one(aws_efs_access_point.this.root_directory).creation_info).owner_gid == 3000
    )
    error_message = "The access point must lead to the directory given, as the user given."
  }

  assert {
    condition     = length(aws_efs_backup_policy.this) == 0 && aws_efs_file_system.this.kms_key_id == var.kms_key_arn
    error_message = "Every other variable must reach the file system."
  }
}

run "refuses_a_network_with_host_bits" {
  command = plan

  variables {
    allowed_cidr_blocks = ["10.0.0.1/16"]
  }

  expect_failures = [var.allowed_cidr_blocks]
}

run "refuses_a_group_name_for_a_group_id" {
  command = plan

  variables {
    allowed_security_group_ids = ["web"]
  }

  expect_failures = [var.allowed_security_group_ids]
}

run "refuses_the_group_of_root" {
  command = plan

  variables {
    gid = 0
  }

  expect_failures = [var.gid]
}

run "refuses_a_kms_alias" {
  command = plan

  variables {
    kms_key_arn = "alias/shop"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_a_name_with_a_slash" {
  command = plan

  variables {
    name = "shop/media"
  }

  expect_failures = [var.name]
}

run "refuses_the_whole_file_system" {
  command = plan

  variables {
    path = "/"
  }

  expect_failures = [var.path]
}

run "refuses_a_vpc_id_for_a_subnet_id" {
  command = plan

  variables {
    subnet_ids = ["subnet-0123456789abcdef1", "vpc-0123456789abcdef0"]
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_root" {
  command = plan

  variables {
    uid = 0
  }

  expect_failures = [var.uid]
}
