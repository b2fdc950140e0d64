provider "aws" {
  region = "eu-central-1"
}

module "api" {
  source = "../.."

  name       = "shop/api"
  max_images = 200
}

output "url" {
  description = "Name of the images, for pushes."
  value       = module.api.url
}
