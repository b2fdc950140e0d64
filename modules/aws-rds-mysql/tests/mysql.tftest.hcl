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

  mock_resource "aws_db_instance" {
    defaults = {
      address = "orders.example.eu-central-1.rds.amazonaws.com"
      port    = 3306
    }
  }
}

variables {
  name = "orders"
}

run "is_private_encrypted_and_backed_up_by_default" {
  # Applied to the mock, so that the next run has a password to keep.
  command = apply

  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible
    error_message = "The server must be encrypted and private."
  }

  assert {
    condition     = length(aws_security_group.this.ingress) + length(aws_security_group.this.egress) == 0
    error_message = "Without allowed networks and groups nobody may connect."
  }

  assert {
    condition     = aws_db_instance.this.vpc_security_group_ids == toset([aws_security_group.this.id])
    error_message = "The server must be in its own security group alone."
  }

  assert {
    condition = (
      data.aws_vpc.default[0].default &&
      aws_security_group.this.vpc_id == "vpc-0d0d0d0d0d0d0d0d0" &&
      aws_db_subnet_group.this.subnet_ids == toset(["subnet-0d0d0d0d0d0d0d0d1", "subnet-0d0d0d0d0d0d0d0d2"])
    )
    error_message = "The server must run in the default VPC's subnets."
  }

  assert {
    condition = (
      aws_db_instance.this.backup_retention_period == 7 &&
      !aws_db_instance.this.skip_final_snapshot &&
      can(regex("^orders-final-[0-9a-f]{8}$", aws_db_instance.this.final_snapshot_identifier))
    )
    error_message = "The server must be backed up, and leave a snapshot with a name of its own."
  }

  assert {
    condition     = aws_db_instance.this.engine == "mysql" && aws_db_instance.this.engine_version == "8.4" && aws_db_instance.this.auto_minor_version_upgrade
    error_message = "AWS must install the minor versions of MySQL 8.4."
  }

  assert {
    condition = (
      aws_db_instance.this.parameter_group_name == aws_db_parameter_group.this.name &&
      aws_db_parameter_group.this.family == "mysql8.4" &&
      one(aws_db_parameter_group.this.parameter).name == "require_secure_transport" &&
      one(aws_db_parameter_group.this.parameter).value == "1"
    )
    error_message = "The server must refuse connections without TLS."
  }

  assert {
    condition     = can(regex("^[0-9a-f]{32}$", output.password)) && output.password == aws_db_instance.this.password
    error_message = "The password must be generated, and be the server's."
  }

  assert {
    condition     = output.uri == "mysql://app:${output.password}@orders.example.eu-central-1.rds.amazonaws.com:3306/app"
    error_message = "The connection string must hold everything needed to connect."
  }

  assert {
    condition     = issensitive(terraform_data.password[0].triggers_replace) && terraform_data.password[0].output == null
    error_message = "Terraform must know every copy of the password to be sensitive."
  }
}

run "keeps_the_generated_password" {
  command = plan

  assert {
    condition     = output.password == run.is_private_encrypted_and_backed_up_by_default.password
    error_message = "The password must be that of the first apply."
  }
}

run "follows_the_variables" {
  command = plan

  variables {
    admin_password              = "p%ssw:rd&more"
    allow_major_version_upgrade = true
    allowed_cidr_blocks         = ["10.0.0.0/16"]
    allowed_security_group_ids  = ["sg-0123456789abcdef0"]
    backup_retention_days       = 0
    database                    = "shop"
    deletion_protection         = true
    engine_version              = "8.0.42"
    final_snapshot              = false
    instance_class              = "db.r7g.large"
    kms_key_arn                 = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    multi_az                    = true
    storage_gb                  = 100
    subnet_ids                  = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
    username                    = "shop_owner"
  }

  assert {
    condition = (
      aws_db_instance.this.password == "p%ssw:rd&more" &&
      length(terraform_data.password) == 0 &&
      strcontains(output.uri, "//shop_owner:p%25ssw%3Ard%26more@")
    )
    error_message = "A given password must be used, escaped where it must be, and none generated."
  }

  assert {
    condition = (
      one(aws_security_group.this.ingress).from_port == 3306 &&
      one(aws_security_group.this.ingress).to_port == 3306 &&
      one(aws_security_group.this.ingress).protocol == "tcp" &&
      one(aws_security_group.this.ingress).cidr_blocks == tolist(["10.0.0.0/16"]) &&
      one(aws_security_group.this.ingress).security_groups == toset(["sg-0123456789abcdef0"])
    )
    error_message = "The allowed networks and groups may connect, to MySQL alone."
  }

  assert {
    condition = (
      aws_security_group.this.vpc_id == "vpc-0123456789abcdef0" &&
      aws_db_subnet_group.this.subnet_ids == toset(["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]) &&
      length(data.aws_vpc.default) == 0
    )
    error_message = "The server must run in the subnets given, and in their VPC."
  }

  assert {
    condition     = aws_db_instance.this.engine_version == "8.0.42" && !aws_db_instance.this.auto_minor_version_upgrade && aws_db_parameter_group.this.family == "mysql8.0"
    error_message = "A minor version that is given must stay, with the parameters of its series."
  }

  assert {
    condition = (
      aws_db_instance.this.allocated_storage == 100 &&
      aws_db_instance.this.allow_major_version_upgrade &&
      aws_db_instance.this.backup_retention_period == 0 &&
      aws_db_instance.this.db_name == "shop" &&
      aws_db_instance.this.deletion_protection &&
      aws_db_instance.this.instance_class == "db.r7g.large" &&
      aws_db_instance.this.kms_key_id == var.kms_key_arn &&
      aws_db_instance.this.multi_az &&
      aws_db_instance.this.skip_final_snapshot &&
      aws_db_instance.this.username == "shop_owner"
    )
    error_message = "Every other variable must reach the server."
  }
}

run "refuses_a_password_with_a_slash" {
  command = plan

  variables {
    admin_password = "pass/word"
  }

  expect_failures = [var.admin_password]
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

run "refuses_more_backups_than_rds_keeps" {
  command = plan

  variables {
    backup_retention_days = 36
  }

  expect_failures = [var.backup_retention_days]
}

run "refuses_a_reserved_database" {
  command = plan

  variables {
    database = "mysql"
  }

  expect_failures = [var.database]
}

run "refuses_a_version_that_rds_does_not_have" {
  command = plan

  variables {
    engine_version = "5.7"
  }

  expect_failures = [var.engine_version]
}

run "refuses_an_instance_class_of_ec2" {
  command = plan

  variables {
    instance_class = "t4g.micro"
  }

  expect_failures = [var.instance_class]
}

run "refuses_a_kms_alias" {
  command = plan

  variables {
    kms_key_arn = "alias/orders"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_a_name_with_two_hyphens_in_a_row" {
  command = plan

  variables {
    name = "shop--orders"
  }

  expect_failures = [var.name]
}

run "refuses_less_storage_than_rds_offers" {
  command = plan

  variables {
    storage_gb = 10
  }

  expect_failures = [var.storage_gb]
}

run "refuses_a_vpc_id_for_a_subnet_id" {
  command = plan

  variables {
    subnet_ids = ["subnet-0123456789abcdef1", "vpc-0123456789abcdef0"]
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_a_single_subnet" {
  command = plan

  variables {
    subnet_ids = ["subnet-0123456789abcdef1"]
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_a_reserved_username" {
  command = plan

  variables {
    username = "rdsadmin"
  }

  expect_failures = [var.username]
}
