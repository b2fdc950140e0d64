package testenv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// APIServer is a real API server with Groundwork's CRDs, and no controllers: a
// deleted namespace stays, and no pod runs.
type APIServer struct {
	// Config is an administrator's access.
	Config *rest.Config
	// Kubeconfig is the path of a file with the same access, for other programs.
	Kubeconfig string

	env *envtest.Environment
	dir string
}

// Start starts an API server for the duration of the test, and returns the
// access of an administrator and the path of a kubeconfig for the same.
func Start(t testing.TB) (*rest.Config, string) {
	t.Helper()
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.Config, s.Kubeconfig
}

// Open starts an API server, for a TestMain. The caller closes it.
func Open() (*APIServer, error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if _, err := os.Stat(filepath.Join(assets, "kube-apiserver")); assets == "" || err != nil {
		return nil, fmt.Errorf("no kube-apiserver in the folder %q that KUBEBUILDER_ASSETS names: run `export KUBEBUILDER_ASSETS=$(go run ./hack/cluster bin)` in the repository's root", assets)
	}
	root, err := repository()
	if err != nil {
		return nil, err
	}
	s := &APIServer{env: &envtest.Environment{
		BinaryAssetsDirectory: assets,
		CRDDirectoryPaths:     []string{filepath.Join(root, "deploy", "chart", "files", "crds")},
		ErrorIfCRDPathMissing: true,
	}}
	if s.Config, err = s.env.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the API server: %w", err), s.env.Stop())
	}
	if err := s.writeKubeconfig(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close stops the API server.
func (s *APIServer) Close() error {
	return errors.Join(s.env.Stop(), os.RemoveAll(s.dir))
}

func (s *APIServer) writeKubeconfig() error {
	dir, err := os.MkdirTemp("", "groundwork-kubeconfig-")
	if err != nil {
		return err
	}
	s.dir, s.Kubeconfig = dir, filepath.Join(dir, "config")
	return os.WriteFile(s.Kubeconfig, s.env.KubeConfig, 0o600)
}

// repository returns the root of the repository: tests run in their package's
// folder, somewhere below it.
func repository() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "deploy", "chart", "files", "crds")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not in the repository: no folder above it has deploy/chart/files/crds", start)
		}
	}
}
