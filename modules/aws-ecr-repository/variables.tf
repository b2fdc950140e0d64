variable "force_delete" {
  description = "Whether a destroy also deletes the images in the repository. Off, the destroy of a repository that is not empty fails and the images stay."
  type        = bool
  default     = false
  nullable    = false
}

variable "immutable_tags" {
  description = "Whether a tag stays with the image that it was pushed with. Off, another push may move it."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts images. Null: the keys that S3 manages (SSE-S3). A change makes a new, empty repository."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab; an alias or a bare key id is not enough."
  }
}

variable "max_images" {
  description = "How many images stay, the newest ones, whether or not anything still runs the others. Null: all that have a tag."
  type        = number
  default     = null

  validation {
    condition     = var.max_images == null ? true : var.max_images >= 1 && floor(var.max_images) == var.max_images
    error_message = "max_images must be a whole number, 1 or more; leave it out to keep every image that has a tag."
  }
}

variable "name" {
  description = "Name of the repository, unique in the account and region; slashes group. A change makes a new, empty repository."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", var.name)) && length(var.name) >= 2 && length(var.name) <= 256
    error_message = "name must be 2 to 256 lowercase letters and digits, and between them single dots, underscores, hyphens and slashes."
  }
}

variable "untagged_expiration_days" {
  description = "Days after its push that an image without a tag is deleted."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = var.untagged_expiration_days >= 1 && floor(var.untagged_expiration_days) == var.untagged_expiration_days
    error_message = "untagged_expiration_days must be a whole number of days, 1 or more."
  }
}
