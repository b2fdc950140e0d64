output "revision" {
  description = "The variable of the same name, once every step is made."
  value       = var.revision

  depends_on = [terraform_data.step_5]
}

output "steps" {
  description = "Ids of the steps, in their order."
  value = concat(
    terraform_data.step_1[*].id,
    terraform_data.step_2[*].id,
    terraform_data.step_3[*].id,
    terraform_data.step_4[*].id,
    terraform_data.step_5[*].id,
  )
}
