variable "value" {
  type    = string
  default = "first"
}

variable "days" {
  type    = number
  default = 30
}

resource "aws_secretsmanager_secret" "this" {
  name                    = "shop/webhook"
  description             = "What webhooks are signed with."
  recovery_window_in_days = var.days
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id      = aws_secretsmanager_secret.this.id
  secret_string  = var.value
  version_stages = ["AWSCURRENT"]
}

# One with a stage of its own, which the provider takes away from it before it lets go.
resource "aws_secretsmanager_secret_version" "next" {
  secret_id      = aws_secretsmanager_secret.this.id
  secret_string  = "next"
  version_stages = ["NEXT"]

  depends_on = [aws_secretsmanager_secret_version.this]
}

resource "aws_secretsmanager_secret_policy" "this" {
  secret_arn = aws_secretsmanager_secret.this.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      Principal = "*"
      Action    = "secretsmanager:DeleteSecret"
      Resource  = "*"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_secretsmanager_secret" "at_once" {
  name                    = "shop/at-once"
  recovery_window_in_days = 0
}

data "aws_secretsmanager_secret_version" "this" {
  secret_id = aws_secretsmanager_secret_version.this.secret_id
}

output "value" {
  value     = data.aws_secretsmanager_secret_version.this.secret_string
  sensitive = true
}
