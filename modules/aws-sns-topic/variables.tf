variable "content_based_deduplication" {
  description = "Whether a `fifo` topic drops a message whose body it got in the last five minutes already. Off, publishers give each message a deduplication id."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = var.fifo || !var.content_based_deduplication
    error_message = "content_based_deduplication is for a topic with fifo: true; leave one out or set the other."
  }
}

variable "fifo" {
  description = "Whether messages stay in order and are delivered once; .fifo is added to the name. A change makes a new topic and deletes the old one."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts messages. Null: the account's key for SNS, which the account's own apps may use."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab; an alias or a bare key id is not enough."
  }
}

variable "name" {
  description = "Name of the topic, unique in the account and region. Another name is another topic: a change makes the new one and deletes the old one."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,251}$", var.name))
    error_message = "name must be 1 to 251 letters, digits, hyphens and underscores; .fifo is added where it belongs."
  }
}

variable "queue_arns" {
  description = "ARNs of the SQS queues that get every message. They have to be of the same account, and allow the topic to send."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.queue_arns : can(regex("^arn:[^:]+:sqs:[^:]+:[0-9]{12}:[A-Za-z0-9_-]{1,75}([.]fifo)?$", arn))])
    error_message = "queue_arns must hold ARNs of queues, such as arn:aws:sqs:eu-central-1:111122223333:shop-orders; a URL or a name is not enough."
  }
}

variable "raw_message_delivery" {
  description = "Whether the queues get messages as they were published. Off, each comes inside JSON that also names the topic and the time."
  type        = bool
  default     = false
  nullable    = false
}
