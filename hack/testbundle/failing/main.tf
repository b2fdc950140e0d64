locals {
  # A destroy-time provisioner sees nothing but its own resource. With the mode in it, a change of the mode updates every
  # step, so that a failure can be put right, and a module that was applied can be made to fail.
  input = {
    mode         = var.mode
    sleep_binary = var.sleep_binary
  }

  # What a careless provider does: its error tells a secret, and Terraform does not know of it.
  told = nonsensitive(var.secret == "" ? "" : " The secret is ${var.secret}.")
}

# Three steps, one after the other. A plan does not know timestamp() yet, so it leaves a condition on it to the apply.

resource "terraform_data" "step_1" {
  input = merge(local.input, { fails_destroy = var.mode == "destroy" && var.step == 1 })

  provisioner "local-exec" {
    when        = destroy
    interpreter = [self.input.fails_destroy ? "/no/such/binary" : self.input.sleep_binary, "sleep"]
    command     = 0
  }

  lifecycle {
    precondition {
      condition     = !(var.mode == "plan" && var.step == 1)
      error_message = "The plan of step 1 fails because the variable mode says so."
    }

    precondition {
      condition     = !(var.mode == "apply" && var.step == 1) || timestamp() == ""
      error_message = "The apply of step 1 fails because the variable mode says so.${local.told}"
    }
  }
}

resource "terraform_data" "step_2" {
  input = merge(local.input, { fails_destroy = var.mode == "destroy" && var.step == 2 })

  provisioner "local-exec" {
    when        = destroy
    interpreter = [self.input.fails_destroy ? "/no/such/binary" : self.input.sleep_binary, "sleep"]
    command     = 0
  }

  lifecycle {
    precondition {
      condition     = !(var.mode == "plan" && var.step == 2)
      error_message = "The plan of step 2 fails because the variable mode says so."
    }

    precondition {
      condition     = !(var.mode == "apply" && var.step == 2) || timestamp() == ""
      error_message = "The apply of step 2 fails because the variable mode says so.${local.told}"
    }
  }

  depends_on = [terraform_data.step_1]
}

resource "terraform_data" "step_3" {
  input = merge(local.input, { fails_destroy = var.mode == "destroy" && var.step == 3 })

  provisioner "local-exec" {
    when        = destroy
    interpreter = [self.input.fails_destroy ? "/no/such/binary" : self.input.sleep_binary, "sleep"]
    command     = 0
  }

  lifecycle {
    precondition {
      condition     = !(var.mode == "plan" && var.step == 3)
      error_message = "The plan of step 3 fails because the variable mode says so."
    }

    precondition {
      condition     = !(var.mode == "apply" && var.step == 3) || timestamp() == ""
      error_message = "The apply of step 3 fails because the variable mode says so.${local.told}"
    }
  }

  depends_on = [terraform_data.step_2]
}
