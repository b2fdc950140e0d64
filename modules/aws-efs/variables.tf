variable "allowed_cidr_blocks" {
  description = "IPv4 networks that may mount it."
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
  description = "Ids of the security groups whose members may mount it."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.allowed_security_group_ids : can(regex("^sg-[0-9a-f]+$", id))])
    error_message = "allowed_security_group_ids must hold ids such as sg-0123456789abcdef0."
  }
}

variable "backups" {
  description = "Whether AWS Backup makes a backup every day, and keeps it for 35 days."
  type        = bool
  default     = true
  nullable    = false
}

variable "gid" {
  description = "Id of the group that all files belong to, whoever writes them."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.gid >= 1 && var.gid <= 4294967295 && floor(var.gid) == var.gid
    error_message = "gid must be a whole number from 1 to 4294967295; 0 would be root's."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the files. Null: the account's key for EFS. A change makes a new, empty file system."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab; an alias or a bare key id is not enough."
  }
}

variable "name" {
  description = "Name of the file system, unique in the account and region. A change makes a new, empty one."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", var.name))
    error_message = "name must be 1 to 64 letters, digits, dots, underscores and hyphens, and begin with a letter or digit."
  }
}

variable "path" {
  description = "Directory of the file system that is mounted; what lies beside it is out of reach. Another path is another, empty directory: a change makes a new access point."
  type        = string
  default     = "/data"
  nullable    = false

  validation {
    condition     = can(regex("^(/[A-Za-z0-9_-][A-Za-z0-9._-]*){1,4}$", var.path)) && length(var.path) <= 100
    error_message = "path must be one to four names, each after a slash, such as /data: letters, digits, dots, underscores and hyphens, 100 in all."
  }
}

variable "subnet_ids" {
  description = "Ids of the subnets to be mounted from, of one VPC and each in an availability zone of its own: those of the nodes. Empty: the default subnets of the region's default VPC."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "subnet_ids must hold ids such as subnet-0123456789abcdef0."
  }
}

variable "uid" {
  description = "Id of the user that all files belong to, whoever writes them."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.uid >= 1 && var.uid <= 4294967295 && floor(var.uid) == var.uid
    error_message = "uid must be a whole number from 1 to 4294967295; 0 would be root's."
  }
}
