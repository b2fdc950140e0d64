// Package moduletest runs `terraform test` on every module of the library and of
// the test bundle: offline, with mocked providers.
package moduletest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/groundwork-dev/groundwork/hack/testenv"
)

func TestModules(t *testing.T) {
	terraform, mirror := testenv.Terraform(t), testenv.ProviderMirror(t)
	config := filepath.Join(t.TempDir(), "terraformrc")
	rc := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	if err := os.WriteFile(config, []byte(rc), 0o600); err != nil {
		t.Fatal(err)
	}
	tests, err := filepath.Glob("../../*/*/tests")
	if err != nil {
		t.Fatal(err)
	}
	bundled, err := filepath.Glob("../testbundle/*/tests")
	if err != nil {
		t.Fatal(err)
	}
	tests = append(tests, bundled...)
	if len(tests) < 4 {
		t.Fatalf("found the tests of %d modules only: %q", len(tests), tests)
	}
	for _, dir := range tests {
		module := filepath.Dir(dir)
		t.Run(filepath.Base(module), func(t *testing.T) {
			// A copy, because init writes into the directory.
			work := t.TempDir()
			if err := os.CopyFS(work, os.DirFS(module)); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"init", "-backend=false", "-lockfile=readonly"}, {"test"}} {
				cmd := exec.Command(terraform, append(args, "-no-color")...)
				cmd.Dir = work
				cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+config, "CHECKPOINT_DISABLE=1")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("terraform %s: %v\n%s", args[0], err, bytes.TrimSpace(out))
				}
			}
		})
	}
}
