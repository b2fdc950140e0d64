output "arn" {
  description = "ARN of the security group, for IAM policies."
  value       = aws_security_group.this.arn
}

output "security_group_id" {
  description = "Id of the security group, for its members and for the rules of other groups."
  value       = aws_security_group.this.id
}

output "vpc_id" {
  description = "Id of the VPC that the group belongs to."
  value       = aws_security_group.this.vpc_id
}
