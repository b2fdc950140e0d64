mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::111122223333:role/shop-uploader"
    }
  }
}

variables {
  name              = "shop-uploader"
  namespace         = "shop"
  oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
  service_account   = "uploader"
}

run "is_for_one_service_account_and_may_nothing_by_default" {
  # Applied to the mock, because the role's ARN is known after that.
  command = apply

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{
      Sid       = "AllowServiceAccount"
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF:aud" = "sts.amazonaws.com"
          "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF:sub" = "system:serviceaccount:shop:uploader"
        }
      }
    }]
    error_message = "The ServiceAccount, with a token for STS, and nobody else may take the role."
  }

  assert {
    condition     = length(aws_iam_role_policy.this) + length(aws_iam_role_policy_attachment.this) == 0
    error_message = "The role must have no rights."
  }

  assert {
    condition = (
      length(aws_iam_role_policies_exclusive.this.policy_names) == 0 &&
      length(aws_iam_role_policy_attachments_exclusive.this.policy_arns) == 0 &&
      aws_iam_role_policies_exclusive.this.role_name == "shop-uploader" &&
      aws_iam_role_policy_attachments_exclusive.this.role_name == "shop-uploader"
    )
    error_message = "Rights given by hand must be removed."
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == null && aws_iam_role.this.force_detach_policies
    error_message = "The role must have no boundary, and be deleted with whatever is attached to it."
  }

  assert {
    condition     = output.name == "shop-uploader" && output.role_arn == "arn:aws:iam::111122223333:role/shop-uploader"
    error_message = "The outputs must name the role."
  }
}

run "follows_the_variables" {
  command = apply

  variables {
    permissions_boundary_arn = "arn:aws:iam::111122223333:policy/app-boundary"
    policy_arns              = ["arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"]
    statements = [
      { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::shop-uploads/*"] },
      {
        actions    = ["s3:*"]
        conditions = { StringNotEquals = { "aws:RequestedRegion" = ["eu-central-1"] } }
        effect     = "Deny"
        resources  = ["*"]
      },
    ]
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.this[0].policy).Statement == [
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = ["arn:aws:s3:::shop-uploads/*"] },
      {
        Effect    = "Deny"
        Action    = ["s3:*"]
        Resource  = ["*"]
        Condition = { StringNotEquals = { "aws:RequestedRegion" = ["eu-central-1"] } }
      },
    ]
    error_message = "The statements must be the role's policy."
  }

  assert {
    condition     = aws_iam_role_policy.this[0].role == "shop-uploader" && aws_iam_role_policies_exclusive.this.policy_names == toset([aws_iam_role_policy.this[0].name])
    error_message = "That policy must be the role's, and its only one."
  }

  assert {
    condition = (
      aws_iam_role_policy_attachment.this["arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"].role == "shop-uploader" &&
      aws_iam_role_policy_attachments_exclusive.this.policy_arns == toset(["arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"])
    )
    error_message = "The managed policies must be attached, and no others."
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == "arn:aws:iam::111122223333:policy/app-boundary"
    error_message = "The role must have the boundary."
  }
}

run "refuses_a_name_with_a_slash" {
  command = plan

  variables {
    name = "shop/uploader"
  }

  expect_failures = [var.name]
}

run "refuses_a_namespace_with_a_wildcard" {
  command = plan

  variables {
    namespace = "shop-*"
  }

  expect_failures = [var.namespace]
}

run "refuses_an_issuer_for_an_identity_provider" {
  command = plan

  variables {
    oidc_provider_arn = "https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
  }

  expect_failures = [var.oidc_provider_arn]
}

run "refuses_a_role_for_a_boundary" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::111122223333:role/app"
  }

  expect_failures = [var.permissions_boundary_arn]
}

run "refuses_a_policy_name_for_a_policy_arn" {
  command = plan

  variables {
    policy_arns = ["AmazonSQSReadOnlyAccess"]
  }

  expect_failures = [var.policy_arns]
}

run "refuses_a_service_account_with_its_namespace" {
  command = plan

  variables {
    service_account = "shop:uploader"
  }

  expect_failures = [var.service_account]
}

run "refuses_every_action_of_every_service" {
  command = plan

  variables {
    statements = [{ actions = ["*"], resources = ["*"] }]
  }

  expect_failures = [var.statements]
}

run "refuses_an_unknown_effect" {
  command = plan

  variables {
    statements = [{ actions = ["s3:GetObject"], effect = "Permit", resources = ["*"] }]
  }

  expect_failures = [var.statements]
}

run "refuses_a_bucket_name_for_an_arn" {
  command = plan

  variables {
    statements = [{ actions = ["s3:GetObject"], resources = ["shop-uploads"] }]
  }

  expect_failures = [var.statements]
}
