variable "allowed_topic_arns" {
  description = "ARNs of the SNS topics that may send to the queue. Whoever else sends or receives needs rights in IAM."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.allowed_topic_arns : can(regex("^arn:[^:]+:sns:[^:]+:[0-9]{12}:[A-Za-z0-9_-]+([.]fifo)?$", arn))])
    error_message = "allowed_topic_arns must hold ARNs of topics, such as arn:aws:sns:eu-central-1:111122223333:shop-orders."
  }
}

variable "content_based_deduplication" {
  description = "Whether a `fifo` queue drops a message whose body it got in the last five minutes already. Off, senders give each message a deduplication id."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.fifo || !var.content_based_deduplication
    error_message = "content_based_deduplication is for a queue with fifo: true; leave one out or set the other."
  }
}

variable "fifo" {
  description = "Whether messages stay in order and arrive once; .fifo is added to the name. A change makes new queues and deletes the old ones with their messages."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts messages. Null: a key that SQS manages (SSE-SQS)."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab; an alias or a bare key id is not enough."
  }
}

variable "max_receive_count" {
  description = "How many times a message is received and not deleted before it moves to the dead-letter queue, a second one called as the first with -dlq added."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000 && floor(var.max_receive_count) == var.max_receive_count
    error_message = "max_receive_count must be a whole number from 1 to 1000."
  }
}

variable "message_retention_days" {
  description = "Days that a message waits to be received and deleted; then it is lost. In the dead-letter queue it has what is left of 14 days."
  type        = number
  default     = 4
  nullable    = false

  validation {
    condition     = var.message_retention_days >= 1 && var.message_retention_days <= 14 && floor(var.message_retention_days) == var.message_retention_days
    error_message = "message_retention_days must be a whole number of days from 1 to 14."
  }
}

variable "name" {
  description = "Name of the queue, unique in the account and region. Another name is another queue: a change deletes the old one with its messages."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,71}$", var.name))
    error_message = "name must be 1 to 71 letters, digits, hyphens and underscores; -dlq and .fifo are added where they belong."
  }
}

variable "visibility_timeout_seconds" {
  description = "Seconds that a received message is hidden from other receivers: as long as it takes to deal with one. Not deleted by then, it is received again."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.visibility_timeout_seconds >= 0 && var.visibility_timeout_seconds <= 43200 && floor(var.visibility_timeout_seconds) == var.visibility_timeout_seconds
    error_message = "visibility_timeout_seconds must be a whole number of seconds from 0 to 43200, which are 12 hours."
  }
}
