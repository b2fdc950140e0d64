package terraform

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-exec/tfexec"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/groundwork-dev/groundwork/runner/providerproxy"
)

// startProxies starts the providers that the module's lock file names, each behind a
// proxy that lets Terraform see the types of the module and of the state alone. Terraform
// starts those that have none, from the mirror.
func (s *session) startProxies(ctx context.Context, providers []selected) error {
	var used sets.Set[string]
	for _, p := range providers {
		if !p.named {
			continue
		}
		if used == nil {
			var err error
			if used, err = s.usedTypes(ctx); err != nil {
				return err
			}
		}
		executable, err := providerproxy.Executable(p.dir(s.cfg.ProvidersDir))
		if err != nil {
			return err
		}
		var env []string
		for name, value := range environment(s.cfg) {
			env = append(env, name+"="+value)
		}
		proxy, err := providerproxy.Start(ctx, providerproxy.Options{
			Executable: executable, Dir: s.cfg.path(tempDir), Env: env, Stderr: s.log.breakdowns, Types: used,
		})
		if err != nil {
			return err
		}
		s.proxies = append(s.proxies, proxy)
		if s.reattach == nil {
			s.reattach = tfexec.ReattachInfo{}
		}
		s.reattach[p.source] = proxy.Reattach()
	}
	return nil
}

// usedTypes are the types that Terraform may ask a provider about.
func (s *session) usedTypes(ctx context.Context) (sets.Set[string], error) {
	config, err := providerproxy.ConfigTypes(s.cfg.path(moduleDir))
	if err != nil {
		return nil, err
	}
	content, err := s.readState(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	state, err := providerproxy.StateTypes(content)
	return config.Union(state), err
}

func (s *session) closeProxies() {
	for _, p := range s.proxies {
		p.Close()
	}
	s.proxies, s.reattach = nil, nil
}
