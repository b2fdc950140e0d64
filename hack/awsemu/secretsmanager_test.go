package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// secretsCall is a call that has to succeed; an answer with one value of interest has it under this name.
func secretsCall(c *testClient, action, body, name string) any {
	c.t.Helper()
	return c.mustJSON("secretsmanager", action, body)[name]
}

func TestSecretsManager_secrets(t *testing.T) {
	c := newTestClient(t)
	arn := secretsCall(c, "CreateSecret", `{"Name":"shop/db","Description":"d","KmsKeyId":"k","Tags":[{"Key":"team","Value":"shop"},{"Key":"tier","Value":"1"}]}`, "ARN").(string)
	if !strings.HasPrefix(arn, "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db-") {
		t.Errorf("ARN %s", arn)
	}
	c.mustJSON("secretsmanager", "UntagResource", `{"SecretId":"`+arn+`","TagKeys":["tier"]}`)
	c.mustJSON("secretsmanager", "TagResource", `{"SecretId":"`+arn[:len(arn)-7]+`","Tags":[{"Key":"owner","Value":"me"}]}`)
	c.mustJSON("secretsmanager", "UpdateSecret", `{"SecretId":"shop/db","Description":"other"}`)
	want := map[string]any{
		"ARN": arn, "Name": "shop/db", "Description": "other", "KmsKeyId": "k", "CreatedDate": 1767225600.0, "LastChangedDate": 1767225600.0,
		"Tags": []any{map[string]any{"Key": "owner", "Value": "me"}, map[string]any{"Key": "team", "Value": "shop"}},
	}
	if diff := cmp.Diff(want, c.mustJSON("secretsmanager", "DescribeSecret", `{"SecretId":"shop/db"}`)); diff != "" {
		t.Error(diff)
	}
	if got, want := c.do("", "GET", "/_emu/resources", "").body, `[{"service":"secretsmanager","type":"secret","id":"shop/db","tags":{"owner":"me","team":"shop"}}]`+"\n"; got != want {
		t.Errorf("got %s want %s", got, want)
	}
	c.mustJSON("secretsmanager", "PutResourcePolicy", `{"SecretId":"shop/db","ResourcePolicy":"{}"}`)
	if got := secretsCall(c, "GetResourcePolicy", `{"SecretId":"shop/db"}`, "ResourcePolicy"); got != "{}" {
		t.Errorf("policy %v", got)
	}
	c.mustJSON("secretsmanager", "DeleteResourcePolicy", `{"SecretId":"shop/db"}`)
	if got := secretsCall(c, "GetResourcePolicy", `{"SecretId":"shop/db"}`, "ResourcePolicy"); got != nil {
		t.Errorf("policy %v", got)
	}
}

func TestSecretsManager_delete(t *testing.T) {
	c := newTestClient(t)
	code := func(action, body string) string {
		t.Helper()
		return c.json("secretsmanager", action, body).jsonType()
	}
	c.mustJSON("secretsmanager", "CreateSecret", `{"Name":"db","SecretString":"x"}`)
	if got := code("CreateSecret", `{"Name":"db"}`); got != "ResourceExistsException" {
		t.Errorf("created twice: %q", got)
	}
	c.mustJSON("secretsmanager", "DeleteSecret", `{"SecretId":"db","RecoveryWindowInDays":7}`)
	if got := secretsCall(c, "DescribeSecret", `{"SecretId":"db"}`, "DeletedDate"); got != 1767225600.0 {
		t.Errorf("DeletedDate %v", got)
	}
	if got := c.do("", "GET", "/_emu/resources", "").body; got != "[]\n" {
		t.Errorf("a secret that waits for its deletion is listed: %s", got)
	}
	for action, body := range map[string]string{"GetSecretValue": `{"SecretId":"db"}`, "PutSecretValue": `{"SecretId":"db","SecretString":"y"}`, "CreateSecret": `{"Name":"db"}`} {
		if got := code(action, body); got != "InvalidRequestException" {
			t.Errorf("%s of a secret that waits for its deletion: %q", action, got)
		}
	}
	c.mustJSON("secretsmanager", "RestoreSecret", `{"SecretId":"db"}`)
	if got := secretsCall(c, "GetSecretValue", `{"SecretId":"db"}`, "SecretString"); got != "x" {
		t.Errorf("restored %v", got)
	}
	c.mustJSON("secretsmanager", "DeleteSecret", `{"SecretId":"db"}`)
	*c.now = c.now.AddDate(0, 0, 30)
	if got := code("DescribeSecret", `{"SecretId":"db"}`); got != "ResourceNotFoundException" {
		t.Errorf("after the recovery window: %q", got)
	}
	c.mustJSON("secretsmanager", "CreateSecret", `{"Name":"db"}`)
	c.mustJSON("secretsmanager", "DeleteSecret", `{"SecretId":"db","ForceDeleteWithoutRecovery":true}`)
	if got := code("DescribeSecret", `{"SecretId":"db"}`); got != "ResourceNotFoundException" {
		t.Errorf("deleted without recovery: %q", got)
	}
	for _, body := range []string{`{"SecretId":"db","RecoveryWindowInDays":6}`, `{"SecretId":"db","RecoveryWindowInDays":7,"ForceDeleteWithoutRecovery":true}`} {
		if got := code("DeleteSecret", body); got != "InvalidParameterException" {
			t.Errorf("%s: %q", body, got)
		}
	}
}

func TestSecretsManager_versions(t *testing.T) {
	c := newTestClient(t)
	c.mustJSON("secretsmanager", "CreateSecret", `{"Name":"db"}`)
	put := func(id, value, stages string) answer {
		t.Helper()
		return c.json("secretsmanager", "PutSecretValue", `{"SecretId":"db","ClientRequestToken":"`+id+`","SecretString":"`+value+`","VersionStages":[`+stages+`]}`)
	}
	wantStages := func(when string, want map[string]any) {
		t.Helper()
		if diff := cmp.Diff(want, secretsCall(c, "DescribeSecret", `{"SecretId":"db"}`, "VersionIdsToStages")); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
	}
	put("one", "1", "")
	wantStages("The first is the current one", map[string]any{"one": []any{"AWSCURRENT"}})
	put("two", "2", `"AWSCURRENT","blue"`)
	wantStages("The next takes its place", map[string]any{"one": []any{"AWSPREVIOUS"}, "two": []any{"AWSCURRENT", "blue"}})
	put("three", "3", `"AWSPENDING"`)
	wantStages("One for later does not", map[string]any{"one": []any{"AWSPREVIOUS"}, "two": []any{"AWSCURRENT", "blue"}, "three": []any{"AWSPENDING"}})
	if got := put("three", "3", `"AWSPENDING"`); got.status != http.StatusOK {
		t.Errorf("the same call again: %s", got.body)
	}
	if got := put("three", "4", ""); got.jsonType() != "ResourceExistsException" {
		t.Errorf("the same token for another value: %s", got.body)
	}
	move := func(stage, to, from string) string {
		t.Helper()
		return c.json("secretsmanager", "UpdateSecretVersionStage",
			`{"SecretId":"db","VersionStage":"`+stage+`","MoveToVersionId":"`+to+`","RemoveFromVersionId":"`+from+`"}`).jsonType()
	}
	for name, test := range map[string]struct{ stage, to, from, want string }{
		"From where it is not.":          {"AWSCURRENT", "three", "one", "InvalidParameterException"},
		"To where nothing is.":           {"AWSCURRENT", "four", "two", "ResourceNotFoundException"},
		"Every secret has a current one": {"AWSCURRENT", "", "two", "InvalidParameterException"},
	} {
		if got := move(test.stage, test.to, test.from); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if got := move("AWSCURRENT", "three", "two") + move("blue", "", "two"); got != "" {
		t.Error(got)
	}
	wantStages("Moved and removed", map[string]any{"two": []any{"AWSPREVIOUS"}, "three": []any{"AWSPENDING", "AWSCURRENT"}})
}

func TestSecretsManager_values(t *testing.T) {
	c := newTestClient(t)
	c.mustJSON("secretsmanager", "CreateSecret", `{"Name":"db","ClientRequestToken":"one","SecretString":"1"}`)
	for _, version := range []string{`"two","SecretString":"2"`, `"three","SecretString":"3"`} {
		c.mustJSON("secretsmanager", "PutSecretValue", `{"SecretId":"db","ClientRequestToken":`+version+`}`)
	}
	for body, want := range map[string]any{
		`{"SecretId":"db"}`: "3",
		`{"SecretId":"db","VersionStage":"AWSPREVIOUS"}`:                    "2",
		`{"SecretId":"db","VersionId":"one"}`:                               "1",
		`{"SecretId":"db","VersionId":"three","VersionStage":"AWSCURRENT"}`: "3",
	} {
		if got := secretsCall(c, "GetSecretValue", body, "SecretString"); got != want {
			t.Errorf("%s: got %v, want %v", body, got, want)
		}
	}
	for _, body := range []string{`{"SecretId":"db","VersionStage":"blue"}`, `{"SecretId":"db","VersionId":"one","VersionStage":"AWSCURRENT"}`, `{"SecretId":"other"}`} {
		if got := c.json("secretsmanager", "GetSecretValue", body).jsonType(); got != "ResourceNotFoundException" {
			t.Errorf("%s: %q", body, got)
		}
	}
	if got := secretsCall(c, "ListSecretVersionIds", `{"SecretId":"db","IncludeDeprecated":true}`, "Versions").([]any); len(got) != 3 {
		t.Errorf("%d versions, want 3", len(got))
	}
	if got := secretsCall(c, "ListSecretVersionIds", `{"SecretId":"db"}`, "Versions").([]any); len(got) != 2 {
		t.Errorf("%d versions with a stage, want 2", len(got))
	}
	*c.now = c.now.Add(time.Second)
	c.mustJSON("secretsmanager", "UpdateSecret", `{"SecretId":"db","SecretString":"5"}`)
	if got := secretsCall(c, "GetSecretValue", `{"SecretId":"db"}`, "SecretString"); got != "5" {
		t.Errorf("updated to %v", got)
	}
}
