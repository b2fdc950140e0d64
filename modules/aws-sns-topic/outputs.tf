output "arn" {
  description = "ARN of the topic, which the AWS SDKs publish to; also for IAM policies and for queues that let it send."
  value       = aws_sns_topic.this.arn
}

output "name" {
  description = "Name of the topic, with .fifo where that belongs."
  value       = aws_sns_topic.this.name
}

output "region" {
  description = "Region that the topic is in."
  value       = split(":", aws_sns_topic.this.arn)[3]
}
