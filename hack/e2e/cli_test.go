//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// cli is the binary of the command line, which is built when it is first needed.
var cli struct {
	once sync.Once
	dir  string
	err  error
}

func buildCLI() {
	if cli.dir, cli.err = os.MkdirTemp("", "groundwork-cli-"); cli.err != nil {
		return
	}
	build := exec.Command("go", "build", "-o", cli.dir, "./cmd/groundwork")
	build.Dir = stage.Root
	if out, err := build.CombinedOutput(); err != nil {
		cli.err = fmt.Errorf("build the command line: %w: %s", err, out)
	}
}

// removeCLI removes the binary, if there is one.
func removeCLI() error {
	if cli.dir == "" {
		return nil
	}
	return os.RemoveAll(cli.dir)
}

// said is what a command has printed, and its exit code.
type said struct {
	out, notes string
	code       int
}

// groundwork runs the command line on the stage's cluster, as an administrator; with
// "--as", USER among the arguments as somebody else.
func groundwork(t *testing.T, args ...string) said {
	t.Helper()
	return groundworkReads(t, "", args...)
}

// groundworkReads is groundwork with what it reads from standard input.
func groundworkReads(t *testing.T, input string, args ...string) said {
	t.Helper()
	cli.once.Do(buildCLI)
	if cli.err != nil {
		t.Fatal(cli.err)
	}
	var out, notes bytes.Buffer
	args = append(args, "--kubeconfig", stage.Kubeconfig, "--system-namespace", devenv.Namespace)
	cmd := exec.CommandContext(t.Context(), filepath.Join(cli.dir, "groundwork"), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &notes
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return said{out.String(), notes.String(), cmd.ProcessState.ExitCode()}
}

// mustGroundwork is groundwork for what has to succeed; it returns what was printed.
func mustGroundwork(t *testing.T, args ...string) string {
	t.Helper()
	s := groundwork(t, args...)
	if s.code != 0 {
		t.Fatalf("groundwork %s: exit code %d\n%s%s", strings.Join(args, " "), s.code, s.out, s.notes)
	}
	return s.out
}

// want checks the exit code and that standard output and error have the parts.
func (s said) want(t *testing.T, code int, out, notes []string) {
	t.Helper()
	if s.code != code {
		t.Errorf("exit code %d, want %d", s.code, code)
	}
	for _, part := range out {
		if !strings.Contains(s.out, part) {
			t.Errorf("it does not print %q", part)
		}
	}
	for _, part := range notes {
		if !strings.Contains(s.notes, part) {
			t.Errorf("it does not say %q", part)
		}
	}
	if t.Failed() {
		t.Logf("standard output:\n%s\nstandard error:\n%s", s.out, s.notes)
	}
}
