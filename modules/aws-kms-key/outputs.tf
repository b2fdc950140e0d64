output "alias" {
  description = "Alias of the key, alias/ included, which the AWS SDKs take for the key."
  value       = aws_kms_alias.this.name
}

output "arn" {
  description = "ARN of the key, for IAM policies and for the kms_key_arn of other modules."
  value       = aws_kms_key.this.arn
}

output "key_id" {
  description = "Id of the key."
  value       = aws_kms_key.this.key_id
}

output "region" {
  description = "Region that the key is in, and does not leave."
  value       = split(":", aws_kms_key.this.arn)[3]
}
