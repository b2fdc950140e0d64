variable "allowed_services" {
  description = "AWS services that may encrypt and decrypt on behalf of this account's resources, such as sns.amazonaws.com for topics that send to encrypted queues."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for service in var.allowed_services : can(regex("^[a-z0-9-]+([.][a-z0-9-]+)?[.]amazonaws[.]com$", service))])
    error_message = "allowed_services must hold service principals, such as sns.amazonaws.com or s3.amazonaws.com."
  }
}

variable "deletion_window_days" {
  description = "Days from a destroy until the key is gone for good, and with it all that it has encrypted. Until then the deletion can be cancelled."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30 && floor(var.deletion_window_days) == var.deletion_window_days
    error_message = "deletion_window_days must be a whole number of days from 7 to 30: KMS deletes no key sooner."
  }
}

variable "name" {
  description = "Name of the key, unique in the account and region: its alias without alias/, and its description. A change renames it; the key stays."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9/_-]{1,250}$", var.name)) && !startswith(var.name, "aws/") && !startswith(var.name, "alias/")
    error_message = "name must be 1 to 250 letters, digits, slashes, underscores and hyphens, and begin neither with alias/, which is added, nor with aws/, which AWS keeps for itself."
  }
}
