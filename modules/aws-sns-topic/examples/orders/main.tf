provider "aws" {
  region = "eu-central-1"
}

module "orders" {
  source = "../.."

  name                 = "shop-orders"
  queue_arns           = ["arn:aws:sqs:eu-central-1:111122223333:shop-invoices", "arn:aws:sqs:eu-central-1:111122223333:shop-shipping"]
  raw_message_delivery = true
}

output "arn" {
  description = "ARN of the topic, for the app's configuration."
  value       = module.orders.arn
}
