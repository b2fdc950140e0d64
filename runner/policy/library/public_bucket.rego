# No S3 bucket is open to the world: by an ACL, by a policy, or because public access is not
# blocked where a plan has a block for it.
package main

import data.groundwork.plan

# METADATA
# title: No public bucket
# custom:
#   resource_types:
#   - aws_s3_account_public_access_block
#   - aws_s3_bucket
#   - aws_s3_bucket_acl
#   - aws_s3_bucket_policy
#   - aws_s3_bucket_public_access_block
deny_public_bucket contains {"msg": msg, "address": r.address} if {
	some r in plan.changed
	some msg in public_bucket_faults[r.address]
}

public_bucket_faults[r.address] contains msg if {
	some r in plan.changed
	r.type in {"aws_s3_bucket", "aws_s3_bucket_acl"}
	r.change.after.acl in {"public-read", "public-read-write", "authenticated-read"}
	msg := sprintf("the ACL %s opens the bucket to everybody: use private, and grant what is needed with a bucket policy", [r.change.after.acl])
}

public_bucket_faults[r.address] contains msg if {
	some r in plan.changed
	some uri in public_bucket_grantees(r)
	some group in ["AllUsers", "AuthenticatedUsers"]
	endswith(uri, concat("/", ["/groups/global", group]))
	msg := sprintf("a grant to the group %s opens the bucket to everybody: grant what is needed with a bucket policy", [group])
}

public_bucket_faults[r.address] contains msg if {
	some r in plan.changed
	r.type in {"aws_s3_bucket", "aws_s3_bucket_policy"}
	some statement in public_bucket_statements(json.unmarshal(r.change.after.policy))
	public_bucket_allows_everybody(statement)
	msg := "the policy allows every principal without a condition: name principals, or add a condition"
}

public_bucket_faults[r.address] contains msg if {
	some r in plan.changed
	r.type in {"aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"}
	open := [flag |
		some flag in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]
		not r.change.after[flag] == true
	]
	count(open) > 0
	msg := sprintf("public access is not blocked: set %s to true", [concat(", ", open)])
}

public_bucket_grantees(r) := {uri | uri := r.change.after.access_control_policy[_].grant[_].grantee[_].uri} if {
	r.type == "aws_s3_bucket_acl"
}

public_bucket_grantees(r) := {uri | uri := r.change.after.grant[_].uri} if r.type == "aws_s3_bucket"

# A policy may have one statement in place of a list.
public_bucket_statements(policy) := policy.Statement if is_array(policy.Statement)

public_bucket_statements(policy) := [policy.Statement] if is_object(policy.Statement)

public_bucket_allows_everybody(statement) if {
	statement.Effect == "Allow"
	not statement.Condition
	public_bucket_everybody(statement)
}

public_bucket_everybody(statement) if statement.Principal == "*"

public_bucket_everybody(statement) if statement.Principal.AWS == "*"

public_bucket_everybody(statement) if "*" in statement.Principal.AWS

# Everybody but some.
public_bucket_everybody(statement) if statement.NotPrincipal

# METADATA
# title: A bucket's policy can be judged
# custom:
#   resource_types: [aws_s3_bucket_policy]
warn_public_bucket contains {"msg": msg, "address": r.address} if {
	some r in plan.changed
	r.type == "aws_s3_bucket_policy"
	plan.unknown(r, "policy")
	not public_bucket_blocked(r)
	msg := "the policy is not known before the apply, so it is not judged: add an aws_s3_bucket_public_access_block"
}

# A block in the same module is taken to be the bucket's: whose it is, is seldom known before
# the apply.
public_bucket_blocked(r) if {
	some other in input.resource_changes
	other.type == "aws_s3_bucket_public_access_block"
	object.get(other, "module_address", "") == object.get(r, "module_address", "")
	other.change.after.block_public_policy == true
}
