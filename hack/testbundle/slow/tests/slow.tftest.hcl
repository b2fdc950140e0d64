variables {
  sleep_binary = "env"
}

run "makes_the_steps_one_after_the_other" {
  variables {
    seconds = 2
    steps   = 3
  }

  assert {
    condition     = length(output.steps) == 3
    error_message = "There must be as many steps as asked for."
  }

  assert {
    condition     = jsonencode(local.seconds) == "[0,1,1]"
    error_message = "The steps together must take the seconds asked for."
  }
}

run "takes_the_time_again_for_another_revision" {
  variables {
    revision = "2"
    seconds  = 0
  }

  assert {
    condition     = length(setintersection(output.steps, run.makes_the_steps_one_after_the_other.steps)) == 0
    error_message = "Every step must be replaced."
  }
}

run "refuses_to_take_less_than_no_time" {
  command = plan

  variables {
    seconds = -1
  }

  expect_failures = [var.seconds]
}

run "refuses_to_destroy_in_half_a_second" {
  command = plan

  variables {
    destroy_seconds = 0.5
  }

  expect_failures = [var.destroy_seconds]
}

run "refuses_more_steps_than_there_are" {
  command = plan

  variables {
    steps = 6
  }

  expect_failures = [var.steps]
}
