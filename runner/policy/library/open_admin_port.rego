# No security group lets the whole world reach SSH or RDP, be it with all other ports.
package main

import data.groundwork.plan

# METADATA
# title: No admin port open to the world
# custom:
#   resource_types:
#   - aws_default_security_group
#   - aws_security_group
#   - aws_security_group_rule
#   - aws_vpc_security_group_ingress_rule
deny_open_admin_port contains {"msg": msg, "address": r.address} if {
	some r in plan.changed
	some rule in open_admin_port_ingress(r)
	some cidr in rule.cidrs
	endswith(cidr, "/0")
	some port in open_admin_port_reached(rule)
	msg := sprintf("%s can reach port %d (%s): name the networks that need it", [cidr, port.number, port.name])
}

open_admin_ports := [
	{"number": 22, "name": "SSH", "protocols": {"tcp", "6"}},
	{"number": 3389, "name": "RDP", "protocols": {"tcp", "6", "udp", "17"}},
]

# The ingress rules of a resource, each with its networks, protocol and ports.
open_admin_port_ingress(r) := [open_admin_port_rule(rule) | some rule in r.change.after.ingress] if {
	r.type in {"aws_security_group", "aws_default_security_group"}
}

open_admin_port_ingress(r) := [open_admin_port_rule(r.change.after)] if {
	r.type == "aws_security_group_rule"
	r.change.after.type == "ingress"
}

open_admin_port_ingress(r) := [rule] if {
	r.type == "aws_vpc_security_group_ingress_rule"
	after := r.change.after
	rule := {
		"cidrs": [cidr | some cidr in [object.get(after, "cidr_ipv4", null), object.get(after, "cidr_ipv6", null)]; is_string(cidr)],
		"protocol": after.ip_protocol,
		"from": object.get(after, "from_port", null),
		"to": object.get(after, "to_port", null),
	}
}

open_admin_port_rule(rule) := {
	"cidrs": [cidr | some list in ["cidr_blocks", "ipv6_cidr_blocks"]; some cidr in rule[list]],
	"protocol": rule.protocol,
	"from": object.get(rule, "from_port", null),
	"to": object.get(rule, "to_port", null),
}

# The admin ports that a rule opens: all, whatever its ports, when it is for all protocols.
open_admin_port_reached(rule) := open_admin_ports if lower(rule.protocol) in {"-1", "all"}

open_admin_port_reached(rule) := [port |
	some port in open_admin_ports
	lower(rule.protocol) in port.protocols
	is_number(rule.from)
	is_number(rule.to)
	rule.from <= port.number
	port.number <= rule.to
] if {
	not lower(rule.protocol) in {"-1", "all"}
}
