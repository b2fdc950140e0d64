// Package devenv is the stage for the demo, the e2e tests and the benchmark: the
// embedded cluster, the images, the AWS endpoint with its PostgreSQL, and Groundwork
// installed as the README says.
//
// With CLUSTER=existing the cluster of the current kubeconfig is used instead. Its
// nodes must be able to pull the images from GROUNDWORK_REGISTRY, where they are
// pushed, and its pods must reach this machine at GROUNDWORK_HOST, where the AWS
// endpoint listens, and the registry for charts.
package devenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Names that the stage uses.
const (
	// Namespace is the system namespace.
	Namespace = "groundwork-system"
	// ProviderConfig is the default ProviderConfig; it admits every namespace.
	ProviderConfig = "emulated-aws"
	// Credentials is the Secret with its credentials.
	Credentials = "emulated-aws-credentials"

	registry = "ghcr.io/groundwork-dev"
	chart    = "deploy/chart"
)

// Options are what a stage is made of.
type Options struct {
	// Modules are further directories of modules in the bundle, relative to the
	// repository's root; modules/ is always in it.
	Modules []string
	// Flux puts Flux on the cluster, with a registry for charts.
	Flux bool
	// Log takes a line for each step, and what the tools print.
	Log io.Writer
}

// Stage is a cluster with Groundwork in it. Close it.
type Stage struct {
	// Root is the repository's root.
	Root string
	// Kubeconfig is the path of the cluster's kubeconfig.
	Kubeconfig string
	// Config and the clients reach the cluster as an administrator; nothing is
	// cached.
	Config *rest.Config
	Client client.WithWatch
	Kube   kubernetes.Interface
	// AWS is the AWS endpoint.
	AWS *AWS
	// Registry is the registry for charts; nil without Options.Flux.
	Registry *Registry

	options  Options
	existing bool
	kubectl  string
	// dir is for files of the stage; Close removes it.
	dir  string
	helm struct {
		sync.Mutex
		path string
	}
	// version is the images' tag.
	version string
	// ours tells that the cluster was not there before.
	ours bool
}

// Up makes the stage. What was made is taken down again when a step fails.
func Up(ctx context.Context, o Options) (_ *Stage, err error) {
	root, err := repositoryRoot(ctx)
	if err != nil {
		return nil, err
	}
	s := &Stage{Root: root, options: o, existing: os.Getenv("CLUSTER") == "existing"}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "groundwork-stage-"); err != nil {
		return nil, err
	}
	type step struct {
		name string
		do   func(context.Context) error
	}
	steps := []step{
		{"start a Kubernetes cluster", s.startCluster},
		{"build the images and load them into it", s.loadImages},
		{"start the AWS endpoint and its PostgreSQL", s.startAWS},
		{"install Groundwork", s.InstallAnew},
	}
	if o.Flux {
		steps = append(steps, step{"install Flux, and start a registry for charts", s.startFlux})
	}
	for _, step := range steps {
		began := time.Now()
		s.logf("==> %s", step.name)
		if err := step.do(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
		s.logf("    done in %.1fs", time.Since(began).Seconds())
	}
	return s, nil
}

// Close takes down what Up has made: the registry, the AWS endpoint, and the cluster
// unless it was there before.
func (s *Stage) Close() error {
	// The caller's context may have ended: that is when this has to work.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	errs := []error{os.RemoveAll(s.dir)}
	if s.Registry != nil {
		errs = append(errs, s.Registry.stop())
	}
	if s.AWS != nil {
		errs = append(errs, s.AWS.stop())
	}
	if s.ours {
		errs = append(errs, s.goTool(ctx, "run", "./hack/cluster", "wipe"))
	}
	return errors.Join(errs...)
}

// Ours tells whether Close takes the cluster down, too.
func (s *Stage) Ours() bool { return s.ours }

func (s *Stage) logf(format string, args ...any) { fmt.Fprintf(s.options.Log, format+"\n", args...) }

func repositoryRoot(ctx context.Context) (string, error) {
	mod, err := output(ctx, "", "go", "env", "GOMOD")
	if err != nil {
		return "", err
	}
	root := filepath.Dir(strings.TrimSpace(mod))
	if _, err := os.Stat(filepath.Join(root, chart, "Chart.yaml")); err != nil {
		return "", fmt.Errorf("run this from within Groundwork's repository: %w", err)
	}
	return root, nil
}
