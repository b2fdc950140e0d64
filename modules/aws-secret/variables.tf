variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the secret. Null: the account's key for Secrets Manager."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab; an alias or a bare key id is not enough."
  }
}

variable "name" {
  description = "Name of the secret, unique in the account and region; slashes group. Another name is another secret: a change deletes the old one."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9/_+=.@-]{1,512}$", var.name))
    error_message = "name must be 1 to 512 letters, digits and /_+=.@- characters."
  }
}

variable "recovery_window_days" {
  description = "Days from a destroy in which the secret can be restored, and its name is taken. 0 deletes it at once."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition = (
      var.recovery_window_days == 0 ||
      var.recovery_window_days >= 7 && var.recovery_window_days <= 30 && floor(var.recovery_window_days) == var.recovery_window_days
    )
    error_message = "recovery_window_days must be a whole number of days from 7 to 30, or 0 to delete at once."
  }
}

variable "value" {
  description = "What the secret holds: any text, such as JSON. Null: 32 hexadecimal digits are generated, and kept for as long as the secret lives."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.value == null ? true : length(var.value) >= 1 && length(var.value) <= 65536
    error_message = "value must be 1 to 65536 characters; leave it out to have one generated."
  }
}
