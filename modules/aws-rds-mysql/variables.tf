variable "admin_password" {
  description = "Password of the owner. Null: one is generated, and kept for as long as the server lives."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.admin_password == null || can(regex("^[!#-.0-?A-~]{8,41}$", var.admin_password))
    error_message = "admin_password must be 8 to 41 printable ASCII characters, without space, slash, @ and double quote; leave it out to have one generated."
  }
}

variable "allow_major_version_upgrade" {
  description = "Whether `engine_version` may move to a later release series, which takes the server down for a while and cannot be undone."
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
  description = "Days that daily backups, and with them point-in-time recovery, reach back. 0 switches them off."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 0 && var.backup_retention_days <= 35 && floor(var.backup_retention_days) == var.backup_retention_days
    error_message = "backup_retention_days must be a whole number of days from 0 to 35."
  }
}

variable "database" {
  description = "Name of the database. A change makes a new, empty server."
  type        = string
  default     = "app"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,63}$", var.database)) && !contains(["information_schema", "innodb", "mysql", "performance_schema", "sys"], var.database)
    error_message = "database must be 1 to 64 lowercase letters, digits and underscores, begin with a letter, and not be information_schema, innodb, mysql, performance_schema or sys, which are taken."
  }
}

variable "deletion_protection" {
  description = "Whether RDS refuses to delete the server. A destroy then fails until an apply has switched this off."
  type        = bool
  default     = false
  nullable    = false
}

variable "engine_version" {
  description = "MySQL version: a release series (\"8.4\"), whose minor versions AWS installs in the maintenance window, or a fixed minor version (\"8.4.5\")."
  type        = string
  default     = "8.4"
  nullable    = false

  validation {
    condition     = can(regex("^8[.][04]([.][0-9]+)?$", var.engine_version))
    error_message = "engine_version must be 8.0 or 8.4, or a minor version of one, such as 8.4.5: RDS has no other of MySQL 8."
  }
}

variable "final_snapshot" {
  description = "Whether a destroy leaves a last snapshot behind, called as the server with -final- and eight hexadecimal digits added."
  type        = bool
  default     = true
  nullable    = false
}

variable "instance_class" {
  description = "Size of the server."
  type        = string
  default     = "db.t4g.micro"
  nullable    = false

  validation {
    condition     = can(regex("^db[.][a-z0-9-]+[.][a-z0-9]+$", var.instance_class))
    error_message = "instance_class must be an RDS class such as db.t4g.micro or db.r7g.large."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts storage, backups and snapshots. Null: the account's key for RDS. A change makes a new, empty server."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab; an alias or a bare key id is not enough."
  }
}

variable "multi_az" {
  description = "Whether a standby in a second availability zone takes over when the first fails."
  type        = bool
  default     = false
  nullable    = false
}

variable "name" {
  description = "Name of the server, unique in the account and region. A change renames it, and so moves the host name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.name)) && length(var.name) <= 63
    error_message = "name must be 1 to 63 lowercase letters, digits and hyphens, begin with a letter, and have no hyphen at the end or next to another."
  }
}

variable "storage_gb" {
  description = "Size of the storage in GiB. It can grow, by a tenth or more at a time, and never shrink."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.storage_gb >= 20 && var.storage_gb <= 65536 && floor(var.storage_gb) == var.storage_gb
    error_message = "storage_gb must be a whole number from 20 to 65536."
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
  description = "Name of the owner, the server's administrator. A change makes a new, empty server."
  type        = string
  default     = "app"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,15}$", var.username)) && !contains(["rdsadmin", "rdsrepladmin"], var.username)
    error_message = "username must be 1 to 16 lowercase letters, digits and underscores, begin with a letter, and not be rdsadmin or rdsrepladmin, which are taken."
  }
}
