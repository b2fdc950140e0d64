locals {
  # SQS wants this ending for first-in-first-out, and on no other queue.
  suffix = var.fifo ? ".fifo" : ""
}

resource "aws_sqs_queue" "this" {
  name = "${var.name}${local.suffix}"

  content_based_deduplication = var.content_based_deduplication
  fifo_queue                  = var.fifo

  kms_master_key_id       = var.kms_key_arn
  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null

  message_retention_seconds  = var.message_retention_days * 24 * 60 * 60
  receive_wait_time_seconds  = 20 # The longest: fewer empty answers, and each is paid for.
  visibility_timeout_seconds = var.visibility_timeout_seconds

  lifecycle {
    # A resource of its own sets it, and knows JSON that is only spelt otherwise; here, any other space would be a change.
    ignore_changes = [redrive_policy]
  }
}

resource "aws_sqs_queue" "dead_letter" {
  name = "${var.name}-dlq${local.suffix}"

  fifo_queue = var.fifo

  kms_master_key_id       = var.kms_key_arn
  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null

  # The longest: a message's age counts from when it was first sent.
  message_retention_seconds = 14 * 24 * 60 * 60
  receive_wait_time_seconds = 20
}

resource "aws_sqs_queue_redrive_policy" "this" {
  queue_url = aws_sqs_queue.this.url

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = var.max_receive_count
  })
}

resource "aws_sqs_queue_policy" "this" {
  queue_url = aws_sqs_queue.this.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.this.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      length(var.allowed_topic_arns) == 0 ? [] : [{
        Sid       = "AllowTopics"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.this.arn
        Condition = { ArnEquals = { "aws:SourceArn" = var.allowed_topic_arns } }
      }],
    )
  })

  # AWS takes them in any order; some emulators forget the policy when something else is set.
  depends_on = [aws_sqs_queue_redrive_policy.this]
}

resource "aws_sqs_queue_policy" "dead_letter" {
  queue_url = aws_sqs_queue.dead_letter.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "DenyInsecureTransport"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = aws_sqs_queue.dead_letter.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
