run "outputs_keep_their_values" {
  assert {
    condition = (
      output.number_integer == 1000000 &&
      output.number_twenty_digits == 12345678901234567890 &&
      output.number_twenty_one_digits == 100000000000000000000 &&
      jsonencode(output.number_twenty_one_digits) == "100000000000000000000"
    )
    error_message = "Numbers must keep every digit."
  }

  assert {
    condition     = output.message == "hello" && output.sensitive_string == var.secret
    error_message = "Outputs must follow their variables."
  }

  assert {
    condition = jsonencode(output.echo.object_value) == jsonencode({
      name     = "default"
      replicas = 1
      tls      = { enabled = true, hosts = [] }
    })
    error_message = "Optional attributes must have their defaults."
  }
}

run "follows_the_variables" {
  variables {
    any_value      = { a = [1, "b", null] }
    bool_value     = false
    list_value     = ["b", "a"]
    map_value      = { a = 1.5 }
    message        = "goodbye"
    nested_value   = [{ name = "web" }, { name = "api", ports = [8080, 8081], labels = { tier = "back" } }]
    nullable_value = "something"
    number_value   = 100000000000000000000
    object_value   = { name = "orders", tls = { hosts = ["orders.example.com"] } }
    secret         = "another secret"
    secret_object  = { token = "another token", ttl = 60 }
    set_value      = ["b", "a", "b"]
    tuple_value    = ["uno", 2, false]
  }

  assert {
    condition     = output.message == "goodbye"
    error_message = "The message must change."
  }

  assert {
    condition = output.echo == {
      any_value      = { a = [1, "b", null] }
      bool_value     = false
      list_value     = tolist(["b", "a"])
      map_value      = tomap({ a = 1.5 })
      message        = "goodbye"
      nullable_value = "something"
      number_value   = 100000000000000000000
      object_value   = { name = "orders", replicas = 1, tls = { enabled = true, hosts = tolist(["orders.example.com"]) } }
      set_value      = toset(["a", "b"])
      tuple_value    = ["uno", 2, false]
      nested_value = tolist([
        { name = "web", ports = toset([80]), labels = tomap(null) },
        { name = "api", ports = toset([8080, 8081]), labels = tomap({ tier = "back" }) },
      ])
    }
    error_message = "Every variable must be echoed, with optional attributes filled in."
  }

  assert {
    condition     = output.sensitive_string == "another secret" && output.sensitive_object == { token = "another token", ttl = 60 }
    error_message = "Sensitive variables must reach the sensitive outputs."
  }
}

run "refuses_an_empty_message" {
  command = plan

  variables {
    message = ""
  }

  expect_failures = [var.message]
}
