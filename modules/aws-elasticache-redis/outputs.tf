output "host" {
  description = "Host name of the node that takes writes, whichever that is."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "password" {
  description = "Password, for Redis' AUTH with or without the user default."
  value       = local.password
  sensitive   = true
}

output "port" {
  description = "Port of the nodes."
  value       = aws_elasticache_replication_group.this.port
}

output "reader_host" {
  description = "Host name of the replicas, one after the other; without replicas, of the node."
  value       = aws_elasticache_replication_group.this.reader_endpoint_address
}

output "security_group_id" {
  description = "Id of the nodes' security group."
  value       = aws_security_group.this.id
}

output "uri" {
  description = "Connection string with everything in it; asks for TLS, without which the nodes refuse."
  value = format(
    "rediss://:%s@%s:%d",
    urlencode(local.password),
    aws_elasticache_replication_group.this.primary_endpoint_address,
    aws_elasticache_replication_group.this.port,
  )
  sensitive = true
}
