variable "admin_password" {
  description = "Password of the user. Null: one is generated, and kept for as long as the domain lives."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition = var.admin_password == null ? true : (
      can(regex("^[!-~]{8,128}$", var.admin_password)) &&
      alltrue([for class in ["[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"] : can(regex(class, var.admin_password))])
    )
    error_message = "admin_password must be 8 to 128 printable ASCII characters without space, with a capital letter, a small one, a digit and something else among them; leave it out to have one generated."
  }
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

variable "engine_version" {
  description = "OpenSearch version. One that AWS can upgrade to takes the place of the old one; a change to any other, an earlier one above all, makes a new, empty domain."
  type        = string
  default     = "2.19"
  nullable    = false

  validation {
    condition     = can(regex("^([2-9]|[1-9][0-9])[.][0-9]+$", var.engine_version))
    error_message = "engine_version must be a version of OpenSearch from 2 on, such as 2.19."
  }
}

variable "instance_type" {
  description = "Size of each instance."
  type        = string
  default     = "t3.small.search"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+[.][a-z0-9]+[.]search$", var.instance_type)) && !startswith(var.instance_type, "t2.")
    error_message = "instance_type must be a type of OpenSearch, such as t3.small.search or r7g.large.search, and not a t2, which cannot encrypt."
  }
}

variable "instances_per_zone" {
  description = "How many instances there are in each of the `zones`."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.instances_per_zone >= 1 && var.instances_per_zone <= 10 && floor(var.instances_per_zone) == var.instances_per_zone
    error_message = "instances_per_zone must be a whole number from 1 to 10."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts what is stored. Null: the account's key for OpenSearch. A change makes a new, empty domain."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab; an alias or a bare key id is not enough."
  }
}

variable "name" {
  description = "Name of the domain, unique in the account and region. A change makes a new, empty domain."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,27}$", var.name))
    error_message = "name must be 3 to 28 lowercase letters, digits and hyphens, and begin with a letter."
  }
}

variable "storage_gb" {
  description = "Size of the storage of each instance in GiB. How large it may be depends on the `instance_type`."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.storage_gb >= 10 && var.storage_gb <= 24576 && floor(var.storage_gb) == var.storage_gb
    error_message = "storage_gb must be a whole number from 10 to 24576."
  }
}

variable "subnet_ids" {
  description = "Ids of the subnets to run in, of one VPC, one for each of the `zones`. Empty: as many of the default subnets of the region's default VPC."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "subnet_ids must hold ids such as subnet-0123456789abcdef0."
  }

  validation {
    condition     = contains([0, var.zones], length(var.subnet_ids))
    error_message = "subnet_ids must name as many subnets as there are zones, each in a zone of its own. Leave it out to use the default VPC's."
  }
}

variable "username" {
  description = "Name of the user, who may do everything in the domain."
  type        = string
  default     = "app"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.username))
    error_message = "username must be 1 to 63 lowercase letters, digits and underscores, and begin with a letter."
  }
}

variable "zones" {
  description = "In how many availability zones the domain runs. With two or three, an index that has replicas outlives the loss of one."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = contains([1, 2, 3], var.zones)
    error_message = "zones must be 1, 2 or 3."
  }
}
