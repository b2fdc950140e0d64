variable "name" {
  description = "Name of the role, unique in the account. Another name is another role: a change makes the new one and deletes the old one."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits and +=,.@_- characters."
  }
}

variable "namespace" {
  description = "Namespace of the ServiceAccount."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace must be the name of one namespace: 1 to 63 lowercase letters, digits and hyphens, with a letter or digit at both ends."
  }
}

variable "oidc_provider_arn" {
  description = "ARN of the identity provider in IAM that stands for the cluster's OIDC issuer."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:iam::[0-9]{12}:oidc-provider/[^*?:]+$", var.oidc_provider_arn))
    error_message = "oidc_provider_arn must be the ARN of an identity provider, such as arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF; the issuer's URL is not enough."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the policy that the role's rights never go beyond, whatever else it is given. Null: none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:[^:]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be the ARN of a managed policy, such as arn:aws:iam::111122223333:policy/app-boundary."
  }
}

variable "policy_arns" {
  description = "ARNs of the managed policies that the role has, those of AWS or the account's own."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.policy_arns : can(regex("^arn:[^:]+:iam::([0-9]{12}|aws):policy/.+$", arn))])
    error_message = "policy_arns must hold ARNs of managed policies, such as arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess."
  }
}

variable "service_account" {
  description = "Name of the ServiceAccount whose pods may take the role. It need not be there yet."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$", var.service_account))
    error_message = "service_account must be the name of one ServiceAccount: 1 to 253 lowercase letters, digits, hyphens and dots, with a letter or digit at both ends."
  }
}

variable "statements" {
  description = "What the role may do besides `policy_arns`, as statements of an IAM policy of its own. `actions` and `resources` take wildcards; `conditions` are as in IAM, by operator and key, with a list of values; `effect` is Allow or Deny."
  type = list(object({
    actions    = list(string)
    conditions = optional(map(map(list(string))), {})
    effect     = optional(string, "Allow")
    resources  = list(string)
  }))
  default  = []
  nullable = false

  validation {
    condition = alltrue([
      for statement in var.statements : length(statement.actions) > 0 && alltrue([
        for action in statement.actions : can(regex("^[a-z0-9-]+:[A-Za-z0-9*?]+$", action))
      ])
    ])
    error_message = "statements: actions must hold at least one action of a service, such as s3:GetObject or s3:Get*; a bare * is refused."
  }

  validation {
    condition     = alltrue([for statement in var.statements : contains(["Allow", "Deny"], statement.effect)])
    error_message = "statements: effect must be Allow or Deny."
  }

  validation {
    condition = alltrue([
      for statement in var.statements : length(statement.resources) > 0 && alltrue([
        for resource in statement.resources : resource == "*" || can(regex("^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+$", resource))
      ])
    ])
    error_message = "statements: resources must hold at least one ARN, such as arn:aws:s3:::shop-uploads/*, or * where the action knows no resource."
  }
}
