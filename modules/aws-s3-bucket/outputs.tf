output "arn" {
  description = "ARN of the bucket, for IAM policies."
  value       = aws_s3_bucket.this.arn
}

output "bucket" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.this.bucket
}

output "region" {
  description = "Region that the bucket is in."
  value       = aws_s3_bucket.this.region
}

output "regional_domain_name" {
  description = "Host name of the bucket in its region, without scheme."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}
