output "arn" {
  description = "ARN of the queue, for IAM policies and subscriptions."
  value       = aws_sqs_queue.this.arn
}

output "dead_letter_arn" {
  description = "ARN of the dead-letter queue, for IAM policies."
  value       = aws_sqs_queue.dead_letter.arn
}

output "dead_letter_name" {
  description = "Name of the dead-letter queue, for alarms."
  value       = aws_sqs_queue.dead_letter.name
}

output "dead_letter_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dead_letter.url
}

output "name" {
  description = "Name of the queue, with .fifo where that belongs."
  value       = aws_sqs_queue.this.name
}

output "region" {
  description = "Region that the queue is in."
  value       = split(":", aws_sqs_queue.this.arn)[3]
}

output "url" {
  description = "URL of the queue, which the AWS SDKs send to and receive from."
  value       = aws_sqs_queue.this.url
}
