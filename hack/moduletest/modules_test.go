// Package moduletest checks every module of the library as `groundwork modules test`
// does, and runs `terraform test` on those of the test bundle: offline, with mocked
// providers.
package moduletest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/modules/conformance"
)

func TestModules(t *testing.T) {
	o := conformance.Options{Terraform: testenv.Terraform(t), Providers: testenv.ProviderMirror(t), Previous: released(t)}
	reports, err := conformance.Test(t.Context(), filepath.Join("..", "..", "modules"), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range reports {
		t.Run(r.Module, func(t *testing.T) {
			for _, f := range r.Faults {
				t.Error(f)
			}
		})
	}
}

// released is the library of the last release, with which a new version is compared;
// empty when there is none yet, or no history of it here.
func released(t *testing.T) string {
	t.Helper()
	root := filepath.Join("..", "..")
	tag, err := exec.Command("git", "-C", root, "describe", "--tags", "--abbrev=0", "--match=v*").Output()
	if err != nil {
		return ""
	}
	dir := t.TempDir()
	archive := "git -C " + root + " archive " + strings.TrimSpace(string(tag)) + " modules | tar -x -C " + dir
	if out, err := exec.Command("bash", "-o", "pipefail", "-c", archive).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "modules")
}

// TestUpgrade_realProvider compares with a version that made a bucket of another name:
// only the real provider knows that a name cannot be changed.
func TestUpgrade_realProvider(t *testing.T) {
	previous := t.TempDir()
	module := filepath.Join(previous, "aws-s3-bucket")
	if err := os.CopyFS(module, os.DirFS(filepath.Join("..", "..", "modules", "aws-s3-bucket"))); err != nil {
		t.Fatal(err)
	}
	for file, edit := range map[string][2]string{
		"main.tf":     {"= var.name\n", "= \"old-${var.name}\"\n"},
		"module.yaml": {"version: ", "version: 1.0.0-alpha # "},
	} {
		text, err := os.ReadFile(filepath.Join(module, file))
		if err != nil || !bytes.Contains(text, []byte(edit[0])) {
			t.Fatalf("%s does not have %q: %v", file, edit[0], err)
		}
		if err := os.WriteFile(filepath.Join(module, file), bytes.Replace(text, []byte(edit[0]), []byte(edit[1]), 1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := conformance.Options{Terraform: testenv.Terraform(t), Providers: testenv.ProviderMirror(t), Previous: previous}
	reports, err := conformance.Test(t.Context(), filepath.Join("..", "..", "modules", "aws-s3-bucket"), o)
	if err != nil {
		t.Fatal(err)
	}
	want := "replaces aws_s3_bucket.this, which is stateful"
	if faults := reports[0].Faults; len(faults) != 1 || !strings.Contains(faults[0].Message, want) {
		t.Errorf("faults %v, want one with %q", faults, want)
	}
}

// TestTestBundle runs the tests of modules that are made to fail, to wait, or to be
// large, and not to be used.
func TestTestBundle(t *testing.T) {
	terraform := testenv.Terraform(t)
	modules, err := filepath.Glob(filepath.Join("..", "testbundle", "*", "module.yaml"))
	if err != nil || len(modules) == 0 {
		t.Fatalf("found %d modules in the test bundle: %v", len(modules), err)
	}
	for _, manifest := range modules {
		module := filepath.Dir(manifest)
		t.Run(filepath.Base(module), func(t *testing.T) {
			// A copy, because init writes into the directory.
			work := t.TempDir()
			if err := os.CopyFS(work, os.DirFS(module)); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"init", "-backend=false"}, {"test"}} {
				cmd := exec.Command(terraform, append(args, "-no-color")...)
				cmd.Dir = work
				cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("terraform %s: %v\n%s", args[0], err, bytes.TrimSpace(out))
				}
			}
		})
	}
}
