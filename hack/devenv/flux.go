package devenv

import (
	"context"
	"fmt"
)

// startFlux installs Flux on the embedded cluster, and starts the registry for its
// charts. On another cluster Flux has to be there: it is not ours to change.
func (s *Stage) startFlux(ctx context.Context) error {
	if s.existing {
		_, err := s.Kubectl(ctx, "-n", "flux-system", "wait", "--for=condition=Available", "--timeout=1m",
			"deployment/source-controller", "deployment/helm-controller", "deployment/notification-controller")
		if err != nil {
			return fmt.Errorf("with CLUSTER=existing Flux has to be on the cluster, e.g. by `flux install --components=source-controller,helm-controller,notification-controller`: %w", err)
		}
	} else if err := s.goTool(ctx, "run", "./hack/flux", "up"); err != nil {
		return err
	}
	if _, err := s.helmBinary(ctx); err != nil { // Its compilation is not a test's time.
		return err
	}
	return s.startRegistry(ctx)
}
