locals {
  generates_value = nonsensitive(var.value == null)
  value           = local.generates_value ? terraform_data.value[0].triggers_replace : var.value
}

# Made up at the first apply, 128 random bits, and kept: later plans ignore that uuid() says something else each time. The
# data source for random passwords would not do, as its id, which Terraform logs, is the password. Nor would `input`, whose
# copy, `output`, is shown in the plan of a destroy; triggers_replace has no copy, and Terraform knows it to be sensitive.
resource "terraform_data" "value" {
  count = local.generates_value ? 1 : 0

  triggers_replace = sensitive(replace(uuid(), "-", ""))

  lifecycle {
    ignore_changes = [triggers_replace]
  }
}

resource "aws_secretsmanager_secret" "this" {
  name = var.name

  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id = aws_secretsmanager_secret.this.id

  secret_string = local.value

  # Said, so that a value that somebody else puts is drift, and this one current again after the next apply.
  version_stages = ["AWSCURRENT"]
}
