variable "insist" {
  type    = string
  default = "0"
}

resource "aws_db_parameter_group" "this" {
  name   = "blog"
  family = "mysql8.4"

  parameter {
    name         = "require_secure_transport"
    value        = var.insist
    apply_method = "pending-reboot"
  }
}

resource "aws_db_instance" "this" {
  identifier              = "blog"
  engine                  = "mysql"
  engine_version          = "8.4"
  instance_class          = "db.t4g.micro"
  allocated_storage       = 20
  storage_type            = "gp3"
  storage_encrypted       = true
  db_name                 = "blog"
  username                = "app"
  password                = "correct-horse-battery"
  parameter_group_name    = aws_db_parameter_group.this.name
  backup_retention_period = 7
  skip_final_snapshot     = true
}

output "uri" {
  value     = "mysql://${aws_db_instance.this.username}:correct-horse-battery@${aws_db_instance.this.endpoint}/${aws_db_instance.this.db_name}"
  sensitive = true
}
