variable "mode" {
  description = "What fails: plan, apply, destroy, or nothing (none)."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["none", "plan", "apply", "destroy"], var.mode)
    error_message = "mode must be none, plan, apply or destroy."
  }
}

variable "secret" {
  description = "A sensitive string. The error of an apply that fails tells it, as that of a careless provider may."
  type        = string
  default     = ""
  nullable    = false
  sensitive   = true
}

variable "sleep_binary" {
  description = "Binary that waits for N seconds when called as `BINARY sleep N`; a destroy calls it with 0. Outside the runner's image, `env` does."
  type        = string
  default     = "/groundwork/runner"
  nullable    = false
}

variable "step" {
  description = "Step that fails: 1, 2 or 3. The ones before it are made; a destroy goes from 3 to 1."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([1, 2, 3], var.step)
    error_message = "step must be 1, 2 or 3."
  }
}
