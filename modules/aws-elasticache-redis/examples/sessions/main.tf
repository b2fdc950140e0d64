provider "aws" {
  region = "eu-central-1"
}

module "sessions" {
  source = "../.."

  name                = "shop-sessions"
  allowed_cidr_blocks = ["10.20.0.0/16"]
  replicas            = 1
}

output "uri" {
  description = "Connection string for the app."
  value       = module.sessions.uri
  sensitive   = true
}
