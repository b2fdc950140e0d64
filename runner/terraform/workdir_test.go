package terraform

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

func TestUnpack(t *testing.T) {
	cases := map[string]struct {
		reason  string
		headers []tar.Header
		wantErr bool
	}{
		"files":    {"Files in folders are unpacked.", []tar.Header{{Name: "a/b.tf", Typeflag: tar.TypeReg}, {Name: "c.tf", Typeflag: tar.TypeReg}}, false},
		"parent":   {"Nothing gets out by its name.", []tar.Header{{Name: "../x", Typeflag: tar.TypeReg}}, true},
		"absolute": {"Nothing gets out by an absolute name.", []tar.Header{{Name: "/x", Typeflag: tar.TypeReg}}, true},
		"link":     {"A link is refused.", []tar.Header{{Name: "x", Linkname: "/etc", Typeflag: tar.TypeSymlink}}, true},
		"twice":    {"A file is not overwritten.", []tar.Header{{Name: "x", Typeflag: tar.TypeReg}, {Name: "x", Typeflag: tar.TypeReg}}, true},
		"reserved": {"The runner's own names are refused, however they are written.", []tar.Header{{Name: "a/../mine", Typeflag: tar.TypeReg}}, true},
		"below":    {"So is what is below them.", []tar.Header{{Name: "mine/x", Typeflag: tar.TypeReg}}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			zw := gzip.NewWriter(&b)
			tw := tar.NewWriter(zw)
			for _, h := range tc.headers {
				if err := tw.WriteHeader(&h); err != nil {
					t.Fatal(err)
				}
			}
			if err := tw.Close(); err != nil {
				t.Fatal(err)
			}
			if err := zw.Close(); err != nil {
				t.Fatal(err)
			}
			parent := t.TempDir()
			dir := filepath.Join(parent, "module")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			err := unpack(b.Bytes(), dir, "mine")
			if (err != nil) != tc.wantErr {
				t.Errorf("%s\nwant an error: %v, got %v", tc.reason, tc.wantErr, err)
			}
			for _, h := range tc.headers {
				_, err := os.Stat(filepath.Join(dir, h.Name))
				if got := err == nil; !tc.wantErr && !got {
					t.Errorf("%s\n%s is missing: %v", tc.reason, h.Name, err)
				}
			}
			if entries, _ := os.ReadDir(parent); len(entries) != 1 {
				t.Errorf("%s\nsomething got out: %v", tc.reason, entries)
			}
		})
	}
}

func TestSelectProviders(t *testing.T) {
	const aws, openTofu = "registry.terraform.io/hashicorp/aws", "registry.opentofu.org/hashicorp/aws"
	cases := map[string]struct {
		reason  string
		mirror  []string
		lock    string
		want    string
		wantErr bool
	}{
		"newest": {
			"Without a lock file the newest version is taken.",
			[]string{aws + "/5.9.0", aws + "/5.100.0", aws + "/5.99.0"}, "",
			"provider \"" + aws + "\" {\n  version = \"5.100.0\"\n}\n", false,
		},
		"locked": {
			"A lock file decides; its checksums were verified by the image build.",
			[]string{aws + "/5.99.0", aws + "/5.100.0"}, `provider "` + aws + `" {
  version     = "5.99.0"
  constraints = "~> 5.0"
  hashes      = ["h1:x"]
}`,
			"provider \"" + aws + "\" {\n  version = \"5.99.0\"\n}\n", false,
		},
		"locked to another": {
			"A version that a newer bundle no longer has gives way to the newest.",
			[]string{aws + "/5.100.0"}, `provider "` + aws + `" {
  version = "5.99.0"
}`,
			"provider \"" + aws + "\" {\n  version = \"5.100.0\"\n}\n", false,
		},
		"locked for Terraform": {
			"OpenTofu's providers are those that Terraform's lock names, without one of its own.",
			[]string{openTofu + "/5.99.0", openTofu + "/5.100.0"}, `provider "` + aws + `" {
  version = "5.99.0"
}`,
			"provider \"" + openTofu + "\" {\n  version = \"5.99.0\"\n}\n", false,
		},
		"locked for both": {
			"Its own lock comes first.",
			[]string{openTofu + "/5.99.0", openTofu + "/5.100.0"}, `provider "` + aws + `" {
  version = "5.100.0"
}
provider "` + openTofu + `" {
  version = "5.99.0"
}`,
			"provider \"" + openTofu + "\" {\n  version = \"5.99.0\"\n}\n", false,
		},
		"none": {"A bundle may have no providers.", nil, "", "", false},
		"lock": {"A lock file that cannot be read is said so.", nil, "provider {", "", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, p := range tc.mirror {
				if err := os.MkdirAll(filepath.Join(dir, p, runtime.GOOS+"_"+runtime.GOARCH), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			lock := filepath.Join(t.TempDir(), lockFile)
			if tc.lock != "" {
				if err := os.WriteFile(lock, []byte(tc.lock), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			providers, err := selectProviders(dir, lock)
			got := lockFileOf(providers)
			if (err != nil) != tc.wantErr || string(got) != tc.want {
				t.Errorf("%s\nwant %q, got %q, %v", tc.reason, tc.want, got, err)
			}
		})
	}
}

func TestBackendBlock_lease(t *testing.T) {
	cases := map[string]struct {
		reason, file string
		want         types.NamespacedName
		wantErr      bool
	}{
		"kubernetes": {"The Lease is named as the backend names it.", `{"terraform":{"backend":{"kubernetes":{"namespace":"n","secret_suffix":"s"}}}}`, types.NamespacedName{Namespace: "n", Name: "lock-tfstate-default-s"}, false},
		"other":      {"Another backend has no Lease.", `{"terraform":{"backend":{"local":{}}}}`, types.NamespacedName{}, true},
		"two":        {"There is one backend.", `{"terraform":{"backend":{"local":{},"kubernetes":{}}}}`, types.NamespacedName{}, true},
		"none":       {"There is a backend.", `{}`, types.NamespacedName{}, true},
		"garbage":    {"It is JSON.", `backend`, types.NamespacedName{}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b, err := parseBackend([]byte(tc.file))
			var got types.NamespacedName
			if err == nil {
				got, err = b.lease()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || (err != nil) != tc.wantErr {
				t.Errorf("%s\n-want, +got:\n%s\n%v", tc.reason, diff, err)
			}
		})
	}
}
