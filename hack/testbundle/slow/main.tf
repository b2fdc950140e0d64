locals {
  # Whole seconds for each step, all of them together exactly what was asked for.
  seconds = [
    for i in range(var.steps) : floor(var.seconds * (i + 1) / var.steps) - floor(var.seconds * i / var.steps)
  ]

  # A destroy-time provisioner sees nothing but its own resource.
  input = {
    destroy_seconds = var.destroy_seconds
    sleep_binary    = var.sleep_binary
  }
}

# Terraform runs the instances of one resource side by side, so each step is a resource of its own, after the one before it.

resource "terraform_data" "step_1" {
  count = var.steps >= 1 ? 1 : 0

  input            = local.input
  triggers_replace = var.revision

  provisioner "local-exec" {
    interpreter = [var.sleep_binary, "sleep"]
    command     = local.seconds[0]
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = [self.input.sleep_binary, "sleep"]
    command     = self.input.destroy_seconds
  }
}

resource "terraform_data" "step_2" {
  count = var.steps >= 2 ? 1 : 0

  input            = local.input
  triggers_replace = var.revision

  provisioner "local-exec" {
    interpreter = [var.sleep_binary, "sleep"]
    command     = local.seconds[1]
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = [self.input.sleep_binary, "sleep"]
    command     = self.input.destroy_seconds
  }

  depends_on = [terraform_data.step_1]
}

resource "terraform_data" "step_3" {
  count = var.steps >= 3 ? 1 : 0

  input            = local.input
  triggers_replace = var.revision

  provisioner "local-exec" {
    interpreter = [var.sleep_binary, "sleep"]
    command     = local.seconds[2]
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = [self.input.sleep_binary, "sleep"]
    command     = self.input.destroy_seconds
  }

  depends_on = [terraform_data.step_2]
}

resource "terraform_data" "step_4" {
  count = var.steps >= 4 ? 1 : 0

  input            = local.input
  triggers_replace = var.revision

  provisioner "local-exec" {
    interpreter = [var.sleep_binary, "sleep"]
    command     = local.seconds[3]
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = [self.input.sleep_binary, "sleep"]
    command     = self.input.destroy_seconds
  }

  depends_on = [terraform_data.step_3]
}

resource "terraform_data" "step_5" {
  count = var.steps >= 5 ? 1 : 0

  input            = local.input
  triggers_replace = var.revision

  provisioner "local-exec" {
    interpreter = [var.sleep_binary, "sleep"]
    command     = local.seconds[4]
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = [self.input.sleep_binary, "sleep"]
    command     = self.input.destroy_seconds
  }

  depends_on = [terraform_data.step_4]
}
