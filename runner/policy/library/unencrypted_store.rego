# What keeps data encrypts it at rest, and the module says so itself: the default of an
# account or of a provider is another one elsewhere. Stores that AWS always encrypts (S3,
# DynamoDB, MemoryDB, FSx, …) need no rule.
package main

import data.groundwork.plan

# METADATA
# title: No unencrypted store
# custom:
#   resource_types:
#   - aws_dax_cluster
#   - aws_db_instance
#   - aws_docdb_cluster
#   - aws_ebs_snapshot_copy
#   - aws_ebs_volume
#   - aws_efs_file_system
#   - aws_elasticache_replication_group
#   - aws_elasticsearch_domain
#   - aws_kinesis_stream
#   - aws_neptune_cluster
#   - aws_opensearch_domain
#   - aws_rds_cluster
#   - aws_rds_global_cluster
#   - aws_redshift_cluster
#   - aws_sqs_queue
deny_unencrypted_store contains {"msg": msg, "address": r.address} if {
	some r in plan.changed
	some msg in unencrypted_store_faults[r.address]
}

unencrypted_store_faults[r.address] contains msg if {
	some r in plan.changed
	flag := unencrypted_store_flags[r.type]
	not unencrypted_store_true(object.get(r.change.after, flag, null))
	not unencrypted_store_replica(r)
	msg := sprintf("data at rest is not known to be encrypted: set %s = true", [flag])
}

unencrypted_store_faults[r.address] contains msg if {
	some r in plan.changed
	block := unencrypted_store_blocks[r.type]
	not r.change.after[block][0].enabled == true
	msg := sprintf("data at rest is not known to be encrypted: add %s { enabled = true }", [block])
}

unencrypted_store_faults[r.address] contains msg if {
	some r in plan.changed
	r.type == "aws_kinesis_stream"
	not r.change.after.encryption_type == "KMS"
	msg := `records are not encrypted: set encryption_type = "KMS" and kms_key_id`
}

unencrypted_store_faults[r.address] contains msg if {
	some r in plan.changed
	r.type == "aws_sqs_queue"
	r.change.after.sqs_managed_sse_enabled == false
	msg := "messages are not encrypted: leave sqs_managed_sse_enabled out, or set kms_master_key_id instead"
}

unencrypted_store_flags := {
	"aws_db_instance": "storage_encrypted",
	"aws_docdb_cluster": "storage_encrypted",
	"aws_ebs_snapshot_copy": "encrypted",
	"aws_ebs_volume": "encrypted",
	"aws_efs_file_system": "encrypted",
	"aws_elasticache_replication_group": "at_rest_encryption_enabled",
	"aws_neptune_cluster": "storage_encrypted",
	"aws_rds_cluster": "storage_encrypted",
	"aws_rds_global_cluster": "storage_encrypted",
	"aws_redshift_cluster": "encrypted",
}

unencrypted_store_blocks := {
	"aws_dax_cluster": "server_side_encryption",
	"aws_elasticsearch_domain": "encrypt_at_rest",
	"aws_opensearch_domain": "encrypt_at_rest",
}

# Some of the provider's booleans are strings.
unencrypted_store_true(value) if value in {true, "true"}

# A replica is as its source is, whatever it says itself.
unencrypted_store_replica(r) if {
	r.type == "aws_db_instance"
	not plan.unset(r, "replicate_source_db")
}

# METADATA
# title: Messages are encrypted while a topic keeps them
# custom:
#   resource_types: [aws_sns_topic]
warn_unencrypted_store contains {"msg": msg, "address": r.address} if {
	some r in plan.changed
	r.type == "aws_sns_topic"
	plan.unset(r, "kms_master_key_id")
	msg := "messages are not encrypted while the topic keeps them: set kms_master_key_id"
}
