resource "aws_route53_record" "this" {
  name    = var.name
  type    = var.type
  zone_id = var.zone_id

  # One that somebody else has made is not taken over: the apply fails.
  allow_overwrite = false

  # DNS has texts of up to 255 characters. The provider puts the quotes around; longer ones are cut into several.
  records = var.alias != null ? null : [
    for record in var.records : var.type == "TXT" ? join("\"\"", regexall(".{1,255}", record)) : record
  ]
  ttl = var.alias != null ? null : var.ttl_seconds

  dynamic "alias" {
    for_each = var.alias[*]

    content {
      evaluate_target_health = alias.value.evaluate_target_health
      name                   = alias.value.host
      zone_id                = alias.value.zone_id
    }
  }
}
