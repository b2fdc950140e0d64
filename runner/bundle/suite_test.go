package bundle

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/groundwork-dev/groundwork/runner"
)

// isolateCache gives the test a cache folder of its own.
func isolateCache(t *testing.T) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

// platform is what the tests' providers are for.
func platform() string { return "linux_" + runtime.GOARCH }

// writeBinary writes a script that stands in for Terraform or OpenTofu.
func writeBinary(t *testing.T, product Product, version string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), product.command())
	mustWrite(t, file, `#!/bin/sh
case "$*" in
'version -json') echo '{"terraform_version": "`+version+`"}';;
version) echo '`+string(product)+` v`+version+`';;
*) exit 1;;
esac
`, 0o755)
	return file
}

// testBundle is a bundle of one library, whose Terraform is a script and whose runner is
// a text.
func testBundle(t *testing.T, library, mirror string) Bundle {
	t.Helper()
	modules, err := LoadModules([]string{library})
	if err != nil {
		t.Fatal(err)
	}
	terraform, err := ReadTerraform(t.Context(), writeBinary(t, ProductTerraform, "1.11.4"))
	if err != nil {
		t.Fatal(err)
	}
	base, err := BaseLayer()
	if err != nil {
		t.Fatal(err)
	}
	return Bundle{
		Foundation: Foundation{
			Architecture: runtime.GOARCH,
			Config:       v1.Config{User: User},
			Base:         []Layer{base},
			Terraform:    terraform,
			Runner:       Layer{Name: "runner", Entries: []Entry{{Path: runner.Binary, Mode: 0o755, Content: []byte("a runner")}}},
			Version:      "1.2.3",
		},
		Modules: modules,
		Mirrors: []string{mirror},
	}
}

// providerHash is the checksum that Terraform computes for writeProvider's.
const providerHash = "h1:5LmStlI+tdK0a85yBrzO3xQlErdltkcm1QAh5JD2Ivs="

func writeProvider(t *testing.T, mirror string) {
	t.Helper()
	mustWrite(t, filepath.Join(mirror, "example.com", "acme", "thing", "1.0.0", platform(), "terraform-provider-thing"), "a provider", 0o755)
}

// writeModule writes the module thing, locked to a checksum unless that is empty.
func writeModule(t *testing.T, library, hash string) {
	t.Helper()
	dir := filepath.Join(library, "thing")
	mustWrite(t, filepath.Join(dir, "module.yaml"), "version: 1.0.0\nsummary: A thing.\n", 0o644)
	mustWrite(t, filepath.Join(dir, "main.tf"), "terraform {\n  required_providers {\n    thing = { source = \"example.com/acme/thing\" }\n  }\n}\n", 0o644)
	mustWrite(t, filepath.Join(dir, "tests", "thing.tftest.hcl"), "", 0o644)
	if hash != "" {
		mustWrite(t, filepath.Join(dir, ".terraform.lock.hcl"), "provider \"example.com/acme/thing\" {\n  version = \"1.0.0\"\n  hashes  = [\""+hash+"\"]\n}\n", 0o644)
	}
}

func mustWrite(t *testing.T, file, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func layerFiles(t *testing.T, image v1.Image) [][]string {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for _, layer := range layers {
		r, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for tr := tar.NewReader(r); ; {
			header, err := tr.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, header.Name)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		all = append(all, names)
	}
	return all
}

func digest(t *testing.T, image v1.Image) string {
	t.Helper()
	d, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}
