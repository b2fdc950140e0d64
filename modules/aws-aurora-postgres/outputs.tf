output "database" {
  description = "Name of the database."
  value       = aws_rds_cluster.this.database_name
}

output "host" {
  description = "Host name of the instance that writes, whichever that is."
  value       = aws_rds_cluster.this.endpoint

  # It answers once an instance is there.
  depends_on = [aws_rds_cluster_instance.this]
}

output "password" {
  description = "Password of the owner."
  value       = local.password
  sensitive   = true
}

output "port" {
  description = "Port of the cluster."
  value       = aws_rds_cluster.this.port
}

output "reader_host" {
  description = "Host name of the instances that read, one after the other; with a single instance, of that one."
  value       = aws_rds_cluster.this.reader_endpoint

  depends_on = [aws_rds_cluster_instance.this]
}

output "security_group_id" {
  description = "Id of the cluster's security group."
  value       = aws_security_group.this.id
}

output "uri" {
  description = "Connection string of the instance that writes, with everything in it; asks for TLS, without which the cluster refuses."
  value = format(
    "postgresql://%s:%s@%s:%d/%s?sslmode=require",
    aws_rds_cluster.this.master_username,
    urlencode(local.password),
    aws_rds_cluster.this.endpoint,
    aws_rds_cluster.this.port,
    aws_rds_cluster.this.database_name,
  )
  sensitive = true

  depends_on = [aws_rds_cluster_instance.this]
}

output "username" {
  description = "Name of the owner."
  value       = aws_rds_cluster.this.master_username
}
