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

  mock_resource "aws_kms_key" {
    defaults = {
      arn    = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
      key_id = "1234abcd-12ab-34cd-56ef-1234567890ab"
    }
  }
}

variables {
  name = "shop"
}

run "is_rotated_and_for_its_account_alone_by_default" {
  # Applied to the mock, because the alias and the outputs hold the key's id.
  command = apply

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key must be rotated."
  }

  assert {
    condition     = aws_kms_key.this.deletion_window_in_days == 30
    error_message = "A deletion must leave as long as it can to be cancelled."
  }

  assert {
    condition = jsondecode(aws_kms_key.this.policy).Statement == [{
      Sid       = "AllowAccount"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::111122223333:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
    error_message = "The account's IAM, and nothing else, must say who may use the key."
  }

  assert {
    condition     = aws_kms_alias.this.name == "alias/shop" && aws_kms_alias.this.target_key_id == "1234abcd-12ab-34cd-56ef-1234567890ab"
    error_message = "The alias must be called after the name, and be the key's."
  }

  assert {
    condition     = output.region == "eu-central-1" && output.arn == aws_kms_key.this.arn
    error_message = "The outputs must name the key, and where it is."
  }
}

run "follows_the_variables" {
  command = plan

  variables {
    allowed_services     = ["sns.amazonaws.com"]
    deletion_window_days = 7
  }

  assert {
    condition = jsondecode(aws_kms_key.this.policy).Statement[1] == {
      Sid       = "AllowServices"
      Effect    = "Allow"
      Principal = { Service = ["sns.amazonaws.com"] }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    }
    error_message = "The services must be allowed to encrypt and decrypt, for this account alone."
  }

  assert {
    condition     = aws_kms_key.this.deletion_window_in_days == 7
    error_message = "The deletion window must be the one given."
  }
}

run "refuses_a_service_without_its_domain" {
  command = plan

  variables {
    allowed_services = ["sns"]
  }

  expect_failures = [var.allowed_services]
}

run "refuses_to_delete_within_a_day" {
  command = plan

  variables {
    deletion_window_days = 1
  }

  expect_failures = [var.deletion_window_days]
}

run "refuses_a_name_that_aws_keeps_for_itself" {
  command = plan

  variables {
    name = "aws/shop"
  }

  expect_failures = [var.name]
}
