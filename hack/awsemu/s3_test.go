package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestS3_action(t *testing.T) {
	cases := map[string]struct{ method, target, want string }{
		"Nothing but a method lists the buckets.":       {"GET", "/", "ListBuckets"},
		"A bucket is made.":                             {"PUT", "/uploads", "CreateBucket"},
		"A trailing slash is no key.":                   {"PUT", "/uploads/", "CreateBucket"},
		"The SDK's x-id says nothing.":                  {"DELETE", "/uploads?x-id=DeleteBucket", "DeleteBucket"},
		"A sub-resource is read.":                       {"GET", "/uploads?publicAccessBlock=", "GetPublicAccessBlock"},
		"A sub-resource is set.":                        {"PUT", "/uploads?object-lock", "PutObjectLockConfiguration"},
		"A sub-resource is removed.":                    {"DELETE", "/uploads?lifecycle", "DeleteBucketLifecycle"},
		"One that stays for good is not removed.":       {"DELETE", "/uploads?versioning", ""},
		"One that is not there is no bucket.":           {"PUT", "/uploads?analytics&id=1", ""},
		"Objects are listed.":                           {"GET", "/uploads?list-type=2&prefix=a", "ListObjectsV2"},
		"Objects are listed in the old way.":            {"GET", "/uploads?prefix=a", "ListObjects"},
		"Versions are listed.":                          {"GET", "/uploads?versions", "ListObjectVersions"},
		"Several objects go at once.":                   {"POST", "/uploads?delete", "DeleteObjects"},
		"A key may have slashes.":                       {"GET", "/uploads/a/b.txt", "GetObject"},
		"A part is put.":                                {"PUT", "/uploads/a?partNumber=1&uploadId=2", "UploadPart"},
		"A version is deleted.":                         {"DELETE", "/uploads/a?versionId=null", "DeleteObject"},
		"An object's tags must not become its content.": {"PUT", "/uploads/a?tagging", ""},
		"A presigned request is like a signed one.":     {"GET", "/uploads/a?X-Amz-Credential=a&X-Amz-Signature=b", "GetObject"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := (&s3{}).action(httptest.NewRequest(test.method, test.target, nil))
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestS3_actions(t *testing.T) {
	seen := map[string]bool{}
	for _, action := range (&s3{}).actions() {
		if action == "" {
			t.Error("an action without a name")
		}
		seen[action] = true
	}
	for _, want := range []string{"CreateBucket", "HeadBucket", "PutObject", "PutBucketVersioning", "DeletePublicAccessBlock"} {
		if !seen[want] {
			t.Errorf("%s is missing: no fault can be set for it", want)
		}
	}
}

func TestS3_configurations(t *testing.T) {
	const ownership = `<OwnershipControls xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>`
	const policy = `{"Version":"2012-10-17","Statement":[]}`
	cases := map[string]struct {
		query, atFirst, set, removed string // bodies, or codes of errors; set empty: not tried
	}{
		"accelerate":        {"accelerate", "<AccelerateConfiguration", "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>", ""},
		"acl":               {"acl", "<Permission>FULL_CONTROL</Permission>", "", ""},
		"cors":              {"cors", "NoSuchCORSConfiguration", "<CORSConfiguration/>", "NoSuchCORSConfiguration"},
		"encryption":        {"encryption", "<SSEAlgorithm>AES256</SSEAlgorithm>", "<ServerSideEncryptionConfiguration/>", "<SSEAlgorithm>AES256</SSEAlgorithm>"},
		"lifecycle":         {"lifecycle", "NoSuchLifecycleConfiguration", "<LifecycleConfiguration/>", "NoSuchLifecycleConfiguration"},
		"logging":           {"logging", "<BucketLoggingStatus", "<BucketLoggingStatus><a/></BucketLoggingStatus>", ""},
		"notification":      {"notification", "<NotificationConfiguration", "<NotificationConfiguration><a/></NotificationConfiguration>", ""},
		"object-lock":       {"object-lock", "ObjectLockConfigurationNotFoundError", "<ObjectLockConfiguration/>", ""},
		"ownershipControls": {"ownershipControls", ownership, "<OwnershipControls/>", "OwnershipControlsNotFoundError"},
		"policy":            {"policy", "NoSuchBucketPolicy", policy, "NoSuchBucketPolicy"},
		"publicAccessBlock": {"publicAccessBlock", "<BlockPublicAcls>true</BlockPublicAcls>", "<PublicAccessBlockConfiguration/>", "NoSuchPublicAccessBlockConfiguration"},
		"replication":       {"replication", "ReplicationConfigurationNotFoundError", "<ReplicationConfiguration/>", "ReplicationConfigurationNotFoundError"},
		"requestPayment":    {"requestPayment", "<Payer>BucketOwner</Payer>", "<RequestPaymentConfiguration/>", ""},
		"tagging":           {"tagging", "NoSuchTagSet", "<Tagging><TagSet></TagSet></Tagging>", "NoSuchTagSet"},
		"versioning":        {"versioning", "<VersioningConfiguration", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", ""},
		"website":           {"website", "NoSuchWebsiteConfiguration", "<WebsiteConfiguration/>", "NoSuchWebsiteConfiguration"},
	}
	if got, want := len(cases), len(subresources()); got != want {
		t.Errorf("%d cases for %d sub-resources", got, want)
	}
	c := newTestClient(t)
	c.do("s3", "PUT", "/uploads", "")
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			path := "/uploads?" + test.query
			if got := c.do("s3", "GET", path, ""); !strings.Contains(got.body, test.atFirst) {
				t.Errorf("at first: %s", got.body)
			}
			if test.set != "" {
				if got := c.do("s3", "PUT", path, test.set); got.status != http.StatusOK {
					t.Errorf("set: %s", got.body)
				}
				if diff := cmp.Diff(test.set, c.do("s3", "GET", path, "").body); diff != "" {
					t.Errorf("read back: %s", diff)
				}
			}
			got := c.do("s3", "DELETE", path, "")
			if wanted := test.removed != ""; (got.status == http.StatusNoContent) != wanted {
				t.Errorf("removed: %d, want success: %v", got.status, wanted)
			}
			if got := c.do("s3", "GET", path, ""); test.removed != "" && !strings.Contains(got.body, test.removed) {
				t.Errorf("after the removal: %s", got.body)
			}
		})
	}
}

func TestS3_putConfig(t *testing.T) {
	c := newTestClient(t)
	c.do("s3", "PUT", "/uploads", "")
	if got := c.do("s3", "PUT", "/uploads?cors", "<CORSConfiguration>"); got.code() != "MalformedXML" {
		t.Errorf("half a document: %s", got.body)
	}
	if got := c.do("s3", "PUT", "/uploads?policy", "<Policy/>"); got.code() != "MalformedPolicy" {
		t.Errorf("a policy that is no JSON: %s", got.body)
	}
	const header = "X-Amz-Transition-Default-Minimum-Object-Size"
	c.do("s3", "PUT", "/uploads?lifecycle", "<LifecycleConfiguration/>", header, "varies_by_storage_class")
	if got := c.do("s3", "GET", "/uploads?lifecycle", "").header.Get(header); got != "varies_by_storage_class" {
		t.Errorf("the part of the lifecycle that is a header: %q", got)
	}
}

func TestS3_putBucketACL(t *testing.T) {
	c := newTestClient(t)
	c.do("s3", "PUT", "/uploads", "")
	if got := c.do("s3", "PUT", "/uploads?acl", "", "X-Amz-Acl", "private"); got.code() != "AccessControlListNotSupported" {
		t.Errorf("a bucket as it is made: %q", got.code())
	}
	c.do("s3", "PUT", "/uploads?ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerPreferred</ObjectOwnership></Rule></OwnershipControls>")
	if got := c.do("s3", "PUT", "/uploads?acl", "", "X-Amz-Acl", "private"); got.status != http.StatusOK {
		t.Errorf("a bucket with ACLs: %s", got.body)
	}
	if got := c.do("s3", "PUT", "/uploads?acl", "", "X-Amz-Acl", "public-read"); got.status != http.StatusNotImplemented {
		t.Errorf("an ACL that is not there: %d", got.status)
	}
}

func TestS3_buckets(t *testing.T) {
	const frankfurt = `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>`
	steps := []struct {
		method, path, body string
		wantStatus         int
		wantCode           string
	}{
		{"HEAD", "/uploads", "", 404, ""},
		{"PUT", "/Uploads", "", 400, "InvalidBucketName"},
		{"PUT", "/uploads", frankfurt, 200, ""},
		{"PUT", "/uploads", frankfurt, 409, "BucketAlreadyOwnedByYou"},
		{"HEAD", "/uploads", "", 200, ""},
		{"PUT", "/uploads/key", "content", 200, ""},
		{"DELETE", "/uploads", "", 409, "BucketNotEmpty"},
		{"DELETE", "/uploads/key", "", 204, ""},
		{"DELETE", "/uploads", "", 204, ""},
		{"DELETE", "/uploads", "", 404, "NoSuchBucket"},
		{"GET", "/uploads?location", "", 404, "NoSuchBucket"},
		{"PUT", "/uploads/key", "content", 404, "NoSuchBucket"},
		{"PUT", "/uploads", "", 200, ""}, // nothing of the first one is left
	}
	c := newTestClient(t)
	for i, s := range steps {
		got := c.do("s3", s.method, s.path, s.body)
		if got.status != s.wantStatus || got.code() != s.wantCode {
			t.Fatalf("step %d, %s %s: got %d %q, want %d %q", i, s.method, s.path, got.status, got.code(), s.wantStatus, s.wantCode)
		}
	}
	if got := c.do("s3", "HEAD", "/uploads", "").header.Get("X-Amz-Bucket-Region"); got != "eu-central-1" {
		t.Errorf("a bucket made without a region is in that of the call; got %q", got)
	}
	if got := c.do("s3", "GET", "/uploads?location", "").element(t, "LocationConstraint"); got != "eu-central-1" {
		t.Errorf("location: %q", got)
	}
}

func TestS3_createBucket_objectLock(t *testing.T) {
	c := newTestClient(t)
	c.do("s3", "PUT", "/uploads", "", "X-Amz-Bucket-Object-Lock-Enabled", "true")
	if got := c.do("s3", "GET", "/uploads?object-lock", "").element(t, "ObjectLockEnabled"); got != "Enabled" {
		t.Errorf("object lock: %q", got)
	}
	if got := c.do("s3", "GET", "/uploads?versioning", "").element(t, "Status"); got != "Enabled" {
		t.Errorf("versioning, which object lock needs: %q", got)
	}
}

func TestObjects(t *testing.T) {
	c := newTestClient(t)
	c.do("s3", "PUT", "/uploads", "")
	for _, key := range []string{"a", "b/1", "b/2"} {
		c.do("s3", "PUT", "/uploads/"+key, "content of "+key, "Content-Type", "text/plain")
	}
	got := c.do("s3", "GET", "/uploads/b/1", "")
	if got.body != "content of b/1" || got.header.Get("Content-Type") != "text/plain" {
		t.Errorf("got %q, %s", got.body, got.header.Get("Content-Type"))
	}
	first := c.do("s3", "GET", "/uploads?versions&max-keys=2", "")
	if diff := cmp.Diff([]string{"a", "b/1"}, first.elements("Key")); diff != "" {
		t.Errorf("the first page of versions: %s", diff)
	}
	next := c.do("s3", "GET", "/uploads?versions&key-marker="+first.element(t, "NextKeyMarker")+"&version-id-marker="+first.element(t, "NextVersionIdMarker"), "")
	if diff := cmp.Diff([]string{"b/2", "null"}, append(next.elements("Key"), next.elements("VersionId")...)); diff != "" {
		t.Errorf("the second page: %s", diff)
	}
	// So the provider empties a bucket.
	c.do("s3", "POST", "/uploads?delete", `<Delete><Object><Key>a</Key><VersionId>null</VersionId></Object><Object><Key>b/1</Key><VersionId>null</VersionId></Object></Delete>`)
	if diff := cmp.Diff([]string{"b/2"}, c.do("s3", "GET", "/uploads?list-type=2", "").elements("Key")); diff != "" {
		t.Errorf("left over: %s", diff)
	}
}

func Test_openObjects(t *testing.T) {
	dir := t.TempDir()
	first, err := openObjects(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.close()
	if _, err := openObjects(dir); err == nil || !strings.Contains(err.Error(), "another awsemu uses the data directory "+dir) {
		t.Errorf("a second emulator on the same directory: %v", err)
	}
}
