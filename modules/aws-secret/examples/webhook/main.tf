provider "aws" {
  region = "eu-central-1"
}

module "webhook" {
  source = "../.."

  name = "shop/webhook"
}

output "arn" {
  description = "ARN of the secret, for whoever else signs with it."
  value       = module.webhook.arn
}
