package infrastructure

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

func TestProviderFile(t *testing.T) {
	for _, tc := range []struct {
		name string
		aws  v1alpha1.AWSProvider
		want string
	}{
		{"A region is enough.", v1alpha1.AWSProvider{Region: "eu-central-1"}, `{"provider":{"aws":{"region":"eu-central-1"}}}`},
		{"All that can be set is set.", v1alpha1.AWSProvider{
			Region: "eu-central-1", DefaultTags: map[string]string{"team": "shop"},
			Endpoints: map[string]string{"s3": "http://s3"}, S3UsePathStyle: true,
		}, `{"provider":{"aws":{"default_tags":{"tags":{"team":"shop"}},"endpoints":{"s3":"http://s3"},"region":"eu-central-1","s3_use_path_style":true}}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := providerFile(&v1alpha1.ProviderConfig{Spec: v1alpha1.ProviderConfigSpec{AWS: tc.aws}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Terraform takes strings in JSON for templates: what a tag says must come out as
// it was, and must not be able to read a file or a variable.
func TestProviderFile_escapes(t *testing.T) {
	for _, value := range []string{
		"plain", `quote " and \ back`, "<a>&b", "${file(\"/etc/passwd\")}", "%{ if true }x%{ endif }",
		"$${a}", "$$${a}", "%%{a}", "$", "${", "}", "a$", "$$", "%", "${${a}}", "é 😀", "line\nbreak",
	} {
		t.Run(value, func(t *testing.T) {
			config := &v1alpha1.ProviderConfig{}
			config.Spec.AWS.Region = "eu-central-1"
			config.Spec.AWS.DefaultTags = map[string]string{"tag": value, value: "key"}
			file, err := providerFile(config)
			if err != nil {
				t.Fatal(err)
			}
			tags := evaluateTags(t, file)
			if tags["tag"] != value {
				t.Errorf("Terraform reads the value %q of %q", tags["tag"], value)
			}
			if _, ok := tags[value]; !ok {
				t.Errorf("Terraform reads the keys of %q as %q", value, tags)
			}
		})
	}
}

// evaluateTags reads default_tags as Terraform does.
func evaluateTags(t *testing.T, file []byte) map[string]string {
	t.Helper()
	parsed, diags := hclparse.NewParser().ParseJSON(file, "provider.tf.json")
	fatal(t, diags)
	provider := oneBlock(t, parsed.Body, hcl.BlockHeaderSchema{Type: "provider", LabelNames: []string{"name"}})
	attrs, diags := oneBlock(t, provider, hcl.BlockHeaderSchema{Type: "default_tags"}).JustAttributes()
	fatal(t, diags)
	value, diags := attrs["tags"].Expr.Value(&hcl.EvalContext{})
	fatal(t, diags)
	tags := map[string]string{}
	for key, v := range value.AsValueMap() {
		tags[key] = v.AsString()
	}
	return tags
}

func oneBlock(t *testing.T, body hcl.Body, header hcl.BlockHeaderSchema) hcl.Body {
	t.Helper()
	content, _, diags := body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{header}})
	fatal(t, diags)
	if len(content.Blocks) != 1 {
		t.Fatalf("%d blocks %s, want 1", len(content.Blocks), header.Type)
	}
	return content.Blocks[0].Body
}

func fatal(t *testing.T, diags hcl.Diagnostics) {
	t.Helper()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
}

func TestInputsDigest(t *testing.T) {
	newRequest := func(modify func(*runner.Request)) *runner.Request {
		req := &runner.Request{
			Operation:      v1alpha1.OperationApply,
			Module:         v1alpha1.ModuleReference{Name: "queue", Version: "1.0.0", Digest: "sha256:0"},
			Variables:      json.RawMessage(`{"size":1}`),
			ProviderConfig: "aws",
			Provider:       json.RawMessage(`{"provider":{}}`),
			Credentials:    v1alpha1.Credentials{SecretName: "aws"},
		}
		modify(req)
		return req
	}
	base, err := inputsDigest(newRequest(func(*runner.Request) {}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		modify func(*runner.Request)
		same   bool
	}{
		{"The same inputs have the same digest.", func(*runner.Request) {}, true},
		{"Rotated credentials make no difference to what exists.", func(r *runner.Request) { r.Credentials.SecretName = "new" }, true},
		{"A destroy of the same has the same digest.", func(r *runner.Request) { r.Operation = v1alpha1.OperationDestroy }, true},
		{"Other files of the module do.", func(r *runner.Request) { r.Module.Digest = "sha256:1" }, false},
		{"Another module does.", func(r *runner.Request) { r.Module.Name = "topic" }, false},
		{"Other variables do.", func(r *runner.Request) { r.Variables = json.RawMessage(`{"size":2}`) }, false},
		{"Another ProviderConfig does.", func(r *runner.Request) { r.ProviderConfig = "other" }, false},
		{"Other provider settings do.", func(r *runner.Request) { r.Provider = json.RawMessage(`{"provider":{"aws":{}}}`) }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := inputsDigest(newRequest(tc.modify))
			if err != nil || (got == base) != tc.same {
				t.Errorf("error %v; the same: %t, want %t", err, got == base, tc.same)
			}
		})
	}
}
