resource "aws_ecr_repository" "this" {
  name = var.name

  force_delete         = var.force_delete
  image_tag_mutability = var.immutable_tags ? "IMMUTABLE" : "MUTABLE"

  encryption_configuration {
    encryption_type = var.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn
  }

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name

  policy = jsonencode({
    rules = concat(
      [{
        rulePriority = 1
        description  = "untagged images"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = var.untagged_expiration_days
        }
        action = { type = "expire" }
      }],
      var.max_images == null ? [] : [{
        rulePriority = 2 # The last one: ECR wants it so of a rule for any image.
        description  = "the oldest images"
        selection = {
          tagStatus   = "any"
          countType   = "imageCountMoreThan"
          countNumber = var.max_images
        }
        action = { type = "expire" }
      }],
    )
  })
}
