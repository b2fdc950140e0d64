package bundle

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// fileLayer is a layer of files that hold their own names; a name with a slash at its end
// is a folder's.
func fileLayer(names ...string) Layer {
	var l Layer
	for _, name := range names {
		l.Entries = append(l.Entries, Entry{Path: name, Mode: 0o755, Content: []byte(name)})
		if strings.HasSuffix(name, "/") {
			l.Entries[len(l.Entries)-1].Content = nil
		}
	}
	return l
}

func TestFrom(t *testing.T) {
	labelled := map[string]string{labelVersion: "1.2.3", ProductOpenTofu.label(): "1.10.2"}
	base := fileLayer("/etc/passwd", "/tmp/")
	binary, terraform := fileLayer("/groundwork/", "/groundwork/runner"), fileLayer("/groundwork/", "/groundwork/terraform")
	providers := fileLayer("/groundwork/", "/groundwork/providers/", "/groundwork/providers/h/n/t/1.0.0/linux_amd64/p")
	modules, policies := fileLayer("/groundwork/modules/m/main.tf"), fileLayer("/groundwork/policies/p.rego")
	cases := map[string]struct {
		layers  []Layer
		labels  map[string]string
		want    [][]string // files of base, runner and Terraform
		product Product
		wantErr string
	}{
		"A bundle, in any order.": {
			layers: []Layer{base, terraform, providers, modules, policies, binary}, labels: labelled, product: ProductOpenTofu,
			want: [][]string{{"etc/passwd", "tmp/"}, {"groundwork/", "groundwork/runner"}, {"groundwork/", "groundwork/terraform"}},
		},
		"One whose base has two layers, and that does not say what its Terraform is.": {
			layers: []Layer{base, fileLayer("/usr/bin/aws"), binary, terraform},
			want:   [][]string{{"etc/passwd", "tmp/"}, {"usr/bin/aws"}, {"groundwork/", "groundwork/runner"}, {"groundwork/", "groundwork/terraform"}},
		},
		"What is left out is not read further than to its first file.": {
			layers: []Layer{base, binary, terraform, fileLayer("/groundwork/providers/h/n/t/1.0.0/linux_amd64/p", "/groundwork/z")},
			want:   [][]string{{"etc/passwd", "tmp/"}, {"groundwork/", "groundwork/runner"}, {"groundwork/", "groundwork/terraform"}},
		},
		"Another image.": {
			layers: []Layer{base}, wantErr: "no layer has /groundwork/runner: it is not a bundle",
		},
		"A runner alone.": {
			layers: []Layer{binary}, wantErr: "no layer has a user and CA certificates",
		},
		"One layer for all.": {
			layers: []Layer{fileLayer("/etc/passwd", "/groundwork/runner")}, wantErr: "it has both base and runner",
		},
		"Two runners.": {
			layers: []Layer{base, binary, fileLayer("/groundwork/runner")}, wantErr: "it is the second with the runner",
		},
		"Two Terraforms.": {
			layers: []Layer{base, terraform, fileLayer("/groundwork/terraform")}, wantErr: "it is the second with Terraform",
		},
		"A file that no bundle has.": {
			layers: []Layer{base, fileLayer("/groundwork/.wh.runner")}, wantErr: "it has /groundwork/.wh.runner, which is no part of a bundle",
		},
	}
	for title, c := range cases {
		t.Run(title, func(t *testing.T) {
			image, err := Image{Architecture: "riscv64", Config: v1.Config{User: "7", Env: []string{"A=b"}, Cmd: []string{"x"}, Labels: c.labels}, Layers: c.layers}.Build(io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "from.tar")
			if err := tarball.WriteToFile(file, name.MustParseReference("bundle:1"), image); err != nil {
				t.Fatal(err)
			}
			f, err := From(t.Context(), file)
			if c.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), c.wantErr) {
					t.Errorf("got the error %v, want one with %q", err, c.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			taken, err := Image{Layers: append(f.Base, f.Runner, f.Terraform.layer())}.Build(io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, layerFiles(t, taken)); diff != "" {
				t.Errorf("layers: -want, +got:\n%s", diff)
			}
			want := Foundation{Architecture: "riscv64", Config: v1.Config{User: "7", Env: []string{"A=b"}}, Version: c.labels[labelVersion]}
			got := Foundation{Architecture: f.Architecture, Config: f.Config, Version: f.Version}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Layer{}, Terraform{})); diff != "" {
				t.Errorf("foundation: -want, +got:\n%s", diff)
			}
			if f.Terraform.Product != c.product || f.Terraform.Version != c.labels[c.product.label()] {
				t.Errorf("want the product %q, got %q %q", c.product, f.Terraform.Product, f.Terraform.Version)
			}
		})
	}
}
