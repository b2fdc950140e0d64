package main

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// TestBundleImage builds a bundle with a provider that is a text file and a
// Terraform that is a script.
func TestBundleImage(t *testing.T) {
	isolateCache(t)
	library, mirror := t.TempDir(), t.TempDir()
	writeModule(t, library, providerHash)
	writeProvider(t, mirror)
	terraform := filepath.Join(t.TempDir(), "terraform")
	writeFile(t, terraform, "#!/bin/sh\necho '{\"terraform_version\": \"1.11.4\"}'\n", 0o755)
	t.Chdir(filepath.Join("..", "..")) // what is compiled is named from the root
	o := options{modules: repeated{library}, providers: mirror, terraform: terraform, version: "1.2.3"}

	image, err := bundleImage(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	layers := [][]string{
		{"etc/group", "etc/passwd", "etc/ssl/certs/ca-certificates.crt", "tmp/"},
		{"groundwork/terraform"},
		{"groundwork/providers/example.com/acme/thing/1.0.0/" + platform() + "/terraform-provider-thing"},
		{"groundwork/runner"},
		{"groundwork/modules/thing/.terraform.lock.hcl", "groundwork/modules/thing/main.tf", "groundwork/modules/thing/module.yaml"},
	}
	if diff := cmp.Diff(layers, layerFiles(t, image)); diff != "" {
		t.Errorf("what changes most comes last; tests stay out\n-want, +got:\n%s", diff)
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
			"infra.groundwork.dev/providers":       "example.com/acme/thing 1.0.0",
			"infra.groundwork.dev/modules":         "thing 1.0.0",
		},
	}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("config: -want, +got:\n%s", diff)
	}

	// Another time, from another place and without the cache.
	isolateCache(t)
	o.providers = t.TempDir()
	writeProvider(t, o.providers)
	again, err := bundleImage(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := digest(t, image), digest(t, again); a != b {
		t.Errorf("the same inputs gave %s and %s", a, b)
	}
}

// isolateCache gives the test a cache folder of its own, but for Go's.
func isolateCache(t *testing.T) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(out)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

// providerHash is the checksum that Terraform computes for writeProvider's.
const providerHash = "h1:5LmStlI+tdK0a85yBrzO3xQlErdltkcm1QAh5JD2Ivs="

func writeProvider(t *testing.T, mirror string) {
	t.Helper()
	writeFile(t, filepath.Join(mirror, "example.com", "acme", "thing", "1.0.0", platform(), "terraform-provider-thing"), "a provider", 0o755)
}

// writeModule writes the module thing, locked to a checksum unless that is empty.
func writeModule(t *testing.T, library, hash string) {
	t.Helper()
	dir := filepath.Join(library, "thing")
	writeFile(t, filepath.Join(dir, "module.yaml"), "version: 1.0.0\nsummary: A thing.\n", 0o644)
	writeFile(t, filepath.Join(dir, "main.tf"), "terraform {\n  required_providers {\n    thing = { source = \"example.com/acme/thing\" }\n  }\n}\n", 0o644)
	writeFile(t, filepath.Join(dir, "tests", "thing.tftest.hcl"), "", 0o644)
	if hash != "" {
		writeFile(t, filepath.Join(dir, ".terraform.lock.hcl"), "provider \"example.com/acme/thing\" {\n  version = \"1.0.0\"\n  hashes  = [\""+hash+"\"]\n}\n", 0o644)
	}
}

func writeFile(t *testing.T, file, content string, mode os.FileMode) {
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

// TestDeliver reads back what was written.
func TestDeliver(t *testing.T) {
	isolateCache(t)
	image, err := assemble("/x", nil, []layerSource{
		{entries: []entry{{path: "/b", mode: 0o644, content: []byte("b")}, {path: "/a", mode: 0o644, content: []byte("a")}}},
		{entries: []entry{{path: "/c", mode: 0o644, content: []byte("c")}}, cached: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := deliver(t.Context(), image, "example.com/x:1", file, false); err != nil {
		t.Fatal(err)
	}
	read, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	r := mutate.Extract(read)
	defer r.Close()
	for tr := tar.NewReader(r); ; {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, header.Name)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

func TestLayerSource_key(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	writeFile(t, file, "1", 0o644)
	base := entry{path: "/f", mode: 0o644, file: file}
	cases := map[string]struct {
		reason string
		change func(*testing.T, *entry)
		same   bool
	}{
		"same":    {"The same content is the same layer.", func(*testing.T, *entry) {}, true},
		"path":    {"Another path is another.", func(_ *testing.T, e *entry) { e.path = "/g" }, false},
		"mode":    {"Another mode is another.", func(_ *testing.T, e *entry) { e.mode = 0o755 }, false},
		"id":      {"So is another known content.", func(_ *testing.T, e *entry) { e.id = "h1:x" }, false},
		"content": {"So is another content.", func(t *testing.T, e *entry) { e.file += "2"; writeFile(t, e.file, "2", 0o644) }, false},
		"time":    {"Times do not matter.", func(t *testing.T, e *entry) { e.file += "3"; writeFile(t, e.file, "1", 0o600) }, true},
	}
	want, err := layerSource{entries: []entry{base}}.key()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			e := base
			tc.change(t, &e)
			got, err := layerSource{entries: []entry{e}}.key()
			if err != nil {
				t.Fatal(err)
			}
			if (got == want) != tc.same {
				t.Errorf("%s\nwant the same key: %v, got %s and %s", tc.reason, tc.same, want, got)
			}
		})
	}
}
