variable "allow_egress" {
  description = "Whether members may open connections to anywhere, IPv4 and IPv6. Off, they may open none."
  type        = bool
  default     = true
  nullable    = false
}

variable "ingress" {
  description = "What may connect to the members. The key names the rule. `cidr_blocks` takes IPv4 and IPv6; `description` defaults to the key; `protocol` is all, icmp, icmpv6, tcp or udp; `port` belongs to tcp and udp alone; `self` stands for the members themselves; `to_port` makes a range."
  type = map(object({
    cidr_blocks               = optional(list(string), [])
    description               = optional(string)
    port                      = optional(number)
    protocol                  = optional(string, "tcp")
    self                      = optional(bool, false)
    source_security_group_ids = optional(list(string), [])
    to_port                   = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue(flatten([
      for rule in var.ingress : [for cidr in rule.cidr_blocks : try(cidrsubnet(cidr, 0, 0) == cidr, false)]
    ]))
    error_message = "ingress: cidr_blocks must hold networks such as 10.0.0.0/16 or 2001:db8::/32, with no address bits set beyond the prefix length."
  }

  validation {
    condition = alltrue([
      for key, rule in var.ingress : can(regex("^[a-zA-Z0-9 ._:/()#,@+=&;{}!$*\\[\\]-]{1,255}$", coalesce(rule.description, key)))
    ])
    error_message = "ingress: a description (without one, the key) must be 1 to 255 letters, digits, spaces and ._-:/()#,@[]+=&;{}!$* characters."
  }

  validation {
    condition = alltrue([
      for rule in var.ingress : contains(["all", "icmp", "icmpv6", "tcp", "udp"], rule.protocol)
    ])
    error_message = "ingress: protocol must be all, icmp, icmpv6, tcp or udp."
  }

  validation {
    condition = alltrue([
      for rule in var.ingress : contains(["tcp", "udp"], rule.protocol) == (rule.port != null)
    ])
    error_message = "ingress: a rule for tcp or udp needs a port; a rule for another protocol takes none."
  }

  validation {
    condition = alltrue(flatten([
      for rule in var.ingress : [
        for port in [rule.port, rule.to_port] : port == null ? true : port >= 0 && port <= 65535 && floor(port) == port
      ]
    ]))
    error_message = "ingress: port and to_port must be whole numbers from 0 to 65535."
  }

  validation {
    condition = alltrue([
      for rule in var.ingress : try(rule.port <= coalesce(rule.to_port, rule.port), rule.to_port == null)
    ])
    error_message = "ingress: to_port must not be below port, and there is no to_port without a port."
  }

  validation {
    condition = alltrue([
      for rule in var.ingress : rule.self || length(rule.cidr_blocks) + length(rule.source_security_group_ids) > 0
    ])
    error_message = "ingress: every rule needs cidr_blocks, source_security_group_ids or self; one without would admit nobody."
  }

  validation {
    condition = alltrue(flatten([
      for rule in var.ingress : [for id in rule.source_security_group_ids : can(regex("^sg-[0-9a-f]+$", id))]
    ]))
    error_message = "ingress: source_security_group_ids must hold ids such as sg-0123456789abcdef0."
  }
}

variable "name" {
  description = "Name of the security group, unique in its VPC. Another name is another group: a change makes the new one and deletes the old one, which fails for as long as something uses it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9._-]{0,254}$", var.name)) && !startswith(lower(var.name), "sg-")
    error_message = "name must be 1 to 255 letters, digits, dots, underscores and hyphens, begin with a letter or digit, and not with sg-."
  }
}

variable "vpc_id" {
  description = "Id of the VPC that the group belongs to. Null: the region's default VPC."
  type        = string
  default     = null

  validation {
    condition     = var.vpc_id == null || can(regex("^vpc-[0-9a-f]+$", var.vpc_id))
    error_message = "vpc_id must be an id such as vpc-0123456789abcdef0; leave it out to use the default VPC."
  }
}
