package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/groundwork-dev/groundwork/runner/bundle"
)

// TestBundleImage compiles the runner for a bundle of a module without providers, and
// takes the foundation of another bundle from it.
func TestBundleImage(t *testing.T) {
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Chdir(filepath.Join("..", "..")) // what is compiled is named from the root
	library := t.TempDir()
	write(t, filepath.Join(library, "thing", "module.yaml"), "version: 1.0.0\nsummary: A thing.\n", 0o644)
	write(t, filepath.Join(library, "thing", "main.tf"), "resource \"terraform_data\" \"this\" {}\n", 0o644)
	terraform := filepath.Join(t.TempDir(), "terraform")
	write(t, terraform, "#!/bin/sh\necho '{\"terraform_version\": \"1.11.4\"}'\n", 0o755)
	o := options{modules: repeated{library}, providers: t.TempDir(), terraform: terraform, version: "1.2.3"}

	image, err := bundleImage(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		User:       "65532:65532",
		Entrypoint: []string{"/groundwork/runner"},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "groundwork-bundle",
			"org.opencontainers.image.description": "Groundwork's runner with Terraform, providers and modules.",
			"org.opencontainers.image.version":     "1.2.3",
			"infra.groundwork.dev/terraform":       "1.11.4",
			"infra.groundwork.dev/providers":       "",
			"infra.groundwork.dev/modules":         "thing 1.0.0",
		},
	}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("config: -want, +got:\n%s", diff)
	}

	file := filepath.Join(t.TempDir(), "bundle.tar")
	if err := tarball.WriteToFile(file, name.MustParseReference("example.com/bundle:1"), image); err != nil {
		t.Fatal(err)
	}
	f, err := bundle.From(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if got := []string{f.Version, string(f.Terraform.Product), f.Terraform.Version}; !cmp.Equal(got, []string{"1.2.3", "Terraform", "1.11.4"}) {
		t.Errorf("the foundation has %v", got)
	}
}

func write(t *testing.T, file, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}
