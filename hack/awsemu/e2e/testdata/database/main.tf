variable "port" {
  type = number
}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

data "aws_secretsmanager_random_password" "this" {
  exclude_punctuation = true
}

resource "terraform_data" "password" {
  input = data.aws_secretsmanager_random_password.this.random_password

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_db_subnet_group" "this" {
  name       = "orders"
  subnet_ids = data.aws_subnets.default.ids
}

resource "aws_security_group" "this" {
  name   = "orders"
  vpc_id = data.aws_vpc.default.id
}

resource "aws_db_instance" "this" {
  identifier                = "orders"
  engine                    = "postgres"
  engine_version            = "16"
  instance_class            = "db.t4g.micro"
  allocated_storage         = 20
  max_allocated_storage     = 100
  storage_type              = "gp3"
  storage_encrypted         = true
  db_name                   = "orders"
  username                  = "app"
  password                  = terraform_data.password.output
  port                      = var.port
  db_subnet_group_name      = aws_db_subnet_group.this.name
  vpc_security_group_ids    = [aws_security_group.this.id]
  backup_retention_period   = 7
  copy_tags_to_snapshot     = true
  final_snapshot_identifier = "orders-final"
}

output "uri" {
  value     = "postgres://${aws_db_instance.this.username}:${terraform_data.password.output}@${aws_db_instance.this.endpoint}/${aws_db_instance.this.db_name}?sslmode=require"
  sensitive = true
}
