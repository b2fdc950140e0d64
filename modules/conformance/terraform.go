package conformance

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// terraform checks the module's form with Terraform itself, and runs its tests, in a
// copy: init writes into the folder.
func (c *checker) terraform(ctx context.Context, o Options) {
	work, err := newWorkspace(o)
	if err != nil {
		c.fault("", 0, "%v", err)
		return
	}
	defer work.remove()
	if err := os.CopyFS(work.dir, os.DirFS(c.path(""))); err != nil {
		c.fault("", 0, "copy the module: %v", err)
		return
	}
	for _, args := range [][]string{
		{"fmt", "-check", "-diff", "-recursive"},
		{"init", "-backend=false", "-input=false", "-lockfile=readonly"},
		{"validate"},
		{"test"},
	} {
		if out, err := work.run(ctx, append(args, "-no-color")...); err != nil {
			c.fault("", 0, "terraform %s: %v\n%s", strings.Join(args, " "), err, bytes.TrimSpace(out))
			return
		}
	}
}

// workspace is a temporary folder in which Terraform runs.
type workspace struct {
	base, dir string
	terraform string
	env       []string
}

func newWorkspace(o Options) (*workspace, error) {
	base, err := os.MkdirTemp("", "groundwork-modules-")
	if err != nil {
		return nil, err
	}
	w := &workspace{base: base, dir: filepath.Join(base, "module"), terraform: o.Terraform, env: append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")}
	if o.Providers == "" {
		return w, nil
	}
	config := filepath.Join(base, "terraformrc")
	w.env = append(w.env, "TF_CLI_CONFIG_FILE="+config)
	rc := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", o.Providers)
	if err := os.WriteFile(config, []byte(rc), 0o600); err != nil {
		w.remove()
		return nil, err
	}
	return w, nil
}

func (w *workspace) remove() { _ = os.RemoveAll(w.base) }

// run runs Terraform and returns what it said.
func (w *workspace) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, w.terraform, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	return cmd.CombinedOutput()
}
