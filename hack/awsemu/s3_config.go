package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
)

const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// subresource is one of a bucket's configurations: a document that is set, read and removed as a whole. It is kept as
// it came, because a client gets back what it has set.
type subresource struct {
	query  string // its name in the URL
	get    string // the actions
	put    string
	remove string // none: cannot be removed

	// What a bucket answers that has none: this document, or this error code.
	none     string
	noneCode string
	// header is kept with the document: a part of the configuration that S3 passes outside of it.
	header string
	// check refuses documents that S3 would not take; nil: well-formed XML is enough.
	check func(document []byte) error
}

// subresources is the table of the configurations that Terraform's provider reads of every bucket, or sets for one of
// the aws_s3_bucket_* resources.
func subresources() []subresource {
	return []subresource{
		{query: "accelerate", get: "GetBucketAccelerateConfiguration", put: "PutBucketAccelerateConfiguration", none: emptyDocument("AccelerateConfiguration")},
		{query: "acl", get: "GetBucketAcl", put: "PutBucketAcl", none: ownerACL()},
		{query: "cors", get: "GetBucketCors", put: "PutBucketCors", remove: "DeleteBucketCors", noneCode: "NoSuchCORSConfiguration"},
		{query: "encryption", get: "GetBucketEncryption", put: "PutBucketEncryption", remove: "DeleteBucketEncryption", none: s3ManagedEncryption()},
		{
			query: "lifecycle", get: "GetBucketLifecycleConfiguration", put: "PutBucketLifecycleConfiguration", remove: "DeleteBucketLifecycle",
			noneCode: "NoSuchLifecycleConfiguration", header: "X-Amz-Transition-Default-Minimum-Object-Size",
		},
		{query: "logging", get: "GetBucketLogging", put: "PutBucketLogging", none: emptyDocument("BucketLoggingStatus")},
		{query: "notification", get: "GetBucketNotificationConfiguration", put: "PutBucketNotificationConfiguration", none: emptyDocument("NotificationConfiguration")},
		{query: "object-lock", get: "GetObjectLockConfiguration", put: "PutObjectLockConfiguration", noneCode: "ObjectLockConfigurationNotFoundError"},
		{
			query: "ownershipControls", get: "GetBucketOwnershipControls", put: "PutBucketOwnershipControls", remove: "DeleteBucketOwnershipControls",
			noneCode: "OwnershipControlsNotFoundError",
		},
		{query: "policy", get: "GetBucketPolicy", put: "PutBucketPolicy", remove: "DeleteBucketPolicy", noneCode: "NoSuchBucketPolicy", check: checkPolicy},
		{
			query: "publicAccessBlock", get: "GetPublicAccessBlock", put: "PutPublicAccessBlock", remove: "DeletePublicAccessBlock",
			noneCode: "NoSuchPublicAccessBlockConfiguration",
		},
		{query: "replication", get: "GetBucketReplication", put: "PutBucketReplication", remove: "DeleteBucketReplication", noneCode: "ReplicationConfigurationNotFoundError"},
		{
			query: "requestPayment", get: "GetBucketRequestPayment", put: "PutBucketRequestPayment",
			none: `<RequestPaymentConfiguration xmlns="` + s3Namespace + `"><Payer>BucketOwner</Payer></RequestPaymentConfiguration>`,
		},
		{query: "tagging", get: "GetBucketTagging", put: "PutBucketTagging", remove: "DeleteBucketTagging", noneCode: "NoSuchTagSet"},
		{query: "versioning", get: "GetBucketVersioning", put: "PutBucketVersioning", none: emptyDocument("VersioningConfiguration")},
		{query: "website", get: "GetBucketWebsite", put: "PutBucketWebsite", remove: "DeleteBucketWebsite", noneCode: "NoSuchWebsiteConfiguration"},
	}
}

// newBucketConfig is what S3 gives to every new bucket: nothing public, and no ACLs.
func newBucketConfig() map[string]document {
	return map[string]document{
		"ownershipControls": {Body: `<OwnershipControls xmlns="` + s3Namespace + `"><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>`},
		"publicAccessBlock": {Body: `<PublicAccessBlockConfiguration xmlns="` + s3Namespace + `"><BlockPublicAcls>true</BlockPublicAcls>` +
			`<IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>` +
			`</PublicAccessBlockConfiguration>`},
	}
}

func emptyDocument(name string) string {
	return fmt.Sprintf(`<%s xmlns="%s"></%s>`, name, s3Namespace, name)
}

func s3ManagedEncryption() string {
	return `<ServerSideEncryptionConfiguration xmlns="` + s3Namespace + `"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>` +
		`</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>`
}

func ownerACL() string {
	return `<AccessControlPolicy xmlns="` + s3Namespace + `"><Owner><ID>` + ownerID + `</ID></Owner><AccessControlList><Grant>` +
		`<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>` + ownerID + `</ID></Grantee>` +
		`<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`
}

func checkPolicy(body []byte) error {
	if !json.Valid(body) {
		return badRequest("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
	}
	return nil
}

func checkXML(body []byte) error {
	if err := xml.Unmarshal(body, &struct{}{}); err != nil {
		return badRequest("MalformedXML", "The XML you provided was not well-formed: %v", err)
	}
	return nil
}

// ownerID is the canonical id of the account.
const ownerID = "0d5e6f0000000000000000000000000000000000000000000000000000000001"

func conflict(code, message string) error {
	return &apiError{Status: http.StatusConflict, Code: code, Message: message}
}
