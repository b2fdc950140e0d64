output "arn" {
  description = "ARN of the secret, for IAM policies and for reading it."
  value       = aws_secretsmanager_secret.this.arn
}

output "name" {
  description = "Name of the secret."
  value       = aws_secretsmanager_secret.this.name
}

output "region" {
  description = "Region that the secret is in."
  value       = split(":", aws_secretsmanager_secret.this.arn)[3]
}

output "value" {
  description = "What the secret holds."
  value       = local.value
  sensitive   = true
}
