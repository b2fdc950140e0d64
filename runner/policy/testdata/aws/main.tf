# What the default set has to tell apart: resources whose names start with bad_ are denied,
# those that start with warned_ are warned of, and the others are good. plan.json is the plan
# of it; README.md says how it is made.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

module "child" {
  source   = "./child"
  for_each = toset(["a.b"])
}

# Public buckets.

resource "aws_s3_bucket" "good" {
  bucket = "good"
}

resource "aws_s3_bucket" "bad_acl" {
  bucket = "bad"
  acl    = "public-read"
}

resource "aws_s3_bucket" "bad_grant" {
  bucket = "bad"

  grant {
    permissions = ["READ"]
    type        = "Group"
    uri         = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
  }
}

resource "aws_s3_bucket_acl" "good" {
  bucket = "good"
  acl    = "private"
}

resource "aws_s3_bucket_acl" "bad_canned" {
  bucket = "bad"
  acl    = "public-read-write"
}

resource "aws_s3_bucket_acl" "bad_grant" {
  bucket = "bad"

  access_control_policy {
    grant {
      permission = "READ"
      grantee {
        type = "Group"
        uri  = "http://acs.amazonaws.com/groups/global/AllUsers"
      }
    }
    owner {
      id = "owner"
    }
  }
}

resource "aws_s3_bucket_acl" "good_grant" {
  bucket = "good"

  access_control_policy {
    grant {
      permission = "WRITE"
      grantee {
        type = "Group"
        uri  = "http://acs.amazonaws.com/groups/s3/LogDelivery"
      }
    }
    owner {
      id = "owner"
    }
  }
}

resource "aws_s3_bucket_policy" "good" {
  bucket = "good"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Deny", Principal = "*", Action = "s3:*", Resource = "*" },
      { Effect = "Allow", Principal = { AWS = "arn:aws:iam::111122223333:root" }, Action = "s3:*", Resource = "*" },
      { Effect = "Allow", Principal = "*", Action = "s3:*", Resource = "*", Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-1" } } },
    ]
  })
}

resource "aws_s3_bucket_policy" "bad_star" {
  bucket = "bad"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = { Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "*" }
  })
}

resource "aws_s3_bucket_policy" "bad_not" {
  bucket = "bad"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", NotPrincipal = { AWS = "arn:aws:iam::111122223333:root" }, Action = "s3:GetObject", Resource = "*" }]
  })
}

resource "aws_s3_bucket_policy" "bad_aws" {
  bucket = "bad"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = ["arn:aws:iam::111122223333:root", "*"] }, Action = "s3:GetObject", Resource = "*" }]
  })
}

# Not known before the apply: the bucket's ARN is in it. This module has a block.
resource "aws_s3_bucket_policy" "good_unknown" {
  bucket = aws_s3_bucket.good.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = aws_s3_bucket.good.arn }]
  })
}

resource "aws_s3_bucket_public_access_block" "good" {
  bucket                  = "good"
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_public_access_block" "bad_unset" {
  bucket              = "bad"
  block_public_acls   = true
  block_public_policy = true
}

resource "aws_s3_account_public_access_block" "bad_false" {
  block_public_acls       = true
  block_public_policy     = false
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Stores that are not encrypted.

resource "aws_db_instance" "good" {
  instance_class    = "db.t4g.micro"
  engine            = "postgres"
  allocated_storage = 20
  username          = "root"
  password          = "not-a-secret"
  storage_encrypted = true
}

resource "aws_db_instance" "bad_unset" {
  instance_class    = "db.t4g.micro"
  engine            = "postgres"
  allocated_storage = 20
  username          = "root"
  password          = "not-a-secret"
}

# A replica is as its source is.
resource "aws_db_instance" "good_replica" {
  instance_class      = "db.t4g.micro"
  replicate_source_db = "source"
}

resource "aws_db_instance" "good_new_replica" {
  instance_class      = "db.t4g.micro"
  replicate_source_db = aws_db_instance.good.identifier
}

resource "aws_rds_cluster" "good" {
  engine            = "aurora-postgresql"
  storage_encrypted = true
}

resource "aws_rds_cluster" "bad_unset" {
  engine = "aurora-postgresql"
}

resource "aws_rds_global_cluster" "bad_false" {
  global_cluster_identifier = "bad"
  engine                    = "aurora-postgresql"
  storage_encrypted         = false
}

resource "aws_docdb_cluster" "bad_unset" {
  master_username = "root"
  master_password = "not-a-secret"
}

resource "aws_neptune_cluster" "bad_unset" {}

resource "aws_redshift_cluster" "bad_unset" {
  cluster_identifier = "bad"
  node_type          = "ra3.large"
}

resource "aws_redshift_cluster" "good" {
  cluster_identifier = "good"
  node_type          = "ra3.large"
  encrypted          = true
}

resource "aws_efs_file_system" "good" {
  encrypted = true
}

resource "aws_efs_file_system" "bad_unset" {}

resource "aws_ebs_volume" "good" {
  availability_zone = "eu-central-1a"
  size              = 1
  encrypted         = true
}

resource "aws_ebs_snapshot_copy" "bad_false" {
  source_region      = "eu-central-1"
  source_snapshot_id = "snap-0123456789abcdef0"
  encrypted          = false
}

resource "aws_ebs_volume" "bad_unset" {
  availability_zone = "eu-central-1a"
  size              = 1
}

resource "aws_opensearch_domain" "good" {
  domain_name = "good"
  encrypt_at_rest {
    enabled = true
  }
}

resource "aws_opensearch_domain" "bad_unset" {
  domain_name = "bad"
}

resource "aws_elasticsearch_domain" "bad_false" {
  domain_name = "bad"
  encrypt_at_rest {
    enabled = false
  }
}

resource "aws_elasticache_replication_group" "good" {
  replication_group_id       = "good"
  description                = "good"
  node_type                  = "cache.t4g.micro"
  at_rest_encryption_enabled = true
}

resource "aws_elasticache_replication_group" "bad_unset" {
  replication_group_id = "bad"
  description          = "bad"
  node_type            = "cache.t4g.micro"
}

resource "aws_dax_cluster" "bad_unset" {
  cluster_name       = "bad"
  iam_role_arn       = "arn:aws:iam::111122223333:role/dax"
  node_type          = "dax.t3.small"
  replication_factor = 1
}

resource "aws_kinesis_stream" "good" {
  name            = "good"
  encryption_type = "KMS"
  kms_key_id      = "alias/aws/kinesis"
  shard_count     = 1
}

resource "aws_kinesis_stream" "bad_unset" {
  name        = "bad"
  shard_count = 1
}

resource "aws_sqs_queue" "good_unset" {
  name = "good"
}

resource "aws_sqs_queue" "good_key" {
  name              = "good-key"
  kms_master_key_id = aws_kms_key.good.arn
}

resource "aws_sqs_queue" "bad_false" {
  name                    = "bad"
  sqs_managed_sse_enabled = false
}

resource "aws_sns_topic" "good" {
  name              = "good"
  kms_master_key_id = aws_kms_key.good.arn
}

resource "aws_sns_topic" "warned_unset" {
  name = "warned"
}

resource "aws_kms_key" "good" {}

resource "aws_dynamodb_table" "good" {
  name         = "good"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "k"
  attribute {
    name = "k"
    type = "S"
  }
}

# Admin ports.

resource "aws_security_group" "good" {
  name = "good"
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
  ingress {
    from_port = 0
    to_port   = 0
    protocol  = "-1"
    self      = true
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "good_without_rules" {
  name = "good"
}

resource "aws_security_group" "bad_ssh" {
  name = "bad"
  ingress {
    from_port        = 22
    to_port          = 22
    protocol         = "tcp"
    ipv6_cidr_blocks = ["::/0"]
  }
}

resource "aws_default_security_group" "bad_all" {
  ingress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["10.0.0.0/8", "0.0.0.0/0"]
  }
}

resource "aws_security_group_rule" "good" {
  type              = "egress"
  security_group_id = aws_security_group.good.id
  from_port         = 22
  to_port           = 22
  protocol          = "tcp"
  cidr_blocks       = ["0.0.0.0/0"]
}

resource "aws_security_group_rule" "bad_range" {
  type              = "ingress"
  security_group_id = aws_security_group.good.id
  from_port         = 3000
  to_port           = 4000
  protocol          = "tcp"
  cidr_blocks       = ["0.0.0.0/0"]
}

resource "aws_security_group_rule" "good_udp" {
  type              = "ingress"
  security_group_id = aws_security_group.good.id
  from_port         = 22
  to_port           = 22
  protocol          = "udp"
  cidr_blocks       = ["0.0.0.0/0"]
}

resource "aws_vpc_security_group_ingress_rule" "good" {
  security_group_id = aws_security_group.good.id
  ip_protocol       = "tcp"
  from_port         = 23
  to_port           = 3388
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "bad_rdp" {
  security_group_id = aws_security_group.good.id
  ip_protocol       = "udp"
  from_port         = 3389
  to_port           = 3389
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "bad_all" {
  security_group_id = aws_security_group.good.id
  ip_protocol       = "-1"
  cidr_ipv6         = "::/0"
}
