provider "aws" {
  region = "eu-central-1"
}

module "shop" {
  source = "../.."

  name             = "shop"
  allowed_services = ["sns.amazonaws.com"]
}

output "arn" {
  description = "ARN of the key, for the kms_key_arn of what it encrypts."
  value       = module.shop.arn
}
