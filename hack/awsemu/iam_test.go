package main

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Sid":"a b"}]}`

// newRole makes a role and returns a function that calls an action on it.
func newRole(c *testClient, params ...string) func(action string, params ...string) answer {
	c.t.Helper()
	c.mustQuery("iam", "CreateRole", append([]string{"RoleName", "uploader", "AssumeRolePolicyDocument", trust}, params...)...)
	return func(action string, params ...string) answer {
		return c.query("iam", action, append([]string{"RoleName", "uploader"}, params...)...)
	}
}

func TestIAM_roles(t *testing.T) {
	c := newTestClient(t)
	on := newRole(c, "Description", "d", "Tags.member.1.Key", "team", "Tags.member.1.Value", "shop")
	got := on("GetRole")
	for element, want := range map[string]string{
		"Arn": "arn:aws:iam::123456789012:role/uploader", "Path": "/", "Description": "d", "MaxSessionDuration": "3600", "Value": "shop",
		"AssumeRolePolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Sid%22%3A%22a%20b%22%7D%5D%7D",
	} {
		if got := got.element(t, element); got != want {
			t.Errorf("%s is %s, want %s", element, got, want)
		}
	}
	on("UpdateRole", "Description", "", "MaxSessionDuration", "7200")
	on("UpdateAssumeRolePolicy", "PolicyDocument", `{}`)
	on("PutRolePermissionsBoundary", "PermissionsBoundary", "arn:b")
	on("TagRole", "Tags.member.1.Key", "tier", "Tags.member.1.Value", "1")
	on("UntagRole", "TagKeys.member.1", "team")
	got = on("GetRole")
	for element, want := range map[string]string{"MaxSessionDuration": "7200", "AssumeRolePolicyDocument": "%7B%7D", "PermissionsBoundaryArn": "arn:b", "Key": "tier"} {
		if got := got.element(t, element); got != want {
			t.Errorf("changed: %s is %s, want %s", element, got, want)
		}
	}
	on("DeleteRolePermissionsBoundary")
	if got := on("GetRole").elements("PermissionsBoundaryArn"); len(got) != 0 {
		t.Errorf("boundary %v", got)
	}
	if got := on("ListRoleTags").element(t, "Key"); got != "tier" {
		t.Errorf("tag %s", got)
	}
	if got := on("ListInstanceProfilesForRole"); got.status != http.StatusOK {
		t.Errorf("instance profiles: %s", got.body)
	}
	on("DeleteRole")
	if got := on("GetRole"); got.status != http.StatusNotFound || got.code() != "NoSuchEntity" {
		t.Errorf("deleted: %d %s", got.status, got.body)
	}
}

func TestIAM_policies(t *testing.T) {
	c := newTestClient(t)
	on := newRole(c)
	const managed = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
	on("PutRolePolicy", "PolicyName", "own", "PolicyDocument", trust)
	if got, _ := url.QueryUnescape(on("GetRolePolicy", "PolicyName", "own").element(t, "PolicyDocument")); got != trust {
		t.Errorf("policy %s", got)
	}
	if got := on("DeleteRole"); got.code() != "DeleteConflict" {
		t.Errorf("deleted with an inline policy: %s", got.body)
	}
	on("AttachRolePolicy", "PolicyArn", managed)
	on("AttachRolePolicy", "PolicyArn", managed)
	if got := on("ListAttachedRolePolicies"); got.element(t, "PolicyArn") != managed || got.element(t, "PolicyName") != "AmazonSQSReadOnlyAccess" {
		t.Errorf("attached: %s", got.body)
	}
	want := `[{"service":"iam","type":"role","id":"uploader","tags":{}},{"service":"iam","type":"role-policy","id":"uploader:own","tags":{}},` +
		`{"service":"iam","type":"role-policy-attachment","id":"uploader:` + managed + `","tags":{}}]` + "\n"
	if diff := cmp.Diff(want, c.do("", "GET", "/_emu/resources", "").body); diff != "" {
		t.Error(diff)
	}
	for _, step := range [][]string{{"DeleteRolePolicy", "PolicyName", "own"}, {"DetachRolePolicy", "PolicyArn", managed}} {
		if got := on("DeleteRole"); got.status != http.StatusConflict || got.code() != "DeleteConflict" {
			t.Errorf("deleted before %s: %s", step[0], got.body)
		}
		on(step[0], step[1:]...)
		if got := on(step[0], step[1:]...); got.code() != "NoSuchEntity" {
			t.Errorf("%s twice: %s", step[0], got.body)
		}
	}
	if got := on("ListRolePolicies").elements("member"); len(got) != 0 {
		t.Errorf("policies %v", got)
	}
	if got := on("DeleteRole"); got.status != http.StatusOK {
		t.Error(got.body)
	}
}

func TestIAM_refused(t *testing.T) {
	cases := map[string]struct {
		action   string
		params   []string
		wantCode string
	}{
		"A role twice.":                   {"CreateRole", []string{"RoleName", "uploader", "AssumeRolePolicyDocument", trust}, "EntityAlreadyExists"},
		"A role without a name.":          {"CreateRole", []string{"AssumeRolePolicyDocument", trust}, "ValidationError"},
		"A trust policy that is no JSON.": {"CreateRole", []string{"RoleName", "other", "AssumeRolePolicyDocument", "{"}, "MalformedPolicyDocument"},
		"A policy that is no JSON.":       {"PutRolePolicy", []string{"RoleName", "uploader", "PolicyName", "p", "PolicyDocument", "[]"}, "MalformedPolicyDocument"},
		"A policy that is not there.":     {"GetRolePolicy", []string{"RoleName", "uploader", "PolicyName", "p"}, "NoSuchEntity"},
		"A policy of the account.":        {"AttachRolePolicy", []string{"RoleName", "uploader", "PolicyArn", "arn:aws:iam::123456789012:policy/p"}, "NoSuchEntity"},
		"A role that is not there.":       {"ListRolePolicies", []string{"RoleName", "other"}, "NoSuchEntity"},
		"An issuer without TLS.":          {"CreateOpenIDConnectProvider", []string{"Url", "http://issuer.test"}, "ValidationError"},
		"A provider that is not there.":   {"GetOpenIDConnectProvider", []string{"OpenIDConnectProviderArn", "arn:x"}, "NoSuchEntity"},
	}
	c := newTestClient(t)
	newRole(c)
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.query("iam", test.action, test.params...); got.code() != test.wantCode {
				t.Errorf("got %s, want %s", got.body, test.wantCode)
			}
		})
	}
}

func TestIAM_providers(t *testing.T) {
	c := newTestClient(t)
	arn := c.mustQuery("iam", "CreateOpenIDConnectProvider", "Url", "https://issuer.test/id/1", "ClientIDList.member.1", "sts.amazonaws.com",
		"Tags.member.1.Key", "team", "Tags.member.1.Value", "shop").element(t, "OpenIDConnectProviderArn")
	if want := "arn:aws:iam::123456789012:oidc-provider/issuer.test/id/1"; arn != want {
		t.Errorf("got %s, want %s", arn, want)
	}
	on := func(action string, params ...string) answer {
		t.Helper()
		return c.mustQuery("iam", action, append([]string{"OpenIDConnectProviderArn", arn}, params...)...)
	}
	if got := on("GetOpenIDConnectProvider"); got.element(t, "Url") != "issuer.test/id/1" || !cmp.Equal(got.elements("member"), []string{"sts.amazonaws.com", someThumbprint}) {
		t.Errorf("made: %s", got.body)
	}
	on("AddClientIDToOpenIDConnectProvider", "ClientID", "other")
	on("RemoveClientIDFromOpenIDConnectProvider", "ClientID", "sts.amazonaws.com")
	on("UpdateOpenIDConnectProviderThumbprint", "ThumbprintList.member.1", "ab")
	on("TagOpenIDConnectProvider", "Tags.member.1.Key", "tier", "Tags.member.1.Value", "1")
	on("UntagOpenIDConnectProvider", "TagKeys.member.1", "team")
	if got := on("GetOpenIDConnectProvider"); got.element(t, "Key") != "tier" || !cmp.Equal(got.elements("member"), []string{"other", "ab"}) {
		t.Errorf("changed: %s", got.body)
	}
	if got := c.query("iam", "CreateOpenIDConnectProvider", "Url", "https://issuer.test/id/1"); got.code() != "EntityAlreadyExists" {
		t.Errorf("made twice: %s", got.body)
	}
	if got := c.mustQuery("iam", "ListOpenIDConnectProviders").element(t, "Arn"); got != arn {
		t.Errorf("listed %s", got)
	}
	if got, want := c.do("", "GET", "/_emu/resources", "").body, `[{"service":"iam","type":"oidc-provider","id":"`+arn+`","tags":{"tier":"1"}}]`+"\n"; got != want {
		t.Errorf("got %s want %s", got, want)
	}
	on("DeleteOpenIDConnectProvider")
	if got := c.query("iam", "GetOpenIDConnectProvider", "OpenIDConnectProviderArn", arn); got.code() != "NoSuchEntity" {
		t.Errorf("deleted: %s", got.body)
	}
}
