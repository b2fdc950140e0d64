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

output "uri" {
  description = "Connection string with everything in it; asks for TLS, without which the server refuses."
  value = format(
    "postgresql://%s:%s@%s:%d/%s?sslmode=require",
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
