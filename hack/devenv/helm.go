package devenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Helm runs Helm against the stage's cluster and returns what it prints. It is the real
// one, in the version that hack/helm/go.mod pins, and sees none of the user's settings.
// The first call compiles it if need be.
func (s *Stage) Helm(ctx context.Context, args ...string) (string, error) {
	binary, err := s.helmBinary(ctx)
	if err != nil {
		return "", err
	}
	cmd := command(ctx, s.Root, binary, args...)
	cmd.Env = s.environment()
	return outputOf(cmd)
}

// environment is what Helm and kubectl are run with.
func (s *Stage) environment() []string {
	env := append(os.Environ(), "KUBECONFIG="+s.Kubeconfig)
	for _, kind := range []string{"CACHE", "CONFIG", "DATA"} {
		env = append(env, "HELM_"+kind+"_HOME="+filepath.Join(s.dir, "helm", strings.ToLower(kind)))
	}
	return env
}

// Shell runs a script with bash from the repository's root, with the stage's helm and
// kubectl on the PATH, and returns all that it prints. It ends at the first command that
// fails.
func (s *Stage) Shell(ctx context.Context, script string) (string, error) {
	path, err := s.ToolPath(ctx)
	if err != nil {
		return "", err
	}
	cmd := command(ctx, s.Root, "bash", "-euxo", "pipefail", "-c", script)
	cmd.Env = append(s.environment(), "PATH="+path)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// ToolPath is the PATH with the stage's helm and kubectl before all others.
func (s *Stage) ToolPath(ctx context.Context) (string, error) {
	helm, err := s.helmBinary(ctx)
	if err != nil {
		return "", err
	}
	kubectl, err := exec.LookPath(s.kubectl)
	if err != nil {
		return "", err
	}
	bin, err := os.MkdirTemp(s.dir, "bin-")
	if err != nil {
		return "", err
	}
	for name, target := range map[string]string{"helm": helm, "kubectl": kubectl} {
		if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
			return "", err
		}
	}
	return bin + ":" + os.Getenv("PATH"), nil
}

// helmBinary is the path of Helm in Go's build cache.
func (s *Stage) helmBinary(ctx context.Context) (string, error) {
	s.helm.Lock()
	defer s.helm.Unlock()
	if s.helm.path != "" {
		return s.helm.path, nil
	}
	path, err := output(ctx, s.Root, "go", "tool", "-modfile=hack/helm/go.mod", "-n", "helm")
	s.helm.path = strings.TrimSpace(path)
	return s.helm.path, err
}

// PushChart packages the chart in a folder with a version of its own, pushes it to the
// stage's registry, and returns its URL there, as an OCIRepository wants it. The
// registry is everybody's: tests that run side by side name their charts apart.
func (s *Stage) PushChart(ctx context.Context, folder, version string) (string, error) {
	if s.Registry == nil {
		return "", fmt.Errorf("push the chart in %s: the stage has no registry, set devenv.Options.Flux", folder)
	}
	dir, err := os.MkdirTemp(s.dir, "chart-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if _, err := s.Helm(ctx, "package", folder, "--version="+version, "--destination="+dir); err != nil {
		return "", err
	}
	suffix := "-" + version + ".tgz"
	archives, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil || len(archives) != 1 {
		return "", fmt.Errorf("want one archive of the chart in %s, got %q, %w", folder, archives, err)
	}
	if _, err := s.Helm(ctx, "push", archives[0], s.Registry.URL, "--plain-http"); err != nil {
		return "", err
	}
	return s.Registry.URL + "/" + strings.TrimSuffix(filepath.Base(archives[0]), suffix), nil
}
