mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = {
      arn = "arn:aws:s3:::shop-uploads"
    }
  }

  # One of the values that there are: the provider refuses a made-up one, if it plans with what the mock has made.
  mock_resource "aws_s3_bucket_lifecycle_configuration" {
    defaults = {
      transition_default_minimum_object_size = "all_storage_classes_128K"
    }
  }
}

variables {
  name = "shop-uploads"
}

run "is_private_encrypted_and_versioned_by_default" {
  # Applied to the mock, because the policy holds the bucket's ARN.
  command = apply

  assert {
    condition = (
      aws_s3_bucket_public_access_block.this.block_public_acls &&
      aws_s3_bucket_public_access_block.this.block_public_policy &&
      aws_s3_bucket_public_access_block.this.ignore_public_acls &&
      aws_s3_bucket_public_access_block.this.restrict_public_buckets
    )
    error_message = "All four kinds of public access must be blocked."
  }

  assert {
    condition     = one(aws_s3_bucket_ownership_controls.this.rule).object_ownership == "BucketOwnerEnforced"
    error_message = "ACLs must be switched off."
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.this.policy).Statement == [{
      Sid       = "DenyInsecureTransport"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::shop-uploads", "arn:aws:s3:::shop-uploads/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "Connections without TLS must be denied, for the bucket and for its objects."
  }

  assert {
    condition = (
      one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    )
    error_message = "Objects must be encrypted with SSE-S3."
  }

  assert {
    condition     = one(aws_s3_bucket_versioning.this.versioning_configuration).status == "Enabled"
    error_message = "Versioning must be on."
  }

  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "A destroy must not delete objects unless it was asked to."
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this) == 0
    error_message = "Nothing must expire unless it was asked to."
  }
}

run "follows_the_variables" {
  command = plan

  variables {
    force_destroy                      = true
    kms_key_arn                        = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    noncurrent_version_expiration_days = 30
    versioning                         = false
  }

  assert {
    condition     = aws_s3_bucket.this.force_destroy
    error_message = "force_destroy must reach the bucket."
  }

  assert {
    condition = (
      one(aws_s3_bucket_server_side_encryption_configuration.this.rule).bucket_key_enabled &&
      one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms" &&
      one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    )
    error_message = "A KMS key must switch to SSE-KMS with that key and a bucket key."
  }

  assert {
    condition     = one(one(aws_s3_bucket_lifecycle_configuration.this[0].rule).noncurrent_version_expiration).noncurrent_days == 30
    error_message = "Noncurrent versions must expire after the days given."
  }

  assert {
    condition     = one(aws_s3_bucket_versioning.this.versioning_configuration).status == "Suspended"
    error_message = "Versioning must be suspended."
  }
}

run "refuses_a_kms_alias" {
  command = plan

  variables {
    kms_key_arn = "alias/uploads"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_a_name_with_other_characters" {
  command = plan

  variables {
    name = "shop.uploads"
  }

  expect_failures = [var.name]
}

run "refuses_a_reserved_name" {
  command = plan

  variables {
    name = "uploads-s3alias"
  }

  expect_failures = [var.name]
}

run "refuses_to_expire_after_half_a_day" {
  command = plan

  variables {
    noncurrent_version_expiration_days = 0.5
  }

  expect_failures = [var.noncurrent_version_expiration_days]
}
