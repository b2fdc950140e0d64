# What fails while it applies or destroys cannot be expected to in `terraform test`, which has to clean up after itself.

variables {
  mode         = "none"
  sleep_binary = "env"
}

run "makes_every_step" {
  assert {
    condition     = output.mode == "none"
    error_message = "The last step must be made."
  }
}

run "fails_at_plan" {
  command = plan

  variables {
    mode = "plan"
  }

  expect_failures = [terraform_data.step_2]
}

run "does_not_fail_at_plan_what_is_to_fail_at_apply" {
  command = plan

  variables {
    mode = "apply"
  }

  assert {
    condition     = terraform_data.step_2.input.mode == "apply"
    error_message = "The plan must change the step, so that the apply comes to it."
  }
}

run "fails_to_destroy_one_step" {
  command = plan

  variables {
    mode = "destroy"
    step = 3
  }

  assert {
    condition = (
      !terraform_data.step_1.input.fails_destroy &&
      !terraform_data.step_2.input.fails_destroy &&
      terraform_data.step_3.input.fails_destroy
    )
    error_message = "The step asked for must fail to be destroyed, and no other."
  }
}

run "refuses_an_unknown_mode" {
  command = plan

  variables {
    mode = "sometimes"
  }

  expect_failures = [var.mode]
}

run "refuses_a_step_that_there_is_not" {
  command = plan

  variables {
    step = 4
  }

  expect_failures = [var.step]
}
