package bundle

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	terraformRegistry = "registry.terraform.io/acme/thing"
	openTofuRegistry  = "registry.opentofu.org/acme/thing"
)

// lockBlock is a provider of a lock file.
func lockBlock(source, version, hash string) string {
	return "provider \"" + source + "\" {\n  version = \"" + version + "\"\n  hashes  = [\"" + hash + "\"]\n}\n"
}

// TestBundle_findProviders_registries has one provider under the addresses of Terraform's
// and of OpenTofu's registry.
func TestBundle_findProviders_registries(t *testing.T) {
	good := func(source, version string) string { return lockBlock(source, version, providerHash) }
	cases := map[string]struct {
		product Product
		locks   string
		mirror  []string // source/version of what it has
		want    string   // source/version in the image, and the folder of the mirror
		wantErr string
	}{
		"Terraform takes its own.": {
			ProductTerraform, good(terraformRegistry, "1.0.0"), []string{terraformRegistry + "/1.0.0", openTofuRegistry + "/1.0.0"},
			terraformRegistry + "/1.0.0 from " + terraformRegistry, "",
		},
		"Terraform does not care for OpenTofu's lock beside its own.": {
			ProductTerraform, good(openTofuRegistry, "2.0.0") + good(terraformRegistry, "1.0.0"), []string{terraformRegistry + "/1.0.0"},
			terraformRegistry + "/1.0.0 from " + terraformRegistry, "",
		},
		"OpenTofu's lock alone is not enough for Terraform.": {
			ProductTerraform, good(openTofuRegistry, "1.0.0"), []string{openTofuRegistry + "/1.0.0"},
			"", "the lock file of the module thing is OpenTofu's",
		},
		"OpenTofu takes its own.": {
			ProductOpenTofu, good(openTofuRegistry, "1.0.0"), []string{terraformRegistry + "/1.0.0", openTofuRegistry + "/1.0.0"},
			openTofuRegistry + "/1.0.0 from " + openTofuRegistry, "",
		},
		"Failing that it takes Terraform's, which it asks for by its own address.": {
			ProductOpenTofu, good(terraformRegistry, "1.0.0"), []string{terraformRegistry + "/1.0.0"},
			openTofuRegistry + "/1.0.0 from " + terraformRegistry, "",
		},
		"Terraform's lock admits OpenTofu's build too, if it is the same.": {
			ProductOpenTofu, good(terraformRegistry, "1.0.0"), []string{openTofuRegistry + "/1.0.0"},
			openTofuRegistry + "/1.0.0 from " + openTofuRegistry, "",
		},
		"Of two locks OpenTofu's says which version.": {
			ProductOpenTofu, good(openTofuRegistry, "2.0.0") + lockBlock(terraformRegistry, "1.0.0", "h1:AAAA"), []string{openTofuRegistry + "/2.0.0", terraformRegistry + "/1.0.0"},
			openTofuRegistry + "/2.0.0 from " + openTofuRegistry, "",
		},
		"Of two locks of one version both say which checksums.": {
			ProductOpenTofu, lockBlock(openTofuRegistry, "1.0.0", "h1:AAAA") + good(terraformRegistry, "1.0.0"), []string{terraformRegistry + "/1.0.0"},
			openTofuRegistry + "/1.0.0 from " + terraformRegistry, "",
		},
		"They do in the other order too.": {
			ProductOpenTofu, good(openTofuRegistry, "1.0.0") + lockBlock(terraformRegistry, "1.0.0", "h1:AAAA"), []string{terraformRegistry + "/1.0.0"},
			openTofuRegistry + "/1.0.0 from " + terraformRegistry, "",
		},
		"A checksum that neither admits is refused.": {
			ProductOpenTofu, lockBlock(terraformRegistry, "1.0.0", "h1:AAAA"), []string{openTofuRegistry + "/1.0.0"},
			"", "run `tofu providers lock -platform=" + platform() + "`",
		},
		"Neither has it.": {
			ProductOpenTofu, good(terraformRegistry, "1.0.0"), nil,
			"", "under " + openTofuRegistry + " and " + terraformRegistry,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			library, mirror := t.TempDir(), t.TempDir()
			writeModule(t, library, "")
			mustWrite(t, filepath.Join(library, "thing", "main.tf"), "terraform {\n  required_providers {\n    thing = { source = \"acme/thing\" }\n  }\n}\n", 0o644)
			mustWrite(t, filepath.Join(library, "thing", ".terraform.lock.hcl"), c.locks, 0o644)
			for _, dir := range c.mirror {
				mustWrite(t, filepath.Join(mirror, dir, platform(), "terraform-provider-thing"), "a provider", 0o755)
			}
			b := testBundle(t, library, mirror)
			b.Terraform.Product = c.product
			providers, err := b.findProviders(t.Context())
			if c.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), c.wantErr) {
					t.Errorf("got %v and the error %v, want one with %q", providers, err, c.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range providers {
				rel, err := filepath.Rel(mirror, p.dir)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, p.source+"/"+p.version+" from "+filepath.Dir(filepath.Dir(rel)))
			}
			if diff := cmp.Diff([]string{c.want}, got); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}
