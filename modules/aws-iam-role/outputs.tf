output "name" {
  description = "Name of the role."
  value       = aws_iam_role.this.name
}

output "role_arn" {
  description = "ARN of the role, for the ServiceAccount's annotation eks.amazonaws.com/role-arn, the AWS SDKs' AWS_ROLE_ARN and policies elsewhere."
  value       = aws_iam_role.this.arn
}
