package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCalls(t *testing.T) {
	c := newTestClient(t)
	made := func(key string) string {
		t.Helper()
		return strings.TrimSpace(c.do("", "GET", "/_emu/calls?access_key="+key, "").body)
	}
	want := func(when, key, want string) {
		t.Helper()
		if diff := cmp.Diff(want, made(key)); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
	}
	want("Nobody has called", "key", "[]")
	c.mustQuery("sts", "GetCallerIdentity")
	want("A call that everybody may make", "key", "[]")
	c.do("s3", "PUT", "/uploads", "")
	c.do("s3", "HEAD", "/uploads", "")
	c.do("s3", "HEAD", "/uploads", "")
	c.do("s3", "GET", "/uploads?encryption", "")
	c.do("s3", "GET", "/no-such-bucket?encryption", "")
	want("Calls have IAM's names, once, in order, also those that failed", "key", `["s3:CreateBucket","s3:GetEncryptionConfiguration","s3:ListBucket"]`)
	want("Another key has not called", "other", "[]")
	c.query("ec2", "RunInstances")
	want("What awsemu does not have is not counted", "key", `["s3:CreateBucket","s3:GetEncryptionConfiguration","s3:ListBucket"]`)
	if got := c.do("", "DELETE", "/_emu/calls?access_key=key", "").body; got != "[]\n" {
		t.Errorf("forgotten: %s", got)
	}
	c.mustQuery("ec2", "DescribeVpcs")
	want("Afterwards it counts again", "key", `["ec2:DescribeVpcs"]`)
	if got := c.do("", "GET", "/_emu/calls", ""); got.status != http.StatusBadRequest {
		t.Errorf("without a key: %d", got.status)
	}
	if got := c.do("", "PUT", "/_emu/calls?access_key=key", ""); got.status != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d", got.status)
	}
}

func Test_permissions(t *testing.T) {
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	target := func(action string) []string { return []string{"X-Amz-Target", action} }
	cases := map[string]struct {
		service, method, path, body string
		header                      []string
		want                        string
	}{
		"A role with tags.":      {"iam", "POST", "/", "Action=CreateRole&Tags.member.1.Key=a", form, `["iam:CreateRole","iam:TagRole"]`},
		"A role without.":        {"iam", "POST", "/", "Action=CreateRole", form, `["iam:CreateRole"]`},
		"A group with tags.":     {"ec2", "POST", "/", "Action=CreateSecurityGroup&TagSpecification.1.Tag.1.Key=a", form, `["ec2:CreateSecurityGroup","ec2:CreateTags"]`},
		"Tags of a role.":        {"iam", "POST", "/", "Action=TagRole&Tags.member.1.Key=a", form, `["iam:TagRole"]`},
		"A queue with tags.":     {"sqs", "POST", "/", `{"tags":{"a":"b"}}`, target("AmazonSQS.CreateQueue"), `["sqs:CreateQueue","sqs:TagQueue"]`},
		"A queue with no tag.":   {"sqs", "POST", "/", `{"tags":{}}`, target("AmazonSQS.CreateQueue"), `["sqs:CreateQueue"]`},
		"A secret with tags.":    {"secretsmanager", "POST", "/", `{"Tags":[{}]}`, target("secretsmanager.CreateSecret"), `["secretsmanager:CreateSecret","secretsmanager:TagResource"]`},
		"A bucket with a lock.":  {"s3", "PUT", "/b", "", []string{"X-Amz-Bucket-Object-Lock-Enabled", "true"}, `["s3:CreateBucket","s3:PutBucketObjectLockConfiguration","s3:PutBucketVersioning"]`},
		"A bucket with an ACL.":  {"s3", "PUT", "/b", "", []string{"X-Amz-Acl", "public-read"}, `["s3:CreateBucket","s3:PutBucketAcl"]`},
		"A private bucket.":      {"s3", "PUT", "/b", "", []string{"X-Amz-Acl", "private"}, `["s3:CreateBucket"]`},
		"A bucket without.":      {"s3", "PUT", "/b", "", []string{"X-Amz-Bucket-Object-Lock-Enabled", "false"}, `["s3:CreateBucket"]`},
		"A copy reads, too.":     {"s3", "PUT", "/b/k", "", []string{"X-Amz-Copy-Source", "/b/l"}, `["s3:GetObject","s3:PutObject"]`},
		"A version of an object": {"s3", "GET", "/b/k?versionId=1", "", nil, `["s3:GetObjectVersion"]`},
		"Objects are deleted.":   {"s3", "POST", "/b?delete", "<Delete><Object><Key>k</Key></Object></Delete>", nil, `["s3:DeleteObject"]`},
		"Versions are deleted.":  {"s3", "POST", "/b?delete", "<Delete><Object><Key>k</Key><VersionId>1</VersionId></Object></Delete>", nil, `["s3:DeleteObjectVersion"]`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			c := newTestClient(t)
			c.do(test.service, test.method, test.path, test.body, test.header...)
			if diff := cmp.Diff(test.want+"\n", c.do("", "GET", "/_emu/calls?access_key=key", "").body); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Test_permissions_complete finds actions that were added without IAM's name for them, and names of actions that are not there.
func Test_permissions_complete(t *testing.T) {
	of := func(s service) map[string]bool {
		known := map[string]bool{}
		for _, action := range s.actions() {
			known[action] = true
		}
		return known
	}
	buckets := of(newS3(nil, nil, nil))
	for action := range buckets {
		if s3Names()[action] == "" {
			t.Errorf("s3:%s has no name in IAM", action)
		}
	}
	for action := range s3Names() {
		if !buckets[action] {
			t.Errorf("there is no s3:%s", action)
		}
	}
	services := map[string]service{
		"ec2": newEC2(nil), "iam": newIAM(nil, nil), "rds": newRDS(&rds{}), "secretsmanager": newSecretsManager(nil, nil), "sqs": newSQS(nil, nil),
	}
	for call, tag := range tagActions() {
		service, action, _ := strings.Cut(call, ":")
		if known := of(services[service]); !known[action] || !known[tag] {
			t.Errorf("%s and %s:%s are not both there", call, service, tag)
		}
	}
}
