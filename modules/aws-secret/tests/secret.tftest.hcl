mock_provider "aws" {
  mock_resource "aws_secretsmanager_secret" {
    defaults = {
      arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/webhook-AbCdEf"
    }
  }
}

variables {
  name = "shop/webhook"
}

run "is_generated_encrypted_and_recoverable_by_default" {
  # Applied to the mock, so that the next run has a value to keep.
  command = apply

  assert {
    condition     = can(regex("^[0-9a-f]{32}$", output.value)) && output.value == aws_secretsmanager_secret_version.this.secret_string
    error_message = "The value must be generated, and be the secret's."
  }

  assert {
    condition     = issensitive(terraform_data.value[0].triggers_replace) && terraform_data.value[0].output == null
    error_message = "Terraform must know every copy of the value to be sensitive."
  }

  assert {
    condition     = aws_secretsmanager_secret_version.this.secret_id == aws_secretsmanager_secret.this.id
    error_message = "The value must be this secret's."
  }

  assert {
    condition     = aws_secretsmanager_secret_version.this.version_stages == toset(["AWSCURRENT"])
    error_message = "The value must be the current one."
  }

  assert {
    condition     = aws_secretsmanager_secret.this.kms_key_id == null
    error_message = "The account's key for Secrets Manager must encrypt the secret."
  }

  assert {
    condition     = aws_secretsmanager_secret.this.recovery_window_in_days == 30
    error_message = "A destroy must leave as long as it can to restore the secret."
  }

  assert {
    condition     = output.name == "shop/webhook" && output.region == "eu-central-1"
    error_message = "The outputs must name the secret, and say where it is."
  }
}

run "keeps_the_generated_value" {
  command = plan

  assert {
    condition     = output.value == run.is_generated_encrypted_and_recoverable_by_default.value
    error_message = "The value must be that of the first apply."
  }
}

run "follows_the_variables" {
  command = plan

  variables {
    kms_key_arn          = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    recovery_window_days = 0
    value                = "{\"user\": \"shop\"}"
  }

  assert {
    condition = (
      aws_secretsmanager_secret_version.this.secret_string == "{\"user\": \"shop\"}" &&
      output.value == "{\"user\": \"shop\"}" &&
      length(terraform_data.value) == 0
    )
    error_message = "A given value must be used as it is, and none generated."
  }

  assert {
    condition     = aws_secretsmanager_secret.this.kms_key_id == var.kms_key_arn && aws_secretsmanager_secret.this.recovery_window_in_days == 0
    error_message = "Every other variable must reach the secret."
  }
}

run "refuses_a_kms_alias" {
  command = plan

  variables {
    kms_key_arn = "alias/shop"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_a_name_with_a_space" {
  command = plan

  variables {
    name = "shop webhook"
  }

  expect_failures = [var.name]
}

run "refuses_a_recovery_window_of_a_day" {
  command = plan

  variables {
    recovery_window_days = 1
  }

  expect_failures = [var.recovery_window_days]
}

run "refuses_an_empty_value" {
  command = plan

  variables {
    value = ""
  }

  expect_failures = [var.value]
}
