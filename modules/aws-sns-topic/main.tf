resource "aws_sns_topic" "this" {
  # SNS wants the ending for first-in-first-out, and on no other topic.
  name = "${var.name}${var.fifo ? ".fifo" : ""}"

  content_based_deduplication = var.content_based_deduplication
  fifo_topic                  = var.fifo

  kms_master_key_id = var.kms_key_arn == null ? "alias/aws/sns" : var.kms_key_arn
}

# In place of the policy that a topic is born with, which opens it to the whole account: who may do what is left to IAM.
resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "DenyInsecureTransport"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.this.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_sns_topic_subscription" "queue" {
  for_each = toset(var.queue_arns)

  topic_arn = aws_sns_topic.this.arn

  endpoint             = each.value
  protocol             = "sqs"
  raw_message_delivery = var.raw_message_delivery
}
