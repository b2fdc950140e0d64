provider "aws" {
  region = "eu-central-1"
}

module "orders" {
  source = "../.."

  name                = "orders"
  allowed_cidr_blocks = ["10.20.0.0/16"]
  database            = "orders"
  multi_az            = true
  storage_gb          = 50
}

output "uri" {
  description = "Connection string for the app."
  value       = module.orders.uri
  sensitive   = true
}
