data "aws_vpc" "default" {
  count = var.vpc_id == null ? 1 : 0

  default = true
}

resource "aws_security_group" "this" {
  # AWS never changes a description in place: one that said more would cost a replacement to correct.
  description = "Managed by Groundwork"
  name        = var.name
  tags        = { Name = var.name }
  vpc_id      = var.vpc_id == null ? data.aws_vpc.default[0].id : var.vpc_id

  # The rules stand here, not in resources of their own, so that a rule added by hand is seen as drift and removed: those
  # resources look at nothing but themselves. As attributes, not blocks, so that an empty list means none, not "as it is".
  ingress = [
    for key, rule in var.ingress : {
      cidr_blocks      = [for cidr in rule.cidr_blocks : cidr if !strcontains(cidr, ":")]
      description      = coalesce(rule.description, key)
      from_port        = local.ports[key].from
      ipv6_cidr_blocks = [for cidr in rule.cidr_blocks : cidr if strcontains(cidr, ":")]
      prefix_list_ids  = []
      protocol         = rule.protocol == "all" ? "-1" : rule.protocol
      security_groups  = rule.source_security_group_ids
      self             = rule.self
      to_port          = local.ports[key].to
    }
  ]

  egress = var.allow_egress ? [{
    cidr_blocks      = ["0.0.0.0/0"]
    description      = "everywhere"
    from_port        = 0
    ipv6_cidr_blocks = ["::/0"]
    prefix_list_ids  = []
    protocol         = "-1"
    security_groups  = []
    self             = false
    to_port          = 0
  }] : []

  lifecycle {
    # What uses the group can move to the new one before the old one goes.
    create_before_destroy = true
  }
}

locals {
  # AWS stands for "every port" with 0 where all protocols are meant, and for "every type" with -1 where ICMP is.
  ports = {
    for key, rule in var.ingress : key => {
      from = rule.port != null ? rule.port : rule.protocol == "all" ? 0 : -1
      to   = rule.port != null ? coalesce(rule.to_port, rule.port) : rule.protocol == "all" ? 0 : -1
    }
  }
}
