mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = {
      arn = "arn:aws:sns:eu-central-1:111122223333:shop-orders"
    }
  }
}

variables {
  name = "shop-orders"
}

run "is_private_and_encrypted_by_default" {
  # Applied to the mock, because the policy holds the topic's ARN.
  command = apply

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == "alias/aws/sns"
    error_message = "Messages must be encrypted with the account's key for SNS."
  }

  assert {
    condition = jsondecode(aws_sns_topic_policy.this.policy).Statement == [{
      Sid       = "DenyInsecureTransport"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:eu-central-1:111122223333:shop-orders"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "Publishing without TLS must be denied, and nobody be allowed."
  }

  assert {
    condition     = aws_sns_topic_policy.this.arn == aws_sns_topic.this.arn
    error_message = "The policy must be the topic's."
  }

  assert {
    condition     = length(aws_sns_topic_subscription.queue) == 0
    error_message = "Nobody must get messages unless that was asked for."
  }

  assert {
    condition     = !aws_sns_topic.this.fifo_topic && output.name == "shop-orders" && output.region == "eu-central-1"
    error_message = "The topic must be a standard one, called after the name, and say where it is."
  }
}

run "follows_the_variables" {
  command = apply

  variables {
    content_based_deduplication = true
    fifo                        = true
    kms_key_arn                 = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    queue_arns                  = ["arn:aws:sqs:eu-central-1:111122223333:shop-invoices.fifo", "arn:aws:sqs:eu-central-1:111122223333:shop-shipping"]
    raw_message_delivery        = true
  }

  assert {
    condition     = aws_sns_topic.this.fifo_topic && output.name == "shop-orders.fifo" && aws_sns_topic.this.content_based_deduplication
    error_message = "The topic must be FIFO, and called so."
  }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == var.kms_key_arn
    error_message = "A KMS key must encrypt messages."
  }

  assert {
    condition = (
      [for s in aws_sns_topic_subscription.queue : "${s.topic_arn} ${s.protocol} ${s.endpoint} ${s.raw_message_delivery}"] == [
        "arn:aws:sns:eu-central-1:111122223333:shop-orders sqs arn:aws:sqs:eu-central-1:111122223333:shop-invoices.fifo true",
        "arn:aws:sns:eu-central-1:111122223333:shop-orders sqs arn:aws:sqs:eu-central-1:111122223333:shop-shipping true",
      ]
    )
    error_message = "Each queue must have a subscription, for messages as they were published."
  }
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

run "refuses_a_name_that_says_fifo" {
  command = plan

  variables {
    name = "shop-orders.fifo"
  }

  expect_failures = [var.name]
}

run "refuses_a_queue_url_for_a_queue_arn" {
  command = plan

  variables {
    queue_arns = ["https://sqs.eu-central-1.amazonaws.com/111122223333/shop-orders"]
  }

  expect_failures = [var.queue_arns]
}
