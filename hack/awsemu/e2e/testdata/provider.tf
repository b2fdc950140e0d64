terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

variable "endpoint" {
  type = string
}

variable "owner" {
  type    = string
  default = "shop"
}

provider "aws" {
  region            = "eu-central-1"
  access_key        = "any"
  secret_key        = "any"
  s3_use_path_style = true

  default_tags {
    tags = { owner = var.owner }
  }

  endpoints {
    ec2            = var.endpoint
    iam            = var.endpoint
    rds            = var.endpoint
    s3             = var.endpoint
    secretsmanager = var.endpoint
    sqs            = var.endpoint
    sts            = var.endpoint
  }
}
