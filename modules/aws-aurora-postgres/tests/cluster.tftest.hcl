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

  mock_resource "aws_rds_cluster" {
    defaults = {
      endpoint        = "orders.cluster-example.eu-central-1.rds.amazonaws.com"
      port            = 5432
      reader_endpoint = "orders.cluster-ro-example.eu-central-1.rds.amazonaws.com"
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
    condition     = aws_rds_cluster.this.storage_encrypted && !one(aws_rds_cluster_instance.this).publicly_accessible
    error_message = "The cluster must be encrypted and private."
  }

  assert {
    condition     = length(aws_security_group.this.ingress) + length(aws_security_group.this.egress) == 0
    error_message = "Without allowed networks and groups nobody may connect."
  }

  assert {
    condition     = aws_rds_cluster.this.vpc_security_group_ids == toset([aws_security_group.this.id])
    error_message = "The cluster must be in its own security group alone."
  }

  assert {
    condition = (
      data.aws_vpc.default[0].default &&
      aws_security_group.this.vpc_id == "vpc-0d0d0d0d0d0d0d0d0" &&
      aws_db_subnet_group.this.subnet_ids == toset(["subnet-0d0d0d0d0d0d0d0d1", "subnet-0d0d0d0d0d0d0d0d2"])
    )
    error_message = "The cluster must run in the default VPC's subnets."
  }

  assert {
    condition = (
      aws_rds_cluster.this.backup_retention_period == 7 &&
      !aws_rds_cluster.this.skip_final_snapshot &&
      can(regex("^orders-final-[0-9a-f]{8}$", aws_rds_cluster.this.final_snapshot_identifier))
    )
    error_message = "The cluster must be backed up, and leave a snapshot with a name of its own."
  }

  assert {
    condition     = aws_rds_cluster.this.engine_version == "17" && one(aws_rds_cluster_instance.this).auto_minor_version_upgrade
    error_message = "AWS must install the minor versions of PostgreSQL 17."
  }

  assert {
    condition = (
      aws_rds_cluster.this.db_cluster_parameter_group_name == aws_rds_cluster_parameter_group.this.name &&
      aws_rds_cluster_parameter_group.this.family == "aurora-postgresql17" &&
      one(aws_rds_cluster_parameter_group.this.parameter).name == "rds.force_ssl" &&
      one(aws_rds_cluster_parameter_group.this.parameter).value == "1"
    )
    error_message = "The cluster must refuse connections without TLS."
  }

  assert {
    condition = (
      one(aws_rds_cluster_instance.this).cluster_identifier == aws_rds_cluster.this.id &&
      one(aws_rds_cluster_instance.this).identifier == "orders-1" &&
      one(aws_rds_cluster_instance.this).instance_class == "db.t4g.medium" &&
      length(aws_rds_cluster.this.serverlessv2_scaling_configuration) == 0
    )
    error_message = "The cluster must have one instance, of fixed size."
  }

  assert {
    condition     = can(regex("^[0-9a-f]{32}$", output.password)) && output.password == aws_rds_cluster.this.master_password
    error_message = "The password must be generated, and be the cluster's."
  }

  assert {
    condition     = output.uri == "postgresql://app:${output.password}@orders.cluster-example.eu-central-1.rds.amazonaws.com:5432/app?sslmode=require"
    error_message = "The connection string must hold everything needed to connect."
  }

  assert {
    condition     = output.reader_host == "orders.cluster-ro-example.eu-central-1.rds.amazonaws.com" && output.security_group_id == aws_security_group.this.id
    error_message = "The outputs must say where to read, and which group the cluster is in."
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
    backup_retention_days       = 35
    database                    = "shop"
    deletion_protection         = true
    engine_version              = "16.9"
    final_snapshot              = false
    instance_class              = "db.serverless"
    instances                   = 2
    kms_key_arn                 = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    serverless_capacity         = { max = 4, min = 0.5 }
    subnet_ids                  = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
    username                    = "shop_owner"
  }

  assert {
    condition = (
      aws_rds_cluster.this.master_password == "p%ssw:rd&more" &&
      length(terraform_data.password) == 0 &&
      strcontains(output.uri, "//shop_owner:p%25ssw%3Ard%26more@")
    )
    error_message = "A given password must be used, escaped where it must be, and none generated."
  }

  assert {
    condition = (
      one(aws_security_group.this.ingress).from_port == 5432 &&
      one(aws_security_group.this.ingress).to_port == 5432 &&
      one(aws_security_group.this.ingress).protocol == "tcp" &&
      one(aws_security_group.this.ingress).cidr_blocks == tolist(["10.0.0.0/16"]) &&
      one(aws_security_group.this.ingress).security_groups == toset(["sg-0123456789abcdef0"])
    )
    error_message = "The allowed networks and groups may connect, to PostgreSQL alone."
  }

  assert {
    condition = (
      aws_security_group.this.vpc_id == "vpc-0123456789abcdef0" &&
      aws_db_subnet_group.this.subnet_ids == toset(["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]) &&
      length(data.aws_vpc.default) == 0
    )
    error_message = "The cluster must run in the subnets given, and in their VPC."
  }

  assert {
    condition = (
      aws_rds_cluster.this.engine_version == "16.9" &&
      alltrue([for instance in aws_rds_cluster_instance.this : !instance.auto_minor_version_upgrade]) &&
      aws_rds_cluster_parameter_group.this.family == "aurora-postgresql16"
    )
    error_message = "A minor version that is given must stay, with the parameters of its major one."
  }

  assert {
    condition = (
      aws_rds_cluster_instance.this[*].identifier == ["orders-1", "orders-2"] &&
      alltrue([for instance in aws_rds_cluster_instance.this : instance.instance_class == "db.serverless"]) &&
      one(aws_rds_cluster.this.serverlessv2_scaling_configuration).max_capacity == 4 &&
      one(aws_rds_cluster.this.serverlessv2_scaling_configuration).min_capacity == 0.5
    )
    error_message = "There must be two serverless instances, within the capacity given."
  }

  assert {
    condition = (
      aws_rds_cluster.this.allow_major_version_upgrade &&
      aws_rds_cluster.this.backup_retention_period == 35 &&
      aws_rds_cluster.this.database_name == "shop" &&
      aws_rds_cluster.this.deletion_protection &&
      aws_rds_cluster.this.kms_key_id == var.kms_key_arn &&
      aws_rds_cluster.this.skip_final_snapshot &&
      aws_rds_cluster.this.master_username == "shop_owner"
    )
    error_message = "Every other variable must reach the cluster."
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

run "refuses_to_be_without_backups" {
  command = plan

  variables {
    backup_retention_days = 0
  }

  expect_failures = [var.backup_retention_days]
}

run "refuses_a_reserved_database" {
  command = plan

  variables {
    database = "rdsadmin"
  }

  expect_failures = [var.database]
}

run "refuses_a_version_without_support" {
  command = plan

  variables {
    engine_version = "13"
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

run "refuses_more_instances_than_aurora_has" {
  command = plan

  variables {
    instances = 17
  }

  expect_failures = [var.instances]
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

run "refuses_serverless_without_a_capacity" {
  command = plan

  variables {
    instance_class = "db.serverless"
  }

  expect_failures = [var.serverless_capacity]
}

run "refuses_a_capacity_that_runs_backwards" {
  command = plan

  variables {
    instance_class      = "db.serverless"
    serverless_capacity = { max = 1, min = 2 }
  }

  expect_failures = [var.serverless_capacity]
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
    username = "admin"
  }

  expect_failures = [var.username]
}
