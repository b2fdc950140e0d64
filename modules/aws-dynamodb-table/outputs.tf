output "arn" {
  description = "ARN of the table, for IAM policies. The indexes have the same one with /index/ and their name added."
  value       = aws_dynamodb_table.this.arn
}

output "name" {
  description = "Name of the table, which the AWS SDKs ask for."
  value       = aws_dynamodb_table.this.name
}

output "region" {
  description = "Region that the table is in."
  value       = split(":", aws_dynamodb_table.this.arn)[3]
}
