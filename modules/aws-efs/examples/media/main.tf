provider "aws" {
  region = "eu-central-1"
}

module "media" {
  source = "../.."

  name                       = "shop-media"
  allowed_security_group_ids = ["sg-0123456789abcdef0"]
}

output "volume_handle" {
  description = "For the PersistentVolume."
  value       = module.media.volume_handle
}
