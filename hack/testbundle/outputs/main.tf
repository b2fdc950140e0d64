resource "terraform_data" "message" {
  input = var.message
}

# A secret in a resource, as most modules have one: no log, plan or event may show it.
resource "terraform_data" "secret" {
  input = var.secret
}
