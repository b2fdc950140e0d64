package bundle

import (
	"archive/zip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBundle_findProviders(t *testing.T) {
	cases := map[string]struct {
		reason, hash string
		mirror       bool
		wantErr      string
	}{
		"verified": {"A provider with the checksum of the lock file is taken.", providerHash, true, ""},
		"changed":  {"One with another is refused.", "h1:AAAA", true, "which the lock file of the module thing does not admit"},
		"unlocked": {"A provider that is in no lock file is refused.", "", true, "run `terraform providers lock"},
		"absent":   {"One that is nowhere says where it was looked for.", providerHash, false, "is in no local mirror"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			isolateCache(t)
			library, mirror := t.TempDir(), t.TempDir()
			writeModule(t, library, tc.hash)
			if tc.mirror {
				writeProvider(t, mirror)
			}
			b := testBundle(t, library, mirror)
			b.Downloader = func(context.Context) (string, error) { return "/bin/false", nil }
			providers, err := b.findProviders(t.Context())
			switch {
			case tc.wantErr == "" && (err != nil || len(providers) != 1):
				t.Errorf("%s\nwant one provider, got %v, %v", tc.reason, providers, err)
			case tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)):
				t.Errorf("%s\nwant the error %q, got %v", tc.reason, tc.wantErr, err)
			}
		})
	}
}

// TestDownloadProviders has a script stand in for `terraform providers mirror`.
func TestDownloadProviders(t *testing.T) {
	packed := filepath.Join(t.TempDir(), "terraform-provider-thing_1.0.0_"+platform()+".zip")
	f, err := os.Create(packed)
	if err != nil {
		t.Fatal(err)
	}
	zw := zip.NewWriter(f)
	w, err := zw.Create("terraform-provider-thing")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("a provider")); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	terraform := filepath.Join(t.TempDir(), "terraform")
	mustWrite(t, terraform, "#!/bin/sh\nset -e\ntest \"$1 $2 $3\" = 'providers mirror -platform="+platform()+"'\n"+
		"mkdir -p $4/example.com/acme/thing\ncp "+packed+" $4/example.com/acme/thing/\n", 0o755)

	mirror := t.TempDir()
	for range 2 { // the second time it is there
		if err := downloadProviders(t.Context(), terraform, platform(), t.TempDir(), mirror); err != nil {
			t.Fatal(err)
		}
	}
	p := provider{dir: filepath.Join(mirror, "example.com", "acme", "thing", "1.0.0", platform())}
	if err := p.sum(); err != nil {
		t.Fatal(err)
	}
	if p.hash != providerHash {
		t.Errorf("want the package unpacked, its checksum %s; got %s", providerHash, p.hash)
	}
}
