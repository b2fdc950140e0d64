mock_provider "aws" {
  mock_data "aws_vpc" {
    defaults = {
      id = "vpc-0d0d0d0d0d0d0d0d0"
    }
  }
}

variables {
  name = "shop-web"
}

run "admits_nobody_by_default" {
  command = plan

  assert {
    condition     = length(aws_security_group.this.ingress) == 0
    error_message = "Without rules nothing may connect."
  }

  assert {
    condition     = one(aws_security_group.this.egress).protocol == "-1"
    error_message = "Members may connect to everywhere."
  }

  assert {
    condition     = data.aws_vpc.default[0].default && output.vpc_id == "vpc-0d0d0d0d0d0d0d0d0"
    error_message = "The group belongs to the default VPC."
  }
}

run "follows_the_variables" {
  command = plan

  variables {
    allow_egress = false
    ingress = {
      dns     = { port = 53, protocol = "udp", cidr_blocks = ["10.0.0.0/16"], description = "resolvers" }
      https   = { port = 443, cidr_blocks = ["0.0.0.0/0", "::/0"] }
      metrics = { port = 9000, to_port = 9100, source_security_group_ids = ["sg-0123456789abcdef0"] }
      peers   = { port = 7946, self = true }
      ping    = { protocol = "icmp", cidr_blocks = ["10.0.0.0/16"] }
      trusted = { protocol = "all", cidr_blocks = ["10.1.0.0/16"] }
    }
    vpc_id = "vpc-0123456789abcdef0"
  }

  assert {
    condition = {
      for rule in aws_security_group.this.ingress : rule.description => join(" ", concat(
        [rule.protocol, rule.from_port, rule.to_port], rule.cidr_blocks, rule.ipv6_cidr_blocks, tolist(rule.security_groups), rule.self ? ["self"] : []
      ))
      } == {
      resolvers = "udp 53 53 10.0.0.0/16"
      https     = "tcp 443 443 0.0.0.0/0 ::/0"
      metrics   = "tcp 9000 9100 sg-0123456789abcdef0"
      peers     = "tcp 7946 7946 self"
      ping      = "icmp -1 -1 10.0.0.0/16"
      trusted   = "-1 0 0 10.1.0.0/16"
    }
    error_message = "Each rule must have its protocol, ports and sources, and the key as its description unless one is given."
  }

  assert {
    condition     = length(aws_security_group.this.egress) == 0
    error_message = "Egress must be closed."
  }

  assert {
    condition     = length(data.aws_vpc.default) == 0 && output.vpc_id == "vpc-0123456789abcdef0"
    error_message = "The default VPC must not be asked for when a VPC is given."
  }
}

run "refuses_a_cidr_block_with_host_bits" {
  command = plan

  variables {
    ingress = { https = { port = 443, cidr_blocks = ["10.0.0.1/16"] } }
  }

  expect_failures = [var.ingress]
}

run "refuses_a_description_with_other_characters" {
  command = plan

  variables {
    ingress = { https = { port = 443, cidr_blocks = ["10.0.0.0/16"], description = "the world's" } }
  }

  expect_failures = [var.ingress]
}

run "refuses_an_unknown_protocol" {
  command = plan

  variables {
    ingress = { esp = { protocol = "esp", cidr_blocks = ["10.0.0.0/16"] } }
  }

  expect_failures = [var.ingress]
}

run "refuses_tcp_without_a_port" {
  command = plan

  variables {
    ingress = { https = { cidr_blocks = ["10.0.0.0/16"] } }
  }

  expect_failures = [var.ingress]
}

run "refuses_a_port_beyond_65535" {
  command = plan

  variables {
    ingress = { https = { port = 70000, cidr_blocks = ["10.0.0.0/16"] } }
  }

  expect_failures = [var.ingress]
}

run "refuses_a_range_that_runs_backwards" {
  command = plan

  variables {
    ingress = { metrics = { port = 9100, to_port = 9000, cidr_blocks = ["10.0.0.0/16"] } }
  }

  expect_failures = [var.ingress]
}

run "refuses_a_rule_without_a_source" {
  command = plan

  variables {
    ingress = { https = { port = 443 } }
  }

  expect_failures = [var.ingress]
}

run "refuses_a_group_name_for_a_group_id" {
  command = plan

  variables {
    ingress = { metrics = { port = 9000, source_security_group_ids = ["monitoring"] } }
  }

  expect_failures = [var.ingress]
}

run "refuses_a_name_that_looks_like_an_id" {
  command = plan

  variables {
    name = "sg-web"
  }

  expect_failures = [var.name]
}

run "refuses_a_vpc_name_for_a_vpc_id" {
  command = plan

  variables {
    vpc_id = "main"
  }

  expect_failures = [var.vpc_id]
}
