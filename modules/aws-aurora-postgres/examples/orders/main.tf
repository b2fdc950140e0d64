provider "aws" {
  region = "eu-central-1"
}

module "orders" {
  source = "../.."

  name                = "orders"
  allowed_cidr_blocks = ["10.20.0.0/16"]
  database            = "orders"
  instance_class      = "db.serverless"
  instances           = 2
  serverless_capacity = { max = 8, min = 0.5 }
}

output "uri" {
  description = "Connection string for the app."
  value       = module.orders.uri
  sensitive   = true
}
