package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// permissions returns the IAM actions that a call needs, none for one that everybody may make. IAM calls most of them as
// the API does; what is asked for beside the call's own action, such as tags, has an action of its own.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func permissions(service string, c *call) ([]string, error) {
	switch service {
	case "sts":
		return nil, nil // GetCallerIdentity, which no policy can deny
	case "s3":
		return s3Permissions(c)
	}
	needed := []string{service + ":" + c.action}
	tagged, err := c.createsTags(service)
	if action := tagActions()[service+":"+c.action]; err == nil && tagged && action != "" {
		needed = append(needed, service+":"+action)
	}
	return needed, err
}

// tagActions is what a call needs that makes something with tags, by the call.
func tagActions() map[string]string {
	return map[string]string{
		"ec2:AuthorizeSecurityGroupEgress":  "CreateTags",
		"ec2:AuthorizeSecurityGroupIngress": "CreateTags",
		"ec2:CreateSecurityGroup":           "CreateTags",
		"iam:CreateOpenIDConnectProvider":   "TagOpenIDConnectProvider",
		"iam:CreateRole":                    "TagRole",
		"rds:CreateDBCluster":               "AddTagsToResource",
		"rds:CreateDBClusterParameterGroup": "AddTagsToResource",
		"rds:CreateDBParameterGroup":        "AddTagsToResource",
		"rds:CreateDBInstance":              "AddTagsToResource",
		"rds:CreateDBSubnetGroup":           "AddTagsToResource",
		"secretsmanager:CreateSecret":       "TagResource",
		"sqs:CreateQueue":                   "TagQueue",
	}
}

// createsTags tells whether the call has tags among its parameters.
func (c *call) createsTags(service string) (bool, error) {
	switch service {
	case "secretsmanager", "sqs":
		body, err := c.peek()
		var params struct{ Tags json.RawMessage }
		_ = json.Unmarshal(body, &params) // what is no JSON is refused later
		return len(params.Tags) > len("{}"), err
	}
	for name := range c.Form {
		if strings.HasPrefix(name, "Tags.") || strings.HasPrefix(name, "TagSpecification.") {
			return true, nil
		}
	}
	return false, nil
}

// peek reads the body and leaves it to be read again.
func (c *call) peek() ([]byte, error) {
	body, err := io.ReadAll(c.Body)
	if err != nil {
		return nil, badRequest("IncompleteBody", "The body cannot be read: %v", err)
	}
	c.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

// s3Permissions are those of S3, where IAM has names of its own for almost everything.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
func s3Permissions(c *call) ([]string, error) {
	needed := []string{"s3:" + s3Names()[c.action]}
	ofVersion := c.URL.Query().Has("versionId")
	switch c.action {
	case "CopyObject":
		needed = append(needed, "s3:GetObject")
	case "CreateBucket":
		for header, action := range map[string]string{
			"X-Amz-Acl": "PutBucketAcl", "X-Amz-Bucket-Object-Lock-Enabled": "PutBucketObjectLockConfiguration", "X-Amz-Object-Ownership": "PutBucketOwnershipControls",
		} {
			// An ACL that says private, as none would, needs no more: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
			if value := c.Header.Get(header); value != "" && value != "false" && value != "private" {
				needed = append(needed, "s3:"+action)
			}
		}
		if c.Header.Get("X-Amz-Bucket-Object-Lock-Enabled") == "true" {
			needed = append(needed, "s3:PutBucketVersioning")
		}
	case "DeleteObjects":
		body, err := c.peek()
		if err != nil {
			return nil, err
		}
		ofVersion = bytes.Contains(body, []byte("<VersionId>"))
	}
	if ofVersion {
		needed[0] = map[string]string{"s3:DeleteObject": "s3:DeleteObjectVersion", "s3:GetObject": "s3:GetObjectVersion"}[needed[0]]
	}
	return needed, nil
}

// s3Names is what IAM calls the actions of S3's API.
func s3Names() map[string]string {
	return map[string]string{
		"AbortMultipartUpload":               "AbortMultipartUpload",
		"CompleteMultipartUpload":            "PutObject",
		"CopyObject":                         "PutObject",
		"CreateBucket":                       "CreateBucket",
		"CreateMultipartUpload":              "PutObject",
		"DeleteBucket":                       "DeleteBucket",
		"DeleteBucketCors":                   "PutBucketCORS",
		"DeleteBucketEncryption":             "PutEncryptionConfiguration",
		"DeleteBucketLifecycle":              "PutLifecycleConfiguration",
		"DeleteBucketOwnershipControls":      "PutBucketOwnershipControls",
		"DeleteBucketPolicy":                 "DeleteBucketPolicy",
		"DeleteBucketReplication":            "PutReplicationConfiguration",
		"DeleteBucketTagging":                "PutBucketTagging",
		"DeleteBucketWebsite":                "DeleteBucketWebsite",
		"DeleteObject":                       "DeleteObject",
		"DeleteObjects":                      "DeleteObject",
		"DeletePublicAccessBlock":            "PutBucketPublicAccessBlock",
		"GetBucketAccelerateConfiguration":   "GetAccelerateConfiguration",
		"GetBucketAcl":                       "GetBucketAcl",
		"GetBucketCors":                      "GetBucketCORS",
		"GetBucketEncryption":                "GetEncryptionConfiguration",
		"GetBucketLifecycleConfiguration":    "GetLifecycleConfiguration",
		"GetBucketLocation":                  "GetBucketLocation",
		"GetBucketLogging":                   "GetBucketLogging",
		"GetBucketNotificationConfiguration": "GetBucketNotification",
		"GetBucketOwnershipControls":         "GetBucketOwnershipControls",
		"GetBucketPolicy":                    "GetBucketPolicy",
		"GetBucketReplication":               "GetReplicationConfiguration",
		"GetBucketRequestPayment":            "GetBucketRequestPayment",
		"GetBucketTagging":                   "GetBucketTagging",
		"GetBucketVersioning":                "GetBucketVersioning",
		"GetBucketWebsite":                   "GetBucketWebsite",
		"GetObject":                          "GetObject",
		"GetObjectLockConfiguration":         "GetBucketObjectLockConfiguration",
		"GetPublicAccessBlock":               "GetBucketPublicAccessBlock",
		"HeadBucket":                         "ListBucket",
		"HeadObject":                         "GetObject",
		"ListBuckets":                        "ListAllMyBuckets",
		"ListMultipartUploads":               "ListBucketMultipartUploads",
		"ListObjectVersions":                 "ListBucketVersions",
		"ListObjects":                        "ListBucket",
		"ListObjectsV2":                      "ListBucket",
		"ListParts":                          "ListMultipartUploadParts",
		"PutBucketAccelerateConfiguration":   "PutAccelerateConfiguration",
		"PutBucketAcl":                       "PutBucketAcl",
		"PutBucketCors":                      "PutBucketCORS",
		"PutBucketEncryption":                "PutEncryptionConfiguration",
		"PutBucketLifecycleConfiguration":    "PutLifecycleConfiguration",
		"PutBucketLogging":                   "PutBucketLogging",
		"PutBucketNotificationConfiguration": "PutBucketNotification",
		"PutBucketOwnershipControls":         "PutBucketOwnershipControls",
		"PutBucketPolicy":                    "PutBucketPolicy",
		"PutBucketReplication":               "PutReplicationConfiguration",
		"PutBucketRequestPayment":            "PutBucketRequestPayment",
		"PutBucketTagging":                   "PutBucketTagging",
		"PutBucketVersioning":                "PutBucketVersioning",
		"PutBucketWebsite":                   "PutBucketWebsite",
		"PutObject":                          "PutObject",
		"PutObjectLockConfiguration":         "PutBucketObjectLockConfiguration",
		"PutPublicAccessBlock":               "PutBucketPublicAccessBlock",
		"UploadPart":                         "PutObject",
	}
}
