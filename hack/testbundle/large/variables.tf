variable "seed" {
  description = "Any text. Another one makes all content anew."
  type        = string
  default     = "1"
  nullable    = false
}

variable "size_mib" {
  description = "Least size of the compressed state, in MiB."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.size_mib >= 1 && var.size_mib <= 8 && floor(var.size_mib) == var.size_mib
    error_message = "size_mib must be a whole number from 1 to 8."
  }
}
