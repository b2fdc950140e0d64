terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

resource "aws_efs_file_system" "bad_false" {
  encrypted = false
}

resource "aws_efs_file_system" "good" {
  count     = 1
  encrypted = true
}

resource "aws_s3_bucket" "good" {
  bucket = "good"
}

resource "aws_s3_bucket_policy" "warned_unknown" {
  bucket = aws_s3_bucket.good.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = aws_s3_bucket.good.arn }]
  })
}
