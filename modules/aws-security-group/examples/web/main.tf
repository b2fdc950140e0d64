provider "aws" {
  region = "eu-central-1"
}

module "web" {
  source = "../.."

  name = "shop-web"
  ingress = {
    https   = { port = 443, cidr_blocks = ["0.0.0.0/0", "::/0"] }
    metrics = { port = 9090, cidr_blocks = ["10.20.0.0/16"], description = "Prometheus" }
  }
}

output "security_group_id" {
  description = "Id of the group, for the members."
  value       = module.web.security_group_id
}
