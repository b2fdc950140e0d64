provider "aws" {
  region = "eu-central-1"
}

module "shop" {
  source = "../.."

  name    = "shop.example.com"
  records = ["ingress.example.com"]
  type    = "CNAME"
  zone_id = "Z0123456789ABCDEFGHIJ"
}

output "host" {
  description = "Name that the shop is found by."
  value       = module.shop.host
}
