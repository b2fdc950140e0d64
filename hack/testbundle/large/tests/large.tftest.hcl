run "has_the_size_asked_for" {
  variables {
    size_mib = 1
  }

  assert {
    # 64 bytes of each 88 are entropy, and the state holds everything twice.
    condition     = output.bytes * 2 * 64 / 88 >= 1024 * 1024
    error_message = "The state must not fit into 1 MiB, however well it is compressed."
  }

  assert {
    condition     = length(distinct(local.blocks)) == length(local.blocks)
    error_message = "No block may repeat another."
  }
}

run "changes_with_the_seed" {
  variables {
    seed     = "2"
    size_mib = 1
  }

  assert {
    condition     = output.bytes == run.has_the_size_asked_for.bytes && output.checksum != run.has_the_size_asked_for.checksum
    error_message = "Another seed must make other content of the same size."
  }
}

run "refuses_a_size_that_would_take_too_long" {
  command = plan

  variables {
    size_mib = 9
  }

  expect_failures = [var.size_mib]
}
