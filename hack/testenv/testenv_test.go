package testenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mirror makes an unpacked mirror in dir.
func mirror(t *testing.T, dir string) string {
	t.Helper()
	provider := filepath.Join(dir, "registry.terraform.io", "hashicorp", "aws", "5.0.0", platform())
	if err := os.MkdirAll(provider, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(provider, "terraform-provider-aws_v5.0.0_x5"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFindMirror(t *testing.T) {
	cases := map[string]struct {
		variable, cache string
		want, err       string
	}{
		"The variable names it.": {
			variable: mirror(t, t.TempDir()), cache: mirror(t, t.TempDir()), want: "variable",
		},
		"A variable that names something else is an error, and nothing else is tried.": {
			variable: t.TempDir(), cache: mirror(t, t.TempDir()), err: "GROUNDWORK_PROVIDERS names",
		},
		"Without the variable Terraform's own places are tried.": {
			cache: mirror(t, t.TempDir()), want: "cache",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GROUNDWORK_PROVIDERS", c.variable)
			t.Setenv("TF_PLUGIN_CACHE_DIR", c.cache)
			got, err := FindMirror()
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "terraform providers mirror") {
					t.Errorf("error = %v, want one with %q and how to make a mirror", err, c.err)
				}
				return
			}
			if want := map[string]string{"variable": c.variable, "cache": c.cache}[c.want]; got != want || err != nil {
				t.Errorf("FindMirror() = %q, %v, want %q", got, err, want)
			}
		})
	}
}

func TestSearchMirror(t *testing.T) {
	cases := map[string]struct {
		at    string
		found bool
	}{
		"The folder itself.":            {".", true},
		"Three folders deep.":           {"a/b/c", true},
		"Four folders deep is too far.": {"a/b/c/d", false},
		"A hidden folder is left out.":  {".terraform/providers", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dir := mirror(t, filepath.Join(root, c.at))
			got := searchMirror(root)
			if c.found != (got == dir) || !c.found && got != "" {
				t.Errorf("searchMirror() = %q with a mirror in %q, want it found: %v", got, dir, c.found)
			}
		})
	}
}

func TestOpen_withoutBinaries(t *testing.T) {
	for _, assets := range []string{"", t.TempDir()} {
		t.Setenv("KUBEBUILDER_ASSETS", assets)
		if _, err := Open(); err == nil || !strings.Contains(err.Error(), "go run ./hack/cluster bin") {
			t.Errorf("Open() with KUBEBUILDER_ASSETS=%q: %v, want an error that says how to get the binaries", assets, err)
		}
	}
}

func TestTerraform(t *testing.T) {
	path := Terraform(t)
	if info, err := os.Stat(path); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("Terraform() = %q, which cannot be run: %v", path, err)
	}
}

func TestProviderMirror(t *testing.T) {
	if dir := ProviderMirror(t); !isMirror(dir) {
		t.Errorf("ProviderMirror() = %q, which is none", dir)
	}
}
