# A module with a provider mocks it: mock_provider "aws" {}
variables {
  name = "World"
}

run "greets" {
  assert {
    condition     = output.message == "Hello, World"
    error_message = "The greeting must be put together."
  }
}

run "refuses_a_name_that_is_none" {
  command = plan

  variables {
    name = "1"
  }

  expect_failures = [var.name]
}
