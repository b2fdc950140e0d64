variable "greeting" {
  description = "How to greet."
  type        = string
  default     = "Hello"
  nullable    = false
}

variable "name" {
  description = "Who is greeted."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z -]*$", var.name))
    error_message = "name must be letters, spaces and hyphens, and begin with a letter."
  }
}
