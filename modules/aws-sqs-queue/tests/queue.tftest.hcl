mock_provider "aws" {
  mock_resource "aws_sqs_queue" {
    defaults = {
      arn = "arn:aws:sqs:eu-central-1:111122223333:shop-orders"
      url = "https://sqs.eu-central-1.amazonaws.com/111122223333/shop-orders"
    }
  }
}

# The second queue, so that the two are told apart.
override_resource {
  target = aws_sqs_queue.dead_letter
  values = {
    arn = "arn:aws:sqs:eu-central-1:111122223333:shop-orders-dlq"
    url = "https://sqs.eu-central-1.amazonaws.com/111122223333/shop-orders-dlq"
  }
}

variables {
  name = "shop-orders"
}

run "is_private_encrypted_and_has_a_dead_letter_queue_by_default" {
  # Applied to the mock, because the policies hold the queues' ARNs.
  command = apply

  assert {
    condition     = aws_sqs_queue.this.sqs_managed_sse_enabled && aws_sqs_queue.dead_letter.sqs_managed_sse_enabled
    error_message = "Both queues must be encrypted with SSE-SQS."
  }

  assert {
    condition = jsondecode(aws_sqs_queue_policy.this.policy).Statement == [{
      Sid       = "DenyInsecureTransport"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = "arn:aws:sqs:eu-central-1:111122223333:shop-orders"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "Connections without TLS must be denied, and nobody be allowed."
  }

  assert {
    condition = jsondecode(aws_sqs_queue_policy.dead_letter.policy).Statement == [{
      Sid       = "DenyInsecureTransport"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = "arn:aws:sqs:eu-central-1:111122223333:shop-orders-dlq"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "The dead-letter queue must deny connections without TLS too, and allow nobody."
  }

  assert {
    condition = (
      aws_sqs_queue_policy.this.queue_url == aws_sqs_queue.this.url &&
      aws_sqs_queue_policy.dead_letter.queue_url == aws_sqs_queue.dead_letter.url &&
      aws_sqs_queue_redrive_policy.this.queue_url == aws_sqs_queue.this.url
    )
    error_message = "Each policy must be its own queue's."
  }

  assert {
    condition = jsondecode(aws_sqs_queue_redrive_policy.this.redrive_policy) == {
      deadLetterTargetArn = "arn:aws:sqs:eu-central-1:111122223333:shop-orders-dlq"
      maxReceiveCount     = 5
    }
    error_message = "A message that was received five times must move to the dead-letter queue."
  }

  assert {
    condition     = aws_sqs_queue.this.message_retention_seconds == 345600 && aws_sqs_queue.dead_letter.message_retention_seconds == 1209600
    error_message = "Messages must be kept four days, dead letters as long as SQS allows."
  }

  assert {
    condition     = !aws_sqs_queue.this.fifo_queue && output.name == "shop-orders" && output.dead_letter_name == "shop-orders-dlq"
    error_message = "The queues must be standard ones, called after the name."
  }

  assert {
    condition = (
      output.region == "eu-central-1" &&
      output.url == "https://sqs.eu-central-1.amazonaws.com/111122223333/shop-orders" &&
      output.dead_letter_url == "https://sqs.eu-central-1.amazonaws.com/111122223333/shop-orders-dlq"
    )
    error_message = "The outputs must say where the queues are."
  }
}

run "follows_the_variables" {
  command = apply

  variables {
    allowed_topic_arns          = ["arn:aws:sns:eu-central-1:111122223333:shop-orders.fifo"]
    content_based_deduplication = true
    fifo                        = true
    kms_key_arn                 = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    max_receive_count           = 3
    message_retention_days      = 14
    visibility_timeout_seconds  = 120
  }

  assert {
    condition = jsondecode(aws_sqs_queue_policy.this.policy).Statement[1] == {
      Sid       = "AllowTopics"
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = "arn:aws:sqs:eu-central-1:111122223333:shop-orders"
      Condition = { ArnEquals = { "aws:SourceArn" = ["arn:aws:sns:eu-central-1:111122223333:shop-orders.fifo"] } }
    }
    error_message = "The allowed topics, and no others, may send."
  }

  assert {
    condition = (
      aws_sqs_queue.this.fifo_queue && aws_sqs_queue.this.name == "shop-orders.fifo" && aws_sqs_queue.this.content_based_deduplication &&
      aws_sqs_queue.dead_letter.fifo_queue && aws_sqs_queue.dead_letter.name == "shop-orders-dlq.fifo"
    )
    error_message = "Both queues must be FIFO, and called so."
  }

  assert {
    condition     = aws_sqs_queue.this.kms_master_key_id == var.kms_key_arn && aws_sqs_queue.dead_letter.kms_master_key_id == var.kms_key_arn
    error_message = "A KMS key must encrypt both queues."
  }

  assert {
    condition = (
      aws_sqs_queue.this.message_retention_seconds == 1209600 &&
      aws_sqs_queue.this.visibility_timeout_seconds == 120 &&
      jsondecode(aws_sqs_queue_redrive_policy.this.redrive_policy).maxReceiveCount == 3
    )
    error_message = "Every other variable must reach the queue."
  }
}

run "refuses_a_topic_name_for_a_topic_arn" {
  command = plan

  variables {
    allowed_topic_arns = ["shop-orders"]
  }

  expect_failures = [var.allowed_topic_arns]
}

run "refuses_deduplication_without_fifo" {
  command = plan

  variables {
    content_based_deduplication = true
  }

  expect_failures = [var.content_based_deduplication]
}

run "refuses_a_kms_alias" {
  command = plan

  variables {
    kms_key_arn = "alias/orders"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_to_never_receive" {
  command = plan

  variables {
    max_receive_count = 0
  }

  expect_failures = [var.max_receive_count]
}

run "refuses_to_keep_messages_longer_than_sqs_does" {
  command = plan

  variables {
    message_retention_days = 15
  }

  expect_failures = [var.message_retention_days]
}

run "refuses_a_name_that_says_fifo" {
  command = plan

  variables {
    name = "shop-orders.fifo"
  }

  expect_failures = [var.name]
}

run "refuses_to_hide_messages_for_a_day" {
  command = plan

  variables {
    visibility_timeout_seconds = 86400
  }

  expect_failures = [var.visibility_timeout_seconds]
}
