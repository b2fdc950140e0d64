provider "aws" {
  region = "eu-central-1"
}

module "orders" {
  source = "../.."

  name                       = "shop-orders"
  max_receive_count          = 3
  visibility_timeout_seconds = 120
}

output "url" {
  description = "URL of the queue, for the app's configuration."
  value       = module.orders.url
}
