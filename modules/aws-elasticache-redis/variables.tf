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
  description = "Days that daily snapshots are kept. 0 switches them off."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 0 && var.backup_retention_days <= 35 && floor(var.backup_retention_days) == var.backup_retention_days
    error_message = "backup_retention_days must be a whole number of days from 0 to 35."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts what nodes keep on disk, and snapshots. Null: the key that ElastiCache manages. A change makes a new, empty Redis."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab; an alias or a bare key id is not enough."
  }
}

variable "name" {
  description = "Name of the Redis, unique in the account and region. A change makes a new, empty one."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.name)) && length(var.name) <= 40
    error_message = "name must be 1 to 40 lowercase letters, digits and hyphens, begin with a letter, and have no hyphen at the end or next to another."
  }
}

variable "node_type" {
  description = "Size of each node."
  type        = string
  default     = "cache.t4g.micro"
  nullable    = false

  validation {
    condition     = can(regex("^cache[.][a-z0-9-]+[.][a-z0-9]+$", var.node_type))
    error_message = "node_type must be a type of ElastiCache, such as cache.t4g.micro or cache.r7g.large."
  }
}

variable "password" {
  description = "Password (ElastiCache's AUTH token). Null: one is generated, and kept for as long as the Redis lives."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.password == null || can(regex("^[A-Za-z0-9!&#$^<>-]{16,128}$", var.password))
    error_message = "password must be 16 to 128 letters, digits and !&#$^<>- characters; leave it out to have one generated."
  }
}

variable "replicas" {
  description = "How many copies of the node there are in other availability zones. They can be read from, and one takes over when the node fails."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.replicas >= 0 && var.replicas <= 5 && floor(var.replicas) == var.replicas
    error_message = "replicas must be a whole number from 0 to 5."
  }
}

variable "subnet_ids" {
  description = "Ids of the subnets to run in, of one VPC; with `replicas`, of at least two availability zones. Empty: the default subnets of the region's default VPC."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "subnet_ids must hold ids such as subnet-0123456789abcdef0."
  }

  validation {
    condition     = length(var.subnet_ids) != 1 || var.replicas == 0
    error_message = "subnet_ids must name at least two subnets, in different availability zones, where there are replicas."
  }
}
