package devenv

import (
	"context"
	"fmt"
	"os"
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
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.Kubeconfig)
	for _, kind := range []string{"CACHE", "CONFIG", "DATA"} {
		cmd.Env = append(cmd.Env, "HELM_"+kind+"_HOME="+filepath.Join(s.dir, "helm", strings.ToLower(kind)))
	}
	return outputOf(cmd)
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
