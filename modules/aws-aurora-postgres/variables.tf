variable "admin_password" {
  description = "Password of the owner. Null: one is generated, and kept for as long as the cluster lives."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.admin_password == null || can(regex("^[!#-.0-?A-~]{8,128}$", var.admin_password))
    error_message = "admin_password must be 8 to 128 printable ASCII characters, without space, slash, @ and double quote; leave it out to have one generated."
  }
}

variable "allow_major_version_upgrade" {
  description = "Whether `engine_version` may move to a later major version, which takes the cluster down for a while and cannot be undone."
  type        = bool
  default     = false
  nullable    = false
}

variable "allowed_cidr_blocks" {
  description = "IPv4 networks that may connect."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for cidr in var.allowed_cidr_blocks : try(cidrsubnet(cidr, 0, 0) == cidr && !strcontains(cidr, ":"), false)
    ])
    error_message = "allowed_cidr_blocks must hold IPv4 networks such as 10.0.0.0/16, with no address bits set beyond the prefix length."
  }
}

variable "allowed_security_group_ids" {
  description = "Ids of the security groups whose members may connect."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.allowed_security_group_ids : can(regex("^sg-[0-9a-f]+$", id))])
    error_message = "allowed_security_group_ids must hold ids such as sg-0123456789abcdef0."
  }
}

variable "backup_retention_days" {
  description = "Days that daily backups, and with them point-in-time recovery, reach back."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35 && floor(var.backup_retention_days) == var.backup_retention_days
    error_message = "backup_retention_days must be a whole number of days from 1 to 35: Aurora has no cluster without backups."
  }
}

variable "database" {
  description = "Name of the database. A change makes a new, empty cluster."
  type        = string
  default     = "app"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.database)) && !contains(["db", "rdsadmin", "template0", "template1"], var.database)
    error_message = "database must be 1 to 63 lowercase letters, digits and underscores, begin with a letter, and not be db, rdsadmin, template0 or template1, which are taken."
  }
}

variable "deletion_protection" {
  description = "Whether RDS refuses to delete the cluster. A destroy then fails until an apply has switched this off."
  type        = bool
  default     = false
  nullable    = false
}

variable "engine_version" {
  description = "PostgreSQL version: a major one (\"17\"), whose minor ones AWS installs in the maintenance window, or a fixed minor one (\"17.5\")."
  type        = string
  default     = "17"
  nullable    = false

  validation {
    condition     = can(regex("^(1[4-9]|[2-9][0-9])([.][0-9]+)?$", var.engine_version))
    error_message = "engine_version must be 14 or later, such as 17 or 17.5: for earlier ones the standard support on Aurora has ended."
  }
}

variable "final_snapshot" {
  description = "Whether a destroy leaves a last snapshot behind, called as the cluster with -final- and eight hexadecimal digits added."
  type        = bool
  default     = true
  nullable    = false
}

variable "instance_class" {
  description = "Size of each instance. db.serverless makes them grow and shrink within `serverless_capacity`."
  type        = string
  default     = "db.t4g.medium"
  nullable    = false

  validation {
    condition     = can(regex("^db[.]([a-z0-9-]+[.][a-z0-9]+|serverless)$", var.instance_class))
    error_message = "instance_class must be an RDS class that Aurora has, such as db.t4g.medium or db.r7g.large, or db.serverless."
  }
}

variable "instances" {
  description = "How many instances there are. One writes; the others read, and take over when it fails."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.instances >= 1 && var.instances <= 16 && floor(var.instances) == var.instances
    error_message = "instances must be a whole number from 1 to 16: one that writes, and 15 that read."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts storage, backups and snapshots. Null: the account's key for RDS. A change makes a new, empty cluster."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab; an alias or a bare key id is not enough."
  }
}

variable "name" {
  description = "Name of the cluster, unique in the account and region. A change makes a new, empty cluster."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.name)) && length(var.name) <= 60
    error_message = "name must be 1 to 60 lowercase letters, digits and hyphens, begin with a letter, and have no hyphen at the end or next to another."
  }
}

variable "serverless_capacity" {
  description = "How far each db.serverless instance shrinks and grows, in Aurora capacity units of about 2 GiB memory. With a `min` of 0 it pauses when nobody is connected, and takes some 15 seconds to resume."
  type        = object({ max = number, min = number })
  default     = null

  validation {
    condition     = (var.instance_class == "db.serverless") == (var.serverless_capacity != null)
    error_message = "serverless_capacity goes with the instance_class db.serverless; set both or neither."
  }

  validation {
    condition = var.serverless_capacity == null ? true : (
      var.serverless_capacity.min >= 0 && var.serverless_capacity.min <= var.serverless_capacity.max &&
      var.serverless_capacity.max >= 1 && var.serverless_capacity.max <= 256 &&
      alltrue([for units in values(var.serverless_capacity) : floor(units * 2) == units * 2])
    )
    error_message = "serverless_capacity: min and max must be multiples of 0.5, min from 0 to max, max from 1 to 256."
  }
}

variable "subnet_ids" {
  description = "Ids of the subnets to run in, of one VPC and at least two availability zones. Empty: the default subnets of the region's default VPC."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "subnet_ids must hold ids such as subnet-0123456789abcdef0."
  }

  validation {
    condition     = length(var.subnet_ids) != 1
    error_message = "subnet_ids must name at least two subnets, in different availability zones: RDS accepts no fewer. Leave it out to use the default VPC's."
  }
}

variable "username" {
  description = "Name of the owner, the cluster's administrator. A change makes a new, empty cluster."
  type        = string
  default     = "app"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.username)) && !can(regex("^(pg_.*|admin|rdsadmin|user)$", var.username))
    error_message = "username must be 1 to 63 lowercase letters, digits and underscores, begin with a letter and not with pg_, and not be admin, rdsadmin or user, which are taken."
  }
}
