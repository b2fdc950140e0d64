variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the table. A destroy then fails until an apply has switched this off."
  type        = bool
  default     = false
  nullable    = false
}

variable "global_secondary_indexes" {
  description = "Indexes that find items by other keys. The map's key names the index. `attributes` are what it holds besides the keys: everything when left out, nothing when empty."
  type = map(object({
    attributes    = optional(list(string))
    partition_key = string
    sort_key      = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name, index in var.global_secondary_indexes : can(regex("^[A-Za-z0-9_.-]{3,255}$", name))])
    error_message = "global_secondary_indexes: the name of an index must be 3 to 255 letters, digits, underscores, hyphens and dots."
  }

  validation {
    condition = alltrue([
      for index in var.global_secondary_indexes : index.partition_key != index.sort_key && alltrue([
        for key in [index.partition_key, index.sort_key] : key == null ? true : length(key) >= 1 && length(key) <= 255
      ])
    ])
    error_message = "global_secondary_indexes: partition_key and sort_key must be two different attributes, with names of 1 to 255 characters."
  }

  validation {
    condition     = length(var.global_secondary_indexes) <= 20
    error_message = "global_secondary_indexes must hold at most 20 indexes: DynamoDB has no more for a table."
  }
}

variable "key_types" {
  description = "Types of the keys, of the table and of indexes, that are not strings: N for numbers, B for bytes. Once a key is there, its type stays."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for type in values(var.key_types) : contains(["B", "N", "S"], type)])
    error_message = "key_types must hold S for strings, N for numbers or B for bytes."
  }

  validation {
    condition = alltrue([
      for name in keys(var.key_types) : contains(concat(
        [var.partition_key, var.sort_key],
        flatten([for index in var.global_secondary_indexes : [index.partition_key, index.sort_key]]),
      ), name)
    ])
    error_message = "key_types must name keys of the table or of an index alone: other attributes have no fixed type."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the table, its indexes and its backups. Null: the account's key for DynamoDB."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab; an alias or a bare key id is not enough."
  }
}

variable "name" {
  description = "Name of the table, unique in the account and region. A change makes a new, empty table."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.name))
    error_message = "name must be 3 to 255 letters, digits, underscores, hyphens and dots."
  }
}

variable "partition_key" {
  description = "Name of the attribute that items are found by. A change makes a new, empty table."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.partition_key) >= 1 && length(var.partition_key) <= 255
    error_message = "partition_key must be the name of an attribute, 1 to 255 characters."
  }
}

variable "point_in_time_recovery" {
  description = "Whether the table can be restored to any second of the last 35 days, and a deleted one for as long."
  type        = bool
  default     = true
  nullable    = false
}

variable "provisioned_capacity" {
  description = "Reads and writes a second that are paid for, used or not, of the table and of each index. Null: every request is paid for, and there are as many as it takes."
  type = object({
    read  = number
    write = number
  })
  default = null

  validation {
    condition = var.provisioned_capacity == null ? true : alltrue([
      for units in values(var.provisioned_capacity) : try(units >= 1 && floor(units) == units, false)
    ])
    error_message = "provisioned_capacity: read and write must be whole numbers, 1 or more; leave it out to pay per request."
  }
}

variable "sort_key" {
  description = "Name of the attribute that orders the items of one partition key. Null: there is one item for each. A change makes a new, empty table."
  type        = string
  default     = null

  validation {
    condition     = var.sort_key == null ? true : length(var.sort_key) >= 1 && length(var.sort_key) <= 255 && var.sort_key != var.partition_key
    error_message = "sort_key must be the name of an attribute, 1 to 255 characters, and another one than partition_key; leave it out for a table without."
  }
}

variable "ttl" {
  description = "Whether items are deleted, within days, once the time in their `ttl_attribute` is past. Those without one stay."
  type        = bool
  default     = false
  nullable    = false
}

variable "ttl_attribute" {
  description = "Name of the attribute that says when an item expires: a number, seconds since 1970. Switch `ttl` off before a change."
  type        = string
  default     = "expires_at"
  nullable    = false

  validation {
    condition     = length(var.ttl_attribute) >= 1 && length(var.ttl_attribute) <= 255
    error_message = "ttl_attribute must be the name of an attribute, 1 to 255 characters; set ttl: false for a table whose items stay."
  }
}
