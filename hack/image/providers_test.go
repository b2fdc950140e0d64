package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindProviders(t *testing.T) {
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
			modules, err := loadModules([]string{library})
			if err != nil {
				t.Fatal(err)
			}
			providers, err := findProviders(t.Context(), mirror, "/bin/false", modules)
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
	writeFile(t, terraform, "#!/bin/sh\nset -e\ntest \"$1 $2 $3\" = 'providers mirror -platform="+platform()+"'\n"+
		"mkdir -p $4/example.com/acme/thing\ncp "+packed+" $4/example.com/acme/thing/\n", 0o755)

	mirror := t.TempDir()
	for range 2 { // the second time it is there
		if err := downloadProviders(t.Context(), terraform, t.TempDir(), mirror); err != nil {
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

func TestLoadModules(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	writeModule(t, a, providerHash)
	writeModule(t, b, providerHash)
	cases := map[string]struct {
		reason    string
		libraries []string
		wantErr   string
	}{
		"one":   {"A library is loaded.", []string{a}, ""},
		"twice": {"A name is in one library only.", []string{a, b}, "the module thing is in"},
		"empty": {"A bundle has modules.", []string{t.TempDir()}, "no module in"},
		"none":  {"A library is there.", []string{"/nonexistent"}, "/nonexistent"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := loadModules(tc.libraries)
			if tc.wantErr == "" && err != nil || tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)) {
				t.Errorf("%s\nwant the error %q, got %v", tc.reason, tc.wantErr, err)
			}
		})
	}
}

func TestParseOptions(t *testing.T) {
	cases := map[string]struct {
		reason  string
		args    []string
		wantErr string
	}{
		"file":     {"An image for a file.", []string{"-bundle-out", "x"}, ""},
		"flux":     {"An image of another project.", []string{"-helm-controller-out", "x"}, ""},
		"push":     {"An image for a registry.", []string{"-push", "-app-tag", "x"}, ""},
		"tag":      {"A name alone is nothing to do.", []string{"-app-tag", "x"}, "nothing to do"},
		"no tag":   {"Neither is a push of images without a name.", []string{"-push"}, "nothing to do"},
		"nothing":  {"Nothing to do is a mistake.", nil, "nothing to do"},
		"argument": {"So is an argument.", []string{"-bundle-out", "x", "y"}, "unexpected argument"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o, err := parseOptions(tc.args, os.Stderr)
			if tc.wantErr == "" && err != nil || tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)) {
				t.Errorf("%s\nwant the error %q, got %v", tc.reason, tc.wantErr, err)
			}
			if err == nil && (len(o.modules) != 1 || o.modules[0] != "modules") {
				t.Errorf("%s\nwant the repository's modules, got %v", tc.reason, o.modules)
			}
		})
	}
}
