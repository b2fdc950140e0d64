package policy

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocs loads the policies that docs/policies.md shows.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "policies.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, block := range regexp.MustCompile("(?ms)^```rego\n# (\\S+)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		files[block[1]] = block[2]
	}
	if len(files) != 2 {
		t.Fatalf("found %d policies, want 2", len(files))
	}
	p, err := Load(Library(), source(files))
	if err != nil {
		t.Fatal(err)
	}
	if !p.Concern([]string{"aws_launch_template"}) {
		t.Error("the metadata is not read")
	}
	const changes = `"resource_changes": [
		{"address": "aws_instance.a", "mode": "managed", "type": "aws_instance", "change": {"actions": ["create"], "after": {"instance_type": "p5.48xlarge"}}},
		{"address": "aws_s3_bucket_acl.a", "mode": "managed", "type": "aws_s3_bucket_acl", "change": {"actions": ["create"], "after": {"acl": "public-read"}}}
	]`
	gpu := Finding{"no_gpu", "aws_instance.a", "p5.48xlarge is a GPU instance: ask the platform team"}
	cases := map[string][]Finding{
		"acme-website": {gpu},
		"acme-uploads": {gpu, {"public_bucket", "aws_s3_bucket_acl.a", "the ACL public-read opens the bucket to everybody: use private, and grant what is needed with a bucket policy"}},
	}
	for name, want := range cases {
		f, err := p.Evaluate(t.Context(), []byte(`{"variables": {"name": {"value": "`+name+`"}}, `+changes+`}`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, f.Denials); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", name, diff)
		}
	}
}
