package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const namespace = "flux-system"

// controllers are the Flux controllers that are installed, each named as its Go
// module, its folder here and its Deployment.
func controllers() []string {
	return []string{"source-controller", "helm-controller", "notification-controller"}
}

// installer puts Flux on the embedded cluster.
type installer struct {
	// root is the repository's root.
	root string
	// kubectl is the embedded cluster's.
	kubectl string
	log     io.Writer
}

func newInstaller(ctx context.Context, log io.Writer) (*installer, error) {
	i := &installer{log: log}
	mod, err := i.output(ctx, "go", "env", "GOMOD")
	if err != nil {
		return nil, err
	}
	i.root = filepath.Dir(mod)
	if _, err := os.Stat(i.path("manifests")); err != nil {
		return nil, fmt.Errorf("run this from within Groundwork's repository: %w", err)
	}
	bin, err := i.output(ctx, "go", "run", "./hack/cluster", "bin")
	i.kubectl = filepath.Join(bin, "kubectl")
	return i, err
}

// path is a file in this command's folder.
func (i *installer) path(elements ...string) string {
	return filepath.Join(append([]string{i.root, "hack", "flux"}, elements...)...)
}

// up installs Flux, again if it is there.
func (i *installer) up(ctx context.Context) error {
	if _, err := i.output(ctx, "go", "run", "./hack/cluster", "status"); err != nil {
		return fmt.Errorf("the embedded cluster does not run, start it with `go run ./hack/cluster up`: %w", err)
	}
	kubeconfig, err := i.output(ctx, "go", "run", "./hack/cluster", "kubeconfig")
	if err != nil {
		return err
	}
	load := []string{"run", "./hack/cluster", "load"}
	for _, name := range controllers() {
		file, err := i.image(ctx, name)
		if err != nil {
			return err
		}
		load = append(load, file)
	}
	if err := i.run(ctx, "go", load...); err != nil {
		return err
	}
	manifests, err := i.manifests(ctx)
	if err != nil {
		return err
	}
	apply := i.command(ctx, i.kubectl, "--kubeconfig="+kubeconfig, "apply", "--server-side", "--force-conflicts", "-f", "-")
	apply.Stdin = strings.NewReader(manifests)
	if _, err := outputOf(apply); err != nil {
		return err
	}
	for _, name := range controllers() {
		err := i.run(ctx, i.kubectl, "--kubeconfig="+kubeconfig, "--namespace="+namespace, "rollout", "status", "deployment/"+name, "--timeout=3m")
		if err != nil {
			return err
		}
	}
	return nil
}

// manifests renders the folder manifests, with links to the modules in Go's cache.
func (i *installer) manifests(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp("", "groundwork-flux-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, os.DirFS(i.path("manifests"))); err != nil {
		return "", err
	}
	for _, name := range controllers() {
		m, err := i.module(ctx, name)
		if err != nil {
			return "", err
		}
		if err := os.Symlink(m.Dir, filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	return i.output(ctx, i.kubectl, "kustomize", dir)
}

// module is a Go module in Go's cache.
type module struct{ Version, Dir string }

// module finds a controller's module, and downloads it if need be.
func (i *installer) module(ctx context.Context, name string) (module, error) {
	out, err := i.output(ctx, "go", "-C", i.path(name), "mod", "download", "-json", "github.com/fluxcd/"+name)
	if err != nil {
		return module{}, err
	}
	var m module
	return m, json.Unmarshal([]byte(out), &m)
}

// run runs a command at the repository's root; what it prints goes to the log.
func (i *installer) run(ctx context.Context, name string, args ...string) error {
	cmd := i.command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = i.log, i.log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", cmd, err)
	}
	return nil
}

// output runs a command at the repository's root and returns what it prints, trimmed.
func (i *installer) output(ctx context.Context, name string, args ...string) (string, error) {
	return outputOf(i.command(ctx, name, args...))
}

func outputOf(cmd *exec.Cmd) (string, error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", cmd, err, &out, &errs)
	}
	return strings.TrimSpace(out.String()), nil
}

// command makes a command that is given a while to end when ctx does.
func (i *installer) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = i.root
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}
