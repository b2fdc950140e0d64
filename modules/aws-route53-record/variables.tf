variable "alias" {
  description = "What in AWS the record stands for, instead of `records`: the `host` name of a load balancer, distribution, bucket or another record, and the `zone_id` that AWS gives for it. `evaluate_target_health` leaves the record out of answers while the target is unhealthy."
  type = object({
    evaluate_target_health = optional(bool, false)
    host                   = string
    zone_id                = string
  })
  default = null

  validation {
    condition     = (var.alias != null) != (length(var.records) > 0)
    error_message = "A record needs either records or an alias, and not both."
  }

  validation {
    condition     = var.alias == null || contains(["A", "AAAA"], var.type)
    error_message = "alias is for records of type A or AAAA."
  }

  validation {
    condition = var.alias == null ? true : (
      can(regex("^[a-z0-9_-]+([.][a-z0-9_-]+)+$", var.alias.host)) && can(regex("^[A-Z0-9]{1,32}$", var.alias.zone_id))
    )
    error_message = "alias: host must be a full host name in lowercase, without a dot at the end; zone_id a hosted zone's id such as Z0123456789ABCDEFGHIJ."
  }
}

variable "name" {
  description = "Name of the record, in full: the zone's name, or one that ends in it. A name that does not is taken to be inside the zone. A change makes a new record and deletes the old one."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([*][.])?[a-z0-9_]([a-z0-9_-]{0,62})([.][a-z0-9_][a-z0-9_-]{0,62})*$", var.name)) && length(var.name) <= 255
    error_message = "name must be a host name in lowercase, such as shop.example.com or *.shop.example.com, without a dot at the end."
  }
}

variable "records" {
  description = "What the record holds, as DNS writes it for the type: addresses, a host name, or such as `10 mail.example.com` for MX. Texts go without the quotes around them."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = var.type != "A" || alltrue([for record in var.records : try(cidrhost("${record}/32", 0) == record && !strcontains(record, ":"), false)])
    error_message = "records must hold IPv4 addresses, such as 192.0.2.10, in a record of type A."
  }

  validation {
    condition     = var.type != "AAAA" || alltrue([for record in var.records : try(cidrhost("${record}/128", 0) == record && strcontains(record, ":"), false)])
    error_message = "records must hold IPv6 addresses in their shortest form, such as 2001:db8::10, in a record of type AAAA."
  }

  validation {
    condition     = var.type != "CNAME" || length(var.records) <= 1
    error_message = "records must hold one host name, no more, in a record of type CNAME."
  }

  validation {
    condition     = var.type != "TXT" || alltrue([for record in var.records : length(record) <= 4000 && can(regex("^[ !#-\\[\\]-~]+$", record))])
    error_message = "records must hold texts of 1 to 4000 printable ASCII characters, without double quotes and backslashes, in a record of type TXT."
  }
}

variable "ttl_seconds" {
  description = "Seconds that others may keep an answer, and so how long a change takes to reach them. An alias has that of its target."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.ttl_seconds >= 0 && var.ttl_seconds <= 604800 && floor(var.ttl_seconds) == var.ttl_seconds
    error_message = "ttl_seconds must be a whole number of seconds from 0 to 604800, which are seven days."
  }
}

variable "type" {
  description = "Type of the record: A, AAAA, CAA, CNAME, MX, NS, PTR, SRV or TXT."
  type        = string
  default     = "A"
  nullable    = false

  validation {
    condition     = contains(["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT"], var.type)
    error_message = "type must be A, AAAA, CAA, CNAME, MX, NS, PTR, SRV or TXT."
  }
}

variable "zone_id" {
  description = "Id of the hosted zone, public or private. A change makes a new record and deletes the old one."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Z0-9]{1,32}$", var.zone_id))
    error_message = "zone_id must be a hosted zone's id such as Z0123456789ABCDEFGHIJ; its name is not enough."
  }
}
