variable "action" {
  type    = string
  default = "s3:GetObject"
}

resource "aws_iam_openid_connect_provider" "this" {
  url            = "https://issuer.test/id/1"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "this" {
  name                  = "uploader"
  description           = "ServiceAccount shop/uploader"
  permissions_boundary  = "arn:aws:iam::aws:policy/PowerUserAccess"
  force_detach_policies = true

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.this.arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = { "issuer.test/id/1:sub" = "system:serviceaccount:shop:uploader" } }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "uploads"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = [var.action], Resource = ["arn:aws:s3:::uploads/*"] }]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  policy_arn = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
  role       = aws_iam_role.this.name
}

resource "aws_iam_role_policies_exclusive" "this" {
  policy_names = [aws_iam_role_policy.this.name]
  role_name    = aws_iam_role.this.name
}

resource "aws_iam_role_policy_attachments_exclusive" "this" {
  policy_arns = [aws_iam_role_policy_attachment.this.policy_arn]
  role_name   = aws_iam_role.this.name
}
