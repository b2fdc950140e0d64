output "message" {
  description = "The greeting."
  value       = terraform_data.this.output
}
