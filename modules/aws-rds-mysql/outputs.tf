output "database" {
  description = "Name of the database."
  value       = aws_db_instance.this.db_name
}

output "host" {
  description = "Host name of the server."
  value       = aws_db_instance.this.address
}

output "password" {
  description = "Password of the owner."
  value       = local.password
  sensitive   = true
}

output "port" {
  description = "Port of the server."
  value       = aws_db_instance.this.port
}

output "security_group_id" {
  description = "Id of the server's security group."
  value       = aws_security_group.this.id
}

output "uri" {
  description = "Connection string with everything in it but TLS, without which the server refuses: each driver asks for it in its own way."
  value = format(
    "mysql://%s:%s@%s:%d/%s",
    aws_db_instance.this.username,
    urlencode(local.password),
    aws_db_instance.this.address,
    aws_db_instance.this.port,
    aws_db_instance.this.db_name,
  )
  sensitive = true
}

output "username" {
  description = "Name of the owner."
  value       = aws_db_instance.this.username
}
