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

  mock_resource "aws_elasticache_replication_group" {
    defaults = {
      primary_endpoint_address = "master.shop-sessions.example.euc1.cache.amazonaws.com"
      reader_endpoint_address  = "replica.shop-sessions.example.euc1.cache.amazonaws.com"
    }
  }
}

variables {
  name = "shop-sessions"
}

run "is_private_encrypted_and_has_a_password_by_default" {
  # Applied to the mock, so that the next run has a password to keep.
  command = apply

  assert {
    condition = (
      aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true" &&
      aws_elasticache_replication_group.this.transit_encryption_enabled &&
      aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    )
    error_message = "The Redis must be encrypted at rest, and refuse connections without TLS."
  }

  assert {
    condition     = length(aws_security_group.this.ingress) + length(aws_security_group.this.egress) == 0
    error_message = "Without allowed networks and groups nobody may connect."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.security_group_ids == toset([aws_security_group.this.id])
    error_message = "The Redis must be in its own security group alone."
  }

  assert {
    condition = (
      data.aws_vpc.default[0].default &&
      aws_security_group.this.vpc_id == "vpc-0d0d0d0d0d0d0d0d0" &&
      aws_elasticache_subnet_group.this.subnet_ids == toset(["subnet-0d0d0d0d0d0d0d0d1", "subnet-0d0d0d0d0d0d0d0d2"]) &&
      aws_elasticache_replication_group.this.subnet_group_name == aws_elasticache_subnet_group.this.name
    )
    error_message = "The Redis must run in the default VPC's subnets."
  }

  assert {
    condition = (
      aws_elasticache_replication_group.this.num_cache_clusters == 1 &&
      !aws_elasticache_replication_group.this.automatic_failover_enabled &&
      !aws_elasticache_replication_group.this.multi_az_enabled &&
      aws_elasticache_replication_group.this.snapshot_retention_limit == 0
    )
    error_message = "There must be one node, without snapshots."
  }

  assert {
    condition     = can(regex("^[0-9a-f]{32}$", output.password)) && output.password == aws_elasticache_replication_group.this.auth_token
    error_message = "The password must be generated, and be the one that Redis asks for."
  }

  assert {
    condition = (
      output.uri == "rediss://:${output.password}@master.shop-sessions.example.euc1.cache.amazonaws.com:6379" &&
      output.reader_host == "replica.shop-sessions.example.euc1.cache.amazonaws.com"
    )
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
    condition     = output.password == run.is_private_encrypted_and_has_a_password_by_default.password
    error_message = "The password must be that of the first apply."
  }
}

run "follows_the_variables" {
  command = plan

  variables {
    allowed_cidr_blocks        = ["10.0.0.0/16"]
    allowed_security_group_ids = ["sg-0123456789abcdef0"]
    backup_retention_days      = 7
    kms_key_arn                = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    node_type                  = "cache.r7g.large"
    password                   = "p#ss-w^rd&more-of-it"
    replicas                   = 2
    subnet_ids                 = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
  }

  assert {
    condition = (
      aws_elasticache_replication_group.this.auth_token == "p#ss-w^rd&more-of-it" &&
      length(terraform_data.password) == 0 &&
      strcontains(output.uri, "//:p%23ss-w%5Erd%26more-of-it@")
    )
    error_message = "A given password must be used, escaped where it must be, and none generated."
  }

  assert {
    condition = (
      one(aws_security_group.this.ingress).from_port == 6379 &&
      one(aws_security_group.this.ingress).to_port == 6379 &&
      one(aws_security_group.this.ingress).protocol == "tcp" &&
      one(aws_security_group.this.ingress).cidr_blocks == tolist(["10.0.0.0/16"]) &&
      one(aws_security_group.this.ingress).security_groups == toset(["sg-0123456789abcdef0"])
    )
    error_message = "The allowed networks and groups may connect, to Redis alone."
  }

  assert {
    condition = (
      aws_security_group.this.vpc_id == "vpc-0123456789abcdef0" &&
      aws_elasticache_subnet_group.this.subnet_ids == toset(["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]) &&
      length(data.aws_vpc.default) == 0
    )
    error_message = "The Redis must run in the subnets given, and in their VPC."
  }

  assert {
    condition = (
      aws_elasticache_replication_group.this.num_cache_clusters == 3 &&
      aws_elasticache_replication_group.this.automatic_failover_enabled &&
      aws_elasticache_replication_group.this.multi_az_enabled
    )
    error_message = "There must be two replicas, in other zones, that take over."
  }

  assert {
    condition = (
      aws_elasticache_replication_group.this.kms_key_id == var.kms_key_arn &&
      aws_elasticache_replication_group.this.node_type == "cache.r7g.large" &&
      aws_elasticache_replication_group.this.snapshot_retention_limit == 7
    )
    error_message = "Every other variable must reach the Redis."
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

run "refuses_more_snapshots_than_elasticache_keeps" {
  command = plan

  variables {
    backup_retention_days = 36
  }

  expect_failures = [var.backup_retention_days]
}

run "refuses_a_kms_alias" {
  command = plan

  variables {
    kms_key_arn = "alias/shop"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_a_name_with_two_hyphens_in_a_row" {
  command = plan

  variables {
    name = "shop--sessions"
  }

  expect_failures = [var.name]
}

run "refuses_a_node_type_of_ec2" {
  command = plan

  variables {
    node_type = "t4g.micro"
  }

  expect_failures = [var.node_type]
}

run "refuses_a_password_that_elasticache_does_not_take" {
  command = plan

  variables {
    password = "p@ssword-with-an-at-sign"
  }

  expect_failures = [var.password]
}

run "refuses_more_replicas_than_redis_has" {
  command = plan

  variables {
    replicas = 6
  }

  expect_failures = [var.replicas]
}

run "refuses_a_vpc_id_for_a_subnet_id" {
  command = plan

  variables {
    subnet_ids = ["subnet-0123456789abcdef1", "vpc-0123456789abcdef0"]
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_replicas_in_a_single_subnet" {
  command = plan

  variables {
    replicas   = 1
    subnet_ids = ["subnet-0123456789abcdef1"]
  }

  expect_failures = [var.subnet_ids]
}
