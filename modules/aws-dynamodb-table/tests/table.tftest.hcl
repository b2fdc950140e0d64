mock_provider "aws" {
  mock_resource "aws_dynamodb_table" {
    override_during = plan
    defaults = {
      arn = "arn:aws:dynamodb:eu-central-1:111122223333:table/shop-carts"
    }
  }
}

variables {
  name          = "shop-carts"
  partition_key = "customer"
}

run "is_encrypted_recoverable_and_paid_per_request_by_default" {
  command = plan

  assert {
    condition     = one(aws_dynamodb_table.this.server_side_encryption).enabled
    error_message = "The account's key for DynamoDB must encrypt the table."
  }

  assert {
    condition     = one(aws_dynamodb_table.this.point_in_time_recovery).enabled
    error_message = "The table must be recoverable."
  }

  assert {
    condition = jsondecode(aws_dynamodb_resource_policy.this.policy).Statement == [{
      Sid       = "DenyInsecureTransport"
      Effect    = "Deny"
      Principal = "*"
      Action    = "dynamodb:*"
      Resource = [
        "arn:aws:dynamodb:eu-central-1:111122223333:table/shop-carts",
        "arn:aws:dynamodb:eu-central-1:111122223333:table/shop-carts/index/*",
      ]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "Connections without TLS must be denied, for the table and for its indexes, and nobody be allowed."
  }

  assert {
    condition     = aws_dynamodb_resource_policy.this.resource_arn == aws_dynamodb_table.this.arn
    error_message = "The policy must be the table's."
  }

  assert {
    condition     = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST" && aws_dynamodb_table.this.read_capacity == 0 && aws_dynamodb_table.this.write_capacity == 0
    error_message = "Requests must be paid for, not capacity."
  }

  assert {
    condition = (
      aws_dynamodb_table.this.hash_key == "customer" &&
      aws_dynamodb_table.this.range_key == null &&
      aws_dynamodb_table.this.attribute == toset([{ name = "customer", type = "S" }])
    )
    error_message = "The table must have one key, a string."
  }

  assert {
    condition     = length(aws_dynamodb_table.this.global_secondary_index) == 0
    error_message = "There must be no index unless it was asked for."
  }

  assert {
    condition     = !one(aws_dynamodb_table.this.ttl).enabled
    error_message = "Nothing must expire unless it was asked to."
  }

  assert {
    condition     = !aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "The table must go when its object goes."
  }

  assert {
    condition     = output.name == "shop-carts" && output.region == "eu-central-1"
    error_message = "The outputs must name the table, and say where it is."
  }
}

run "follows_the_variables" {
  command = plan

  variables {
    deletion_protection = true
    global_secondary_indexes = {
      by-product = { partition_key = "product", sort_key = "added_at", attributes = ["quantity"] }
      by-shop    = { partition_key = "shop", attributes = [] }
      by-voucher = { partition_key = "voucher" }
    }
    key_types              = { added_at = "N", voucher = "B" }
    kms_key_arn            = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    point_in_time_recovery = false
    provisioned_capacity   = { read = 5, write = 2 }
    sort_key               = "added_at"
    ttl                    = true
    ttl_attribute          = "gone_at"
  }

  assert {
    condition = {
      for attribute in aws_dynamodb_table.this.attribute : attribute.name => attribute.type
    } == { added_at = "N", customer = "S", product = "S", shop = "S", voucher = "B" }
    error_message = "Every key must be there once, with its type."
  }

  assert {
    condition = {
      for index in aws_dynamodb_table.this.global_secondary_index : index.name => join(" ", compact(concat(
        [index.hash_key, index.range_key, index.projection_type, index.read_capacity, index.write_capacity], tolist(index.non_key_attributes == null ? [] : index.non_key_attributes)
      )))
      } == {
      by-product = "product added_at INCLUDE 5 2 quantity"
      by-shop    = "shop KEYS_ONLY 5 2"
      by-voucher = "voucher ALL 5 2"
    }
    error_message = "Each index must have its keys, what it holds, and the capacity."
  }

  assert {
    condition = (
      aws_dynamodb_table.this.billing_mode == "PROVISIONED" &&
      aws_dynamodb_table.this.read_capacity == 5 &&
      aws_dynamodb_table.this.write_capacity == 2
    )
    error_message = "The table must have the capacity given."
  }

  assert {
    condition     = one(aws_dynamodb_table.this.ttl).enabled && one(aws_dynamodb_table.this.ttl).attribute_name == "gone_at"
    error_message = "Items must expire by the attribute given."
  }

  assert {
    condition = (
      aws_dynamodb_table.this.deletion_protection_enabled &&
      aws_dynamodb_table.this.range_key == "added_at" &&
      one(aws_dynamodb_table.this.server_side_encryption).kms_key_arn == var.kms_key_arn &&
      !one(aws_dynamodb_table.this.point_in_time_recovery).enabled
    )
    error_message = "Every other variable must reach the table."
  }
}

run "refuses_an_index_with_a_space_in_its_name" {
  command = plan

  variables {
    global_secondary_indexes = { "by product" = { partition_key = "product" } }
  }

  expect_failures = [var.global_secondary_indexes]
}

run "refuses_an_index_with_one_attribute_as_both_keys" {
  command = plan

  variables {
    global_secondary_indexes = { by-product = { partition_key = "product", sort_key = "product" } }
  }

  expect_failures = [var.global_secondary_indexes]
}

run "refuses_more_indexes_than_dynamodb_has" {
  command = plan

  variables {
    global_secondary_indexes = { for i in range(21) : "index-${i}" => { partition_key = "product" } }
  }

  expect_failures = [var.global_secondary_indexes]
}

run "refuses_a_type_that_no_key_has" {
  command = plan

  variables {
    key_types = { customer = "number" }
  }

  expect_failures = [var.key_types]
}

run "refuses_the_type_of_what_is_no_key" {
  command = plan

  variables {
    key_types = { quantity = "N" }
  }

  expect_failures = [var.key_types]
}

run "refuses_a_kms_alias" {
  command = plan

  variables {
    kms_key_arn = "alias/shop"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_a_name_with_a_slash" {
  command = plan

  variables {
    name = "shop/carts"
  }

  expect_failures = [var.name]
}

run "refuses_an_empty_partition_key" {
  command = plan

  variables {
    partition_key = ""
  }

  expect_failures = [var.partition_key]
}

run "refuses_capacity_for_nothing" {
  command = plan

  variables {
    provisioned_capacity = { read = 0, write = 1 }
  }

  expect_failures = [var.provisioned_capacity]
}

run "refuses_the_partition_key_as_sort_key" {
  command = plan

  variables {
    sort_key = "customer"
  }

  expect_failures = [var.sort_key]
}

run "refuses_an_empty_ttl_attribute" {
  command = plan

  variables {
    ttl_attribute = ""
  }

  expect_failures = [var.ttl_attribute]
}
