output "access_point_id" {
  description = "Id of the access point, through which the file system is mounted."
  value       = aws_efs_access_point.this.id
}

output "arn" {
  description = "ARN of the file system, for IAM policies."
  value       = aws_efs_file_system.this.arn
}

output "file_system_id" {
  description = "Id of the file system."
  value       = aws_efs_file_system.this.id
}

output "host" {
  description = "Host name of the file system inside its VPC."
  value       = aws_efs_file_system.this.dns_name
}

output "security_group_id" {
  description = "Id of the mount targets' security group."
  value       = aws_security_group.this.id
}

output "volume_handle" {
  description = "What a PersistentVolume of the EFS CSI driver has as its volumeHandle: both ids."
  value       = "${aws_efs_file_system.this.id}::${aws_efs_access_point.this.id}"

  # A mount fails before that.
  depends_on = [aws_efs_file_system_policy.this, aws_efs_mount_target.this]
}
