output "arn" {
  description = "ARN of the repository, for IAM policies."
  value       = aws_ecr_repository.this.arn
}

output "host" {
  description = "Host name of the registry, to log in to."
  value       = split("/", aws_ecr_repository.this.repository_url)[0]
}

output "name" {
  description = "Name of the repository."
  value       = aws_ecr_repository.this.name
}

output "region" {
  description = "Region that the repository is in."
  value       = split(":", aws_ecr_repository.this.arn)[3]
}

output "url" {
  description = "Name of its images, host included and without scheme and tag, for pushes and pulls."
  value       = aws_ecr_repository.this.repository_url
}
