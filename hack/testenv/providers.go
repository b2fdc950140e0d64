package testenv

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// mirrorDepth is how many folders deep a mirror is looked for.
const mirrorDepth = 3

// ProviderMirror returns the path of an unpacked filesystem mirror that has the
// provider hashicorp/aws for this machine.
func ProviderMirror(t testing.TB) string {
	t.Helper()
	dir, err := FindMirror()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// FindMirror is ProviderMirror outside of tests.
func FindMirror() (string, error) {
	if dir := os.Getenv("GROUNDWORK_PROVIDERS"); dir != "" {
		if isMirror(dir) {
			return dir, nil
		}
		return "", fmt.Errorf("GROUNDWORK_PROVIDERS names %q, which has no unpacked provider in registry.terraform.io/hashicorp/aws/<version>/%s; %s", dir, platform(), howToMirror)
	}
	for _, dir := range usualMirrors() {
		if isMirror(dir) {
			return dir, nil
		}
	}
	home, _ := os.UserHomeDir()
	for _, root := range []string{home, "/opt", "/srv", "/usr/local", "/var/lib"} {
		if dir := searchMirror(root); dir != "" {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no unpacked filesystem mirror with the provider hashicorp/aws was found; %s", howToMirror)
}

const howToMirror = "run `terraform providers mirror DIR` in modules/aws-s3-bucket, unzip the archive that it leaves in " +
	"DIR/registry.terraform.io/hashicorp/aws into a folder <version>/<os>_<arch> beside it, and `export GROUNDWORK_PROVIDERS=DIR`"

// usualMirrors are the folders in which Terraform looks for providers or keeps
// them.
// Source: https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
func usualMirrors() []string {
	var dirs []string
	if dir := os.Getenv("TF_PLUGIN_CACHE_DIR"); dir != "" {
		dirs = append(dirs, dir)
	}
	home, err := os.UserHomeDir()
	if err == nil {
		dirs = append(dirs, filepath.Join(home, ".terraform.d", "plugins"))
	}
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		data = filepath.Join(home, ".local", "share")
	}
	return append(dirs,
		filepath.Join(data, "terraform", "plugins"),
		"/usr/local/share/terraform/plugins",
		"/usr/share/terraform/plugins",
	)
}

// searchMirror looks for a mirror at most mirrorDepth folders below root; empty
// when there is none. What cannot be read is passed over.
func searchMirror(root string) string {
	if root == "" {
		return ""
	}
	found := ""
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil
		}
		rel, _ := filepath.Rel(root, path)
		switch {
		case isMirror(path):
			found = path
			return filepath.SkipAll
		case path == root:
			return nil
		case strings.HasPrefix(entry.Name(), "."), strings.Count(rel, string(filepath.Separator)) >= mirrorDepth-1:
			return filepath.SkipDir
		}
		return nil
	})
	return found
}

// isMirror tells whether a folder has the provider unpacked for this machine.
func isMirror(dir string) bool {
	binaries, _ := filepath.Glob(filepath.Join(dir, "registry.terraform.io", "hashicorp", "aws", "*", platform(), "terraform-provider-aws*"))
	return len(binaries) > 0
}

func platform() string { return runtime.GOOS + "_" + runtime.GOARCH }
