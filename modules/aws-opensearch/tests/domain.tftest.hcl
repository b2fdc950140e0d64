mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "111122223333"
    }
  }

  mock_data "aws_partition" {
    defaults = {
      partition = "aws"
    }
  }

  mock_data "aws_region" {
    defaults = {
      name = "eu-central-1"
    }
  }

  mock_data "aws_subnet" {
    defaults = {
      vpc_id = "vpc-0123456789abcdef0"
    }
  }

  mock_data "aws_subnets" {
    defaults = {
      ids = ["subnet-0d0d0d0d0d0d0d0d2", "subnet-0d0d0d0d0d0d0d0d1"]
    }
  }

  mock_data "aws_vpc" {
    defaults = {
      id = "vpc-0d0d0d0d0d0d0d0d0"
    }
  }

  mock_resource "aws_opensearch_domain" {
    defaults = {
      endpoint = "vpc-shop-search-example.eu-central-1.es.amazonaws.com"
    }
  }
}

variables {
  name = "shop-search"
}

run "is_private_encrypted_and_has_a_password_by_default" {
  # Applied to the mock, so that the next run has a password to keep.
  command = apply

  assert {
    condition = (
      one(aws_opensearch_domain.this.encrypt_at_rest).enabled &&
      one(aws_opensearch_domain.this.node_to_node_encryption).enabled &&
      one(aws_opensearch_domain.this.domain_endpoint_options).enforce_https &&
      one(aws_opensearch_domain.this.domain_endpoint_options).tls_security_policy == "Policy-Min-TLS-1-2-PFS-2023-10"
    )
    error_message = "The domain must be encrypted everywhere, and refuse connections without TLS 1.2."
  }

  assert {
    condition = (
      one(aws_opensearch_domain.this.advanced_security_options).enabled &&
      one(aws_opensearch_domain.this.advanced_security_options).internal_user_database_enabled &&
      !one(aws_opensearch_domain.this.advanced_security_options).anonymous_auth_enabled &&
      one(one(aws_opensearch_domain.this.advanced_security_options).master_user_options).master_user_name == "app"
    )
    error_message = "The domain must ask for a user."
  }

  assert {
    condition = jsondecode(aws_opensearch_domain.this.access_policies).Statement == [{
      Effect    = "Allow"
      Principal = { AWS = "*" }
      Action    = "es:ESHttp*"
      Resource  = "arn:aws:es:eu-central-1:111122223333:domain/shop-search/*"
    }]
    error_message = "IAM must let requests through to where the user is asked for, and do nothing else."
  }

  assert {
    condition     = length(aws_security_group.this.ingress) + length(aws_security_group.this.egress) == 0
    error_message = "Without allowed networks and groups nobody may connect."
  }

  assert {
    condition = (
      data.aws_vpc.default[0].default &&
      aws_security_group.this.vpc_id == "vpc-0d0d0d0d0d0d0d0d0" &&
      one(aws_opensearch_domain.this.vpc_options).subnet_ids == toset(["subnet-0d0d0d0d0d0d0d0d1"]) &&
      one(aws_opensearch_domain.this.vpc_options).security_group_ids == toset([aws_security_group.this.id])
    )
    error_message = "The domain must run in the first of the default VPC's subnets, in its own security group alone."
  }

  assert {
    condition = (
      one(aws_opensearch_domain.this.cluster_config).instance_count == 1 &&
      !one(aws_opensearch_domain.this.cluster_config).zone_awareness_enabled &&
      one(aws_opensearch_domain.this.ebs_options).volume_size == 10 &&
      aws_opensearch_domain.this.engine_version == "OpenSearch_2.19"
    )
    error_message = "There must be one instance of OpenSearch 2.19, with 10 GiB."
  }

  assert {
    condition = (
      can(regex("^[0-9a-f]{32}-Aa1$", output.password)) &&
      output.password == one(one(aws_opensearch_domain.this.advanced_security_options).master_user_options).master_user_password
    )
    error_message = "The password must be generated, of all kinds of characters, and be the user's."
  }

  assert {
    condition     = output.uri == "https://app:${output.password}@vpc-shop-search-example.eu-central-1.es.amazonaws.com:443"
    error_message = "The URL must hold everything needed to connect."
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
    admin_password             = "P%ssw:rd&more1"
    allowed_cidr_blocks        = ["10.0.0.0/16"]
    allowed_security_group_ids = ["sg-0123456789abcdef0"]
    engine_version             = "2.17"
    instance_type              = "r7g.large.search"
    instances_per_zone         = 3
    kms_key_arn                = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    storage_gb                 = 100
    subnet_ids                 = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
    username                   = "shop_search"
    zones                      = 2
  }

  assert {
    condition = (
      one(one(aws_opensearch_domain.this.advanced_security_options).master_user_options).master_user_password == "P%ssw:rd&more1" &&
      one(one(aws_opensearch_domain.this.advanced_security_options).master_user_options).master_user_name == "shop_search" &&
      length(terraform_data.password) == 0 &&
      strcontains(output.uri, "//shop_search:P%25ssw%3Ard%26more1@")
    )
    error_message = "A given password must be used, escaped where it must be, and none generated."
  }

  assert {
    condition = (
      one(aws_security_group.this.ingress).from_port == 443 &&
      one(aws_security_group.this.ingress).to_port == 443 &&
      one(aws_security_group.this.ingress).protocol == "tcp" &&
      one(aws_security_group.this.ingress).cidr_blocks == tolist(["10.0.0.0/16"]) &&
      one(aws_security_group.this.ingress).security_groups == toset(["sg-0123456789abcdef0"])
    )
    error_message = "The allowed networks and groups may connect, to HTTPS alone."
  }

  assert {
    condition = (
      aws_security_group.this.vpc_id == "vpc-0123456789abcdef0" &&
      one(aws_opensearch_domain.this.vpc_options).subnet_ids == toset(["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]) &&
      length(data.aws_vpc.default) == 0
    )
    error_message = "The domain must run in the subnets given, and in their VPC."
  }

  assert {
    condition = (
      one(aws_opensearch_domain.this.cluster_config).instance_count == 6 &&
      one(aws_opensearch_domain.this.cluster_config).zone_awareness_enabled &&
      one(one(aws_opensearch_domain.this.cluster_config).zone_awareness_config).availability_zone_count == 2
    )
    error_message = "There must be three instances in each of two zones."
  }

  assert {
    condition = (
      aws_opensearch_domain.this.engine_version == "OpenSearch_2.17" &&
      one(aws_opensearch_domain.this.cluster_config).instance_type == "r7g.large.search" &&
      one(aws_opensearch_domain.this.ebs_options).volume_size == 100 &&
      one(aws_opensearch_domain.this.encrypt_at_rest).kms_key_id == var.kms_key_arn
    )
    error_message = "Every other variable must reach the domain."
  }
}

run "refuses_a_password_of_letters_alone" {
  command = plan

  variables {
    admin_password = "passwordPASSWORD"
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

run "refuses_a_version_of_elasticsearch" {
  command = plan

  variables {
    engine_version = "Elasticsearch_7.10"
  }

  expect_failures = [var.engine_version]
}

run "refuses_an_instance_type_of_ec2" {
  command = plan

  variables {
    instance_type = "t3.small"
  }

  expect_failures = [var.instance_type]
}

run "refuses_a_zone_without_instances" {
  command = plan

  variables {
    instances_per_zone = 0
  }

  expect_failures = [var.instances_per_zone]
}

run "refuses_a_kms_alias" {
  command = plan

  variables {
    kms_key_arn = "alias/shop"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_a_long_name" {
  command = plan

  variables {
    name = "search-of-everything-in-the-shop"
  }

  expect_failures = [var.name]
}

run "refuses_less_storage_than_opensearch_offers" {
  command = plan

  variables {
    storage_gb = 5
  }

  expect_failures = [var.storage_gb]
}

run "refuses_a_vpc_id_for_a_subnet_id" {
  command = plan

  variables {
    subnet_ids = ["vpc-0123456789abcdef0"]
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_more_subnets_than_zones" {
  command = plan

  variables {
    subnet_ids = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_a_username_in_capitals" {
  command = plan

  variables {
    username = "App"
  }

  expect_failures = [var.username]
}

run "refuses_four_zones" {
  command = plan

  variables {
    zones = 4
  }

  expect_failures = [var.zones]
}
