variable "destroy_seconds" {
  description = "Seconds that the destruction of each step takes."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.destroy_seconds >= 0 && floor(var.destroy_seconds) == var.destroy_seconds
    error_message = "destroy_seconds must be a whole number, 0 or more."
  }
}

variable "revision" {
  description = "Any text. A change replaces every step, which takes the time again."
  type        = string
  default     = "1"
  nullable    = false
}

variable "seconds" {
  description = "Seconds that an apply takes, all steps together."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.seconds >= 0 && floor(var.seconds) == var.seconds
    error_message = "seconds must be a whole number, 0 or more."
  }
}

variable "sleep_binary" {
  description = "Binary that waits for N seconds when called as `BINARY sleep N`. Outside the runner's image, `env` does."
  type        = string
  default     = "/groundwork/runner"
  nullable    = false
}

variable "steps" {
  description = "Number of resources, made one after the other."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = contains([1, 2, 3, 4, 5], var.steps)
    error_message = "steps must be 1, 2, 3, 4 or 5."
  }
}
