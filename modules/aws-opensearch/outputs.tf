output "arn" {
  description = "ARN of the domain, for IAM policies."
  value       = aws_opensearch_domain.this.arn
}

output "host" {
  description = "Host name of the domain inside its VPC."
  value       = aws_opensearch_domain.this.endpoint
}

output "password" {
  description = "Password of the user."
  value       = local.password
  sensitive   = true
}

output "port" {
  description = "Port of the domain."
  value       = local.port
}

output "security_group_id" {
  description = "Id of the domain's security group."
  value       = aws_security_group.this.id
}

output "uri" {
  description = "URL with everything in it, user and password included."
  value = format(
    "https://%s:%s@%s:%d",
    var.username,
    urlencode(local.password),
    aws_opensearch_domain.this.endpoint,
    local.port,
  )
  sensitive = true
}

output "username" {
  description = "Name of the user."
  value       = var.username
}
