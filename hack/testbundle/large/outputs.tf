output "bytes" {
  description = "Size of the content, uncompressed. It is in the state twice."
  value       = length(terraform_data.content.output)
}

output "checksum" {
  description = "SHA-256 of the content, in hexadecimal."
  value       = sha256(terraform_data.content.output)
}
