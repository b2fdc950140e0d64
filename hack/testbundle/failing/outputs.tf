output "mode" {
  description = "The variable of the same name, once every step is made."
  value       = terraform_data.step_3.output.mode
}
