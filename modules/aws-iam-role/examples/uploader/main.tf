provider "aws" {
  region = "eu-central-1"
}

module "uploader" {
  source = "../.."

  name              = "shop-uploader"
  namespace         = "shop"
  oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
  service_account   = "uploader"
  statements = [
    { actions = ["s3:GetObject", "s3:PutObject"], resources = ["arn:aws:s3:::shop-uploads/*"] },
    { actions = ["s3:ListBucket"], resources = ["arn:aws:s3:::shop-uploads"] },
  ]
}

output "role_arn" {
  description = "ARN of the role, for the ServiceAccount's annotation."
  value       = module.uploader.role_arn
}
