locals {
  # Hashes do not compress: gzip wins back the quarter that base64 adds, and no more. The state holds them twice, as input
  # and as output, too far apart for gzip to notice. 8 blocks of 1024 hashes of 64 bytes are half a MiB.
  blocks = [
    for block in range(var.size_mib * 8) : join("", [
      for line in range(1024) : base64sha512("${var.seed}/${block}/${line}")
    ])
  ]
}

# One resource: Terraform copies the whole state after each, so that many would take a time that grows with the square.
resource "terraform_data" "content" {
  input = join("", local.blocks)
}
