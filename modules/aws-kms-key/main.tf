data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

resource "aws_kms_key" "this" {
  description = var.name

  deletion_window_in_days = var.deletion_window_days
  enable_key_rotation     = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      # Not the root user alone: it lets the account's IAM say who may do what. Without it nobody could manage the key, ever.
      [{
        Sid       = "AllowAccount"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*" # This key.
      }],
      length(var.allowed_services) == 0 ? [] : [{
        Sid       = "AllowServices"
        Effect    = "Allow"
        Principal = { Service = var.allowed_services }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
      }],
    )
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}
