locals {
  # 0 is what DynamoDB says of a table that is paid per request. Left out, the capacity of before would stay, and be refused.
  capacity = var.provisioned_capacity == null ? { read = 0, write = 0 } : var.provisioned_capacity

  # DynamoDB wants the types of what is a key, of the table or of an index, and of nothing else.
  keys = toset(compact(concat(
    [var.partition_key, var.sort_key],
    flatten([for index in var.global_secondary_indexes : [index.partition_key, index.sort_key]]),
  )))
}

resource "aws_dynamodb_table" "this" {
  name = var.name

  hash_key  = var.partition_key
  range_key = var.sort_key

  dynamic "attribute" {
    for_each = local.keys

    content {
      name = attribute.value
      type = lookup(var.key_types, attribute.value, "S")
    }
  }

  billing_mode   = var.provisioned_capacity == null ? "PAY_PER_REQUEST" : "PROVISIONED"
  read_capacity  = local.capacity.read
  write_capacity = local.capacity.write

  dynamic "global_secondary_index" {
    for_each = var.global_secondary_indexes
    iterator = index

    content {
      name = index.key

      hash_key  = index.value.partition_key
      range_key = index.value.sort_key

      projection_type    = index.value.attributes == null ? "ALL" : length(index.value.attributes) == 0 ? "KEYS_ONLY" : "INCLUDE"
      non_key_attributes = index.value.attributes

      read_capacity  = local.capacity.read
      write_capacity = local.capacity.write
    }
  }

  deletion_protection_enabled = var.deletion_protection

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  # Without the block DynamoDB encrypts as well, but with a key of its own, whose use the account does not see.
  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  # Switched off, it still names the attribute: DynamoDB asks which one it was.
  ttl {
    attribute_name = var.ttl_attribute
    enabled        = var.ttl
  }
}

resource "aws_dynamodb_resource_policy" "this" {
  resource_arn = aws_dynamodb_table.this.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "DenyInsecureTransport"
      Effect    = "Deny"
      Principal = "*"
      Action    = "dynamodb:*"
      Resource  = [aws_dynamodb_table.this.arn, "${aws_dynamodb_table.this.arn}/index/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
