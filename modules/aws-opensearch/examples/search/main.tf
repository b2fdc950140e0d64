provider "aws" {
  region = "eu-central-1"
}

module "search" {
  source = "../.."

  name                = "shop-search"
  allowed_cidr_blocks = ["10.20.0.0/16"]
  instance_type       = "r7g.large.search"
  storage_gb          = 50
  zones               = 2
}

output "uri" {
  description = "URL for the app."
  value       = module.search.uri
  sensitive   = true
}
