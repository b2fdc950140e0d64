variable "force_destroy" {
  description = "Whether a destroy also deletes the objects in the bucket, all versions included. Off, the destroy of a bucket that is not empty fails and the objects stay."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts new objects (SSE-KMS, with a bucket key). Null: the keys that S3 manages (SSE-S3)."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab; an alias or a bare key id is not enough."
  }
}

variable "name" {
  description = "Name of the bucket, unique in all of AWS: 3 to 63 lowercase letters, digits and hyphens. Another name is another bucket: a change deletes the old one."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 63 lowercase letters, digits and hyphens, and begin and end with a letter or digit. Dots are refused because TLS certificates do not cover them."
  }

  validation {
    condition     = !can(regex("^(amzn-s3-demo-|sthree-|xn--)|(--ol-s3|--table-s3|--x-s3|-s3alias)$", var.name))
    error_message = "name must not begin with amzn-s3-demo-, sthree- or xn--, nor end with --ol-s3, --table-s3, --x-s3 or -s3alias: S3 keeps these for itself."
  }
}

variable "noncurrent_version_expiration_days" {
  description = "Days after which a version that was replaced or deleted is removed for good. Null: never."
  type        = number
  default     = null

  validation {
    condition = (
      var.noncurrent_version_expiration_days == null
      ? true
      : var.noncurrent_version_expiration_days >= 1 && floor(var.noncurrent_version_expiration_days) == var.noncurrent_version_expiration_days
    )
    error_message = "noncurrent_version_expiration_days must be a whole number of days, 1 or more; leave it out to keep replaced and deleted versions for ever."
  }
}

variable "versioning" {
  description = "Whether replaced and deleted objects are kept as noncurrent versions. Switched off later, it is suspended: the versions already there remain."
  type        = bool
  default     = true
  nullable    = false
}
