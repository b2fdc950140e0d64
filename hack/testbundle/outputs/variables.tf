variable "any_value" {
  description = "A value of any type."
  type        = any
  default     = null
}

variable "bool_value" {
  description = "A bool."
  type        = bool
  default     = true
  nullable    = false
}

variable "list_value" {
  description = "A list of strings."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "map_value" {
  description = "A map of numbers."
  type        = map(number)
  default     = {}
  nullable    = false
}

variable "message" {
  description = "What the output of the same name says. A change updates a resource in place."
  type        = string
  default     = "hello"
  nullable    = false

  validation {
    condition     = length(var.message) > 0
    error_message = "message must not be empty."
  }
}

variable "nested_value" {
  description = "A list of objects with optional attributes that are collections."
  type = list(object({
    labels = optional(map(string))
    name   = string
    ports  = optional(set(number), [80])
  }))
  default  = []
  nullable = false
}

variable "nullable_value" {
  description = "A string, or null."
  type        = string
  default     = null
}

variable "number_value" {
  description = "A number."
  type        = number
  default     = 1
  nullable    = false
}

variable "object_value" {
  description = "An object with optional attributes, one of them an object with optional attributes."
  type = object({
    name     = string
    replicas = optional(number, 1)
    tls = optional(object({
      enabled = optional(bool, true)
      hosts   = optional(list(string), [])
    }), {})
  })
  default  = { name = "default" }
  nullable = false
}

variable "secret" {
  description = "A sensitive string."
  type        = string
  default     = "a secret of the test bundle"
  nullable    = false
  sensitive   = true
}

variable "secret_object" {
  description = "A sensitive object."
  type = object({
    token = string
    ttl   = optional(number)
  })
  default   = { token = "a token of the test bundle" }
  nullable  = false
  sensitive = true
}

variable "set_value" {
  description = "A set of strings."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "tuple_value" {
  description = "A string, a number and a bool."
  type        = tuple([string, number, bool])
  default     = ["one", 2, true]
  nullable    = false
}
