# What the policies beside this one, and yours if you like, ask of a plan.
package groundwork.plan

# changed are the resources, in whatever module, that the plan creates, updates or
# replaces. What goes, or stays as it is, is not among them.
# Source: https://developer.hashicorp.com/terraform/internals/json-format#change-representation
changed contains r if {
	some r in input.resource_changes
	some action in r.change.actions
	action in {"create", "update"}
}

# unknown holds for an attribute whose value is not known before the apply.
unknown(r, attribute) if r.change.after_unknown[attribute] == true

# unset holds for an attribute that has no value, and will not get one.
unset(r, attribute) if {
	not unknown(r, attribute)
	object.get(r.change.after, attribute, null) in {null, ""}
}
