mock_provider "aws" {
  mock_resource "aws_ecr_repository" {
    override_during = plan
    defaults = {
      arn            = "arn:aws:ecr:eu-central-1:111122223333:repository/shop/api"
      repository_url = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/shop/api"
    }
  }
}

variables {
  name = "shop/api"
}

run "is_encrypted_scanned_and_immutable_by_default" {
  command = plan

  assert {
    condition     = one(aws_ecr_repository.this.encryption_configuration).encryption_type == "AES256"
    error_message = "Images must be encrypted with SSE-S3."
  }

  assert {
    condition     = one(aws_ecr_repository.this.image_scanning_configuration).scan_on_push
    error_message = "Images must be scanned when they are pushed."
  }

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE"
    error_message = "A tag must stay with its image."
  }

  assert {
    condition     = !aws_ecr_repository.this.force_delete
    error_message = "A destroy must not delete images unless it was asked to."
  }

  assert {
    condition = aws_ecr_lifecycle_policy.this.repository == "shop/api" && jsondecode(aws_ecr_lifecycle_policy.this.policy).rules == [{
      rulePriority = 1
      description  = "untagged images"
      selection = {
        tagStatus   = "untagged"
        countType   = "sinceImagePushed"
        countUnit   = "days"
        countNumber = 14
      }
      action = { type = "expire" }
    }]
    error_message = "Images without a tag, and no others, must expire."
  }

  assert {
    condition = (
      output.host == "111122223333.dkr.ecr.eu-central-1.amazonaws.com" &&
      output.url == "111122223333.dkr.ecr.eu-central-1.amazonaws.com/shop/api" &&
      output.region == "eu-central-1"
    )
    error_message = "The outputs must say where images are pushed to."
  }
}

run "follows_the_variables" {
  command = plan

  variables {
    force_delete             = true
    immutable_tags           = false
    kms_key_arn              = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    max_images               = 200
    untagged_expiration_days = 1
  }

  assert {
    condition = (
      one(aws_ecr_repository.this.encryption_configuration).encryption_type == "KMS" &&
      one(aws_ecr_repository.this.encryption_configuration).kms_key == var.kms_key_arn
    )
    error_message = "A KMS key must encrypt images."
  }

  assert {
    condition     = aws_ecr_repository.this.force_delete && aws_ecr_repository.this.image_tag_mutability == "MUTABLE"
    error_message = "force_delete and immutable_tags must reach the repository."
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this.policy).rules[0].selection.countNumber == 1
    error_message = "Images without a tag must expire after the days given."
  }

  assert {
    condition = jsondecode(aws_ecr_lifecycle_policy.this.policy).rules[1] == {
      rulePriority = 2
      description  = "the oldest images"
      selection = {
        tagStatus   = "any"
        countType   = "imageCountMoreThan"
        countNumber = 200
      }
      action = { type = "expire" }
    }
    error_message = "The oldest images must expire when there are more than the number given."
  }
}

run "refuses_a_kms_alias" {
  command = plan

  variables {
    kms_key_arn = "alias/shop"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_to_keep_no_image" {
  command = plan

  variables {
    max_images = 0
  }

  expect_failures = [var.max_images]
}

run "refuses_a_name_with_capitals" {
  command = plan

  variables {
    name = "shop/API"
  }

  expect_failures = [var.name]
}

run "refuses_to_expire_after_half_a_day" {
  command = plan

  variables {
    untagged_expiration_days = 0.5
  }

  expect_failures = [var.untagged_expiration_days]
}
