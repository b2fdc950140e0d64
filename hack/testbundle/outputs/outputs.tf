output "bool_false" {
  description = "A bool."
  value       = false
}

output "bool_true" {
  description = "A bool."
  value       = true
}

output "echo" {
  description = "Every variable that is not sensitive, as Terraform converted it."
  value = {
    any_value      = var.any_value
    bool_value     = var.bool_value
    list_value     = var.list_value
    map_value      = var.map_value
    message        = var.message
    nested_value   = var.nested_value
    nullable_value = var.nullable_value
    number_value   = var.number_value
    object_value   = var.object_value
    set_value      = var.set_value
    tuple_value    = var.tuple_value
  }
}

output "list_empty" {
  description = "A list without elements."
  value       = tolist([])
}

output "list_of_numbers" {
  description = "A list of numbers, one of them beyond what a float64 holds."
  value       = tolist([1, 2.5, 100000000000000000000])
}

output "list_of_strings" {
  description = "A list of strings."
  value       = tolist(["b", "a", "b"])
}

output "map_empty" {
  description = "A map without elements."
  value       = tomap({})
}

output "map_of_strings" {
  description = "A map of strings, with keys that need quotes."
  value       = tomap({ "a.b/c" = "1", "with space" = "<2>", plain = "3" })
}

output "message" {
  description = "The variable of the same name, once it is applied."
  value       = terraform_data.message.output
}

output "nested" {
  description = "Objects, lists and maps in each other, with a null among them."
  value = {
    endpoints = [
      { host = "a.example.com", ports = [80, 443], weight = 0.5 },
      { host = "b.example.com", ports = [], weight = 1000000 },
    ]
    labels  = tomap({ team = "shop & co" })
    nothing = null
  }
}

output "null_value" {
  description = "Null."
  value       = null
}

output "nullable_value" {
  description = "The variable of the same name: a string, or null."
  value       = var.nullable_value
}

output "number_fraction" {
  description = "A fraction that no float64 holds exactly."
  value       = 0.1
}

output "number_integer" {
  description = "An integer that a float's notation would shorten."
  value       = 1000000
}

output "number_negative" {
  description = "A negative number."
  value       = -42
}

output "number_tiny" {
  description = "A fraction that a float's notation would shorten."
  value       = 0.0000001
}

output "number_twenty_digits" {
  description = "An integer beyond int64."
  value       = 12345678901234567890
}

output "number_twenty_one_digits" {
  description = "An integer beyond uint64."
  value       = 100000000000000000000
}

output "number_zero" {
  description = "Zero."
  value       = 0
}

output "object" {
  description = "An object."
  value = {
    enabled = true
    name    = "<orders & co>"
    size    = 12345678901234567890
  }
}

output "sensitive_object" {
  description = "The variable secret_object."
  value       = var.secret_object
  sensitive   = true
}

output "sensitive_string" {
  description = "The variable secret."
  value       = var.secret
  sensitive   = true
}

output "set_of_numbers" {
  description = "A set of numbers."
  value       = toset([3, 1, 2])
}

output "set_of_strings" {
  description = "A set of strings."
  value       = toset(["b", "a"])
}

output "string_empty" {
  description = "A string without characters."
  value       = ""
}

output "string_json" {
  description = "A string that is JSON."
  value       = jsonencode({ a = 1 })
}

output "string_like_bool" {
  description = "A string that looks like a bool."
  value       = "true"
}

output "string_like_number" {
  description = "A string that looks like a number."
  value       = "007"
}

output "string_like_template" {
  description = "A string that looks like a template, to Terraform, to Go and to a shell."
  value       = "$${message} %%{if} {{ .message }} $(message)"
}

output "string_markup" {
  description = "A string that HTML would escape."
  value       = "<a href=\"/?x=1&y=2\">it's</a>"
}

output "string_multiline" {
  description = "A string of two lines."
  value       = "first\nsecond\n"
}

output "string_unicode" {
  description = "A string beyond ASCII."
  value       = "Grüße, 世界 🌍"
}

output "tuple" {
  description = "A list whose elements differ in type."
  value       = ["one", 2, true, null]
}
