package bundle

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadPolicies(t *testing.T) {
	const good = "package main\n\ndeny contains \"a\" if input.a\n"
	cases := map[string]struct {
		files   map[string]string
		want    []string
		wantErr string
	}{
		"Policies without their tests, and an empty file, which takes a default one away.": {
			files: map[string]string{"b.rego": good, "a_test.rego": "no Rego", "public_bucket.rego": "# Not here.\n", "README.md": ""},
			want:  []string{"b", "public_bucket"},
		},
		"A folder without policies.": {files: map[string]string{"more/a.rego": good}, wantErr: "no policy in "},
		"A policy that does not compile.": {
			files: map[string]string{"a.rego": "package main\n\ndeny contains shout(1)\n"}, wantErr: "policy a.rego:3: undefined function shout",
		},
		"One that does not go with the default set.": {
			files: map[string]string{"a.rego": "package groundwork.plan\n\nchanged := 1\n"}, wantErr: "conflicting rules data.groundwork.plan.changed",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range c.files {
				mustWrite(t, filepath.Join(dir, file), text, 0o644)
			}
			files, err := LoadPolicies(dir)
			if c.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), c.wantErr) {
					t.Errorf("want the error %q, got %v", c.wantErr, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, policyNames(files)); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
	if _, err := LoadPolicies(filepath.Join(t.TempDir(), "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: got %v", err)
	}
}

// TestBundle_Image_policies builds a bundle with policies of its own.
func TestBundle_Image_policies(t *testing.T) {
	isolateCache(t)
	library, mirror := t.TempDir(), t.TempDir()
	writeModule(t, library, providerHash)
	writeProvider(t, mirror)
	b := testBundle(t, library, mirror)
	b.Policies = map[string][]byte{"b.rego": nil, "a.rego": nil}
	image, err := b.Image(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	layers := layerFiles(t, image)
	if diff := cmp.Diff([]string{"groundwork/policies/a.rego", "groundwork/policies/b.rego"}, layers[len(layers)-2]); diff != "" {
		t.Errorf("the layer before the modules: -want, +got:\n%s", diff)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got := config.Config.Labels["infra.groundwork.dev/policies"]; got != "a, b" {
		t.Errorf("label: got %q", got)
	}
}
