provider "aws" {
  region = "eu-central-1"
}

module "uploads" {
  source = "../.."

  name                               = "shop-uploads"
  noncurrent_version_expiration_days = 30
}

output "bucket" {
  description = "Name of the bucket, for the app's configuration."
  value       = module.uploads.bucket
}
