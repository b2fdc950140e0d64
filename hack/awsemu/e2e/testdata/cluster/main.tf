variable "retention" {
  type    = number
  default = 7
}

resource "aws_security_group" "this" {
  name = "stock"
}

resource "aws_rds_cluster_parameter_group" "this" {
  name   = "stock"
  family = "aurora-postgresql17"

  parameter {
    name         = "rds.force_ssl"
    value        = "1"
    apply_method = "pending-reboot"
  }
}

resource "aws_rds_cluster" "this" {
  cluster_identifier              = "stock"
  engine                          = "aurora-postgresql"
  engine_version                  = "17"
  database_name                   = "stock"
  master_username                 = "stock"
  master_password                 = "correct-horse-battery"
  storage_encrypted               = true
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this.name
  vpc_security_group_ids          = [aws_security_group.this.id]
  backup_retention_period         = var.retention
  copy_tags_to_snapshot           = true
  final_snapshot_identifier       = "stock-final"
  apply_immediately               = true

  serverlessv2_scaling_configuration {
    min_capacity = 0.5
    max_capacity = 4
  }
}

resource "aws_rds_cluster_instance" "this" {
  count = 2

  cluster_identifier         = aws_rds_cluster.this.id
  identifier                 = "stock-${count.index + 1}"
  engine                     = aws_rds_cluster.this.engine
  instance_class             = "db.serverless"
  auto_minor_version_upgrade = true
  apply_immediately          = true
}

output "uri" {
  value     = "postgres://stock:correct-horse-battery@${aws_rds_cluster.this.endpoint}:${aws_rds_cluster.this.port}/stock?sslmode=require"
  sensitive = true

  depends_on = [aws_rds_cluster_instance.this]
}
