package moduletest

import (
	"path/filepath"
	"testing"

	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/modules/conformance"
	"github.com/groundwork-dev/groundwork/runner/policy"
)

// TestPolicies judges the examples of the library by the default set.
func TestPolicies(t *testing.T) {
	policies, err := policy.Load(policy.Library())
	if err != nil {
		t.Fatal(err)
	}
	o := conformance.Options{Terraform: testenv.Terraform(t), Providers: testenv.ProviderMirror(t)}
	manifests, err := filepath.Glob(filepath.Join("..", "..", "modules", "*", "module.yaml"))
	if err != nil || len(manifests) == 0 {
		t.Fatalf("found %d modules: %v", len(manifests), err)
	}
	for _, manifest := range manifests {
		module := filepath.Dir(manifest)
		t.Run(filepath.Base(module), func(t *testing.T) {
			plan, err := conformance.PlanExample(t.Context(), module, o)
			if err != nil {
				t.Fatal(err)
			}
			found, err := policies.Evaluate(t.Context(), plan)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range append(found.Denials, found.Warnings...) {
				t.Errorf("%s: %s: %s", f.Policy, f.Address, f.Message)
			}
		})
	}
}
