locals {
  # How IAM calls the cluster's OIDC issuer: its URL without https://.
  issuer = try(split(":oidc-provider/", var.oidc_provider_arn)[1], "")
}

resource "aws_iam_role" "this" {
  description = "ServiceAccount ${var.namespace}/${var.service_account}"
  name        = var.name

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AllowServiceAccount"
      Effect    = "Allow"
      Principal = { Federated = var.oidc_provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        # Both, and as they stand, without wildcards: any token of the cluster would do otherwise, or one made for somebody else.
        StringEquals = {
          "${local.issuer}:aud" = "sts.amazonaws.com"
          "${local.issuer}:sub" = "system:serviceaccount:${var.namespace}:${var.service_account}"
        }
      }
    }]
  })

  permissions_boundary = var.permissions_boundary_arn

  # What was attached by hand since the last apply would keep the role from being deleted.
  force_detach_policies = true
}

resource "aws_iam_role_policy" "this" {
  count = length(var.statements) == 0 ? 0 : 1

  name = aws_iam_role.this.name
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in var.statements : merge(
        {
          Effect   = statement.effect
          Action   = statement.actions
          Resource = statement.resources
        },
        length(statement.conditions) == 0 ? {} : { Condition = statement.conditions },
      )
    ]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = toset(var.policy_arns)

  policy_arn = each.value
  role       = aws_iam_role.this.name
}

# The resources above look at nothing but themselves. These two find what was added by hand, and remove it.

resource "aws_iam_role_policies_exclusive" "this" {
  policy_names = aws_iam_role_policy.this[*].name
  role_name    = aws_iam_role.this.name
}

resource "aws_iam_role_policy_attachments_exclusive" "this" {
  policy_arns = [for attachment in aws_iam_role_policy_attachment.this : attachment.policy_arn]
  role_name   = aws_iam_role.this.name
}
