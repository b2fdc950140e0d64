provider "aws" {
  region = "eu-central-1"
}

module "carts" {
  source = "../.."

  name          = "shop-carts"
  partition_key = "customer"
  sort_key      = "added_at"
  key_types     = { added_at = "N" }
  ttl           = true

  global_secondary_indexes = {
    by-product = { partition_key = "product", sort_key = "added_at", attributes = ["quantity"] }
  }
}

output "name" {
  description = "Name of the table, for the app's configuration."
  value       = module.carts.name
}
