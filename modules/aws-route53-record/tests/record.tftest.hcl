mock_provider "aws" {
  mock_resource "aws_route53_record" {
    defaults = {
      fqdn = "shop.example.com"
    }
  }
}

variables {
  name    = "shop.example.com"
  zone_id = "Z0123456789ABCDEFGHIJ"
}

run "holds_addresses_by_default" {
  # Applied to the mock, because the full name is known after that.
  command = apply

  variables {
    records = ["192.0.2.10", "192.0.2.11"]
  }

  assert {
    condition = (
      aws_route53_record.this.name == "shop.example.com" &&
      aws_route53_record.this.records == toset(["192.0.2.10", "192.0.2.11"]) &&
      aws_route53_record.this.ttl == 300 &&
      aws_route53_record.this.type == "A" &&
      aws_route53_record.this.zone_id == "Z0123456789ABCDEFGHIJ" &&
      length(aws_route53_record.this.alias) == 0
    )
    error_message = "The record must hold the addresses, for five minutes."
  }

  assert {
    condition     = !aws_route53_record.this.allow_overwrite
    error_message = "A record of somebody else must not be taken over."
  }

  assert {
    condition     = output.host == "shop.example.com"
    error_message = "The output must be the full name."
  }
}

run "is_an_alias" {
  command = plan

  variables {
    alias = { evaluate_target_health = true, host = "shop.eu-central-1.elb.amazonaws.com", zone_id = "Z215JYRZR1TBD5" }
    type  = "AAAA"
  }

  assert {
    condition = (
      one(aws_route53_record.this.alias).name == "shop.eu-central-1.elb.amazonaws.com" &&
      one(aws_route53_record.this.alias).zone_id == "Z215JYRZR1TBD5" &&
      one(aws_route53_record.this.alias).evaluate_target_health &&
      aws_route53_record.this.type == "AAAA" &&
      aws_route53_record.this.ttl == null &&
      aws_route53_record.this.records == null
    )
    error_message = "The alias must stand alone: it has no values and no time of its own."
  }
}

run "cuts_long_texts" {
  command = plan

  variables {
    records     = [join("", [for i in range(300) : "x"]), "v=spf1 -all"]
    ttl_seconds = 60
    type        = "TXT"
  }

  assert {
    condition = aws_route53_record.this.ttl == 60 && aws_route53_record.this.records == toset([
      join("", concat([for i in range(255) : "x"], ["\"\""], [for i in range(45) : "x"])),
      "v=spf1 -all",
    ])
    error_message = "A text must be cut after 255 characters, and a short one stay as it is."
  }
}

run "refuses_to_hold_nothing" {
  command = plan

  expect_failures = [var.alias]
}

run "refuses_an_alias_for_a_name" {
  command = plan

  variables {
    alias = { host = "shop.eu-central-1.elb.amazonaws.com", zone_id = "Z215JYRZR1TBD5" }
    type  = "CNAME"
  }

  expect_failures = [var.alias]
}

run "refuses_an_alias_for_a_url" {
  command = plan

  variables {
    alias = { host = "https://shop.eu-central-1.elb.amazonaws.com", zone_id = "Z215JYRZR1TBD5" }
  }

  expect_failures = [var.alias]
}

run "refuses_a_name_with_a_dot_at_the_end" {
  command = plan

  variables {
    name    = "shop.example.com."
    records = ["192.0.2.10"]
  }

  expect_failures = [var.name]
}

run "refuses_a_host_name_for_an_address" {
  command = plan

  variables {
    records = ["ingress.example.com"]
  }

  expect_failures = [var.records]
}

run "refuses_an_ipv4_address_for_an_ipv6_one" {
  command = plan

  variables {
    records = ["192.0.2.10"]
    type    = "AAAA"
  }

  expect_failures = [var.records]
}

run "refuses_two_names_for_one" {
  command = plan

  variables {
    records = ["a.example.com", "b.example.com"]
    type    = "CNAME"
  }

  expect_failures = [var.records]
}

run "refuses_a_text_in_quotes" {
  command = plan

  variables {
    records = ["\"v=spf1 -all\""]
    type    = "TXT"
  }

  expect_failures = [var.records]
}

run "refuses_an_answer_for_a_month" {
  command = plan

  variables {
    records     = ["192.0.2.10"]
    ttl_seconds = 2592000
  }

  expect_failures = [var.ttl_seconds]
}

run "refuses_an_unknown_type" {
  command = plan

  variables {
    records = ["192.0.2.10"]
    type    = "ALIAS"
  }

  expect_failures = [var.type]
}

run "refuses_a_name_for_a_zone_id" {
  command = plan

  variables {
    records = ["192.0.2.10"]
    zone_id = "example.com"
  }

  expect_failures = [var.zone_id]
}
