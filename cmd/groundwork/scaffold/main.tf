# terraform_data needs no provider and no cloud: take it out when there is something
# real here, name its provider in versions.tf, and run `terraform providers lock`.
resource "terraform_data" "this" {
  input = "${var.greeting}, ${var.name}"
}
