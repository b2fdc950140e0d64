package bundle

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// TestBundle_Image builds a bundle with a provider that is a text file and a
// Terraform that is a script.
func TestBundle_Image(t *testing.T) {
	isolateCache(t)
	library, mirror := t.TempDir(), t.TempDir()
	writeModule(t, library, providerHash)
	writeProvider(t, mirror)
	image, err := testBundle(t, library, mirror).Image(t.Context(), io.Discard)
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
	elsewhere := t.TempDir()
	writeProvider(t, elsewhere)
	again, err := testBundle(t, library, elsewhere).Image(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := digest(t, image), digest(t, again); a != b {
		t.Errorf("the same inputs gave %s and %s", a, b)
	}
}
