package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/runner/providerproxy"
)

// terraform checks the module's form with Terraform itself, and runs its tests, in a
// copy: init writes into the folder.
func (c *checker) terraform(ctx context.Context, o Options) {
	work, err := newWorkspace(c.Module, o)
	if err != nil {
		c.fault("", "%v", err)
		return
	}
	defer work.remove()
	if err := os.CopyFS(work.dir, os.DirFS(c.path(""))); err != nil {
		c.fault("", "copy the module: %v", err)
		return
	}
	work.startProxies(ctx)
	for _, args := range [][]string{
		{"fmt", "-check", "-diff", "-recursive"},
		{"init", "-backend=false", "-input=false", "-lockfile=readonly"},
		{"validate"},
		{"test"},
	} {
		if out, err := work.run(ctx, append(args, "-no-color")...); err != nil {
			c.fault("", "terraform %s: %v\n%s", strings.Join(args, " "), err, bytes.TrimSpace(out))
			return
		}
	}
}

// workspace is a temporary folder in which Terraform runs.
type workspace struct {
	base, dir string
	terraform string
	env       []string
	// executables are those of the providers in the mirror, by source address.
	executables map[string]string
	proxies     []*providerproxy.Proxy
	// reattach is how Terraform reaches the proxies, as an environment variable has it.
	reattach []byte
}

func newWorkspace(m *modules.Module, o Options) (*workspace, error) {
	base, err := os.MkdirTemp("", "groundwork-modules-")
	if err != nil {
		return nil, err
	}
	w := &workspace{base: base, dir: filepath.Join(base, "module"), terraform: o.Terraform, env: append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")}
	if err := w.useProviders(m, o.Providers); err != nil {
		w.remove()
		return nil, err
	}
	return w, nil
}

// useProviders makes Terraform take the module's locked providers from a mirror as they
// are. It would otherwise compute their checksums for every command, of 700 MB for AWS;
// who makes a bundle compares them once.
func (w *workspace) useProviders(m *modules.Module, mirror string) error {
	if mirror == "" {
		return nil
	}
	locks, err := m.Locks()
	if err != nil {
		return err
	}
	var overrides strings.Builder
	w.executables = map[string]string{}
	for _, lock := range locks {
		dir := filepath.Join(mirror, filepath.FromSlash(lock.Source), lock.Version, runtime.GOOS+"_"+runtime.GOARCH)
		if w.executables[lock.Source], err = providerproxy.Executable(dir); err != nil {
			return fmt.Errorf("the mirror does not have the provider %s %s of the lock file: %w", lock.Source, lock.Version, err)
		}
		fmt.Fprintf(&overrides, "    %q = %q\n", lock.Source, dir)
	}
	rc := fmt.Sprintf("provider_installation {\n  dev_overrides {\n%s  }\n  filesystem_mirror {\n    path = %q\n  }\n}\n", &overrides, mirror)
	config := filepath.Join(w.base, "terraformrc")
	w.env = append(w.env, "TF_CLI_CONFIG_FILE="+config)
	return os.WriteFile(config, []byte(rc), 0o600)
}

// startProxies lets Terraform see those types of the mirror's providers alone that the
// files in the folder use. Without, all is the same but slower, so that Terraform is left
// to say what is wrong with files or providers.
func (w *workspace) startProxies(ctx context.Context) {
	types, err := providerproxy.ConfigTypes(w.dir)
	if err != nil {
		return
	}
	reattach := tfexec.ReattachInfo{}
	for source, executable := range w.executables {
		proxy, err := providerproxy.Start(ctx, providerproxy.Options{
			Executable: executable, Dir: w.base, Env: w.env, Types: types,
			Stderr: func() io.Writer { return io.Discard },
		})
		if err != nil {
			continue
		}
		w.proxies = append(w.proxies, proxy)
		reattach[source] = proxy.Reattach()
	}
	w.reattach, _ = json.Marshal(reattach) // strings and numbers
}

func (w *workspace) remove() {
	for _, p := range w.proxies {
		p.Close()
	}
	_ = os.RemoveAll(w.base)
}

// run runs Terraform and returns what it said.
func (w *workspace) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, w.terraform, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	if args[0] != "init" { // which looks after the providers of the lock file
		cmd.Env = append(slices.Clone(w.env), "TF_REATTACH_PROVIDERS="+string(w.reattach))
	}
	return cmd.CombinedOutput()
}
